"""The page at the root, as a reader sees and handles it."""

import httpx
import pytest

from tests.browser.conftest import HOSTILE_TEXT, HOSTILE_TITLE, KEEPER, LIGHTHOUSE, Page

ASKED = "who rowed out to the wreck of the Forfarshire"
TAB = "\ue004"
ENTER = "\ue007"
ESCAPE = "\ue00c"
UNANSWERABLE = "zzz qqq"


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


@pytest.mark.parametrize(
    ("confidence", "words"),
    [
        (0.8, "About 8 in 10 answers like this are right"),
        (0.96, "More than 9 in 10 answers like this are right"),
        (0.01, "Fewer than 1 in 10 answers like this are right"),
    ],
)
def test_a_calibrated_confidence_is_told_in_tens(page: Page, confidence: float, words: str):
    assert page.module("words.js", "m.inTens(args[0])", confidence) == words


def test_what_such_answers_were_worth_elsewhere_is_told(page: Page):
    seen = {"min_confidence": 0.85, "given": 60, "right": 48}
    response = {"calibration": {"fitted_on": "x", "applies": False, "elsewhere": seen}}
    assert page.module("words.js", "m.uncalibrated(args[0])", response) == (
        "Not calibrated for these documents: a longer bar only means surer. On other documents 48 of 60 answers "
        "with a confidence of 0.85 or more were right."
    )


@pytest.mark.parametrize(
    ("calibration", "calibrated"),
    [
        ({"fitted_on": "x", "applies": True}, True),
        ({"fitted_on": "x", "applies": False}, False),
        (None, False),
    ],
)
def test_only_a_calibration_that_applies_makes_a_probability(page: Page, calibration, calibrated):
    assert page.module("words.js", "m.isCalibrated(args[0])", {"calibration": calibration}) is calibrated


def test_a_calibrated_answer_is_shown_in_tens_without_a_bar(page: Page):
    shown = page.module(
        "render.js",
        "m.rendered(args[0], {}).map((one) => one.outerHTML).join('')",
        response_of(calibration={"fitted_on": "x", "applies": True}),
    )
    assert "About 8 in 10 answers like this are right." in shown
    assert "meter" not in shown


def response_of(**given: object) -> dict[str, object]:
    return {
        "answer": "Perth",
        "short_answer": "Perth",
        "abstained": False,
        "confidence": 0.8,
        "calibration": None,
        "citations": [{**CITATION, "document_id": "a"}],
        "conflict": None,
        "nearest": [],
        "attribution": [],
        "generation": "g",
        "timings_ms": {"total": 1},
        **given,
    }


CITATION = {
    "quote": "q",
    "title": "t",
    "url": None,
    "source": "s",
    "start": 0,
    "end": 1,
    "before": "",
    "after": "",
}


def test_a_conflict_is_warned_of_with_its_answer_and_its_document_and_its_quote_is_open(page: Page):
    rival = {
        "answer": "Melbourne",
        "confidence": 0.7,
        "citations": [{**CITATION, "document_id": "b", "title": "Victoria"}],
    }
    other = {**rival, "answer": "Sydney", "confidence": 0.75}
    shown = page.module(
        "render.js",
        "m.rendered(args[0], {}).map((one) => [one.className, one.textContent])",
        response_of(alternatives=[other, rival], conflict=rival),
    )
    [warning] = [text for name, text in shown if name == "warning"]
    assert warning.startswith("Another document says otherwise")
    assert "Melbourne (Victoria)" in warning
    opened = page.module(
        "render.js",
        "m.rendered(args[0], {}).flatMap((one) => [...one.querySelectorAll('details[open] summary')])"
        ".map((one) => one.textContent)",
        response_of(alternatives=[other, rival], conflict=rival),
    )
    assert opened == ["Melbourne"]


def test_the_response_alone_says_whether_there_is_a_conflict(page: Page):
    rival = {"answer": "Melbourne", "confidence": 0.8, "citations": [{**CITATION, "document_id": "b"}]}
    shown = page.module(
        "render.js", "m.rendered(args[0], {}).map((one) => one.className)", response_of(alternatives=[rival])
    )
    assert "warning" not in shown


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [("abc", 0, 1), ("😀abc", 1, 3), ("a👩‍👩‍👧b", 1, 6), ("e\u0301\r\n🗼x", 4, 5), ("abc", 3, 3), ("", 0, 0)],
)
def test_offsets_count_code_points(page: Page, text: str, start: int, end: int):
    expected = [text[:start], text[start:end], text[end:]]
    assert page.module("offsets.js", "m.around(...args)", text, start, end) == expected
    assert page.module("offsets.js", "m.codePoints(args[0])", text) == len(text)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_however_the_bytes_are_cut(page: Page, size: int):
    stream = ': alive\n\nevent: read\ndata: {"a": "é😀"}\n\ndata: 1\r\n\r\nevent: cut\ndata: 2'
    expression = """(async () => {
        const bytes = new TextEncoder().encode(args[0]), found = [];
        const body = new ReadableStream({start(c) {
            for (let at = 0; at < bytes.length; at += args[1]) c.enqueue(bytes.slice(at, at + args[1]));
            c.close();
        }});
        for await (const one of m.eventsOf(body)) found.push(one);
        return found;
    })().then(done)"""
    found = page.driver.execute_async_script(
        f"const args = [...arguments], done = args.pop(); import('/web/events.js').then((m) => {expression})",
        stream,
        size,
    )
    assert found == [{"event": "read", "data": {"a": "é😀"}}, {"event": "message", "data": 1}]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.org/a", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("/relative", False),
        (None, False),
    ],
)
def test_only_addresses_of_the_web_become_links(page: Page, address: str | None, shown: bool):
    assert (page.module("dom.js", "m.linkOut(args[0])?.href ?? null", address) is not None) is shown


def test_an_abstention_explains_itself(page: Page):
    page.ask(UNANSWERABLE)
    assert page.text(".answer") == "No answer"
    assert page.text(".reason")
    assert "_" not in page.text(".reason")
    assert page.all(".card mark")
    assert page.text("#spoken").startswith("No answer. ")


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


def test_a_refusal_is_shown_in_the_service_s_own_sentence(page: Page):
    page.js("document.querySelector('#question').value = 'x'.repeat(2001)")
    page.one("#ask").click()
    page.settled()
    assert "at most 2,000 are" in page.text(".problem p")
    assert page.text(".problem button") == "Ask again"


def test_the_stages_are_told_as_they_are_done_and_nothing_moves(page: Page):
    page.js(
        "window.seen = [];"
        "new MutationObserver(() => seen.push([...document.querySelectorAll('#stages li')]"
        "  .map((one) => one.dataset.state ?? 'waiting').join(' ')))"
        ".observe(document.querySelector('#stages'),"
        "  {attributes: true, subtree: true, attributeFilter: ['data-state']});"
        "window.tops = new Set();"
        "new MutationObserver(() => document.querySelector('#stages').hidden ||"
        "  tops.add(document.querySelector('#result').getBoundingClientRect().top))"
        ".observe(document.body, {subtree: true, childList: true, attributes: true});"
    )
    page.ask(ASKED)
    facts = [page.js("return arguments[0].textContent", one) for one in page.all("#stages .fact")]
    assert all(facts)
    assert facts[0].endswith("passages")
    seen = page.js("return window.seen")
    assert seen[-1] == "done done done done done"
    assert len(page.js("return [...window.tops]")) == 1


def test_an_answer_can_be_stopped(page: Page):
    page.js(
        "window.fetch = (url, {signal}) => new Promise((_, no) => signal.onabort = () => no(signal.reason))"
    )
    page.one("#question").send_keys("anything", ENTER)
    page.until("return document.querySelector('#ask').textContent === 'Stop'")
    page.one("#ask").click()
    page.until("return document.querySelector('#ask').textContent === 'Ask'")
    assert page.text("#spoken") == "Stopped."


def test_the_terms_of_a_source_are_shown_with_its_quote_and_its_document(page: Page):
    attribution = [{"source": "s", "licence": "CC BY-SA 4.0", "attribution": "Ann", "snapshot": None}]
    shown = page.module(
        "render.js",
        "m.rendered(args[0], {}).map((one) => one.textContent).join('')",
        response_of(attribution=attribution),
    )
    assert "Ann · CC BY-SA 4.0" in shown
    about = page.driver.execute_async_script(
        "const [attribution, done] = arguments; import('/web/viewer.js').then(async ({Viewer}) => {"
        " await new Viewer(document.querySelector('#document')).show("
        "  {quote: 'q', start: 0, end: 1, title: 't'}, async () => ({text: 'q', url: null, attribution}));"
        " done(document.querySelector('#document-about').textContent)})",
        attribution,
    )
    assert "Ann · CC BY-SA 4.0" in about


@pytest.mark.parametrize(
    ("source", "told"),
    [("s", ["Ann · CC BY-SA 4.0"]), ("r", ["Bob"]), (None, ["s · Ann · CC BY-SA 4.0", "r · Bob"])],
    ids=["one", "another", "not known"],
)
def test_a_card_shows_the_terms_of_its_own_source(page: Page, source, told):
    attribution = [
        {"source": "s", "licence": "CC BY-SA 4.0", "attribution": "Ann", "snapshot": None},
        {"source": "r", "licence": None, "attribution": "Bob", "snapshot": None},
    ]
    shown = page.module(
        "render.js",
        "m.rendered(args[0], {}).flatMap((one) => [...one.querySelectorAll('.card .terms span')])"
        ".map((one) => one.textContent)",
        response_of(citations=[{**CITATION, "document_id": "a", "source": source}], attribution=attribution),
    )
    assert shown == told


def test_an_answer_that_breaks_off_is_told_as_such(page: Page):
    page.js(
        "window.fetch = async () => new Response(new ReadableStream({"
        " start(stream) { stream.enqueue(new TextEncoder().encode(': still at work\\n\\n')); },"
        " pull(stream) { stream.error(new TypeError('network error')); }}))"
    )
    page.ask(ASKED)
    assert page.text(".problem h2") == "The answer broke off"
    assert page.text(".problem p") == "The service stopped before the answer was there."


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


def test_back_leaves_an_address_that_is_not_written_as_this_page_writes_it(page: Page):
    page.open("?q=who%20rowed%20out%20to%20the%20wreck%20of%20the%20Forfarshire&from=elsewhere")
    page.settled()
    assert page.driver.current_url.endswith("&from=elsewhere")
    page.driver.back()
    page.until("return location.search === '' && document.querySelector('.welcome')")


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


def test_a_double_click_asks_once(page: Page):
    page.one("#question").send_keys(ASKED)
    page.js(
        "for (const detail of [1, 2]) document.querySelector('#ask').dispatchEvent("
        "  new MouseEvent('click', {detail, bubbles: true, cancelable: true}))"
    )
    page.settled()
    assert page.text(".card mark") == KEEPER
