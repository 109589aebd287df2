"""A text that is pasted or dropped is asked about alone."""

from tests.browser.conftest import ASKED, ESCAPE, KEEPER, Page


def test_a_pasted_text_is_asked_alone(page: Page):
    page.one("#own summary").click()
    page.one("#text").send_keys("The boiler is serviced every May by Ms Okafor.")
    assert "your text alone" in page.text("#scope")
    page.ask("when is the boiler serviced")
    assert "May" in page.text(".card mark")
    assert page.text(".card .terms") == "From the text you gave"
    assert "?q=" not in page.driver.current_url
    assert page.js("return localStorage.length") == 0
    page.one(".card .open").click()
    assert page.text("#document-text") == "The boiler is serviced every May by Ms Okafor."
    page.press(ESCAPE)
    page.one("#forget").click()
    assert not page.one("#scope").is_displayed()


def drop(page: Page, name: str, *numbers: int) -> None:
    page.js(
        "const held = new DataTransfer();"
        "held.items.add(new File([new Uint8Array(arguments[1])], arguments[0]));"
        "for (const name of ['dragover', 'drop'])"
        " dispatchEvent(new DragEvent(name, {dataTransfer: held, bubbles: true, cancelable: true}));",
        name,
        list(numbers),
    )


def test_a_dropped_file_is_asked_alone_character_for_character(page: Page):
    text = "😀 Notes.\r\nThe boiler is serviced every May.\r\n"
    drop(page, "house.txt", *text.encode())
    page.until("return !document.querySelector('#scope').hidden")
    assert "house.txt" in page.text("#given")
    page.ask("when is the boiler serviced")
    assert page.text(".card .title") == "house.txt"
    page.one(".card .open").click()
    assert page.text("#document-text") == text
    assert page.text("#document-text mark") == page.text(".card mark")


def test_a_file_that_is_no_text_is_refused_with_a_sentence(page: Page):
    drop(page, "picture.png", 0x89, 0x50, 0xFF)
    page.until("return document.querySelector('.problem')")
    assert "picture.png cannot be read" in page.text(".problem")
    assert not page.one("#scope").is_displayed()


def test_back_from_a_pasted_text_asks_the_documents_again(page: Page):
    page.ask(ASKED)
    page.one("#own summary").click()
    page.one("#text").send_keys("The boiler is serviced every May by Ms Okafor.")
    page.ask("when is the boiler serviced")
    page.driver.back()
    page.until(f"return document.querySelector('.card mark')?.textContent === {KEEPER!r}")
    assert not page.one("#scope").is_displayed()
    page.driver.back()
    page.until("return location.search === '' && document.querySelector('.welcome')")


def test_a_text_that_the_browser_brings_back_is_said_to_be_asked_alone(page: Page):
    told = page.module(
        "own_text.js",
        "(() => {"
        " const [box, files, list, scope, words] = ['textarea', 'input', 'ul', 'p', 'span']"
        "  .map((tag) => document.createElement(tag));"
        " box.value = args[0];"
        " scope.hidden = true;"
        " new m.Given({box, files, list, scope, words});"
        " return [scope.hidden, words.textContent];"
        "})()",
        "The boiler is serviced every May.",
    )
    assert told == [False, "Answers come from your text alone (33 characters)."]
