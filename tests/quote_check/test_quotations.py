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


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("> it fell\ninto the sea\n\nSo it was.", [["it fell", "into the sea"]]),
        ("> it fell\r\ninto the sea\r\n> in 1703\r\n", [["it fell", "into the sea", "in 1703"]]),
        (">> it fell\n    into the sea", [["it fell", "into the sea"]]),
        ("> - it fell\ninto the sea", [["- it fell", "into the sea"]]),
        ("> it fell\n2. into the sea", [["it fell", "2. into the sea"]]),
        ("> it fell\n#into the sea", [["it fell", "#into the sea"]]),
        ("> it fell\n=====", [["it fell", "====="]]),
        ("> it fell\ninto the sea\n\u2014 Mr. Smith", [["it fell", "into the sea"]]),
        ("> it fell\n[1]", [["it fell"]]),
        ("> it fell\n> [1] [2]\n> [3]", [["it fell"]]),
        # another block begins, or the quote has no open paragraph
        ("> it fell\n\ninto the sea", [["it fell"]]),
        ("> it fell\n>\ninto the sea", [["it fell"]]),
        ("> it fell\n- into the sea", [["it fell"]]),
        ("> it fell\n* into the sea", [["it fell"]]),
        ("> it fell\n1. into the sea", [["it fell"]]),
        ("> it fell\n## Into the sea", [["it fell"]]),
        ("> it fell\n***\ninto the sea", [["it fell"]]),
        ("> it fell\n- - -\ninto the sea", [["it fell"]]),
        ("> it fell\n```\ninto the sea", [["it fell"]]),
        ("> it fell\n<blockquote>into the sea", [["it fell"]]),
        ("> # It fell\ninto the sea", [["# It fell"]]),
        ("> It fell\n> ===\ninto the sea", [["It fell", "==="]]),
        (">     it fell\ninto the sea", [["it fell"]]),
        ("> ```\n> it fell\ninto the sea", [["```", "it fell"]]),
    ],
)
def test_a_line_goes_on_with_the_paragraph_of_a_block_quote_as_in_commonmark(text, quotes):
    assert quoted(text) == quotes


def test_lines_that_go_on_are_read_in_linear_time():
    assert quoted("> it fell\n" + "- " * MANY + "\n") == [["it fell"]]
    [lines] = quoted("> it fell\n" + "a\n" * MANY)
    assert len(lines) == MANY + 1
