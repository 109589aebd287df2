"""Which parts a service is made of, by its settings."""

from dataclasses import replace
from functools import partial

import pytest

from app.answering.cross_encoders.second_reader import SecondReader
from app.answering.cross_encoders.trained_reader import TrainedReader
from app.answering.generators.joint_generator import JointGenerator
from app.answering.generators.lm_generator import LMGenerator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.reader import LexicalReader
from app.answering.rules import RULES
from app.answering.support import LexicalSupport
from app.answering.types import CandidateSource
from app.service.ask import Ask
from app.service.assembly import open_retriever, open_service
from app.service.generation import writing
from common.errors import IndexUnusableError, ModelUnusableError
from retriever.encoder import HashingEncoder
from tests.app.service.assembly.conftest import QUESTION, response
from tests.fakes import TextOnlyLM


def test_reader_and_language_model_answer_together(settings, reader_model, lm, opened):
    service = opened(settings())
    assert isinstance(service.pipeline.reader, TrainedReader)
    assert isinstance(service.pipeline.generator, JointGenerator)
    assert (service.models.reader, service.models.reader_sha256) == ("small", "f" * 64)
    assert (service.models.language_model, service.models.language_model_sha256) == ("scripted", "0" * 64)
    trace = service.pipeline.answer(QUESTION)
    assert [one.source for one in trace.candidates] == [*[CandidateSource.READER] * 2, CandidateSource.LM]
    assert reader_model.judged == [2]
    assert [len(call.prompts) for call in lm.calls] == [1]


def test_passages_read_and_candidates_are_as_set(settings, reader_model, lm, opened):
    service = opened(settings(passages_read=1, candidates=2))
    trace = service.pipeline.answer(QUESTION)
    assert reader_model.judged == [1]
    assert [len(call.prompts) for call in lm.calls] == [2]
    assert [reading.answerability for reading in trace.readings] == [0.5, 0.0]


def test_the_lexical_reader_leaves_answering_to_the_language_model(settings, parts, opened):
    without = replace(parts, load_reader_model=None)  # is not loaded at all
    service = opened(settings(reader="lexical"), parts=without)
    assert isinstance(service.pipeline.reader, LexicalReader)
    assert isinstance(service.pipeline.generator, LMGenerator)
    assert (service.models.reader, service.models.reader_sha256) == ("lexical", None)
    trace = service.pipeline.answer(QUESTION)
    assert [one.source for one in trace.candidates] == [CandidateSource.LM]


def test_the_strong_reader_reads_again_what_the_small_one_found_best(settings, parts, opened, reader_model):
    asked = []

    def load(name, _):
        asked.append(name)
        return reader_model

    service = opened(
        settings(reader="strong", passages_read_again=2), parts=replace(parts, load_reader_model=load)
    )
    assert asked == ["reader", "reader-mpnet"]
    assert isinstance(service.pipeline.reader, SecondReader)
    assert service.models.reader == "strong"
    small = opened(settings(reader="small"))
    assert service.models.reader_sha256 not in (None, small.models.reader_sha256)
    with_spans = [reading for reading in service.pipeline.answer(QUESTION).readings if reading.spans]
    assert 0 < len(with_spans) <= 2
    other = opened(settings(reader="strong"), parts=replace(parts, load_reader_model=load))
    assert other.models.reader_sha256 != service.models.reader_sha256


@pytest.mark.parametrize(("reader", "kind"), [("small", TrainedReader), ("lexical", LexicalReader)])
def test_the_reader_alone_needs_no_language_model(settings, parts, opened, reader, kind):
    without = replace(parts, writing=partial(writing, load=None))
    service = opened(settings(reader=reader, generator="reader"), parts=without)
    assert isinstance(service.pipeline.reader, kind)
    assert isinstance(service.pipeline.generator, ReaderGenerator)
    assert service.language_model is service.models.language_model is None


def test_the_description_names_what_decides_the_reading(settings, opened):
    asked = settings(passages_read=3)
    assert opened(asked).description()["stages"]["read"] == {
        "reader": "small",
        "reader_sha256": "f" * 64,
        "passages_read": 3,
        "int8": False,
        "rules": RULES,
    }
    asked = settings(reader="lexical")
    assert opened(asked).description()["stages"]["read"] == {
        "reader": "lexical",
        "reader_sha256": None,
        "passages_read": 8,
        "int8": False,
        "rules": RULES,
    }


def test_the_citation_head_cites_what_was_generated_for_the_reader_to_cite(settings, opened):
    service = opened(settings())
    generated = {
        citer: replace(service, settings=settings(citer=citer)).description()["stages"]["generate"]
        for citer in ("reader", "lm-head", "constrained")
    }
    assert generated["lm-head"] == generated["reader"] != generated["constrained"]


def test_what_was_generated_from_other_spans_of_the_reader_is_not_taken_for_the_same(settings, opened):
    """A run from before there were several of a passage has other candidates."""
    service = opened(settings())
    assert service.description()["stages"]["generate"]["spans_extracted"] == [3, 3, 1, 1, 1]


def test_a_folder_without_weights_is_refused_in_a_sentence(settings, tmp_path, opened):
    with pytest.raises(
        ModelUnusableError, match=f"^{tmp_path} has no manifest.json that names weights; give the"
    ):
        opened(settings(weights=tmp_path))


def test_an_index_of_another_encoder_is_refused_with_both_names(settings, opened, parts):
    class Shorter(HashingEncoder):
        name = "shorter"

    another = replace(parts, load_encoder=lambda name, **_: Shorter(128))
    sentence = "was made with the encoder 'hashing' .* but 'shorter' .* is asked to search it"
    with pytest.raises(IndexUnusableError, match=sentence):
        open_retriever(settings(), parts=another)
    with pytest.raises(IndexUnusableError, match=sentence):
        opened(settings(), parts=another)


def test_the_lexical_support_is_recorded_by_a_name_that_renaming_its_class_leaves_alone(settings, opened):
    service = opened(settings())
    assert service.models.support == LexicalSupport.identity == "LexicalSupport"


def test_a_language_model_behind_a_server_answers_and_is_known_by_what_the_server_says(
    settings, opened, parts
):
    """Text in and text out: no tokenizer, no probabilities, no weights."""
    lm = TextOnlyLM(
        lambda asked: "Henry Winstanley" if "Eddystone" in asked["prompt"].split("Passage:")[-1] else ""
    )
    served = replace(parts, writing=partial(writing, load=lambda _: lm))
    service = opened(settings(reader="lexical", min_confidence=0.0), parts=served)
    record = service.description()
    assert record["models"]["language_model_sha256"] == lm.identity
    assert record["stages"]["generate"]["language_model_sha256"] == lm.identity
    trace = service.pipeline.answer(QUESTION)
    (candidate,) = trace.candidates
    assert (candidate.answer, candidate.logprob, candidate.tokens) == ("Henry Winstanley", 0.0, 0)
    (cited,) = trace.cited
    assert cited.confidence == cited.citations[0].support  # no probability of the writer's to weigh it by


def test_the_record_of_each_stage_keeps_its_names_and_values(settings, opened):
    """Held by value: prediction files and calibrators of earlier versions have these."""
    service = opened(settings())
    assert service.description()["stages"] == {
        "retrieve": {
            "generation": service.index.generation,
            "encoder_sha256": HashingEncoder().sha256,
            "retrieval": "hybrid",
            "top_k": 20,
        },
        "read": {
            "reader": "small",
            "reader_sha256": "f" * 64,
            "passages_read": 8,
            "int8": False,
            "rules": RULES,
        },
        "generate": {
            "generator": "lm",
            "language_model_sha256": "0" * 64,
            "adapter_sha256": None,
            "passages_together": 2,
            "quoting": False,
            "candidates": 1,
            "spans_extracted": [3, 3, 1, 1, 1],
            "evidence_tokens": 256,
            "seed": 0,
            "length": "auto",
        },
    }


def test_opened_again_it_answers_from_what_is_current_with_the_models_it_has(
    settings, parts, notes, notes_index, loccit
):
    loaded = []

    def counted(name):
        load = getattr(parts, name)
        return {name: lambda *arguments, **named: loaded.append(name) or load(*arguments, **named)}

    counting = replace(
        parts,
        **counted("load_encoder"),
        **counted("load_reader_model"),
        **counted("writing"),
        **counted("composer"),
    )
    service = open_service(settings(), parts=counting)
    once = list(loaded)
    (notes / "towers.md").write_text("# Towers\n\nJohn Smeaton built the first Eddystone tower in 1759.")
    loccit("index", "build", notes, "--out", notes_index, "--encoder", "hashing", "--words", 20)
    again = service.reopened()
    assert loaded == once
    assert again.index.generation == (notes_index / "CURRENT").read_text().strip() != service.index.generation
    assert response(again, Ask(QUESTION, min_confidence=0.0))["generation"] == again.index.generation
    for opened_service, name in ((service, "Winstanley"), (again, "Smeaton")):
        assert name in opened_service.pipeline.retriever.document("towers.md").text
        assert opened_service.index.lexical.search(name, k=1)
        assert opened_service.pipeline.retriever.retrieve(QUESTION, k=1)[0].passage.text.count(name) == 1


def test_an_index_in_memory_is_not_opened_again():
    from tests.app.http.conftest import service_over

    with pytest.raises(IndexUnusableError, match="in memory cannot be opened again"):
        service_over().reopened()
