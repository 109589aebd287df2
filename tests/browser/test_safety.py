"""Hostile texts stay texts, and nothing is fetched from elsewhere."""

from tests.browser.conftest import ASKED, HOSTILE_TEXT, HOSTILE_TITLE, Page


def test_hostile_texts_stay_texts(page: Page):
    page.resize(360)
    page.ask("by whom was the dragon Smaug slain")
    assert "Smaug" in page.text(".card mark")
    assert page.text(".card .title") == HOSTILE_TITLE
    assert not page.all("#result img, #result script, #result b, a[href^=javascript]")
    page.one(".card .open").click()
    page.until("return document.querySelector('#document-text mark')")
    assert page.text("#document-text") == HOSTILE_TEXT
    assert page.js("return document.title") != "owned"
    assert page.js("return document.documentElement.scrollWidth") <= 360
    assert page.js(
        "const t = document.querySelector('#document-text'); return t.scrollWidth <= t.clientWidth"
    )
    assert page.complaints() == []


def test_the_policy_is_kept_and_nothing_is_fetched_from_elsewhere(page: Page, url: str):
    page.ask(ASKED)
    page.one(".card .open").click()
    page.until("return document.querySelector('#document-text mark')")
    assert page.complaints() == []
    fetched = page.js("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert fetched
    assert all(one.startswith(url) for one in fetched)


def test_the_policy_would_have_been_heard(page: Page):
    page.js(
        "const s = document.createElement('script'); s.textContent = 'document.title = 1'; document.body.append(s)"
    )
    assert any("Content Security Policy" in one for one in page.complaints())
