"""Texts of documents in Markdown: read by a renderer, they show their own characters and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.http.chat.markdown import LINE_END, inert, inert_line, is_web_address, link


def texts_of(markdown: str) -> tuple[str, set[str]]:
    """What a reader sees, and the kinds of what else there is."""
    tokens = [token for block in MarkdownIt("commonmark").parse(markdown) for token in block.children or ()]
    shown = "".join(
        token.content for token in tokens if token.type in {"text", "text_special", "code_inline"}
    )
    return shown, {token.type for token in tokens} - {"text", "text_special"}


@given(st.text("ab *_`[]()!<>&~|$\\#1.-x\n;:/", max_size=30))
def test_a_text_shows_as_it_is_and_holds_no_mark_link_or_picture(text):
    shown, kinds = texts_of(f"\N{LEFT DOUBLE QUOTATION MARK}{inert(text)}\N{RIGHT DOUBLE QUOTATION MARK}")
    assert shown == f"\N{LEFT DOUBLE QUOTATION MARK}{' '.join(text.split())}\N{RIGHT DOUBLE QUOTATION MARK}"
    assert kinds == set()


@given(st.lists(st.text("ab *_`[]()!<>&~|$\\#1.-+=x;:/", max_size=12), min_size=1, max_size=4))
def test_texts_that_begin_lines_show_as_they_are_a_line_each(texts):
    given_lines = [" ".join(text.split()) for text in texts if text.strip()]
    markdown = LINE_END.join(map(inert_line, given_lines))
    blocks = MarkdownIt("commonmark").parse(markdown)
    assert {block.type for block in blocks} <= {"paragraph_open", "inline", "paragraph_close"}
    tokens = [token for block in blocks for token in block.children or ()]
    assert {token.type for token in tokens} <= {"text", "text_special", "hardbreak"}
    shown = "".join("\n" if token.type == "hardbreak" else token.content for token in tokens)
    assert shown.split("\n") == (given_lines or [""])


@pytest.mark.parametrize(
    "text", ["-5 °C", "1.5 m", "1889 or so", "#5", "=x", "+49 30", "C# 7", "a - b", "2-1", "In 1. of"]
)
def test_what_opens_nothing_is_left_as_it_is_at_the_beginning_of_a_line(text):
    assert inert_line(text) == text


def test_names_in_code_stay_readable_where_marks_are_not_read():
    assert inert("set max_waiting to 5") == "set max_waiting to 5"
    assert inert("_this_ and __init__") == r"\_this\_ and \_\_init\_\_"


def test_a_picture_in_a_quote_is_not_fetched():
    assert inert("![x](https://example.org/x.png)") == r"!\[x\](https://example.org/x.png)"
    assert inert("<img src=x>") == r"\<img src=x\>"


@pytest.mark.parametrize(
    "url",
    ["https://en.wikipedia.org/wiki/The_Four_Seasons_(Vivaldi)", "http://example.org/a b?c=<d>&e=%20#f"],
)
def test_a_link_leads_where_it_says(url):
    [block] = [token for token in MarkdownIt("commonmark").parse(link("a ] title", url)) if token.children]
    opening, *text, _ = block.children
    assert opening.attrs["href"].replace("%28", "(").replace("%29", ")") == (
        url.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
    )
    assert "".join(token.content for token in text) == "a ] title"


@pytest.mark.parametrize(
    ("url", "offered"),
    [
        ("https://example.org", True),
        ("http://[::1]:8000/x", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("http://[", False),
        ("notes.md", False),
        (None, False),
    ],
)
def test_only_addresses_on_the_web_are_links(url, offered):
    assert is_web_address(url) is offered
