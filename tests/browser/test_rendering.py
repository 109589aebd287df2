"""What the page makes of a response: words, cards, terms, places."""

import pytest

from tests.browser.conftest import Page
from tests.browser.responses import CITATION, response_of


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
