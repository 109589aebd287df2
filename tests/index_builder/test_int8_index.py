"""An index whose passages were embedded in 8-bit integers stays one, whoever changes it."""

import json

import pytest

from common.errors import ModelUnusableError
from common.int8_linear import computes_in_int8
from index_builder.add import add_sources
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import INT8, HashingEncoder, in_precision, load_encoder
from retriever.index import open_index, read_manifest
from retriever.retriever import IndexRetriever
from retriever.text.passages import PassageSettings

FIRST = {
    "harbour": "The harbour was dredged in 1887, and steamers called twice a week.",
    "leaf": "Chlorophyll absorbs blue and red light, so that leaves are green.",
}
SECOND = {"coffee": "Coffee is grown between the tropics; its beans are washed, dried and roasted."}
QUESTION = "When did ships come to the port?"
SETTINGS = PassageSettings(words=20, continuation_words=0)


def corpus(path, documents):
    path.write_text(
        "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in documents.items())
    )
    return open_corpus(str(path))


def hits(directory, encoder):
    retriever = IndexRetriever(open_index(directory, encoder), encoder)
    return [(hit.passage.doc_id, hit.score) for hit in retriever.retrieve(QUESTION, k=5)]


@pytest.mark.models
@pytest.mark.skipif(not computes_in_int8(), reason="the CPU has no fast products of 8-bit integers")
def test_a_change_by_the_usual_encoder_equals_a_build_in_8_bits(tmp_path, quiet):
    usual = load_encoder()
    rounded = in_precision(usual, INT8)
    changed, built = tmp_path / "changed", tmp_path / "built"

    def build(directory, encoder, name, documents):
        source = corpus(tmp_path / f"{name}.jsonl", documents)
        build_index([source], directory, encoder=encoder, settings=SETTINGS, strict=True, console=quiet)

    build(changed, rounded, "notes", FIRST)
    assert read_manifest(changed).encoder.precision == INT8
    (tmp_path / "more").mkdir()
    more = corpus(tmp_path / "more" / "notes.jsonl", SECOND)
    report = add_sources([more], changed, encoder=usual, strict=True, console=quiet)
    assert (report.embedded, report.kept) == (1, 2)
    assert report.manifest.encoder.precision == INT8

    build(built, rounded, "notes", FIRST | SECOND)
    found = hits(changed, usual)
    assert found[0][0] == "harbour"
    assert [doc_id for doc_id, _ in found] == [doc_id for doc_id, _ in hits(built, usual)]
    assert [score for _, score in found] == pytest.approx(
        [score for _, score in hits(built, usual)], abs=1e-3
    )

    # in the usual format nothing of it is reused: its vectors are kept apart
    source = corpus(tmp_path / "notes.jsonl", FIRST)
    report = build_index([source], changed, encoder=usual, settings=SETTINGS, strict=True, console=quiet)
    assert (report.embedded, report.manifest.encoder.precision) == (2, usual.precision)


def test_who_cannot_compute_so_is_told_and_the_index_stays(tmp_path, quiet):
    class Rounding(HashingEncoder):
        precision = INT8

    directory = tmp_path / "index"
    source = corpus(tmp_path / "notes.jsonl", FIRST)
    build_index([source], directory, encoder=Rounding(), settings=SETTINGS, strict=True, console=quiet)
    before = read_manifest(directory)
    with pytest.raises(ModelUnusableError, match="'hashing' has no weights to hold in 8-bit integers"):
        add_sources([source], directory, encoder=HashingEncoder(), strict=True, console=quiet)
    assert read_manifest(directory) == before
    assert hits(directory, HashingEncoder())
