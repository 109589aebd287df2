import pytest

from extraction.html import extract_page

MENU = "<div id=top><p><a href=a>Home</a> | <a href=b>Docs</a> | <a href=c>Support</a></p><p>Small. Fast.</p></div>"
SECTIONS = "<h2 id=x>Rooms</h2><p>Two.</p><h2><a name=y></a>2. Keys directive</h2><p>One.</p>"
TEXT = "<p>Text of the page that is longer than its menu.</p>"


def shown(page: str) -> str:
    return " ".join(extract_page(page).structure.text.split())


@pytest.mark.parametrize(
    ("page", "text"),
    [
        # menus: only before the first text, outside of content, beside more text than theirs
        (f"{MENU}<h1>T</h1>{TEXT}", "T Text of the page that is longer than its menu."),
        (f"{MENU}{TEXT}", "Text of the page that is longer than its menu."),
        (f"{MENU}<p>End.", "Home | Docs | Support Small. Fast. End."),
        (
            f"<p>See:</p>{MENU}{TEXT}",
            "See: Home | Docs | Support Small. Fast. Text of the page that is longer than its menu.",
        ),
        (
            f"<main>{MENU}{TEXT}</main>",
            "Home | Docs | Support Small. Fast. Text of the page that is longer than its menu.",
        ),
        (
            "<div><h1>FAQ</h1><a href=a>A</a> <a href=b>B</a> <a href=c>C</a></div><p>Copyright.",
            "FAQ A B C Copyright.",
        ),
        (f"{TEXT}<h2>See</h2>{MENU}", f"{TEXT[3:-4]} See Home | Docs | Support Small. Fast."),
        (
            f"<p><a href=a>One</a> and <a href=b>two</a></p>{TEXT}",
            "One and two Text of the page that is longer than its menu.",
        ),
        # other languages
        (
            "<p>a<div>Languages: <a href=e>en</a> | <a rel=alternate hreflang=fr href=f>fr</a></div>",
            "a",
        ),
        ("<p>See the <a hreflang=fr href=f>French text</a>", "See the French text"),
        # contents
        (
            "<h1>T</h1><ul><li><a href='#x'>Rooms</a><li><a href='p.html#y'>2. Keys directive</a></ul>"
            + SECTIONS,
            "T Rooms Two. 2. Keys directive One.",
        ),
        (
            "<div class=page-toc>Contents<ul><li><a href='#x'>Rooms</a><li><a href='#y'>Keys directive</a></ul></div>"
            + SECTIONS,
            "Rooms Two. 2. Keys directive One.",
        ),
        (
            "<p>These matter:</p><ul><li><a href='#x'>Rooms</a><li><a href='#y'>2. Keys directive</a></ul>"
            + SECTIONS,
            "These matter: Rooms 2. Keys directive Rooms Two. 2. Keys directive One.",
        ),
        (
            "<h1>T</h1><ul><li><a href='#x'>Rooms</a><li><a href='#y'>How many keys?</a></ul>" + SECTIONS,
            "T Rooms How many keys? Rooms Two. 2. Keys directive One.",
        ),
        (
            "<h1>T</h1><ul><li><a href='#x'>Rooms</a> for guests<li><a href='#y'>2. Keys directive</a></ul>"
            + SECTIONS,
            "T Rooms for guests 2. Keys directive Rooms Two. 2. Keys directive One.",
        ),
        (
            "<h1>T</h1><ul><li><a href='other.html'>Rooms</a><li><a href='other.html#z'>2. Keys directive</a></ul>"
            + SECTIONS,
            "T Rooms 2. Keys directive Rooms Two. 2. Keys directive One.",
        ),
    ],
)
def test_lists_of_links_that_are_navigation_are_left_out_and_no_others(page, text):
    assert shown(page) == text
