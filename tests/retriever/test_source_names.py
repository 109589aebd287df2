from dataclasses import replace

import numpy as np
import pytest

from retriever.manifest import Manifest, SourceRecord
from retriever.retriever import IndexRetriever
from retriever.source_names import SourceNames
from retriever.types import RetrievalMode


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("how does pump start", "how does start"),
        ("What is Pump's limit?", "What is limit?"),
        ("where are my_notes on it", "where are on it"),
        ("My Notes: the roof", ": the roof"),
        ("how do pumps start", "how do pumps start"),
        ("the notes on my roof", "the notes on my roof"),
        ("pump", "pump"),
        ("Pump?", "Pump?"),
        ("a  b", "a  b"),
    ],
)
def test_the_names_of_sources_are_taken_out_of_a_question(question, left):
    assert SourceNames(["pump", "my-notes", "..."]).without(question) == left


def test_without_sources_every_question_stays_as_it_is():
    assert SourceNames([]).without("how does it start") == "how does it start"


def test_the_longest_name_is_taken_out():
    assert SourceNames(["pump", "pump-2"]).without("is pump 2 red") == "is red"


@pytest.mark.parametrize("source", ["lighthouse", "another"])
def test_a_question_that_names_a_source_lies_midway_to_the_question_without_the_name(index, encoder, source):
    manifest = Manifest.model_construct(sources=(SourceRecord.model_construct(name=source, licence=None),))
    named = replace(index, manifest=manifest)
    question = "who built the first lighthouse"
    hits = IndexRetriever(named, encoder, mode=RetrievalMode.DENSE).retrieve(question, k=3)
    texts = [question, "who built the first"] if source == "lighthouse" else [question]
    query = encoder.encode_queries(texts).mean(axis=0, keepdims=True)
    query /= np.linalg.norm(query)
    expected = index.vectors.search(query, k=3)[0]
    assert [(hit.passage.row, hit.score) for hit in hits] == [
        (row, pytest.approx(score)) for row, score in expected
    ]
    alone = IndexRetriever(index, encoder, mode=RetrievalMode.DENSE).retrieve(question, k=3)
    assert (hits == alone) == (source == "another")
