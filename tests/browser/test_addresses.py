"""Addresses with a question, the way back, and what is remembered."""

from tests.browser.conftest import ASKED, KEEPER, Page


def test_an_address_with_a_question_asks_at_once(page: Page):
    page.open("?q=who+rowed+out+to+the+wreck+of+the+Forfarshire")
    page.settled()
    assert page.one("#question").get_attribute("value") == ASKED
    assert page.text(".card mark") == KEEPER


def test_asking_makes_an_address_and_back_goes_back(page: Page):
    page.ask(ASKED)
    assert page.driver.current_url.endswith("/?q=who+rowed+out+to+the+wreck+of+the+Forfarshire")
    page.ask("who designed the eiffel tower")
    page.driver.back()
    page.until(f"return document.querySelector('.card mark')?.textContent === {KEEPER!r}")
    assert page.one("#question").get_attribute("value") == ASKED


def test_back_leaves_an_address_that_is_not_written_as_this_page_writes_it(page: Page):
    page.open("?q=who%20rowed%20out%20to%20the%20wreck%20of%20the%20Forfarshire&from=elsewhere")
    page.settled()
    assert page.driver.current_url.endswith("&from=elsewhere")
    page.driver.back()
    page.until("return location.search === '' && document.querySelector('.welcome')")


def test_questions_are_remembered_and_can_be_forgotten(page: Page):
    page.ask(ASKED)
    page.open()
    assert page.text("#asked .asked") == ASKED
    page.one("#asked .entry").click()
    page.settled()
    assert page.text(".card mark") == KEEPER
    page.one("#clear").click()
    assert not page.one("#history").is_displayed()
    assert page.js("return localStorage.length") == 0


def test_a_browser_that_keeps_nothing_gets_its_answer(page: Page):
    added = page.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name,"
            " {get() { throw new DOMException('Access is denied for this document.', 'SecurityError'); }});"
        },
    )
    try:
        page.open()
        page.ask(ASKED)
        assert page.text(".card mark") == KEEPER
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
