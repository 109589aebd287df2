"""A small run: two documents indexed on disk, three questions, a language model that follows a script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from app.answering.cite import SentenceCiter
from app.answering.composing.sentence_composer import SentenceComposer
from app.answering.confidence.scorers import ScoreConfidence
from app.answering.generators.lm_generator import LMGenerator
from app.answering.language_models.protocol import LanguageModel
from app.answering.limits import EVIDENCE_TOKENS
from app.answering.options import AnswerOptions
from app.answering.pipeline import Pipeline
from app.answering.reader import LexicalReader
from app.answering.support import LexicalSupport
from app.answering.text.overlap import Overlap
from evaluation.configurations import configuration_of, pipeline_for, require_suitable
from evaluation.predict import predict
from evaluation.questions import Question
from evaluation.replay import NOTHING, Replay
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import HashingEncoder
from retriever.index import PassageIndex, open_index
from retriever.index_writer import index_in_memory
from retriever.lexical import LexicalIndex
from retriever.retriever import IndexRetriever, Retriever
from retriever.text.passages import PassageSettings
from retriever.types import Document
from tests.fakes import ScriptedLM

QUESTIONS = [
    Question(
        "q1",
        "who built the first Eddystone tower",
        ("Winstanley", "Henry Winstanley"),
        title="Eddystone",
        gold_document_id="Eddystone.txt",
    ),
    Question(
        "q2",
        "when did the horse tram run in Lisbon",
        ("1873",),
        title="Trams",
        gold_document_id="Trams.txt",
    ),
    Question("q3", "what is my aunt's phone number", (), kind="private"),
]


@dataclass(frozen=True)
class SmallService:
    """Follows evaluation's ``Service`` with parts that need no weights."""

    pipeline: Pipeline
    encoder: HashingEncoder
    vocabulary: LexicalIndex
    language_model: LanguageModel | None
    evidence_tokens: int = EVIDENCE_TOKENS

    def over(self, documents: Sequence[Document]) -> Pipeline:
        index = index_in_memory(documents, self.encoder, PassageSettings())
        return self.with_retriever(IndexRetriever(index, self.encoder))

    def with_retriever(self, retriever: Retriever) -> Pipeline:
        return replace(self.pipeline, retriever=retriever)


@pytest.fixture
def lm() -> ScriptedLM:
    return ScriptedLM({"aunt": "", "Eddystone tower": "Henry Winstanley", "Lisbon": "1901"})


@pytest.fixture
def built(tmp_path: Path, encoder: HashingEncoder, quiet: Console) -> Path:
    """The folder of an index of two documents."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "Eddystone.txt").write_text("Henry Winstanley built the first tower at Eddystone.")
    (tmp_path / "texts" / "Trams.txt").write_text(
        "In Lisbon a horse tram ran in 1873. Electric ones came in 1901."
    )
    directory = tmp_path / "index"
    build_index(
        [open_corpus(str(tmp_path / "texts"))],
        directory,
        encoder=encoder,
        settings=PassageSettings(),
        strict=True,
        console=quiet,
    )
    return directory


@pytest.fixture
def index_on_disk(built: Path, encoder: HashingEncoder) -> PassageIndex:
    return open_index(built, encoder)


@pytest.fixture
def service(index_on_disk: PassageIndex, encoder: HashingEncoder, lm: ScriptedLM) -> SmallService:
    overlap = Overlap(index_on_disk.lexical)
    pipeline = Pipeline(
        IndexRetriever(index_on_disk, encoder),
        LexicalReader(overlap, encoder),
        LMGenerator(lm),
        SentenceCiter(overlap),
        LexicalSupport(overlap, encoder),
        ScoreConfidence(),
        SentenceComposer(encoder),
        AnswerOptions(candidates=3, min_confidence=0.99),
    )
    return SmallService(pipeline, encoder, index_on_disk.lexical, lm)


Predicted = Callable[..., Path]


@pytest.fixture
def run(
    tmp_path: Path, service: SmallService, index_on_disk: PassageIndex, built: Path, quiet: Console
) -> Predicted:
    """Predicts the three questions, or others; returns the folder of the run."""

    def predicted(
        questions: Sequence[Question] = QUESTIONS,
        *,
        configuration: str = "full",
        out: str = "run",
        replay: Replay = NOTHING,
        **changes: object,
    ) -> Path:
        chosen = configuration_of(configuration)
        for question in questions:
            require_suitable(question, chosen, service)
        predict(
            questions,
            lambda question: pipeline_for(question, chosen, service),
            chosen.described({**description(built, index_on_disk), **changes}),
            tmp_path / out,
            quiet,
            replay=replay,
        )
        return tmp_path / out

    return predicted


def description(built: Path, index: PassageIndex) -> dict[str, object]:
    """What the service says of itself, as far as evaluation reads it."""
    return {
        "settings": {"index": str(built), "top_k": 20},
        "min_confidence": 0.99,
        "generation": index.generation,
        "manifest": None,
        "stages": {
            "retrieve": {"generation": index.generation},
            "read": {"reader": "lexical"},
            "generate": {"generator": "lm"},
        },
    }
