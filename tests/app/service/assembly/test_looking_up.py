"""A generator that looks passages up while it writes is given those that may be seen, and no others."""

from dataclasses import replace

import pytest

from app.answering.types import Candidate, CandidateSource
from app.service.generation import Writing
from evaluation.configurations import configuration_of, pipeline_for
from evaluation.questions import Question
from evaluation.slices import WITHOUT_GOLD
from retriever.types import Document
from tests.app.service.assembly.conftest import QUESTION


class LooksUpMore:
    """A generator in the manner of RETRO: it looks passages up by what it has written so far."""

    def __init__(self, retriever):
        self._retriever = retriever

    def generate(self, question, readings, *, kind, n, seed, deadline):
        neighbours = self._retriever.retrieve(f"{question} Winstanley", k=5)
        return [
            Candidate(hit.passage.text, hit.passage, CandidateSource.LM, logprob=0.0, tokens=1)
            for hit in neighbours
        ]


@pytest.fixture
def looking_up(settings, opened, parts):
    """A service whose generator looks passages up while it writes."""
    return opened(settings(), parts=replace(parts, writing=lambda _: Writing(LooksUpMore)))


def titles(candidates):
    return {candidate.passage.title for candidate in candidates}


def test_a_generator_may_look_passages_up_while_it_writes(looking_up):
    assert titles(looking_up.pipeline.answer(QUESTION).candidates) == {"Towers", "trams"}


def test_over_given_documents_it_looks_up_those_alone(looking_up):
    given = Document("g", "Given", "Henry Winstanley built it.")
    assert titles(looking_up.over([given]).answer(QUESTION).candidates) == {"Given"}


def test_a_document_that_is_hidden_from_a_question_is_hidden_from_such_a_generator(looking_up):
    hidden = Question("h", QUESTION, (), WITHOUT_GOLD, gold_document_id="towers.md")
    pipeline = pipeline_for(hidden, configuration_of("full"), looking_up)
    assert titles(pipeline.answer(QUESTION).candidates) == {"trams"}
