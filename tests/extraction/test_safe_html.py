import time
from random import Random

import pytest
from selectolax.lexbor import LexborHTMLParser

from extraction.extracted import UnreadableError
from extraction.html import extract_html
from extraction.safe_html import safe_html
from tests.growth import assert_linear

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
    ids=lambda page: page[:40],
)
def test_no_way_of_nesting_without_end_gets_to_the_parser(page):
    started = time.process_time()
    with pytest.raises(UnreadableError) as raised:
        extract_html(page.encode())
    assert str(raised.value) == NESTS
    with pytest.raises(UnreadableError):
        extract_html(page.encode("utf-16"))
    # The guard ends at a depth of 1,000, so growth is not the question. Measured: 0.1 s at most on a slow machine; the
    # parser takes minutes of such pages, once they are long enough.
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "page",
    [
        "<p " + " ".join(f"a{number}" for number in range(MANY)) + ">",
        "<p " + "/".join(f"a{number}=''" for number in range(MANY)) + ">",
        "<select>" + "<option>x" * MANY,
    ],
    ids=["attributes", "attributes with values", "options"],
)
def test_what_takes_the_parser_quadratic_time_is_refused(page):
    with pytest.raises(UnreadableError, match="more elements or attributes than can be read"):
        extract_html(page.encode())


def test_a_page_has_no_more_elements_than_can_be_walked(monkeypatch):
    monkeypatch.setattr("extraction.safe_html._MOST_TAGS", 10)
    assert extract_html(b"<p>x" * 10).structure.text.count("x") == 10
    with pytest.raises(UnreadableError, match="11 tags so far"):
        extract_html(b"<p>x" * 11)


@pytest.mark.parametrize(
    "opening", ["<a x=", "<a ", "<!", "<!--", "<", "</", "<a x='", "<script>", "<![CDATA["]
)
def test_what_never_ends_takes_linear_time(opening):
    def read(count: int) -> None:
        try:
            safe_html(opening * count)
        except UnreadableError as error:
            assert "can be read" in str(error)  # noqa: PT017

    assert_linear(read, 10_000)


PIECES = [
    f"<{close}{name}>"
    for name in ["div", "b", "p", "table", "td", "svg", "desc", "select", "template", "span", "a", "h1"]
    for close in ("", "/")
]


def depth(tree: LexborHTMLParser) -> int:
    deepest, waiting = 0, [(tree.root, 1)]
    while waiting:
        node, here = waiting.pop()
        deepest = max(deepest, here)
        waiting += [(child, here + 1) for child in node.iter()]
    return deepest


def test_no_tags_over_and_over_nest_unseen():
    random, read = Random(1), 0
    for _ in range(40):
        tags = random.choices(PIECES, k=random.randint(2, 6))
        try:
            safe = safe_html("".join(tags) * 1100)
        except UnreadableError:
            continue
        read += 1
        assert depth(LexborHTMLParser(safe)) < 1100, tags
    assert read > 5


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
