"""Questions over manuals, with passages as an index finds them: what answers, and what only looks like it.

A file of them has a line of JSON each: ``question``, ``kind`` (short, list, yesno, long), ``source`` and
``document_id`` as in the index, ``evidence`` and for short answers and lists ``answers`` as places (see
``training.data.places``), and ``yesno``. ``also`` holds other places that answer as well, each with ``document_id``,
``evidence`` and ``answers``. One without ``document_id`` is not answered by the manuals. The texts stand in the index
alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import DocumentNotFoundError
from common.files import Record, records
from common.packaged import sha256_of
from retriever.encoder import Encoder, load_encoder
from retriever.fields import Selection
from retriever.filters import Filter
from retriever.index import PassageIndex, open_index, read_manifest
from retriever.retriever import IndexRetriever
from retriever.text.units import quotable_spans_of
from retriever.types import Document, Passage, Span
from training.data.evidence import (
    KINDS,
    MANUALS,
    POSITIVES_KEPT,
    VERDICTS,
    EvidenceGroup,
    EvidencePassage,
)
from training.data.places import Place, Words

_FOLDER = Path(__file__).parents[1] / "manuals"
QUESTIONS = _FOLDER / "questions.jsonl"
"""What readers learn from."""
CONFIDENCE_QUESTIONS = _FOLDER / "confidence_questions.jsonl"
"""What no reader learns from: over manuals of their own, for a confidence to be fitted on."""
NEAR_MISSES_KEPT = 8
_RETRIEVED = 20
_EVIDENCE_SHARE = 0.5  # of a unit's characters, from which on it is evidence


class ManualQuestions:
    """The groups of a file's questions over an index, each with passages of its own manual alone.

    ``lost``: the questions whose document or places the index has not, as the groups were read last.
    """

    def __init__(self, path: Path, index: PassageIndex, encoder: Encoder) -> None:
        self._path, self._index, self._encoder = path, index, encoder
        self.lost: list[str] = []

    def description(self) -> dict[str, str | None]:
        """What the groups depend on."""
        return {"questions": sha256_of(self._path), "index": self._index.generation}

    def elsewhere(self) -> Iterator[EvidenceGroup]:
        """The questions over manuals of which the index has nothing: taken as not answered by it. No passages.

        Another manual may answer one of them all the same.
        """
        for number, record in enumerate(records(self._path)):
            if not len(self._selection(record["source"]).rows):
                yield EvidenceGroup(
                    id=f"{MANUALS}-{number}",
                    source=MANUALS,
                    doc=f"{MANUALS}:{record['source']}",
                    question=record["question"],
                    kind=KINDS[record["kind"]],
                    verdict=None,
                    passages=(),
                )

    def __iter__(self) -> Iterator[EvidenceGroup]:
        self.lost.clear()
        by_source: dict[str, IndexRetriever] = {}
        for number, record in enumerate(records(self._path)):
            source = record["source"]
            if source not in by_source:
                selection = self._selection(source)
                by_source[source] = IndexRetriever(self._index, self._encoder, selection=selection)
            group = _group(record, by_source[source], f"{MANUALS}-{number}")
            if group is None:
                self.lost.append(record["question"])
            else:
                yield group

    def _selection(self, source: str) -> Selection:
        return self._index.fields.selection(Filter.by("source", source))


def row_of(record: Record) -> dict[str, Any]:
    """A question whose evidence and answers are texts, as a line of such a file: with places in their stead."""
    row: dict[str, Any] = {}
    for name, value in record.items():
        if name in ("evidence", "answers"):
            row[name] = [Place.of(text).as_json() for text in value]
        else:
            row[name] = [row_of(other) for other in value] if name == "also" else value
    return row


@dataclass(frozen=True, slots=True)
class _Answering:
    """Where a document answers: its sentences, steps or rows, and the words asked for within them."""

    document: Document
    evidence: Sequence[Span]
    answers: Sequence[Span]

    def passages(self, retriever: IndexRetriever) -> list[EvidencePassage]:
        """The passages of the document that answer, in order."""
        rows = retriever.index.fields.selection(Filter.by("document_id", self.document.doc_id)).rows
        passages = retriever.index.store.passages(rows.tolist())
        labelled = [
            _labelled(passage, self.evidence, self.answers)
            for passage in passages
            if any(span.touches(passage.span) for span in self.evidence)
        ]
        return [passage for passage in labelled if passage.answers_question][:POSITIVES_KEPT]

    def is_touched(self, passage: Passage) -> bool:
        """Whether something that answers stands in the passage's window."""
        return passage.doc_id == self.document.doc_id and any(
            span.touches(passage.window_span) for span in self.evidence
        )


def _group(record: Record, retriever: IndexRetriever, id_: str) -> EvidenceGroup | None:
    """None where the index has not what the record says."""
    kind = KINDS[record["kind"]]
    hits = [hit.passage for hit in retriever.retrieve(record["question"], k=_RETRIEVED)]
    answering: list[_Answering] = []
    if "document_id" in record:
        first = _answering(retriever, record["source"], record)
        if first is None:
            return None
        others = [_answering(retriever, record["source"], other) for other in record.get("also", ())]
        answering = [first, *(other for other in others if other is not None)]
    positives = [passage for one in answering for passage in one.passages(retriever)]
    if answering and not positives:
        return None
    misses = [passage for passage in hits if not any(one.is_touched(passage) for one in answering)]
    if not positives and not misses:
        return None
    return EvidenceGroup(
        id=id_,
        source=MANUALS,
        doc=f"{MANUALS}:{record['source']}",
        question=record["question"],
        kind=kind,
        verdict=VERDICTS.get(str(record.get("yesno"))),
        passages=(
            *positives,
            *(_labelled(passage, [], []) for passage in misses[:NEAR_MISSES_KEPT]),
        ),
    )


def _answering(retriever: IndexRetriever, source: str, record: Record) -> _Answering | None:
    """None where the index has not the document, or not one of the places that answer, or one more than once."""
    document = _document(retriever, source, record["document_id"])
    if document is None:
        return None
    words = Words(document.text)
    evidence: list[Span] = []
    for place in map(Place.of_json, record["evidence"]):
        found = list(words.find(place))
        if len(found) != 1:
            return None
        evidence += found
    answers = [
        span
        for place in map(Place.of_json, record.get("answers", ()))
        for within in evidence
        for span in words.find(place, within=within)
    ]
    if record.get("answers") and not answers:
        return None
    return _Answering(document, evidence, answers)


def _document(retriever: IndexRetriever, source: str, document_id: str) -> Document | None:
    """An id begins with the source's name where another source has the same."""
    for doc_id in (f"{source}/{document_id}", document_id):
        with suppress(DocumentNotFoundError):
            return retriever.document(doc_id)
    return None


def _labelled(passage: Passage, evidence: Sequence[Span], answers: Sequence[Span]) -> EvidencePassage:
    """A passage answers when a unit of its own, not only of its continuation, is evidence."""
    start, own = passage.span.start, len(passage.text)
    units: list[tuple[Span, bool]] = []
    answers_question = False
    for unit in quotable_spans_of(passage.window):
        there = unit.shifted(start)
        shared = sum(max(0, min(there.end, span.end) - max(there.start, span.start)) for span in evidence)
        is_evidence = shared > _EVIDENCE_SHARE * len(unit)
        units.append((unit, is_evidence))
        answers_question |= is_evidence and unit.end <= own
    window = passage.window_span
    return EvidencePassage(
        passage.heading,
        passage.window,
        tuple(units),
        tuple(
            Span(span.start - start, span.end - start)
            for span in answers
            if answers_question and window.start <= span.start and span.end <= window.end
        ),
        answers_question,
    )


def open_manual_questions(folder: Path) -> ManualQuestions:
    """Loccit's own questions over the manuals in the index in ``folder``.

    Raises:
        LoccitError: when the index cannot be opened, or its encoder is not here.
    """
    encoder = load_encoder(read_manifest(folder).encoder.name)
    return ManualQuestions(QUESTIONS, open_index(folder, encoder), encoder)
