"""An answer on a terminal: the answer, its quote highlighted in context, where it stands, how sure."""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from app.answering.trace_json.shapes import Alternative, Citation, Hit
from app.service.attribution import Attribution
from app.service.in_words import REASONS, confidence_in_words
from app.service.response import AnswerResponse
from common.terminal_text import escaped, plain, plain_lines


def show_answer(response: AnswerResponse, console: Console) -> None:
    """Print a response for a reader."""
    if response.abstain_reason is None:
        console.print(plain_lines(response.answer or "", "bold"))
        if response.conflict is not None:
            console.print(plain(_rival_line(response.conflict), "yellow"))
    else:
        console.print(plain(f"No answer: {REASONS[response.abstain_reason]}.", "yellow"))
    rival = [] if response.conflict is None else response.conflict["citations"]
    for citation in [*response.citations, *rival] or response.nearest:
        console.print()
        _show_quote(citation, console)
    console.print()
    console.print(plain(_closing_line(response), "dim"))
    _show_terms(response.attribution, console)


def show_hits(hits: Iterable[Hit], attribution: Iterable[Attribution], console: Console) -> None:
    """Print retrieved passages, best first, and on what terms their texts stand."""
    for hit in hits:
        heading = plain(f"{hit['rank']}. {hit['title']}", "bold")
        place = f"  {hit['score']:.4f}  {hit['document_id']} [{hit['start']}:{hit['end']}]"
        console.print(Text.assemble(heading, plain(place)))
        console.print(plain_lines(hit["text"]))
        console.print()
    _show_terms(attribution, console)


def _show_terms(attribution: Iterable[Attribution], console: Console) -> None:
    for source in attribution:
        terms = ", ".join(part for part in (source.attribution, source.licence) if part)
        if terms:
            console.print(plain(f"{source.source}: {terms}", "dim"))


def _show_quote(citation: Citation, console: Console) -> None:
    before, after = _one_line(citation["before"]), _one_line(citation["after"])
    more_before = "..." if citation["start"] > len(citation["before"]) else ""
    more_after = "..." if after and not after.rstrip().endswith((".", "!", "?")) else ""
    text = Text()
    text.append(f"{more_before}{before}", style="dim")
    text.append(f"\N{LEFT DOUBLE QUOTATION MARK}{_one_line(citation['quote'])}", style="bold green")
    text.append("\N{RIGHT DOUBLE QUOTATION MARK}", style="bold green")
    text.append(f"{after}{more_after}", style="dim")
    console.print(text)
    where = f"{citation['document_id']} [{citation['start']}:{citation['end']}]"
    if citation["locator"]:
        where += f", {citation['locator']}"
    console.print(
        Text.assemble(" - ", plain(citation["title"], "italic"), plain(f", {where}")), soft_wrap=True
    )
    if citation["url"]:
        console.print(plain(f"   {citation['url']}"), soft_wrap=True)


def _rival_line(rival: Alternative) -> str:
    [citation, *_] = rival["citations"]
    return (
        f"Another document says otherwise (confidence {rival['confidence']:.2f}): {_one_line(rival['answer'])} "
        f"({citation['title'] or citation['document_id']}). Compare the quotes."
    )


def _closing_line(response: AnswerResponse) -> str:
    told = confidence_in_words(response)
    return f"{told}, {response.timings_ms['total'] / 1000:.2f} s, {response.model.language_model or 'reader alone'}"


def _one_line(text: str) -> str:
    """White space runs as one space each, the outer ones kept, and nothing that a terminal would obey."""
    squeezed = escaped(" ".join(text.split()))
    opening = " " if text[:1].isspace() else ""
    closing = " " if text[-1:].isspace() and squeezed else ""
    return f"{opening}{squeezed}{closing}"
