import pytest

from retriever.types import Document, Span


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


def test_a_documents_digest_is_of_its_utf8_bytes():
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert Document("a", "t", "hello").sha256 == digest


@pytest.mark.parametrize(
    ("other", "expected"), [((2, 4), False), ((3, 5), True), ((6, 9), True), ((8, 9), False)]
)
def test_spans_touch_when_they_share_a_character(other, expected):
    assert Span(4, 8).touches(Span(*other)) is expected
    assert Span(*other).touches(Span(4, 8)) is expected
