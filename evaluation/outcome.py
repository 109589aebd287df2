"""Outcomes: what became of each question, threshold aside, as facts that figures are made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp

from app.answering.text.answer_match import has_answer, says_answer
from app.answering.text.answer_score import exact_match, f1
from app.answering.trace_json.shapes import Citation, Decision, Trace
from evaluation.configurations import AnswerFrom
from evaluation.documents import Documents, given_documents
from evaluation.long_answer import LongAnswer, long_answer
from evaluation.questions import Side, side_of
from evaluation.run_folder import PredictionLine
from evaluation.slices import WITHOUT_GOLD
from evaluation.support_judge import SupportJudge
from retriever.text.sentences import sentence_spans
from retriever.types import Document

Ranked = Sequence[tuple[Document, str]]
"""Passages, best first, each as its document and its text."""


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
        self._documents = documents
        self._quoted = answer_from is AnswerFrom.DECISION
        self._judge = SupportJudge()

    def outcome(self, line: PredictionLine) -> Outcome:
        """The outcome of one prediction line."""
        answers = line["answers"]
        answer, confidence = self._answer(line["trace"])
        backing = _backing(line["trace"]["decision"]) if self._quoted else []
        first = _together(backing) if backing else None
        ranked = self._ranked(line)
        return Outcome(
            id=line["id"],
            kind=line["kind"],
            side=side_of(line["question"]),
            answerable=self.answerable(line),
            quoted=self._quoted,
            answer=answer,
            confidence=confidence,
            exact_match=answer is not None and exact_match(answer, answers),
            candidate_exact_match=_any_exact_match(line) if self._quoted else None,
            contains_answer=answer is not None and _contains(answer, answers),
            f1=0.0 if answer is None else f1(answer, answers),
            supported=first is not None and self._supported(line, str(answer), first),
            quote_has_answer=any(has_answer(citation["quote"], answers) for citation in backing),
            quote_verbatim=self._all_verbatim(line) if self._quoted else None,
            quote_sentences=None if first is None else len(sentence_spans(first["quote"])),
            gold_cited=_gold_cited(line, first),
            answer_in_hits=_answer_in_hits(line),
            gold_in_hits=_gold_in_hits(line),
            holds_answer=_holding_answer(line, ranked),
            is_gold=_first_of_gold(line, ranked),
            misled=_misled(line, answer),
            timings_ms=line["trace"]["timings_ms"],
            long=self._long(line, answer),
        )

    @staticmethod
    def answerable(line: PredictionLine) -> bool:
        """Whether the question's answer is in the index, as far as is known."""
        return bool(line["answers"]) and line["kind"] != WITHOUT_GOLD

    def right(self, line: PredictionLine, answer: str, citations: Sequence[Citation]) -> bool:
        """What confidence claims of any cited answer to the question: right, and supported by these citations."""
        return _contains(answer, line["answers"]) and self._supported(line, answer, _together(citations))

    def _answer(self, trace: Trace) -> tuple[str | None, float]:
        if self._quoted:
            decision = trace["decision"]
            return decision["short_answer"], decision["confidence"]
        if not trace["candidates"]:
            return None, 0.0
        first = trace["candidates"][0]
        # a model that tells no probabilities claims nothing
        return first["answer"], exp(first["logprob"] / first["tokens"]) if first["tokens"] else 0.0

    def _long(self, line: PredictionLine, answer: str | None) -> LongAnswer | None:
        """Of the whole answer as it was given, long or short."""
        if not line["selected_sentences"]:
            return None
        decision = line["trace"]["decision"]
        return long_answer(
            decision["answer"] if self._quoted else answer,
            line["answers"],
            selected=line["selected_sentences"],
            citations=decision["citations"] if self._quoted else None,
            gold=self._gold(line),
        )

    def _gold(self, line: PredictionLine) -> dict[str, str]:
        """The texts of the question's gold documents by id: those it brought, or the one that it names."""
        if line["documents"]:
            return {doc_id: document.text for doc_id, document in given_documents(line).items()}
        doc_id = line["gold_document_id"]
        if self._documents is None or doc_id is None:
            return {}
        document = self._documents.find(doc_id, line)
        return {} if document is None else {doc_id: document.text}

    def _supported(self, line: PredictionLine, answer: str, citation: Citation) -> bool:
        """The quote is of the gold document, overlaps the long answer, or the judge accepts it on its own."""
        if line["gold_document_id"] is not None and _is_gold(
            line, citation["document_id"], citation["title"]
        ):
            return True
        quote, gold = citation["quote"], [text for text in (line["long_answer"],) if text]
        return self._judge.from_gold(quote, gold) or self._judge.accepts(
            line["question"], answer, citation["title"], quote
        )

    def _ranked(self, line: PredictionLine) -> Ranked | None:
        """Every passage of the ranking with its text; None without a ranking, or when the index is gone."""
        if line["ranking"] is None or self._documents is None:
            return None
        places = [(self._documents.find(doc_id, line), start, end) for doc_id, start, end in line["ranking"]]
        return [
            (document, document.text[start:end]) for document, start, end in places if document is not None
        ]

    def _all_verbatim(self, line: PredictionLine) -> bool | None:
        """Whether every quote of the trace stands where it says in the stored documents."""
        citations = list(_every_citation(line["trace"]))
        if self._documents is None or not citations:
            return None
        return all(
            _stands(citation, self._documents.find(citation["document_id"], line)) for citation in citations
        )


def _contains(answer: str, answers: Sequence[str]) -> bool:
    return exact_match(answer, answers) or says_answer(answer, answers)


def _backing(decision: Decision) -> list[Citation]:
    """What backs the short answer."""
    if decision["short_answer"] == decision["answer"]:
        return decision["citations"]
    return [citation for citation in decision["citations"] if not citation["further"]]


def _together(citations: Sequence[Citation]) -> Citation:
    """The first citation, with what else is quoted from its document for the answer, in their order."""
    first = citations[0]
    of_document = [one["quote"] for one in citations if one["document_id"] == first["document_id"]]
    return {**first, "quote": " ".join(of_document)}


def _stands(citation: Citation, document: Document | None) -> bool:
    return document is not None and document.text[citation["start"] : citation["end"]] == citation["quote"]


def _every_citation(trace: Trace) -> Iterator[Citation]:
    """Of the decision, its alternatives and every candidate that was cited."""
    decision = trace["decision"]
    yield from decision["citations"]
    yield from decision["nearest"]
    for alternative in decision["alternatives"]:
        yield from alternative["citations"]
    for cited in trace["cited"]:
        yield from cited["citations"]


def _any_exact_match(line: PredictionLine) -> bool:
    """Whether any cited candidate is an exact match."""
    return any(exact_match(cited["candidate"]["answer"], line["answers"]) for cited in line["trace"]["cited"])


def _misled(line: PredictionLine, answer: str | None) -> bool | None:
    """Whether the answer is nearer to a wrong one than to a right one; None where no wrong ones are known."""
    if answer is None or not line["wrong_answers"]:
        return None
    return f1(answer, line["wrong_answers"]) > f1(answer, line["answers"])


def _answer_in_hits(line: PredictionLine) -> bool | None:
    """Whether an answer stands in what was read; None where none is known."""
    if not line["answers"]:
        return None
    return any(
        has_answer(hit["text"] + hit["continuation"], line["answers"]) for hit in line["trace"]["hits"]
    )


def _holding_answer(line: PredictionLine, ranked: Ranked | None) -> tuple[bool, ...] | None:
    """Of each passage of the ranking whether it holds an answer."""
    if ranked is None or not line["answers"]:
        return None
    return tuple(has_answer(text, line["answers"]) for _, text in ranked)


def _names_gold(line: PredictionLine) -> bool:
    return line["gold_document_id"] is not None or line["title"] is not None


def _is_gold(line: PredictionLine, doc_id: str, title: str) -> bool:
    """Whether this is the gold document: by id where the question names one, else by title."""
    if line["gold_document_id"] is not None:
        return doc_id == line["gold_document_id"]
    return title == line["title"]


def _gold_cited(line: PredictionLine, citation: Citation | None) -> bool | None:
    """Whether the citation is of the gold document; None where none is named."""
    if not _names_gold(line):
        return None
    return citation is not None and _is_gold(line, citation["document_id"], citation["title"])


def _gold_in_hits(line: PredictionLine) -> bool | None:
    """Whether a hit is of the gold document; None where none is named."""
    if not _names_gold(line):
        return None
    return any(_is_gold(line, hit["document_id"], hit["title"]) for hit in line["trace"]["hits"])


def _first_of_gold(line: PredictionLine, ranked: Ranked | None) -> tuple[bool, ...] | None:
    """Of each passage of the ranking whether it is the first one of the gold document."""
    if ranked is None or not _names_gold(line):
        return None
    gold = [_is_gold(line, document.doc_id, document.title) for document, _ in ranked]
    first = gold.index(True) if True in gold else None
    return tuple(place == first for place in range(len(gold)))
