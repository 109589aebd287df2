"""The page of a service that wants an API key."""

from tests.browser.conftest import ASKED, ENTER, ESCAPE, KEEPER, Page

ASKS_FOR_KEY = "return document.querySelector('#key').open"


def ask(page: Page) -> None:
    page.one("#question").send_keys(ASKED, ENTER)
    page.until(ASKS_FOR_KEY)


def give(page: Page, key: str) -> None:
    page.one("#key-box").send_keys(key, ENTER)


def test_it_asks_once_and_answers_with_the_key_until_the_tab_is_closed(guarded: tuple[Page, str]):
    page, key = guarded
    ask(page)
    assert page.text("#key-words").startswith("This service wants an API key;")
    assert page.focused() == "key-box"
    assert page.audit() == []
    give(page, key)
    page.settled()
    assert page.text(".card mark") == KEEPER
    page.one(".card .open").click()
    page.until("return document.querySelector('#document-text mark')")
    page.press(ESCAPE)
    page.open()
    page.ask(ASKED)
    assert page.js(ASKS_FOR_KEY) is False
    assert page.js("return Object.keys(localStorage).map((name) => localStorage[name])").count(key) == 0
    assert key not in page.js("return document.documentElement.outerHTML")
    assert not [said for said in page.complaints() if "401" not in said]


def test_a_wrong_key_is_asked_for_again_and_forgotten(guarded: tuple[Page, str]):
    page, key = guarded
    ask(page)
    give(page, "loccit_wrong")
    page.until("return document.querySelector('#key-words').textContent.startsWith('The API key is not one')")
    assert page.js("return sessionStorage.length") == 0
    page.until(ASKS_FOR_KEY)
    give(page, key)
    page.settled()
    assert page.text(".card mark") == KEEPER


def test_whoever_gives_none_is_told_why_there_is_no_answer(guarded: tuple[Page, str]):
    page, _ = guarded
    ask(page)
    page.press(ESCAPE)
    page.settled()
    assert page.text(".problem p").startswith("This service wants an API key;")
    assert page.text(".problem button") == "Ask again"


def test_what_no_header_can_hold_is_no_key(guarded: tuple[Page, str]):
    page, _ = guarded
    ask(page)
    give(page, "ключ")
    page.until("return document.querySelector('#key-words').textContent.includes('no API key')")
