"""Questions of every kind with the sentences that answer them: why, how, yes or no, lists, and near misses.

Each row of a set has a ``question``, a text (``document`` or ``context``), ``title``, ``kind``, ``answerable``, where
known the ``evidence`` as pairs of characters, and for yes and no ``yesno``. Its text becomes passages as an index
would have them: those that hold evidence, and the nearest of the others. A row with a ``claim`` and its ``label`` is
learnt from as the question whether it is true, where people said that it is or is not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.answering.answer_kind import AnswerKind
from app.answering.text.normalise import normalise_answer
from common.files import Record, records
from retriever.text.passages import PassageSettings, split
from retriever.text.sentences import sentence_spans
from retriever.types import Document, Span
from training.data.untokenised import untokenised

EVIDENCE_FOLDER = "evidence"
MANUALS = "manuals"
"""The set of questions over manuals (``training.data.manuals``), whose wrong passages are those that an index finds."""
EVIDENCE_FORMAT = 1
"""Of what is stored: another number when the same rows become other groups."""

SETS: Mapping[str, float] = MappingProxyType(
    {
        "faq_docs": 1.0,
        "howto_docs": 1.0,
        "faq_answer_removed": 1.0,
        "doc2dial": 1.0,
        "conditionalqa_partial": 0.5,
        "medquad": 0.25,
        "multispanqa": 6.0,
        "covidqa": 0.5,
        "covid_faq": 1.0,
        "boolq_dev": 2.0,
        "condaqa": 0.6,
        "pubmedqa": 0.5,
        "strategyqa": 1.0,
        "claims_summedits": 0.6,
    }
)
"""The sets by their files' names, and how often a row of each is shown in comparison with others."""

SHOWN: Mapping[str, float] = MappingProxyType({**SETS, MANUALS: 40.0})
"""The same with the questions over manuals, which are in no such file."""

POSITIVES_KEPT, NEGATIVES_KEPT = 3, 3
KINDS = {
    "short": AnswerKind.SHORT,
    "list": AnswerKind.LIST,
    "yesno": AnswerKind.YES_NO,
    "long": AnswerKind.EXPLANATION,
}
VERDICTS = {"yes": True, "no": False, "supported": True, "refuted": False, "not_supported": False}
_COPYLEFT = re.compile(r"\b[AL]?GPL|\bGFDL")
_TOKENISED = frozenset({"multispanqa"})
_NUMBERED = re.compile(r"^\W*(?:\d+(?:\.\d+)*[.):]|Q\d*[.:)])\s+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_LONGEST_POINTED = 12  # words


@dataclass(frozen=True, slots=True)
class EvidencePassage:
    """A window of the text.

    ``sentences``: its sentences with whether each is evidence; None where the row does not say.
    ``answers``: characters of the window that are a short answer. ``answers_question``: whether it answers.
    """

    title: str
    window: str
    sentences: tuple[tuple[Span, bool], ...] | None
    answers: tuple[Span, ...]
    answers_question: bool


@dataclass(frozen=True, slots=True)
class EvidenceGroup:
    """A question with passages of one text. ``verdict``: True for yes; None where it is not asked or not known.

    ``doc``: what tells its text, or the project that it belongs to, from others: what is held out together.
    """

    id: str
    source: str
    doc: str
    question: str
    kind: AnswerKind
    verdict: bool | None
    passages: tuple[EvidencePassage, ...]

    @property
    def searched(self) -> bool:
        """Whether its wrong passages are those that an index found, and not merely others of its text."""
        return self.source == MANUALS

    def is_held_out(self, *, share: float) -> bool:
        """Whether its text is held out, by its hash alone: of every training, also of one that goes on."""
        digest = sha256(f"loccit-training-2:{self.doc}".encode()).hexdigest()
        return int(digest[:8], 16) < share * 2**32

    def as_json(self) -> dict[str, Any]:
        """The group as one JSON object."""
        return {
            "id": self.id,
            "source": self.source,
            "doc": self.doc,
            "question": self.question,
            "kind": self.kind.value,
            "verdict": self.verdict,
            "passages": [_passage_as_json(passage) for passage in self.passages],
        }

    @classmethod
    def of_json(cls, record: dict[str, Any]) -> "EvidenceGroup":
        """The inverse of ``as_json``."""
        return cls(
            record["id"],
            record["source"],
            record["doc"],
            record["question"],
            AnswerKind(record["kind"]),
            record["verdict"],
            tuple(_passage_of_json(passage) for passage in record["passages"]),
        )


def evidence_groups(path: Path, source: str, unwanted: set[str]) -> Iterator[EvidenceGroup]:
    """The groups of a set's file, without rows that cannot be learnt from.

    Left out: questions that are ``unwanted`` (normalised), passages that stand in an evaluation file, questions that
    are only understood after others, texts under a copyleft licence for programs, and those without any use.
    """
    for number, row in enumerate(records(path)):
        record = _asked(row) if row.get("kind") == "claim" and row.get("label") in VERDICTS else row
        if _is_usable(record, unwanted) and (group := _group(record, source, number)) is not None:
            yield group


def _asked(row: Record) -> Record:
    """A claim as a question that its text answers with yes or no."""
    return {
        **row,
        "kind": "yesno",
        "question": f"Is it true that {row['claim'].strip().rstrip('.')}?",
        "yesno": row["label"],
        "answerable": True,
        "evidence": [],
    }


def _is_usable(record: Record, unwanted: set[str]) -> bool:
    return not (
        record.get("passage_in_eval")
        or record.get("history")
        or record.get("yesno") in {"depends", "maybe"}
        or record.get("kind") not in KINDS
        or _COPYLEFT.search(record.get("licence") or "")
        or normalise_answer(record["question"]) in unwanted
    )


def _group(record: Record, source: str, number: int) -> EvidenceGroup | None:
    document, evidence = _document(record, source)
    answerable = record["answerable"]
    kind = KINDS[record["kind"]]
    if answerable and not evidence:
        passages = _whole(document)  # it answers, but the row does not say where
    else:
        passages = _passages(document, evidence, record["question"], kind)
    if not passages or (answerable and not any(passage.answers_question for passage in passages)):
        return None
    if not answerable:
        passages = tuple(passage for passage in passages if not passage.answers_question)
    return EvidenceGroup(
        id=f"{source}-{number}",
        source=source,
        doc=record.get("project") or record["doc"],
        question=_NUMBERED.sub("", record["question"].strip()),
        kind=kind,
        verdict=_verdict(record),
        passages=passages,
    )


def _verdict(record: Record) -> bool | None:
    """Yes or no, where the question and its text alone say which."""
    if not record["answerable"] or record.get("scenario"):
        return None
    return VERDICTS.get(str(record.get("yesno")))


def _document(record: Record, source: str) -> tuple[Document, list[Span]]:
    """The row's text as people write it, and its evidence."""
    text = record.get("document") or record["context"]
    evidence = [Span(*pair) for pair in record["evidence"]]
    title = record.get("title", "")
    title = "" if title.startswith("http") else title
    if source in _TOKENISED:
        written = untokenised(text)
        moved = [written.span(span) for span in evidence]
        return Document("", title, written.text), [span for span in moved if span is not None]
    return Document("", title, text), evidence


def _whole(document: Document) -> tuple[EvidencePassage, ...]:
    """The text as one window; none when it is longer than a passage with its continuation."""
    drafts = list(split(document, PassageSettings()))
    if not drafts or drafts[0].continuation_end < drafts[-1].span.end:
        return ()
    window = document.text[drafts[0].span.start : drafts[-1].span.end]
    return (EvidencePassage(document.title, window, None, (), answers_question=True),)


def _passages(
    document: Document, evidence: Sequence[Span], question: str, kind: AnswerKind
) -> tuple[EvidencePassage, ...]:
    """The first passages that hold a whole sentence of evidence, and of the others those most like the question."""
    positives: list[EvidencePassage] = []
    negatives: list[EvidencePassage] = []
    for draft in split(document, PassageSettings()):
        window = Span(draft.span.start, draft.continuation_end)
        passage = _passage(document, draft.span, window, evidence, kind)
        if passage.answers_question:
            positives.append(passage)
        elif not any(span.touches(window) for span in evidence):
            negatives.append(passage)
    asked = set(_WORD.findall(question.lower()))
    negatives.sort(key=lambda passage: -len(asked & set(_WORD.findall(passage.window.lower()))))
    return (*positives[:POSITIVES_KEPT], *negatives[:NEGATIVES_KEPT])


def _passage(
    document: Document, own: Span, window: Span, evidence: Sequence[Span], kind: AnswerKind
) -> EvidencePassage:
    """A passage answers when a sentence of its own, not only of its continuation, is evidence."""
    text = window.of(document.text)
    pointed = kind in (AnswerKind.SHORT, AnswerKind.LIST)
    sentences: list[tuple[Span, bool]] = []
    answers_question = False
    for sentence in sentence_spans(text):
        there = sentence.shifted(window.start)
        is_evidence = any(
            _share_covered(there, span) > 0.5 or (pointed and span.touches(there)) for span in evidence
        )
        sentences.append((sentence, is_evidence))
        answers_question |= is_evidence and there.end <= own.end
    answers = tuple(
        Span(span.start - window.start, span.end - window.start)
        for span in evidence
        if pointed
        and window.start <= span.start
        and span.end <= window.end
        and len(span.of(document.text).split()) <= _LONGEST_POINTED
    )
    return EvidencePassage(document.title, text, tuple(sentences), answers, answers_question)


def _share_covered(sentence: Span, evidence: Span) -> float:
    """The share of the sentence's characters that are evidence."""
    shared = min(sentence.end, evidence.end) - max(sentence.start, evidence.start)
    return max(0, shared) / len(sentence)


def _passage_as_json(passage: EvidencePassage) -> dict[str, Any]:
    sentences = passage.sentences
    return {
        "title": passage.title,
        "window": passage.window,
        "sentences": None
        if sentences is None
        else [[span.start, span.end, is_evidence] for span, is_evidence in sentences],
        "answers": [[span.start, span.end] for span in passage.answers],
        "answers_question": passage.answers_question,
    }


def _passage_of_json(record: dict[str, Any]) -> EvidencePassage:
    sentences = record["sentences"]
    return EvidencePassage(
        record["title"],
        record["window"],
        None
        if sentences is None
        else tuple((Span(start, end), is_evidence) for start, end, is_evidence in sentences),
        tuple(Span(*pair) for pair in record["answers"]),
        record["answers_question"],
    )
