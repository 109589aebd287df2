"""An answer as the message of a chat: its text, and which characters of it each quote backs."""

from collections.abc import Callable, Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.generators.broad_answers import NO, YES
from app.answering.trace_json.shapes import Alternative, Citation
from app.http.chat.markdown import LINE_END, inert, inert_line, is_web_address, link
from app.http.chat.models import ChatModel
from app.http.chat.wire import Annotation, AssistantMessage
from app.service.attribution import Attribution
from app.service.in_words import REASONS, confidence_in_words
from app.service.response import AnswerResponse
from retriever.text.folding import shown

AddressOf = Callable[[Citation], str]
"""Where the document of a citation can be had."""

_SAID_FIRST = (f"{YES}. ", f"{NO}. ")


def message_of(response: AnswerResponse, model: ChatModel, address_of: AddressOf) -> AssistantMessage:
    """The message that tells this response.

    Its text is the answer. With sources, each statement is followed by the number of its quote, and what another
    document says instead by its own. Below come the quotes, the confidence and the terms of the sources. An
    abstention is told by a sentence, and with sources by the nearest quotes as well.
    """
    text = _Text(address_of)
    if response.abstain_reason is not None:
        text.add(f"No answer: {REASONS[response.abstain_reason]}.")
        if model is ChatModel.WITH_SOURCES:
            _add_nearest(text, response.nearest)
            _add_terms(text, response.attribution)
    elif model is ChatModel.PLAIN:
        _add_statements(text, *_answer_of(response))
    else:
        _add_with_sources(text, response)
    return {"role": "assistant", "content": text.content, "refusal": None, "annotations": text.annotations}


class _Text:
    """A message being written."""

    def __init__(self, address_of: AddressOf) -> None:
        self._address_of = address_of
        self.content = ""
        self.annotations: list[Annotation] = []

    def add(self, text: str) -> None:
        self.content += text

    def state(self, text: str, citations: Sequence[Citation], confidence: float) -> Sequence[int]:
        """Add a statement that these quotes back; their numbers."""
        start = len(self.content)
        self.add(text)
        before = len(self.annotations)
        for citation in citations:
            self.annotations.append(
                {
                    "type": "url_citation",
                    "url_citation": {
                        "start_index": start,
                        "end_index": len(self.content),
                        "title": citation["title"] or citation["document_id"],
                        "url": self._address_of(citation),
                    },
                    "loccit": {**citation, "confidence": confidence},
                }
            )
        return range(before + 1, len(self.annotations) + 1)


def _add_statements(
    text: _Text,
    answer: str,
    citations: Sequence[Citation],
    confidence: float,
    kind: AnswerKind = AnswerKind.SHORT,
    *,
    markdown: bool = False,
) -> None:
    """The answer: quote by quote where it is its quotes' own words, else as a whole that all quotes back.

    Before them a yes or no may be said. The items of a list are a line each. ``markdown``: with the quotes' numbers.
    """
    quotes = [" ".join(shown(citation["quote"]).split()) for citation in citations]
    between = "\n" if kind is AnswerKind.LIST else " "
    together = between.join(quotes)
    said = answer.removesuffix(together)
    if together and said in (_SAID_FIRST if kind is AnswerKind.YES_NO else ("",)):
        text.add(said)
        statements = [(quote, [citation]) for quote, citation in zip(quotes, citations, strict=True)]
    else:
        statements = [(answer, list(citations))]
    if markdown and kind is AnswerKind.LIST:
        between = LINE_END
    for place, (statement, backing) in enumerate(statements):
        text.add(between if place else "")
        written = between.join(map(inert_line, statement.splitlines())) if markdown else statement
        numbers = text.state(written, backing, confidence)
        text.add("".join(f" [{number}]" for number in numbers) if markdown else "")


def _add_with_sources(text: _Text, response: AnswerResponse) -> None:
    _add_marked(text, *_answer_of(response))
    if response.conflict is not None:
        text.add("\n\nAnother document says otherwise: ")
        _add_marked(text, *_parts_of(response.conflict))
    text.add("\n\n**Sources**")
    for number, annotation in enumerate(text.annotations, start=1):
        text.add(f"\n\n[{number}] {_told(annotation['loccit'])}")
    text.add(f"\n\nLoccit: {inert(confidence_in_words(response))}")
    _add_terms(text, response.attribution)


def _add_marked(
    text: _Text,
    answer: str,
    citations: Sequence[Citation],
    confidence: float,
    kind: AnswerKind = AnswerKind.SHORT,
) -> None:
    _add_statements(text, answer, citations, confidence, kind, markdown=True)


def _answer_of(response: AnswerResponse) -> tuple[str, Sequence[Citation], float, AnswerKind]:
    return response.answer or "", response.citations, response.confidence, response.kind


def _parts_of(rival: Alternative) -> tuple[str, Sequence[Citation], float]:
    return rival["answer"], rival["citations"], rival["confidence"]


def _add_nearest(text: _Text, nearest: Sequence[Citation]) -> None:
    if nearest:
        text.add("\n\n**The nearest quotes, which are no answer**")
        for citation in nearest:
            text.add(f"\n\n- {_told(citation)}")


def _add_terms(text: _Text, attribution: Sequence[Attribution]) -> None:
    for source in attribution:
        terms = ", ".join(part for part in (source.attribution, source.licence) if part)
        if terms:
            text.add(f"\n\n{inert_line(source.source)}: {inert(terms)}")


def _told(citation: Citation) -> str:
    """A quote and where it stands."""
    title, url = citation["title"] or citation["document_id"], citation["url"]
    where = link(title, url) if url is not None and is_web_address(url) else inert(title)
    place = f", {inert(citation['locator'])}" if citation["locator"] else ""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{inert(citation['quote'])}\N{RIGHT DOUBLE QUOTATION MARK} ({where}{place})"
