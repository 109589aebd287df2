"""Answers of several sentences held against long ones, on the small run."""

from dataclasses import replace

import pytest

from app.answering.checked_input import GivenDocument
from evaluation.questions import Question
from tests.evaluation.scored_runs import outcomes, report, rewritten
from tests.small_run import QUESTIONS

CAT = GivenDocument(
    "The tower has a cat. It is Henry  Winstanley, they say. It sleeps. Dogs bark.", None, "Cats"
)
CAT_QUESTION = Question(
    "cat",
    "which cat has the Eddystone tower",
    ("The cat Henry Winstanley sleeps.",),
    documents=(CAT,),
    selected_sentences=("It is Henry  Winstanley, they say.", "It sleeps."),
)


def cited(quote, *, further):
    start = CAT.text.index(quote)
    return {
        "quote": quote,
        "document_id": "document-1",
        "title": "Cats",
        "start": start,
        "end": start + len(quote),
        "further": further,
    }


def composed(line):
    line["trace"]["decision"] |= {
        "answer": "The tower has a cat. It is Henry Winstanley, they say.",
        "short_answer": "Henry Winstanley",
        "citations": [
            cited("The tower has a cat.", further=True),
            cited("It is Henry  Winstanley, they say.", further=False),
        ],
    }


def test_a_long_answer_is_scored_whole_and_its_short_one_by_what_backs_it(run):
    folder = rewritten(run([CAT_QUESTION]), composed)
    found = outcomes(folder)["cat"]
    assert found.answer == "Henry Winstanley"
    assert (found.quote_sentences, found.quote_verbatim) == (1, True)
    assert (found.long.sentences, found.long.citation_precision, found.long.citation_recall) == (2, 0.5, 0.5)
    # "the", "cat", "henri", "winstanlei": of 11 words and of 5
    assert found.long.rouge_l == pytest.approx(2 * (4 / 11) * (4 / 5) / (4 / 11 + 4 / 5))
    assert report(folder)["rouge_l"] == found.long.rouge_l


def test_what_backs_the_short_answer_in_two_sentences_is_judged_as_one_quote(run):
    def change(line):
        composed(line)
        line |= {"question": "does the cat Henry sleep", "answers": ["Henry Winstanley sleeps"]}
        line["trace"]["decision"] |= {
            "short_answer": "Henry Winstanley sleeps",
            "citations": [
                cited("It is Henry  Winstanley, they say.", further=False),
                cited("It sleeps.", further=False),
                cited("Dogs bark.", further=True),
            ],
        }

    found = outcomes(rewritten(run([CAT_QUESTION]), change))["cat"]
    assert found.exact_match
    assert found.quote_sentences == 2
    assert (found.long.citation_precision, found.long.citation_recall) == (2 / 3, 1.0)
    assert found.supported


def test_the_chosen_sentences_of_an_indexed_document_are_found_in_it_while_it_is_there(run, built):
    asked = replace(
        QUESTIONS[0], selected_sentences=("Henry Winstanley built the first tower at Eddystone.",)
    )
    folder = run([asked])
    assert outcomes(folder)["q1"].long.citation_recall == 1.0
    (built / "generations").rename(built / "elsewhere")
    assert outcomes(folder)["q1"].long.citation_recall is None


def test_of_unquoted_answers_the_words_alone_are_compared(run):
    asked = replace(
        QUESTIONS[0], selected_sentences=("Henry Winstanley built the first tower at Eddystone.",)
    )
    found = outcomes(run([asked], configuration="closed-book"))["q1"].long
    assert (found.rouge_l, found.citation_precision) == (1.0, None)
