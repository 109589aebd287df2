"""The response to a question: its decision, what was asked to be included, and who answered from what.

`loccit ask` and the HTTP server give the same one.
"""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from app.answering import types
from app.answering.answer_kind import AnswerKind
from app.answering.trace_json import shapes
from app.answering.trace_json.writing import (
    candidate_as_json,
    decision_as_json,
    document_as_json,
    hit_as_json,
    timings_as_json,
)
from app.answering.types import AbstainReason
from app.service.ask import Ask
from app.service.assembly import AnswerService, ModelNames
from app.service.attribution import Attribution, attribution_of
from app.service.handed_in import TextFormat
from app.service.settings import ReaderKind
from retriever.filters import Filter
from retriever.types import Document


class Calibration(BaseModel):
    """What the confidence was fitted on, and whether that applies to what answers."""

    fitted_on: str
    applies: bool


class SeenElsewhere(BaseModel):
    """Of ``given`` answers whose confidence was at least ``min_confidence``, ``right`` were right."""

    min_confidence: float
    given: int
    right: int


class AnswerCalibration(Calibration):
    """What the confidence was fitted on, whether that applies to this answer, and what it was worth elsewhere."""

    elsewhere: SeenElsewhere | None = Field(
        description="What answers were worth on several sets of documents that the fit had not seen, such as FAQ "
        "pages, papers and public-service rules: at the highest confidence that this answer reaches and at which 20 "
        "answers were given there. null where there is none."
    )


class Model(BaseModel):
    """Which models answered."""

    encoder: str
    reader: ReaderKind
    reader_sha256: str | None = Field(description="null for the lexical reader, which has no weights.")
    language_model: str | None = Field(description="null when the reader alone answers.")
    language_model_sha256: str | None = Field(
        description="Of its weights; of one behind a server, of its name there and of how it is asked."
    )
    adapter_sha256: str | None = Field(
        description="Of what was trained onto the language model; null without it."
    )
    support: str = Field(description="Digest of the support scorer's weights, or its name when it has none.")


class ReadDocument(BaseModel):
    """A document that was handed in as Markdown or HTML, as it was read."""

    document_id: str
    title: str
    text: str = Field(description="What a reader sees of it; for its citations, text[start:end] == quote.")
    sha256: str = Field(description="Of the text in UTF-8; the citations' document_sha256.")


class AnswerResponse(BaseModel):
    """An answer with its quotes, or an abstention with its reason."""

    question: str = Field(description="As it was answered, white space tidied.")
    answer: str | None = Field(
        description="null when abstained. A long one is its citations' quotes in their order, white space tidied; of "
        "a language model behind a server it is claims that they back."
    )
    short_answer: str | None = Field(
        description="What the confidence is about: the answer, unless a long one was asked for."
    )
    abstained: bool
    abstain_reason: AbstainReason | None
    kind: AnswerKind = Field(
        description="What the question was taken to ask for. short: a few words; yes/no: answer begins with it; list "
        "and explanation: sentences, steps or rows, each of them cited. Always short where length is."
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="Orders answers: higher is surer. How likely the answer is right only where calibration applies.",
    )
    calibration: AnswerCalibration | None = Field(
        description="null: the confidence is a score that orders answers, not a probability."
    )
    citations: list[shapes.Citation]
    conflict: shapes.Alternative | None = Field(
        description="The surest answer of another document that says something else, with at least 0.3 times the "
        "confidence; null when there is none, or no answer. It does not lower the confidence."
    )
    nearest: list[shapes.Citation] = Field(
        description="When abstained: the nearest quotes, to judge for yourself."
    )
    hits: list[shapes.Hit] = Field(default=[], description="Only when included.")
    candidates: list[shapes.Candidate] = Field(default=[], description="Only when included.")
    alternatives: list[shapes.Alternative] = Field(default=[], description="Only when included.")
    documents: list[ReadDocument] = Field(
        default=[],
        description="Only of documents handed in as Markdown or HTML: what their offsets count in.",
    )
    model: Model
    generation: str | None = Field(description="Of the index; null when documents were handed in.")
    attribution: list[Attribution] = Field(
        description="Of the sources of all that is cited or shown here, each once. Where something's source is not "
        "known: of all sources of the index, except for a key that is limited to some documents."
    )
    timings_ms: dict[str, float] = Field(
        description="Milliseconds by stage, and their sum as total. wait: until the question's turn came, 0 where "
        "nothing was before it. index: making the documents that were handed in searchable, only when there were "
        "any. compose: only of a long answer."
    )

    def as_json(self) -> dict[str, Any]:
        """The object on the wire: without what was not included."""
        return self.model_dump(mode="json", exclude_unset=True)


class DocumentResponse(BaseModel):
    """A stored document: what citations' offsets count in."""

    document_id: str
    title: str
    text: str
    url: str | None
    metadata: dict[str, Any]
    source: str | None = Field(description="Its source's name; null where it is not known.")
    sha256: str = Field(description="Of the text in UTF-8.")
    attribution: list[Attribution] = Field(
        description="Of its source; of all sources of the index where it is not known, except for a key that is "
        "limited to some documents."
    )


class _Included(TypedDict, total=False):
    """What a response holds only when it was asked for, or was handed in with marks."""

    hits: list[shapes.Hit]
    candidates: list[shapes.Candidate]
    alternatives: list[shapes.Alternative]
    documents: list[ReadDocument]


def response_of(
    trace: types.Trace, ask: Ask, service: AnswerService, *, include: Collection[str] = ()
) -> AnswerResponse:
    """The response. ``include``: any of ``hits``, ``candidates``, ``alternatives``."""
    decision = decision_as_json(trace.decision)
    included: _Included = {}
    if "hits" in include:
        included["hits"] = [hit_as_json(hit) for hit in trace.hits]
    if "candidates" in include:
        included["candidates"] = [candidate_as_json(candidate) for candidate in trace.candidates]
    if "alternatives" in include:
        included["alternatives"] = decision["alternatives"]
    if read := [document for document in trace.documents if _is_marked_up(document, ask)]:
        included["documents"] = [
            ReadDocument(
                document_id=document.doc_id, title=document.title, text=document.text, sha256=document.sha256
            )
            for document in read
        ]
    from_index = ask.documents is None
    return AnswerResponse(
        question=trace.question,
        answer=decision["answer"],
        short_answer=decision["short_answer"],
        abstained=decision["abstained"],
        abstain_reason=decision["abstain_reason"],
        kind=decision["kind"],
        confidence=decision["confidence"],
        calibration=calibration_of(service, ask, trace),
        citations=decision["citations"],
        conflict=decision["conflict"],
        nearest=decision["nearest"],
        **included,
        model=model_of(service.models),
        generation=service.index.generation if from_index else None,
        attribution=attribution_of(_sources(decision, included), service.index.manifest, allowed=ask.allowed)
        if from_index
        else [],
        timings_ms=timings_as_json(trace),
    )


def _is_marked_up(document: Document, ask: Ask) -> bool:
    return ask.formats.get(document.doc_id, TextFormat.TEXT) is not TextFormat.TEXT


def calibration_of(service: AnswerService, ask: Ask, trace: types.Trace) -> AnswerCalibration | None:
    """What the confidence was fitted on, whether it applies to this question, and what it was worth elsewhere.

    None: it is a score.
    """
    calibration = service.calibration
    if calibration is None:
        return None
    as_set = (
        not trace.cut_short
        and ask.documents is None
        and ask.filter is None
        and ask.allowed is None
        and ask.top_k in (None, service.pipeline.options.top_k)
        and trace.decision.kind is AnswerKind.SHORT  # it was fitted on short answers
    )
    calibrator = calibration.calibrator
    law = calibrator if trace.decision.kind is AnswerKind.SHORT else calibrator.broad
    seen = None if law is None else law.seen_elsewhere(trace.decision.confidence)
    return AnswerCalibration(
        fitted_on=calibrator.fitted_on.name,
        applies=calibration.applies and as_set,
        elsewhere=None if seen is None else SeenElsewhere.model_validate(seen, from_attributes=True),
    )


def model_of(models: ModelNames) -> Model:
    """Which models answer."""
    return Model(
        encoder=models.encoder,
        reader=ReaderKind(models.reader),
        reader_sha256=models.reader_sha256,
        language_model=models.language_model,
        language_model_sha256=models.language_model_sha256,
        adapter_sha256=models.adapter_sha256,
        support=models.support,
    )


def document_response_of(
    document_id: str, service: AnswerService, *, allowed: Filter | None = None
) -> DocumentResponse:
    """What ``GET /documents/{document_id}`` returns; DocumentNotFoundError when there is none of this id.

    ``allowed``: there are no other documents than those that match it.
    """
    selection = None if allowed is None else service.index.fields.selection(allowed)
    document = service.within(selection).retriever.document(document_id)
    return DocumentResponse(
        **document_as_json(document),
        attribution=attribution_of({document.source}, service.index.manifest, allowed=allowed),
    )


def _sources(decision: shapes.Decision, included: _Included) -> set[str | None]:
    """The sources of all that a response shows: citations, the rival answer's among them, and what is included."""
    others = [*included.get("alternatives", []), *([decision["conflict"]] if decision["conflict"] else [])]
    citing: list[shapes.Alternative | shapes.Decision] = [decision, *others]
    return {
        *(citation["source"] for part in citing for citation in part["citations"]),
        *(citation["source"] for citation in decision["nearest"]),
        *(hit["source"] for hit in included.get("hits", [])),
        *(candidate["passage"]["source"] for candidate in included.get("candidates", [])),
    }
