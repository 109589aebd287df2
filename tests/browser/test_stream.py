"""While an answer comes: its stages, and how it ends before it is there."""

import pytest

from tests.browser.conftest import ASKED, ENTER, KEEPER, Page


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


def test_an_answer_that_breaks_off_is_told_as_such(page: Page):
    page.js(
        "window.fetch = async () => new Response(new ReadableStream({"
        " start(stream) { stream.enqueue(new TextEncoder().encode(': still at work\\n\\n')); },"
        " pull(stream) { stream.error(new TypeError('network error')); }}))"
    )
    page.ask(ASKED)
    assert page.text(".problem h2") == "The answer broke off"
    assert page.text(".problem p") == "The service stopped before the answer was there."


def test_a_double_click_asks_once(page: Page):
    page.one("#question").send_keys(ASKED)
    page.js(
        "for (const detail of [1, 2]) document.querySelector('#ask').dispatchEvent("
        "  new MouseEvent('click', {detail, bubbles: true, cancelable: true}))"
    )
    page.settled()
    assert page.text(".card mark") == KEEPER
