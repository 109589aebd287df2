import re
import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from extraction.extracted import UnreadableError
from extraction.html import extract_html
from extraction.safe_html import safe_html

MANY = 20_000
NESTS = "The page nests more than 1,000 elements in each other; close them, or leave it out."


@pytest.mark.parametrize(
    "page",
    [
        "<div/>" * MANY,
        "<SCRIPT>x</SCRIPT>" + "<div>" * MANY,
        "<script></script >" + "<div>" * MANY,
        "<div></b>" * MANY,
        "<b><div></b>" * MANY,
        "<div><template></div></template>" * MANY,
        "<div><table><tr><td></div></table>" * MANY,
        "<div><select></div></select>" * MANY,
        "<div><textarea></div></textarea>" * MANY,
        "<div><!-- </div> -->" * MANY,
        "<!--><div>" * MANY + "-->",
        '<a =">' + "<div>" * MANY + '">',
        "<svg>" + "<td>" * MANY,
        "<svg><desc><div></desc>" * MANY,
        "<svg><style>" + "</g>" * 9 + "</style>" + "<g>" * MANY,
    ],
    ids=lambda page: re.sub(r"(.+?)\1{9,}", r"\1...", page)[:40],
)
def test_no_way_of_nesting_without_end_gets_to_the_parser(page):
    started = time.process_time()
    with pytest.raises(UnreadableError) as raised:
        extract_html(page.encode())
    assert str(raised.value) == NESTS
    with pytest.raises(UnreadableError):
        extract_html(page.encode("utf-16"))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "page",
    [
        "<p " + " ".join(f"a{number}" for number in range(MANY)) + ">",
        "<p " + "/".join(f"a{number}=''" for number in range(MANY)) + ">",
        "<select>" + "<option>x" * MANY,
        "<p>" * 1_000_001,
    ],
    ids=["attributes", "attributes with values", "options", "elements"],
)
def test_what_takes_the_parser_quadratic_time_is_refused(page):
    with pytest.raises(UnreadableError, match="more elements or attributes than can be read"):
        extract_html(page.encode())


@pytest.mark.parametrize("opening", ["<a x=", "<a ", "<!", "<!--", "<", "</", "<a x='", "<script>", "<![CDATA["])
def test_what_never_ends_takes_linear_time(opening):
    started = time.process_time()
    try:
        safe_html(opening * 100_000)
    except UnreadableError as error:
        assert "can be read" in str(error)  # noqa: PT017
    assert time.process_time() - started < 5


PIECES = [f"<{close}{name}>" for name in "div b p table td svg desc select template span a h1".split() for close in ("", "/")]


def depth(tree: LexborHTMLParser) -> int:
    deepest = waiting = 0
    stack = [(tree.root, 0)]
    while stack:
        node, waiting = stack.pop()
        deepest = max(deepest, waiting)
        stack += [(child, waiting + 1) for child in node.iter()]
    return deepest


@pytest.mark.parametrize("first", PIECES)
def test_no_four_tags_over_and_over_nest_unseen(first):
    for number in range(300):
        others = [PIECES[(number * step + len(first)) % len(PIECES)] for step in (1, 7, 11)]
        page = "".join([first, *others]) * 600
        try:
            safe = safe_html(page)
        except UnreadableError:
            continue
        assert depth(LexborHTMLParser(safe)) < 2000, others


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ("<p>a<!-- x --><b>b</b>", "ab"),
        ("<<!-- -->p>text", "<p>text"),
        ("<p>a<script>'</p>'</script>b", "ab"),
        ("<p>" + "<svg><path d='M0'/></svg>" * 2000 + "text", "text"),
        ("<p>" + "<use href='#a'/>" * 2000 + "text", "text"),
        ("<title>a < b</title><p>text", "text"),
        ("<p title='a > b'>text", "text"),
        ("<p>a<![CDATA[b > c]]>", "a b > c]]>"),
        ("<p>1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<p>a</p>" * 3, "a\n\na\n\na"),
        ("<ul>" + "<li>a" * 3, "a\na\na"),
        ("<div>" * 900 + "deep", "deep"),
    ],
)
def test_what_a_reader_sees_gets_to_the_parser(page, seen):
    assert extract_html(page.encode()).structure.text == seen


def test_the_title_is_kept():
    assert extract_html(b"<title>a < b &amp; <i></title><p>text").title == "a < b & <i>"
