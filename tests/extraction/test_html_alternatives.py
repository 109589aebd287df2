import pytest

from extraction.html import extract_page


def inline(*alternatives: str) -> str:
    return f"<p>Press <span class=switchinline>{''.join(alternatives)}</span>+Tab."


MAC = "<span hidden=true id=MACx class=MAC>Command</span>"
DEFAULT = "<span hidden=true id=defaultx>Ctrl</span>"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (inline(MAC, DEFAULT), "Press Ctrl+Tab."),
        (inline(MAC, "<span hidden id=WINx>Ctrl</span>"), "Press Command / Ctrl+Tab."),
        (inline(MAC, "<span hidden id=MACy>Command</span>"), "Press Command+Tab."),
        (inline(MAC, "<span hidden id=defaultx> </span>"), "Press Command+Tab."),
        (inline(MAC), "Press Command+Tab."),
        (inline(MAC, "<span id=UNIXx>Meta</span>"), "Press Meta+Tab."),
        (inline(MAC, " the key ", DEFAULT), "Press the key +Tab."),
        (f"<p>a</p><dialog><span class=switchinline>{DEFAULT}</span></dialog>", "a"),
        (f"<p>a<span class=tip>{DEFAULT}</span></p>", "a"),
        (f"<p>a<span class=switchinline hidden>{DEFAULT}</span></p>", "a"),
        (
            "<span class=switch><span hidden id=WINx><p>Run setup.</p></span>"
            f"<span hidden id=defaultx>{inline(MAC, DEFAULT)}</p></span></span>",
            "Run setup.\n\nPress Ctrl+Tab.",
        ),
    ],
)
def test_of_alternatives_that_are_all_hidden_the_one_for_most_readers_is_shown(page, text):
    assert extract_page(page).structure.text == text
