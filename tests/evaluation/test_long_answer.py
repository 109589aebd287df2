import pytest

from evaluation.long_answer import LongAnswer, long_answer

GOLD = {"muck": "Muck is an island. Its ferry sails daily. The ferry was built in 1911. Sheep graze there."}
SELECTED = ("Its ferry sails daily.", "The ferry was built in 1911.")
ANSWERS = ("The ferry, built in 1911, sails daily.", "It sails daily.")


def citation(quote, document_id="muck"):
    start = GOLD["muck"].index(quote)
    return {"document_id": document_id, "start": start, "end": start + len(quote), "quote": quote}


def scored(answer, citations, **named):
    return long_answer(
        answer, ANSWERS, **{"selected": SELECTED, "citations": citations, "gold": GOLD, **named}
    )


def test_an_answer_is_scored_by_its_words_and_its_citations():
    quotes = ["Its ferry sails daily.", "Sheep graze there."]
    found = scored("Its ferry sails daily. Sheep graze there.", [citation(quote) for quote in quotes])
    # nearest is the first answer: ferry, sails, daily in a row of 7 and of 7 words, of 7 and of 6 without "the"
    assert found == LongAnswer(
        rouge_l=pytest.approx(3 / 7),
        unigram_f1=pytest.approx(6 / 13),
        citation_precision=0.5,
        citation_recall=0.5,
        sentences=2,
    )


def test_no_answer_is_worth_nothing():
    assert scored(None, []) == LongAnswer(0.0, 0.0, 0.0, 0.0, 0)


@pytest.mark.parametrize("unknown", [{"citations": None}, {"gold": {}}, {"gold": {"muck": "Another text."}}])
def test_where_citations_are_not_the_point_or_the_text_is_gone_they_are_not_counted(unknown):
    found = scored("It sails daily.", **{"citations": [citation("Its ferry sails daily.")], **unknown})
    assert (found.rouge_l, found.unigram_f1) == (1.0, 1.0)
    assert found.citation_precision is found.citation_recall is None


def test_a_chosen_sentence_that_stands_nowhere_is_not_looked_for():
    found = scored("x", [citation("Its ferry sails daily.")], selected=(SELECTED[0], "Nobody wrote this."))
    assert (found.citation_precision, found.citation_recall) == (1.0, 1.0)
