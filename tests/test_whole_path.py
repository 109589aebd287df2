"""The whole path with the real encoder and the real language model, on three documents, without a network."""

import json

import pytest

from app.service.ask import Ask, answered
from app.service.assembly import AnswerService, open_service
from app.service.response import response_of
from app.service.settings import Settings
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import load_encoder
from retriever.text.passages import PassageSettings
from retriever.types import Document

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> AnswerService:
    from io import StringIO

    from rich.console import Console

    from tests.conftest import LIGHTHOUSES

    folder = tmp_path_factory.mktemp("whole")
    lines = [json.dumps({"id": d.doc_id, "title": d.title, "text": d.text}) for d in LIGHTHOUSES]
    (folder / "documents.jsonl").write_text("\n".join(lines), encoding="utf-8", newline="")
    build_index(
        [open_corpus(str(folder / "documents.jsonl"))],
        folder / "index",
        encoder=load_encoder(),
        settings=PassageSettings(),
        strict=True,
        console=Console(file=StringIO()),
    )
    return open_service(Settings.of(index=folder / "index"))


def ask(service: AnswerService, question: str, documents: tuple[Document, ...] | None = None) -> dict:
    asked = Ask(question, min_confidence=0.0, documents=documents)
    return response_of(answered(service, asked), asked, service).as_json()


@pytest.mark.parametrize(
    ("question", "said", "document_id"),
    [
        ("who built the first tower of the Eddystone Lighthouse", "Winstanley", "lighthouses/eddystone"),
        ("when did the first horse tram run in Lisbon", "1873", "trams/lisbon"),
    ],
)
def test_a_question_gets_the_answer_and_a_quote_that_stands_in_the_document(
    service, question, said, document_id
):
    response = ask(service, question)
    assert said in response["answer"]
    (citation,) = response["citations"]
    assert citation["document_id"] == document_id
    assert said in citation["quote"]
    text = service.pipeline.retriever.document(document_id).text
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert response["model"]["language_model"] == "smollm2-135m"


def test_the_same_question_gets_the_same_response(service):
    first, second = (ask(service, "what destroyed the Eddystone tower in 1703") for _ in range(2))
    del first["timings_ms"], second["timings_ms"]
    assert first == second


def test_a_document_handed_in_is_answered_from_with_offsets_into_it(service):
    text = "Notes.\r\n\r\nThe boiler 🔥 is serviced every May. The roof was done in 2019."
    response = ask(service, "when was the roof done", (Document("house", "House", text),))
    assert "2019" in response["answer"]
    (citation,) = response["citations"]
    assert text[citation["start"] : citation["end"]] == citation["quote"] == "The roof was done in 2019."


def test_what_the_documents_do_not_tell_is_less_certain_than_what_they_tell(service):
    told = ask(service, "when did the first horse tram run in Lisbon")
    untold = ask(service, "what is my aunt's phone number")
    assert untold["confidence"] < 0.5 < told["confidence"]


def test_two_documents_that_contradict_each_other_are_both_told(service):
    towns = tuple(
        Document(
            state, f"Springfield, {state}", f"Springfield is a city in {state}. It was founded in {year}."
        )
        for state, year in (("Ohio", 1801), ("Oregon", 1848))
    )
    response = ask(service, "when was Springfield founded", towns)
    told = {
        (one["answer"], citation["document_id"])
        for one in (response, response["conflict"])
        for citation in one["citations"]
    }
    assert told == {("1801", "Ohio"), ("1848", "Oregon")}
