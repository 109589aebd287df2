import pytest

from quote_check.quotations import block_quotations

MANY = 400_000


def quoted(text):
    return [[piece.of(text) for piece in quotation.pieces] for quotation in block_quotations(text)]


@pytest.mark.parametrize(
    ("line", "quote"),
    [
        ("it fell [1]", "it fell"),
        ("it fell [1] 【2†tower】[^note] [1, 2]  ", "it fell"),
        ("it fell [1] there", "it fell [1] there"),
        ("it fell [1.5]", "it fell [1.5]"),
        ("it fell 1]", "it fell 1]"),
        ("it fell [" + "1" * 61 + "] [2]", "it fell [" + "1" * 61 + "]"),
        ("x" + " " * MANY + "y", "x" + " " * MANY + "y"),
        ("x" + "[1]" * MANY + "y", "x" + "[1]" * MANY + "y"),
        ("x" + " [1]" * MANY, "x"),
    ],
    ids=lambda text: text[:20],
)
def test_the_marks_that_end_a_block_quote_are_not_of_it(line, quote):
    assert quoted(f"> {line}\n\nSo it was.") == [[quote]]


@pytest.mark.parametrize("within", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_feeds_and_carriage_returns_end_a_line(within):
    assert quoted(f"> it fell{within}into the sea\r\n> there\n") == [
        [f"it fell{within}into the sea", "there"]
    ]


def test_a_line_of_marks_alone_quotes_nothing():
    assert quoted("> [1] [2]") == []
