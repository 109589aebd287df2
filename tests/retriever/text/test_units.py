import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.text.units import quotable_spans, quotable_spans_of, units
from retriever.types import Block, BlockKind, Document, Span

KINDS = st.sampled_from(list(BlockKind))
PIECES = st.lists(
    st.tuples(KINDS, st.text("abC. \n", min_size=1, max_size=20).filter(lambda text: text.strip() == text)),
    min_size=1,
    max_size=6,
)


def document_of(*pieces: tuple[BlockKind, str], gap: str = "\n") -> Document:
    """A document of these blocks, one after the other; the headings so far stand above the rest."""
    blocks, text, path = [], "", ()
    for kind, piece in pieces:
        start = len(text) + len(gap) if text else 0
        text += gap + piece if text else piece
        blocks.append(Block(kind, Span(start, start + len(piece)), path))
        if kind is BlockKind.HEADING:
            path = (piece,)
    return Document("d", "Lamp", text, blocks=tuple(blocks))


def quotes(document: Document, start: int = 0, end: int | None = None) -> list[str]:
    window = Span(start, len(document.text) if end is None else end)
    return [span.of(document.text) for span in quotable_spans(document, window)]


@given(PIECES)
def test_no_unit_crosses_the_border_of_a_block(pieces):
    document = document_of(*pieces)
    for unit in units(document):
        assert unit.kind is document.blocks[unit.number].kind
        block = document.blocks[unit.number].span
        assert block.start <= unit.span.start
        assert unit.span.end <= block.end


@given(PIECES)
def test_between_units_stands_nothing_but_white_space(pieces):
    document = document_of(*pieces)
    end = 0
    for unit in units(document):
        assert document.text[end : unit.span.start].strip() == ""
        end = unit.span.end
    assert document.text[end:].strip() == ""


@given(PIECES)
def test_what_can_be_quoted_of_the_whole_document_are_its_units(pieces):
    document = document_of(*pieces)
    assert quotable_spans(document, Span(0, len(document.text))) == [unit.span for unit in units(document)]


def test_a_step_is_quoted_whole_and_a_paragraph_by_the_sentence():
    document = document_of(
        (BlockKind.PARAGRAPH, "It is old. It leaks."),
        (BlockKind.ITEM, "1. Turn it off. Wait a minute."),
        (BlockKind.ROW, "Price. 5. Euro."),
        (BlockKind.FIELD, "Name: J. Berg. Keeper."),
    )
    assert quotes(document) == [
        "It is old.",
        "It leaks.",
        "1. Turn it off. Wait a minute.",
        "Price. 5. Euro.",
        "Name: J. Berg. Keeper.",
    ]


def test_code_is_quoted_by_the_line():
    document = document_of((BlockKind.CODE, "make run\n\n    make test"))
    assert quotes(document) == ["make run", "make test"]


def test_items_without_marker_or_mark_are_units_of_their_own():
    document = document_of((BlockKind.ITEM, "two carrots"), (BlockKind.ITEM, "one onion"))
    assert quotes(document) == ["two carrots", "one onion"]


def test_a_window_cuts_what_it_does_not_hold_whole():
    document = document_of((BlockKind.PARAGRAPH, "It is old. It leaks."), (BlockKind.ITEM, "Turn it off"))
    assert quotes(document, 3, 28) == ["is old.", "It leaks.", "Turn it"]
    assert quotes(document, 11, 20) == ["It leaks."]
    assert quotes(document, 20, 21) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Country: Burkina Faso\nCapital: Ouagadougou", ["Country: Burkina Faso", "Capital: Ouagadougou"]),
        ("You need:\n- two carrots\n- one onion", ["You need:", "- two carrots", "- one onion"]),
        ("1. Turn it off. Wait.\n2. Open it.", ["1. Turn it off. Wait.", "2. Open it."]),
        ("It is old. It leaks.", ["It is old.", "It leaks."]),
        ("# Soup of the day. Cold.\nIt is good.", ["# Soup of the day. Cold.", "It is good."]),
        ("Soup\n====\nIt is good.", ["Soup\n====", "It is good."]),
    ],
)
def test_the_lines_of_a_plain_text_tell_what_is_quoted_whole(text, expected):
    assert [span.of(text) for span in quotable_spans_of(text)] == expected


@pytest.mark.parametrize(
    "lines",
    [
        ["(i) pay the rent on the first day;", "(ii) keep the garden in order;", "(iii) keep no dog."],
        ["i) one", "ii) two", "iii) three"],
        ["(A) Paris", "(B) London"],
        ["I) the first", "II) the second"],
        ["[1] Smith, A. On boilers. 2001.", "[2] Jones, B. On valves. 2005.", "[13] Ames, C. On taps."],
    ],
)
def test_items_with_their_markers_in_brackets_are_units(lines):
    assert quotes(Document("d", "D", "\n".join(lines))) == lines


def test_the_window_of_a_plain_text_is_in_characters_of_the_document():
    document = Document("d", "D", "It is old. It leaks. It fell.")
    assert quotes(document, 11, 29) == ["It leaks.", "It fell."]


def test_a_heading_underlined_is_one():
    assert [unit.kind for unit in units(Document("d", "D", "Soup\n====\nIt is good."))] == [
        BlockKind.HEADING,
        BlockKind.PARAGRAPH,
    ]
