"""An answer, an abstention and a refusal, as a reader sees them."""

import httpx

from tests.browser.conftest import (
    ASKED,
    LIGHTHOUSE,
    UNANSWERABLE,
    Page,
)


def test_an_answer_shows_its_quote_highlighted_and_verbatim(page: Page, url: str):
    page.ask(ASKED)
    response = httpx.post(f"{url}answer", json={"question": ASKED}).json()
    [citation] = response["citations"]
    assert LIGHTHOUSE.text[citation["start"] : citation["end"]] == citation["quote"]
    assert page.text(".answer") == response["answer"]
    assert page.text(".card mark") == citation["quote"]
    around = citation["before"] + citation["quote"] + citation["after"]
    assert around in page.text(".card blockquote")
    assert page.text(".card .title") == "Longstone Lighthouse"
    assert page.one(".card .out").get_attribute("href") == "https://example.org/longstone"


def test_a_score_is_a_bar_without_a_percentage(page: Page):
    page.ask(ASKED)
    assert "Not calibrated for these documents" in page.text(".confidence")
    assert "%" not in page.text("#result")
    assert " in 10" not in page.text("#result")
    assert page.one(".confidence .meter").get_attribute("aria-label").startswith("Confidence bar: ")


def test_an_abstention_explains_itself(page: Page):
    page.ask(UNANSWERABLE)
    assert page.text(".answer") == "No answer"
    assert page.text(".reason")
    assert "_" not in page.text(".reason")
    assert page.all(".card mark")
    assert page.text("#spoken").startswith("No answer. ")


def test_a_refusal_is_shown_in_the_service_s_own_sentence(page: Page):
    page.js("document.querySelector('#question').value = 'x'.repeat(2001)")
    page.one("#ask").click()
    page.settled()
    assert "at most 2,000 are" in page.text(".problem p")
    assert page.text(".problem button") == "Ask again"
