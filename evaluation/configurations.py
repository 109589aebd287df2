"""Configurations: named ways to answer, from the service as it is to the baselines it has to beat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from app.answering.checked_input import checked_documents
from app.answering.generators.lm_generator import LMGenerator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.language_models.protocol import LanguageModel
from app.answering.pipeline import Pipeline
from app.answering.stages import Stage
from app.answering.text.overlap import Vocabulary
from common.errors import DocumentNotFoundError, InvalidRequestError, LoccitError
from evaluation.baselines import (
    ClosedBookGenerator,
    FirstSentenceReader,
    GoldGenerator,
    TfidfReader,
    WithoutDocument,
)
from evaluation.questions import Question
from evaluation.slices import WITHOUT_GOLD
from retriever.retriever import Retriever
from retriever.types import Document


class AnswerFrom(StrEnum):
    """What is scored: the decision, or (where quotes are not the point) the first candidate, quoted or not."""

    DECISION = "decision"
    CANDIDATE = "candidate"


class Service(Protocol):
    """What a configuration needs of the service that answers. ``AnswerService`` follows it."""

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline over the index."""

    def over(self, documents: Sequence[Document]) -> Pipeline:
        """The same pipeline over these documents alone."""

    def with_retriever(self, retriever: Retriever) -> Pipeline:
        """The same pipeline with passages from this retriever, in every stage that asks for some."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the index and how rare they are."""

    @property
    def language_model(self) -> LanguageModel | None:
        """What writes by examples. None when the language model is adapted, or the reader alone answers."""

    @property
    def evidence_tokens(self) -> int:
        """Tokens of a passage that the language model reads."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A named way to answer."""

    name: str
    meaning: str
    """What a table of results says of it."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What it sets of the service."""
    adapted: Callable[[Pipeline, Service, Question], Pipeline] = lambda pipeline, _, __: pipeline
    """The pipeline for one question, given the one that the service would use."""
    changes: frozenset[Stage] = frozenset()
    """The stages that ``adapted`` changes."""
    answer_from: AnswerFrom = AnswerFrom.DECISION
    suits: Callable[[Question], None] = lambda _: None
    """Raises LoccitError when the configuration cannot answer a question."""

    def described(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """The description of a service, as this configuration changes it."""
        mine = {"configuration": self.name}
        stages = {
            stage.value: {**description["stages"][stage], **(mine if stage in self.changes else {})}
            for stage in Stage
        }
        return {
            **description,
            "stages": stages,
            "configuration": {
                "name": self.name,
                "meaning": self.meaning,
                "answer_from": self.answer_from.value,
            },
        }


def configuration_of(name: str) -> Configuration:
    """The configuration of this name.

    Raises:
        InvalidRequestError: naming those there are.
    """
    if name not in CONFIGURATIONS:
        raise InvalidRequestError(
            f"There is no configuration {name!r}; give one of {', '.join(CONFIGURATIONS)}."
        )
    return CONFIGURATIONS[name]


def require_suitable(question: Question, configuration: Configuration, service: Service) -> None:
    """Refuse a question that cannot be asked in this configuration, before any is asked.

    Raises:
        LoccitError: when it lacks an answer or a gold document that the configuration gives, or when the index has
            no such document.
    """
    configuration.suits(question)
    if question.kind == WITHOUT_GOLD or configuration.name == GOLD_DOCUMENT:
        gold = _gold_document_id(question)
        if question.documents:  # it is one of those, or there is nothing to hide
            return
        try:
            service.pipeline.retriever.document(gold)
        except DocumentNotFoundError as error:
            raise LoccitError(
                f"The question {question.id} names the gold document {gold!r}, which is not in the index; give the id "
                "of a document of this index."
            ) from error


def pipeline_for(question: Question, configuration: Configuration, service: Service) -> Pipeline:
    """The pipeline that answers this question in this configuration.

    Raises:
        LoccitError: when the question names no gold document and has to (see ``require_suitable``).
    """
    pipeline = service.pipeline
    if question.documents:
        count = sum(len(document.text) for document in question.documents)
        documents = checked_documents(
            question.documents, max_documents=len(question.documents), max_characters=count
        )
        pipeline = service.over(documents)
    if question.kind == WITHOUT_GOLD:
        gold = _gold_document_id(question)
        pipeline = service.with_retriever(WithoutDocument(pipeline.retriever, gold))
    return configuration.adapted(pipeline, service, question)


def _first_sentence(pipeline: Pipeline, _: Service, __: Question) -> Pipeline:
    return replace(pipeline, reader=FirstSentenceReader(), generator=ReaderGenerator(spans=(1,)))


def _tfidf_sentence(pipeline: Pipeline, service: Service, _: Question) -> Pipeline:
    return replace(pipeline, reader=TfidfReader(service.vocabulary), generator=ReaderGenerator(spans=(1,)))


def _gold_answer(pipeline: Pipeline, service: Service, question: Question) -> Pipeline:
    answer = question.answers[0]
    reader = TfidfReader(service.vocabulary, gold_answer=answer)
    return replace(pipeline, reader=reader, generator=GoldGenerator(answer))


def _closed_book(pipeline: Pipeline, service: Service, _: Question) -> Pipeline:
    if service.language_model is None:
        raise LoccitError(
            "closed-book is answered by a language model; leave out --generator reader, and name one that runs here."
        )
    return replace(pipeline, generator=ClosedBookGenerator(service.language_model))


def _top_passage(pipeline: Pipeline, service: Service, _: Question) -> Pipeline:
    if service.language_model is None:
        raise LoccitError(
            "top-passage is answered by a language model; leave out --generator reader, and name one that runs here."
        )
    writer = LMGenerator(service.language_model, evidence_tokens=service.evidence_tokens)
    return replace(pipeline, generator=writer, options=replace(pipeline.options, candidates=1))


def _gold_document(pipeline: Pipeline, service: Service, question: Question) -> Pipeline:
    document = pipeline.retriever.document(_gold_document_id(question))
    return service.over([document])


def _has_answer(question: Question) -> None:
    if not question.answers:
        raise LoccitError(
            f"The question {question.id} has no answer, so gold-answer cannot give it; leave such questions out."
        )


def _shows_gold(question: Question) -> None:
    if question.kind == WITHOUT_GOLD:
        raise LoccitError("gold-document gives what --without-gold hides; leave out one of them.")


def _gold_document_id(question: Question) -> str:
    if question.gold_document_id is None:
        raise LoccitError(
            f"The question {question.id} names no gold_document_id; give questions that say which document "
            "of the index answers them."
        )
    return question.gold_document_id


_NO_LM = {"generator": "reader"}
_LM = {"generator": "lm", "adapter": "none"}
FULL = "full"
GOLD_DOCUMENT = "gold-document"

CONFIGURATIONS: Mapping[str, Configuration] = {
    configuration.name: configuration
    for configuration in (
        Configuration(FULL, "the service as it is set"),
        Configuration("dense", "the service, dense retrieval alone", {"retrieval": "dense"}),
        Configuration("lexical", "the service, lexical retrieval alone", {"retrieval": "lexical"}),
        Configuration(
            "first-sentence",
            "first sentence of the best lexical hit",
            {"retrieval": "lexical", **_NO_LM},
            _first_sentence,
            frozenset({Stage.READ, Stage.GENERATE}),
        ),
        Configuration(
            "tfidf-sentence",
            "best TF-IDF sentence of the hits",
            _NO_LM,
            _tfidf_sentence,
            frozenset({Stage.READ, Stage.GENERATE}),
        ),
        Configuration(
            "gold-answer",
            "gold answer + best TF-IDF sentence of the hits",
            _NO_LM,
            _gold_answer,
            frozenset({Stage.READ, Stage.GENERATE}),
            suits=_has_answer,
        ),
        Configuration(
            "closed-book",
            "language model from memory, unquoted",
            _LM,
            _closed_book,
            frozenset({Stage.GENERATE}),
            AnswerFrom.CANDIDATE,
        ),
        Configuration(
            "top-passage",
            "language model + top passage, unquoted",
            _LM,
            _top_passage,
            frozenset({Stage.GENERATE}),
            AnswerFrom.CANDIDATE,
        ),
        Configuration(
            GOLD_DOCUMENT,
            "the service, given the gold document",
            {},
            _gold_document,
            frozenset({Stage.RETRIEVE}),
            suits=_shows_gold,
        ),
    )
}
