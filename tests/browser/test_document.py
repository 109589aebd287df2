"""The whole document, opened at its quote."""

from tests.browser.conftest import ASKED, ESCAPE, KEEPER, LIGHTHOUSE, Page


def test_a_document_opens_scrolled_to_its_quote_and_escape_goes_back(page: Page):
    page.ask(ASKED)
    page.one(".card .open").click()
    page.until("return document.querySelector('#document-text mark')")
    assert page.text("#document-text") == LIGHTHOUSE.text
    assert KEEPER.startswith(page.text("#document-text mark")) or page.text("#document-text mark") == KEEPER
    assert page.js("return document.querySelector('#document-text').scrollTop") > 1000
    top = page.js("return document.querySelector('#document-text mark').getBoundingClientRect().top")
    assert 0 < top < 800
    page.press(ESCAPE)
    assert not page.one("#document").is_displayed()
    assert "open" in page.focused()


def test_a_click_on_the_quote_opens_its_document(page: Page):
    page.ask(ASKED)
    page.one(".card mark").click()
    page.until("return document.querySelector('#document-text mark')")


def test_a_quote_that_no_longer_stands_is_not_highlighted(page: Page):
    found = page.driver.execute_async_script(
        "const done = arguments[0]; import('/web/viewer.js').then(async ({Viewer}) => {"
        " await new Viewer(document.querySelector('#document')).show("
        "  {quote: 'old', start: 0, end: 3, title: 't'}, async () => ({text: 'new text', url: null}));"
        " done([document.querySelector('#document-about').textContent, document.querySelectorAll('mark').length])})"
    )
    assert found == [
        "The document has changed since it was quoted: the quote no longer stands there.",
        0,
    ]


def test_a_document_that_breaks_off_is_told_as_such(page: Page):
    page.ask(ASKED)
    page.js(
        "window.fetch = async () => new Response(new ReadableStream({"
        " pull(stream) { stream.error(new TypeError('network error')); }}))"
    )
    page.one(".card .open").click()
    page.until(
        "return document.querySelector('#document-about').textContent.startsWith('The service stopped')"
    )
