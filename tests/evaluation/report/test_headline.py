import pytest

from evaluation.report.headline import headline


def test_the_headline_says_the_main_figures_in_sentences(report):
    report |= {
        "exact_match_of_answered": 0.75,
        "supported_of_answered": 0.8,
        "correct_and_supported_of_answered": 0.7,
        "intervals": {**report["intervals"], "exact_match": (0.125, 0.5)},
    }
    assert headline(report) == (
        "7 questions of the test half were asked, 4 of them answerable. "
        "They are few: one answer more or less would move every figure. "
        "With a confidence of 0.5 or more, 2 of those 4 were answered (50.0%); 75.0% of the answers given "
        "are exact matches, 80.0% are supported by their quote, 70.0% are both. "
        "Counting abstentions as wrong, 25.0% are exact matches (95% interval 12.5% to 50.0%). "
        "Every quote stands word for word in its stored document. "
        "Of 2 questions that should not be answered, 50.0% were rightly left unanswered. "
        "Set aside, because another passage than the gold document's has an answer: 1 question."
    )


def test_where_quotes_are_not_the_point_nothing_is_said_of_support(report):
    said = headline({**report, "exact_match_of_answered": 0.75, "supported_of_answered": None})
    assert "75.0% of the answers given are exact matches. Counting" in said
    assert "supported" not in said


def test_long_answers_are_told_where_there_are_any(report):
    told = {
        **report,
        "rouge_l": 0.25,
        "rouge_l_of_answered": 0.5,
        "intervals": {**report["intervals"], "rouge_l": (0.125, 0.375)},
    }
    assert (
        "Held against long answers, those given have a ROUGE-L of 50.0%; counting abstentions as nothing, 25.0% "
        "(95% interval 12.5% to 37.5%). Every quote"
    ) in headline(told)
    assert "long" not in headline(report)


def test_a_run_that_answers_nothing_claims_nothing(report, empty_report):
    assert headline(empty_report) == (
        "1 question of the test half was asked, 0 of them answerable. "
        "There are no quotes to check, or the documents that they come from are not at hand. "
        "Of 1 question that should not be answered, 100.0% were rightly left unanswered."
    )
    silent = {**report, "answered": 0.0, "exact_match_of_answered": None}
    assert "With a confidence of 0.5 or more, none of those was answered. Every quote" in headline(silent)


def test_no_threshold_is_told_where_there_is_none(report):
    unbound = {**report, "min_confidence": 0.0}
    assert "every figure. 2 of those 4 were answered (50.0%);" in headline(unbound)
    silent = {**unbound, "answered": 0.0, "exact_match_of_answered": None}
    assert "every figure. None of those was answered. Every quote" in headline(silent)


@pytest.mark.parametrize(
    ("share", "sentence"),
    [
        (0.999, "For 99.9% of the questions with quotes, every quote"),
        (1.0, "Every quote stands word for word"),
    ],
)
def test_every_quote_is_claimed_only_where_every_quote_is_verbatim(report, share, sentence):
    assert sentence in headline({**report, "quote_verbatim": share})
    assert ("Every quote" in headline({**report, "quote_verbatim": share})) is (share == 1.0)


def test_a_set_whose_questions_are_all_answerable_says_so(report):
    whole = {**report, "reported": "all", "questions": 4, "unanswerable": 0, "set_aside": 0}
    assert headline(whole).startswith("4 questions were asked, all of them answerable.")
    assert "without an answer" not in headline(whole)
    assert "Set aside" not in headline(whole)


def test_a_run_without_a_question_claims_no_answer(empty_report):
    none = {**empty_report, "questions": 0, "answerable": 0}
    assert "0 of them answerable" in headline(none)


def test_an_unfinished_run_says_so_first(report):
    assert headline({**report, "unanswered_yet": 3}).startswith(
        "Not all was asked: there is no answer yet to 3 questions. 7 questions of the test half were asked"
    )


def test_many_questions_are_not_called_few(report):
    assert "They are few" not in headline({**report, "answerable": 50})
