import pytest

from retriever.types import Block, BlockKind, Document, Locator, LocatorKind, Passage, Span


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 3), (4, 2), (0, 0)])
def test_a_span_that_is_inverted_empty_or_negative_cannot_be_built(start, end):
    with pytest.raises(ValueError, match=r"0 <= start < end"):
        Span(start, end)


def test_a_span_counts_code_points():
    assert Span(1, 3).of("a😀e\u0301") == "😀e"
    assert len(Span(1, 3)) == 2
    assert Span(1, 3).shifted(10) == Span(11, 13)


def test_a_span_beyond_its_text_is_refused():
    with pytest.raises(ValueError, match="ends beyond a text of 3 characters"):
        Span(1, 4).of("abc")


def test_a_passage_has_what_stands_in_its_document_in_its_text_and_its_continuation():
    passage = Passage(1, "d", "D", "pears", Span(10, 15), " and plums")
    assert (passage.text_at(Span(11, 14)), passage.text_at(Span(14, 18))) == ("ear", "s an")
    for outside in (Span(9, 12), Span(20, 26)):
        with pytest.raises(ValueError, match=r"beyond a text|0 <= start"):
            passage.text_at(outside)


def test_a_documents_digest_is_of_its_utf8_bytes():
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert Document("a", "t", "hello").sha256 == digest


@pytest.mark.parametrize(
    ("other", "expected"), [((2, 4), False), ((3, 5), True), ((6, 9), True), ((8, 9), False)]
)
def test_spans_touch_when_they_share_a_character(other, expected):
    assert Span(4, 8).touches(Span(*other)) is expected
    assert Span(*other).touches(Span(4, 8)) is expected


TEXT = "Boiler\n\nServiced every May.\n"
HEADING = Block(BlockKind.HEADING, Span(0, 6))
PARAGRAPH = Block(BlockKind.PARAGRAPH, Span(8, 27), ("Boiler",), Locator.line(3))


def test_blocks_cover_a_document_but_for_its_white_space():
    document = Document("a", "t", TEXT, blocks=(HEADING, PARAGRAPH))
    assert [block.span.of(document.text) for block in document.blocks] == ["Boiler", "Serviced every May."]
    assert [document.block_at(at) for at in (0, 5, 6, 7, 8, 26, 27)] == [
        *(HEADING, HEADING, None, None, PARAGRAPH, PARAGRAPH, None)
    ]
    assert Document("a", "t", TEXT).block_at(0) is None


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ([(0, 27), (0, 6)], "The block at 0 begins before the one before it has ended, at 27"),
        ([(0, 6), (5, 27)], "The block at 5 begins before the one before it has ended, at 6"),
        ([(0, 6), (9, 27)], "leave out 'S' between 6 and 9"),
        ([(0, 6)], "leave out 'Serviced every May.' between 6 and 28"),
        ([(1, 6), (8, 27)], "leave out 'B' between 0 and 1"),
        ([(0, 7), (8, 27)], "begins or ends with white space"),
        ([(0, 6), (7, 27)], "begins or ends with white space"),
        ([(0, 6), (8, 29)], "ends beyond a text of 28 characters"),
        ([(0, 6), (8, 27), (30, 31)], "ends beyond a text of 28 characters"),
    ],
)
def test_blocks_that_do_not_fit_the_text_cannot_be_built(spans, problem):
    blocks = tuple(Block(BlockKind.PARAGRAPH, Span(*span)) for span in spans)
    with pytest.raises(ValueError, match=problem):
        Document("a", "t", TEXT, blocks=blocks)


@pytest.mark.parametrize(
    ("locator", "string", "fragment"),
    [
        (Locator.page(12), "page 12", "page=12"),
        (Locator.line(40), "line 40", None),
        (Locator(LocatorKind.ANCHOR, "set-up"), "#set-up", "set-up"),
        (Locator(LocatorKind.ANCHOR, "é #1"), "#é #1", "%C3%A9%20%231"),
        (Locator(LocatorKind.SECTION, "page 3"), "section page 3", None),
    ],
)
def test_a_locator_reads_as_people_write_it_and_opens_an_address(locator, string, fragment):
    assert str(locator) == string
    assert Locator.parse(string) == locator
    assert locator.fragment == fragment


@pytest.mark.parametrize(
    "text", ["", "#", "page", "page 0", "page -1", "page x", "line 1.5", "anchor a", "12"]
)
def test_a_locator_that_says_no_place_is_refused(text):
    with pytest.raises(ValueError, match=r"is none|is blank|is numbered from 1"):
        Locator.parse(text)
