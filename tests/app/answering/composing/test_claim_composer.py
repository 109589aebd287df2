"""A long answer of a server's model is its own claims, in order, each with its quote."""

import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.composing.claim_composer import ClaimComposer
from app.answering.types import Candidate, CandidateSource, Citation, CitedAnswer, CitedCandidate, Quote
from common.deadline import NO_DEADLINE
from retriever.types import Document, Passage, Span

DOCUMENT = Document("d", "Tower", "It is tall. It was built in 1889. It is painted.")
PASSAGE = Passage(0, "d", "Tower", DOCUMENT.text, Span(0, len(DOCUMENT.text)), "")


class Sentences:
    """Stands for the composer of sentences, and says that it was asked."""

    def compose(self, question, answer, document, *, cited=(), evidence=(), deadline):
        return "sentences"


def cited(claim, start, end, *, sample=0, source=CandidateSource.CLAIM, confidence=0.7):
    candidate = Candidate(claim, PASSAGE, source, 0.0, 0, Span(start, end), sample)
    citation = Citation.of(Quote(DOCUMENT, Span(start, end)), support=confidence)
    return CitedCandidate(candidate, (citation,), confidence)


TALL, BUILT = cited("It is tall", 0, 11), cited("Built in 1889.", 12, 33, confidence=0.9)
PAINTED, AGAIN = cited("Painted!", 34, 48), cited("It is tall.", 0, 11, confidence=0.6)


def answer_of(chosen, kind):
    text = chosen.candidate.answer
    return CitedAnswer(text, text, chosen.citations, chosen.confidence, PASSAGE, kind=kind)


def composed(chosen, candidates, kind=AnswerKind.EXPLANATION):
    return ClaimComposer(Sentences()).compose(
        "why", answer_of(chosen, kind), DOCUMENT, cited=candidates, deadline=NO_DEADLINE
    )


def test_the_claims_of_the_chosen_sample_are_joined_in_their_order_and_one_that_repeats_another_counts_once():
    elsewhere = cited("Of another sample", 0, 11, sample=1)
    found = composed(BUILT, [TALL, elsewhere, BUILT, AGAIN, PAINTED])
    assert found.answer == "It is tall. Built in 1889. Painted!"
    assert [citation.quote for citation in found.citations] == [
        "It is tall.",
        "It was built in 1889.",
        "It is painted.",
    ]
    assert (found.short_answer, found.confidence) == ("Built in 1889.", 0.9)


def test_items_of_a_list_are_lines():
    assert composed(TALL, [TALL, PAINTED], AnswerKind.LIST).answer == "It is tall\nPainted!"


def test_two_claims_with_one_quote_cite_it_once():
    same = cited("High", 0, 11)
    found = composed(TALL, [TALL, same])
    assert (found.answer, len(found.citations)) == ("It is tall. High.", 1)


@pytest.mark.parametrize(
    ("chosen", "kind"),
    [
        (TALL, AnswerKind.SHORT),
        (cited("It is tall", 0, 11, source=CandidateSource.EVIDENCE), AnswerKind.EXPLANATION),
    ],
)
def test_a_few_words_and_what_no_server_wrote_are_left_to_sentences(chosen, kind):
    assert composed(chosen, [chosen], kind) == "sentences"
