"""The page for everybody: by keyboard, by ear, in the dark, on a phone."""

import pytest

from tests.browser.conftest import ASKED, ENTER, ESCAPE, TAB, UNANSWERABLE, Page


def test_everything_works_by_keyboard(page: Page):
    assert page.focused() == "question"
    page.open("?q=tower")  # nothing has the focus where the question came with the address
    page.settled()
    page.js("document.activeElement.blur()")
    page.press(TAB)
    assert page.focused() == "skip"
    order = []
    for _ in range(5):
        page.press(TAB)
        order.append(page.focused())
    assert order == ["A", "theme", "question", "ask", "SUMMARY"]
    page.ask(ASKED)
    assert page.focused() == "question"
    for _ in range(4):
        page.press(TAB)
    assert page.focused() == "plain open"
    page.press(ENTER)
    page.until("return document.activeElement.tagName === 'MARK'")
    page.press(ESCAPE)
    assert page.focused() == "plain open"


def test_the_skip_link_leads_to_the_answer(page: Page):
    page.js("document.querySelector('.skip').focus()")
    page.press(ENTER)
    assert page.focused() == "result"


def test_the_answer_is_spoken(page: Page):
    assert page.one("#spoken").get_attribute("aria-live") == "polite"
    page.ask(ASKED)
    assert page.text("#spoken").startswith("Answer: ")
    assert "Quoted from Longstone Lighthouse" in page.text("#spoken")


def test_the_theme_follows_the_system_until_it_is_switched(page: Page):
    def ground() -> str:
        return page.js("return getComputedStyle(document.documentElement).backgroundColor")

    light = ground()
    page.resize(1100, dark=True)
    page.until("return document.documentElement.dataset.theme === 'dark'")
    dark = ground()
    assert dark != light
    page.one("#theme").click()
    assert ground() == light
    page.open()
    assert ground() == light
    page.one("#theme").click()
    assert ground() == dark
    assert page.js("return localStorage.length") == 0


@pytest.mark.parametrize("question", [ASKED, UNANSWERABLE])
def test_a_phone_needs_no_sideways_scrolling(page: Page, question: str):
    page.resize(360)
    page.ask(question)
    assert page.js("return document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_serious_stands_in_the_way_of_anybody(page: Page, dark: bool):
    page.resize(1100, dark=dark)
    assert page.audit() == []
    page.ask(ASKED)
    assert page.audit() == []
    page.one(".card .open").click()
    page.until("return document.querySelector('#document-text mark')")
    assert page.audit() == []
    page.press(ESCAPE)
    page.ask(UNANSWERABLE)
    page.one("#own summary").click()
    assert page.audit() == []
