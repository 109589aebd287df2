"""Outcomes: what became of each question, threshold aside, as facts that figures are made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from app.answering.text.answer_match import has_answer
from app.answering.text.answer_score import exact_match, f1
from evaluation.configurations import AnswerFrom
from evaluation.documents import Documents, given_documents
from evaluation.long_answer import LongAnswer, long_answer
from evaluation.questions import Side, side_of
from evaluation.slices import WITHOUT_GOLD
from evaluation.support_judge import SupportJudge
from retriever.sentences import sentence_spans
from retriever.types import Document

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question. None: it cannot be said (no gold document, no ranking, no quote).

    ``answerable``: whether its answer is in the index, as far as is known.
    ``candidate_exact_match``: whether any cited candidate is an exact match, chosen or not.
    ``contains_answer``: one of the known answers stands in it word for word, which an exact match implies.
    ``quoted``: whether quotes are the point; they are not where the first candidate is scored, quoted or not.
    ``confidence``: 0 where there was no answer at all. ``holds_answer``, ``is_gold``: of every passage of the
    ranking, best first, whether it holds an answer, and whether it is the first one of the gold document.
    ``answer_in_hits``, ``gold_in_hits``: whether an answer stands in what was read, continuations included, and
    whether it was of the gold document.
    ``gold_cited``: the first citation is of the gold document. ``misled``: nearer to a wrong answer than to a
    right one. ``quote_sentences``: of the first citation. ``timings_ms``: by stage, where it is known.

    All that is about the short answer, and of the citations about those that back it. ``long``: how near the
    whole answer comes to long ones; None where the question has none.
    """

    id: str
    kind: str
    side: Side
    answerable: bool
    quoted: bool
    answer: str | None
    confidence: float
    exact_match: bool
    candidate_exact_match: bool | None
    contains_answer: bool
    f1: float
    supported: bool
    quote_has_answer: bool
    quote_verbatim: bool | None
    quote_sentences: int | None
    gold_cited: bool | None
    answer_in_hits: bool | None
    gold_in_hits: bool | None
    holds_answer: tuple[bool, ...] | None
    is_gold: tuple[bool, ...] | None
    misled: bool | None
    timings_ms: dict[str, float]
    long: LongAnswer | None = None

    @property
    def unanswerable(self) -> bool:
        """Whether its answer is not in the index, as far as 100 passages tell (see ``set_aside``)."""
        return not self.answerable and not self.set_aside

    @property
    def set_aside(self) -> bool:
        """Whether its gold document was left out and yet an answer stands in another passage of the ranking."""
        return self.kind == WITHOUT_GOLD and any(self.holds_answer or ())

    @property
    def correct_and_supported(self) -> bool:
        """Whether the answer is an exact match and its quote supports it."""
        return self.exact_match and self.supported

    @property
    def right(self) -> bool:
        """What the confidence claims: an answer stands in it, supported by its quote where quotes are the point."""
        return self.contains_answer and (self.supported or not self.quoted)

    def given(self, min_confidence: float) -> bool:
        """Whether the answer is given at this threshold."""
        return self.answer is not None and self.confidence >= min_confidence


class OutcomeReader:
    """Makes outcomes of prediction lines, looking everything up in the stored documents."""

    def __init__(self, documents: Documents | None, answer_from: AnswerFrom) -> None:
        self._documents, self._answer_from = documents, answer_from
        self._judge = SupportJudge()

    def outcome(self, line: Json) -> Outcome:
        """The outcome of one prediction line."""
        trace, answers = line["trace"], line["answers"]
        answer, confidence = self._answer(trace)
        quoted = self._answer_from is AnswerFrom.DECISION
        citations = _backing(trace["decision"]) if quoted else []
        first = citations[0] if citations else None
        ranked = self._ranked(line)
        return Outcome(
            id=line["id"],
            kind=line["kind"],
            side=side_of(line["question"]),
            answerable=self.answerable(line),
            quoted=quoted,
            answer=answer,
            confidence=confidence,
            exact_match=answer is not None and exact_match(answer, answers),
            candidate_exact_match=any(
                exact_match(cited["candidate"]["answer"], answers) for cited in trace["cited"]
            )
            if quoted
            else None,
            contains_answer=answer is not None and _contains(answer, answers),
            f1=0.0 if answer is None else f1(answer, answers),
            supported=first is not None and self._supported(line, str(answer), first),
            quote_has_answer=any(has_answer(citation["quote"], answers) for citation in citations),
            quote_verbatim=self._all_verbatim(line) if quoted else None,
            quote_sentences=None if first is None else len(sentence_spans(first["quote"])),
            gold_cited=_cites_gold(line, first) if _names_gold(line) else None,
            answer_in_hits=any(
                has_answer(hit["text"] + hit["continuation"], answers) for hit in trace["hits"]
            )
            if answers
            else None,
            gold_in_hits=any(_is_gold(line, hit["document_id"], hit["title"]) for hit in trace["hits"])
            if _names_gold(line)
            else None,
            holds_answer=tuple(has_answer(text, answers) for _, text in ranked)
            if ranked is not None and answers
            else None,
            is_gold=_first_of_gold(line, [document for document, _ in ranked])
            if ranked is not None and _names_gold(line)
            else None,
            misled=None
            if answer is None or not line["wrong_answers"]
            else f1(answer, line["wrong_answers"]) > f1(answer, answers),
            timings_ms=trace["timings_ms"],
            long=self._long(line, answer),
        )

    @staticmethod
    def answerable(line: Json) -> bool:
        """Whether the question's answer is in the index, as far as is known."""
        return bool(line["answers"]) and line["kind"] != WITHOUT_GOLD

    def right(self, line: Json, answer: str, citation: Json) -> bool:
        """What confidence claims of any cited answer to the question: right, and supported by this citation."""
        return _contains(answer, line["answers"]) and self._supported(line, answer, citation)

    def _answer(self, trace: Json) -> tuple[str | None, float]:
        if self._answer_from is AnswerFrom.DECISION:
            decision = trace["decision"]
            return decision.get("short_answer", decision["answer"]), decision["confidence"]
        if not trace["candidates"]:
            return None, 0.0
        first = trace["candidates"][0]
        return first["answer"], exp(first["logprob"] / max(first["tokens"], 1))

    def _long(self, line: Json, answer: str | None) -> LongAnswer | None:
        """Of the whole answer as it was given, long or short."""
        selected = line.get("selected_sentences", ())
        if not selected:
            return None
        decision = line["trace"]["decision"]
        quoted = self._answer_from is AnswerFrom.DECISION
        return long_answer(
            decision["answer"] if quoted else answer,
            line["answers"],
            selected=selected,
            citations=decision["citations"] if quoted else None,
            gold=self._gold(line),
        )

    def _gold(self, line: Json) -> dict[str, str]:
        """The texts of the question's gold documents by id: those it brought, or the one that it names."""
        if line["documents"]:
            return {doc_id: document.text for doc_id, document in given_documents(line).items()}
        doc_id = line["gold_document_id"]
        document = None if self._documents is None or doc_id is None else self._documents.find(doc_id, line)
        return {} if document is None else {doc_id: document.text}

    def _supported(self, line: Json, answer: str, citation: Json) -> bool:
        """The quote is of the gold document, overlaps the long answer, or the judge accepts it on its own."""
        if line["gold_document_id"] is not None and _is_gold(
            line, citation["document_id"], citation["title"]
        ):
            return True
        quote, gold = citation["quote"], [text for text in (line["long_answer"],) if text]
        return self._judge.from_gold(quote, gold) or self._judge.accepts(
            line["question"], answer, citation["title"], quote
        )

    def _ranked(self, line: Json) -> list[tuple[Document, str]] | None:
        """Every passage of the ranking with its text; None without a ranking, or when the index is gone."""
        if line["ranking"] is None or self._documents is None:
            return None
        found = [(self._documents.find(doc_id, line), start, end) for doc_id, start, end in line["ranking"]]
        return [
            (document, document.text[start:end]) for document, start, end in found if document is not None
        ]

    def _all_verbatim(self, line: Json) -> bool | None:
        """Whether every quote of the trace stands where it says in the stored documents."""
        citations = list(_every_citation(line["trace"]))
        if self._documents is None or not citations:
            return None
        return all(
            _stands(citation, self._documents.find(citation["document_id"], line)) for citation in citations
        )


def _contains(answer: str, answers: Sequence[str]) -> bool:
    return exact_match(answer, answers) or has_answer(answer, answers)


def _backing(decision: Json) -> list[Json]:
    """What backs the short answer; the sentences that a long answer has parted are one quote again."""
    citations: list[Json] = decision["citations"]
    if decision.get("short_answer", decision["answer"]) == decision["answer"]:
        return citations
    backing = [citation for citation in citations if not citation["further"]]
    return [{**backing[0], "quote": " ".join(citation["quote"] for citation in backing)}]


def _stands(citation: Json, document: Document | None) -> bool:
    return document is not None and document.text[citation["start"] : citation["end"]] == citation["quote"]


def _every_citation(trace: Json) -> Iterator[Json]:
    """Of the decision, its alternatives and every candidate that was cited."""
    decision = trace["decision"]
    yield from decision["citations"]
    yield from decision["nearest"]
    for cited in (*decision["alternatives"], *trace["cited"]):
        yield from cited["citations"]


def _names_gold(line: Json) -> bool:
    return line["gold_document_id"] is not None or line["title"] is not None


def _is_gold(line: Json, doc_id: str, title: str) -> bool:
    """Whether this is the gold document: by id where the question names one, else by title."""
    if line["gold_document_id"] is not None:
        return bool(doc_id == line["gold_document_id"])
    return bool(title == line["title"])


def _cites_gold(line: Json, citation: Json | None) -> bool:
    return citation is not None and _is_gold(line, citation["document_id"], citation["title"])


def _first_of_gold(line: Json, documents: Sequence[Document]) -> tuple[bool, ...]:
    gold = [_is_gold(line, document.doc_id, document.title) for document in documents]
    first = gold.index(True) if True in gold else None
    return tuple(place == first for place in range(len(gold)))
