"""Texts of documents in Markdown: read by a renderer, they show their own characters and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.http.chat.markdown import inert, is_web_address, link


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
