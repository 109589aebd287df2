import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retriever.encoder import passage_input
from retriever.text.lengths import TokenCounter
from retriever.text.packing import HEADING_TOKENS
from retriever.text.passages import PassageDraft, PassageSettings, split
from retriever.text.units import units
from retriever.types import Block, BlockKind, Document, Span, heading_line


class Letters:
    """Counts every letter and digit as a token."""

    def __init__(self, max_tokens: int | None) -> None:
        self.max_tokens = max_tokens
        self.calls = 0

    def count_tokens(self, texts):
        self.calls += 1
        return [len(re.findall(r"\w", text)) for text in texts]


def document_of(*pieces: tuple[BlockKind, str], title: str = "Lamp") -> Document:
    """A document of these blocks on lines of their own; a heading stands above what follows it."""
    blocks, text, path = [], "", ()
    for kind, piece in pieces:
        start = len(text) + 1 if text else 0
        text += "\n" + piece if text else piece
        blocks.append(Block(kind, Span(start, start + len(piece)), () if kind is BlockKind.HEADING else path))
        if kind is BlockKind.HEADING:
            path = (piece,)
    return Document("d", title, text, blocks=tuple(blocks))


def drafts_of(document: Document, words: int, counter: TokenCounter | None = None) -> list[PassageDraft]:
    return list(split(document, PassageSettings(words, continuation_words=words), counter))


def texts_of(document: Document, words: int, counter: TokenCounter | None = None) -> list[str]:
    return [draft.span.of(document.text) for draft in drafts_of(document, words, counter)]


def words(count: int) -> str:
    return " ".join(["word"] * count)


HEADING, ITEM, ROW, CODE, PARAGRAPH = (
    BlockKind.HEADING,
    BlockKind.ITEM,
    BlockKind.ROW,
    BlockKind.CODE,
    BlockKind.PARAGRAPH,
)
BLOCKS = st.lists(
    st.tuples(
        st.sampled_from(list(BlockKind)),
        st.lists(st.sampled_from(["a", "bb", "Ccc.", "dddd"]), min_size=1, max_size=9).map(" ".join),
    ),
    min_size=1,
    max_size=8,
)


@given(BLOCKS, st.integers(1, 12))
def test_passages_of_blocks_and_the_white_space_between_them_are_the_whole_document(pieces, limit):
    document = document_of(*pieces)
    end = 0
    for draft in drafts_of(document, limit):
        assert document.text[end : draft.span.start].strip() == ""
        assert len(draft.span.of(document.text).split()) <= limit
        end = draft.span.end
    assert document.text[end:].strip() == ""


@given(BLOCKS, st.integers(1, 12))
def test_a_unit_that_a_passage_holds_is_never_cut(pieces, limit):
    document = document_of(*pieces)
    drafts = drafts_of(document, limit)
    whole, above = [], 0
    for unit in units(document):
        length = len(unit.span.of(document.text).split())
        above = above + length if unit.kind is HEADING else 0
        if max(above, length) * 2 <= limit:  # a unit may give way to the headings that stay with it
            whole.append(unit.span)
    for draft in drafts:
        assert not any(span.start < draft.span.end < span.end for span in whole)


@given(BLOCKS, st.integers(4, 12))
def test_a_passage_does_not_end_with_a_heading_that_something_follows(pieces, limit):
    document = document_of(*pieces)
    short = all(kind is not HEADING or len(text.split()) * 4 <= limit for kind, text in pieces)
    stacked = any(first[0] is second[0] is HEADING for first, second in pairwise(pieces))
    if not short or stacked:
        return
    ends = {block.span.end for block in document.blocks[:-1] if block.kind is HEADING}
    assert not ends & {draft.span.end for draft in drafts_of(document, limit)}


@given(BLOCKS, st.integers(64, 90), st.integers(1, 60))
def test_a_passage_with_its_headings_is_no_longer_than_its_encoder_reads(pieces, most, limit):
    document = document_of(*pieces, title="Bell and lamp")
    counter = Letters(most)
    for draft in drafts_of(document, limit, counter):
        given_ = passage_input(heading_line(document.title, draft.headings), draft.span.of(document.text))
        assert counter.count_tokens([given_])[0] <= most


def test_a_heading_moves_to_what_it_heads():
    document = document_of((PARAGRAPH, words(4)), (HEADING, "Oil"), (PARAGRAPH, words(9)), title="")
    assert texts_of(document, 10) == [words(4), f"Oil\n{words(9)}"]


def test_a_heading_starts_a_passage_where_the_one_before_is_half_full():
    document = document_of((PARAGRAPH, words(5)), (HEADING, "Oil"), (PARAGRAPH, words(3)))
    assert texts_of(document, 10) == [words(5), f"Oil\n{words(3)}"]
    document = document_of((PARAGRAPH, words(4)), (HEADING, "Oil"), (PARAGRAPH, words(3)))
    assert texts_of(document, 10) == [document.text]


def test_a_heading_stays_with_the_first_part_of_what_is_too_long_for_a_passage():
    document = document_of((HEADING, "Oil"), (PARAGRAPH, words(10)))
    first, second = texts_of(document, 10)
    assert (len(first.split()), len(second.split())) == (6, 5)
    assert first.startswith("Oil\nword")


def test_rows_are_not_cut_and_lines_of_code_stay_together():
    document = document_of((ROW, words(6)), (ROW, words(6)), (CODE, "a b\nc d\ne f"), (ITEM, words(3)))
    assert texts_of(document, 10) == [words(6), words(6), f"a b\nc d\ne f\n{words(3)}"]


def test_code_that_is_too_long_is_cut_between_its_lines():
    document = document_of((CODE, "a b c\nd e f\ng h i"))
    assert texts_of(document, 6) == ["a b c\nd e f", "g h i"]


def test_a_step_that_is_too_long_is_cut_between_its_sentences():
    document = document_of((ITEM, f"1. Go {words(5)}. Then {words(5)}."))
    assert texts_of(document, 8) == [f"1. Go {words(5)}.", f"Then {words(5)}."]


def test_a_passage_has_the_headings_that_its_beginning_stands_under():
    document = document_of((HEADING, "Oil"), (PARAGRAPH, f"{words(9)}."), (PARAGRAPH, f"{words(9)}."))
    first, second = drafts_of(document, 10)
    assert first.headings == ()  # it begins with the heading itself
    assert second.headings == ("Oil",)


def test_the_title_is_not_read_twice():
    block = Block(PARAGRAPH, Span(0, 4), ("Lamp", "Oil"))
    (draft,) = drafts_of(Document("d", "Lamp", "Fill", blocks=(block,)), 10)
    assert draft.headings == ("Oil",)


def test_outer_headings_give_way_where_all_are_too_long():
    path = (words(20), words(15), words(10))
    (draft,) = drafts_of(Document("d", "Lamp", "Fill", blocks=(Block(PARAGRAPH, Span(0, 4), path),)), 10)
    assert draft.headings == path[1:]
    assert len(heading_line("Lamp", draft.headings).split()) <= HEADING_TOKENS
    title = words(HEADING_TOKENS)
    (draft,) = drafts_of(Document("d", title, "Fill", blocks=(Block(PARAGRAPH, Span(0, 4), path),)), 10)
    assert draft.headings == ()


def test_tokens_limit_a_passage_of_long_words():
    sentence = "Methylchloroisothiazolinone dried."
    text = " ".join([sentence] * 4)
    document = Document("d", "Tube", text)
    assert texts_of(document, 100, Letters(4 + 2 * 32)) == [f"{sentence} {sentence}"] * 2
    assert texts_of(document, 100, Letters(None)) == [text]


def test_a_sentence_with_more_tokens_than_a_passage_holds_is_cut_between_words():
    document = Document("d", "", " ".join(["abcdefgh"] * 10))
    assert [len(text.split()) for text in texts_of(document, 100, Letters(40))] == [5, 5]


def test_a_long_title_leaves_the_text_some_room():
    document = Document("d", "t" * 5_000, " ".join(["abcd"] * 16))
    assert [len(text.split()) for text in texts_of(document, 100, Letters(100))] == [8, 8]


def test_a_document_is_counted_in_few_calls():
    counter = Letters(1_000)
    drafts_of(Document("d", "Lamp", "It is old. " * 200), 100, counter)
    assert counter.calls == 2  # the title, and the sentences


def test_tokens_are_those_of_the_folded_text():
    document = Document("d", "", " ".join(["o\ufb03ce"] * 10))
    assert len(texts_of(document, 100, Letters(60))) == 1
    assert len(texts_of(document, 100, Letters(59))) == 2
