import json
from dataclasses import replace

import pytest

from app.answering.checked_input import GivenDocument
from common.errors import LoccitError
from evaluation.metrics.selective import aurc, auroc
from evaluation.questions import Question, Side
from evaluation.run_folder import read_predictions
from evaluation.score import report_of, scored
from evaluation.slices import with_unanswerable
from tests.evaluation.scored_runs import outcomes, report, rewritten
from tests.small_run import QUESTIONS


def test_the_report_counts_what_was_right_quoted_and_abstained(run):
    figures = report(run())
    assert figures["questions"] == 3
    assert figures["answerable"] == 2
    assert figures["answered"] == 1.0
    assert figures["exact_match"] == figures["exact_match_of_answered"] == 0.5
    assert figures["quote_has_answer"] == 0.5
    assert figures["quote_verbatim"] == 1.0
    assert figures["quote_sentences_median"] == 1
    assert figures["gold_document_retrieved"] == figures["gold_document_cited"] == 1.0
    assert figures["correct_and_supported"] == 0.5
    assert figures["supported"] == 1.0  # the wrong year stands in the gold document too
    assert figures["abstained"] == {"answerable": 0.0, "private": 1.0}
    assert figures["abstention"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}


def test_at_a_high_threshold_everything_is_abstained_and_counts_as_wrong(run):
    figures = report(run(), 1.0)
    for name in ("answered", "exact_match", "f1", "supported", "correct_and_supported", "quote_has_answer"):
        assert figures[name] == 0.0
    assert figures["gold_document_cited"] == 0.0
    assert figures["exact_match_of_answered"] is figures["supported_of_answered"] is None
    assert figures["exact_match_without_threshold"] == 0.5
    assert figures["gold_document_cited_without_threshold"] == 1.0
    assert figures["abstained"] == {"answerable": 1.0, "private": 1.0}
    assert figures["abstention"]["precision"] == pytest.approx(1 / 3)


def test_what_stands_on_top_is_the_test_side(run):
    folder = run()
    everything = report_of(scored(folder), min_confidence=0.0)
    assert everything["reported"] == "test"
    assert everything["sides"].keys() == {"all", "calibrate", "test"}
    for name, value in everything["sides"]["test"].items():
        assert everything[name] == value
    assert 0 < everything["questions"] < 3


def test_without_a_test_side_all_questions_stand_on_top(run):
    calibrate = [one for one in QUESTIONS if one.id in {"q1", "q2", "q3"} and _side(one) is Side.CALIBRATE]
    everything = report_of(scored(run(calibrate)), min_confidence=0.0)
    assert everything["reported"] == "all"
    assert everything["questions"] == len(calibrate) > 0


def _side(question):
    from evaluation.questions import side_of

    return side_of(question.question)


def test_a_quote_that_was_tampered_with_is_not_verbatim(run):
    path = run() / "predictions.jsonl"
    path.write_text(path.read_text().replace('"quote": "Henry', '"quote": "Harry'))
    assert report(path.parent)["quote_verbatim"] < 1.0


def test_a_quote_of_a_document_that_is_not_stored_is_not_verbatim(run):
    def change(line):
        for citation in line["trace"]["decision"]["citations"]:
            citation["document_id"] = "Nowhere.txt"

    assert report(rewritten(run(QUESTIONS[:1]), change))["quote_verbatim"] == 0.0


@pytest.mark.parametrize("place", ["alternatives", "cited"])
@pytest.mark.parametrize(("quote", "share"), [("Henry Winstanley", 1.0), ("Harry", 0.0)])
def test_the_quotes_of_alternatives_and_of_every_candidate_are_checked(run, place, quote, share):
    def change(line):
        decision = line["trace"]["decision"]
        owner = decision if place == "alternatives" else line["trace"]
        citation = {**decision["citations"][0], "quote": quote, "start": 0, "end": len(quote)}
        owner[place] = [{"candidate": line["trace"]["candidates"][0], "citations": [citation]}]

    assert report(rewritten(run(QUESTIONS[:1]), change))["quote_verbatim"] == share


def test_quotes_of_documents_that_came_with_the_question_are_looked_up_in_them(run):
    given = GivenDocument("The cat of the Eddystone tower is Henry Winstanley, they say.", None, "Cats")
    question = Question("cat", "which cat has the Eddystone tower", ("Henry Winstanley",), documents=(given,))
    folder = run([question])
    assert report(folder)["quote_verbatim"] == 1.0
    assert outcomes(folder)["cat"].holds_answer is None

    def change(line):
        line["documents"][0]["text"] = "Another text."

    assert report(rewritten(folder, change))["quote_verbatim"] == 0.0


def test_without_the_index_nothing_is_said_about_what_is_stored(run, built):
    folder = run()
    (built / "generations").rename(built / "elsewhere")
    figures = report(folder)
    assert figures["quote_verbatim"] is figures["answer_recall"]["1"] is None
    assert figures["exact_match"] == 0.5


def test_the_ranks_are_those_of_passages_with_the_answer_and_of_the_gold_document(run):
    def change(line):
        line["ranking"] = [["Trams.txt", 0, 30], ["Eddystone.txt", 17, 50], ["Eddystone.txt", 0, 51]]

    found = outcomes(rewritten(run(QUESTIONS[:2]), change))
    assert found["q1"].holds_answer == (False, False, True)
    assert found["q1"].is_gold == (False, True, False)  # the first passage of the document
    assert found["q2"].holds_answer == (False, False, False)
    assert found["q2"].is_gold == (True, False, False)


def test_recall_is_counted_at_every_cut(run):
    def change(line):
        line["ranking"] = [["Trams.txt", 0, 30]] * 2 + [["Eddystone.txt", 0, 51]]

    folder = rewritten(run(QUESTIONS[:1]), change)
    figures = report(folder)
    assert figures["answer_recall"] == {"1": 0, "2": 0, "5": 1, "10": 1, "20": 1, "50": 1, "100": 1}
    assert figures["gold_document_recall"] == figures["answer_recall"]
    assert figures["gold_document_mrr"] == pytest.approx(1 / 3)
    assert figures["gold_document_ndcg_at_10"] == pytest.approx(0.5)  # 1 / log2(1 + 3)


def test_what_was_read_holds_the_answer_in_passage_or_continuation_or_not_at_all(run):
    def change(line):
        hit = line["trace"]["hits"][0]
        line["trace"]["hits"] = [{**hit, "text": "Nothing.", "continuation": " Henry Winstanley"}]
        line["trace"]["hits"][0]["document_id"] = "Eddystone.txt" if line["id"] == "q1" else "Elsewhere.txt"

    folder = rewritten(run(QUESTIONS[:2]), change)
    found = outcomes(folder)
    assert (found["q1"].answer_in_hits, found["q1"].gold_in_hits) == (True, True)
    assert (found["q2"].answer_in_hits, found["q2"].gold_in_hits) == (False, False)
    assert report(folder)["answerable_from_hits"] == report(folder)["gold_document_retrieved"] == 0.5


def test_a_question_with_an_answer_is_answerable_whatever_its_kind(run):
    found = outcomes(run([replace(QUESTIONS[0], kind="factoid"), QUESTIONS[2]]))
    assert (found["q1"].answerable, found["q3"].answerable) == (True, False)
    assert not found["q1"].unanswerable


def test_a_title_stands_for_the_gold_document_where_no_id_is_named(run):
    named = [
        replace(QUESTIONS[0], gold_document_id=None),
        replace(QUESTIONS[1], gold_document_id=None, title=None),
    ]
    found = outcomes(run(named))
    assert (found["q1"].gold_cited, found["q1"].is_gold[0]) == (True, True)
    assert found["q2"].gold_cited is found["q2"].is_gold is None


def test_asked_without_gold_a_question_is_set_aside_when_another_passage_has_the_answer(run):
    both = [QUESTIONS[1], replace(QUESTIONS[0], answers=("1873",))]
    folder = run(with_unanswerable(both))
    found = outcomes(folder)
    assert [found[f"{id_}/without-gold"].set_aside for id_ in ("q2", "q1")] == [False, True]
    assert [found[f"{id_}/without-gold"].unanswerable for id_ in ("q2", "q1")] == [True, False]
    figures = report(folder)
    assert figures["set_aside"] == 1
    assert figures["unanswerable"] == 1
    assert figures["answerable"] == 2
    assert figures["set_aside_exact_match"] == 0.0


def test_confidence_is_held_against_right_and_supported(run):
    folder = run()
    figures = report(folder)
    right, wrong = (line["trace"]["decision"]["confidence"] for line in read_predictions(folder)[:2])
    assert figures["ece"] == pytest.approx((abs(right - 1) + wrong) / 2)
    assert figures["brier"] == pytest.approx(((right - 1) ** 2 + wrong**2) / 2)
    assert figures["aurc"] == pytest.approx(aurc([right, wrong], [True, False]))
    assert figures["relative_aurc"] == pytest.approx(figures["aurc"] / 0.5)
    assert figures["accuracy_at_coverage"]["100%"] == 0.5
    assert figures["auroc_right_against_unanswerable"] == auroc([right, 0.0], [True, False])


@pytest.mark.parametrize(
    ("answers", "exact", "contained"),
    [
        (("Henry Winstanley",), True, True),
        (("Winstanley",), False, True),
        (("winstanley!",), False, True),
        (("Henry Winstanley of Littlebury",), False, False),
        (("Henry Winstan",), False, False),
        ((), False, False),
    ],
)
def test_an_answer_contains_a_known_one_word_for_word_or_not(run, answers, exact, contained):
    found = outcomes(run([replace(QUESTIONS[0], answers=answers)]))["q1"]
    assert found.answer == "Henry Winstanley"
    assert (found.exact_match, found.contains_answer, found.right) == (exact, contained, contained)


def test_a_right_answer_with_a_quote_that_does_not_support_it_counts_as_wrong_for_the_confidence(run):
    def change(line):
        citation = line["trace"]["decision"]["citations"][0]
        citation.update(document_id="Trams.txt", title="Trams", quote="In Lisbon a horse tram ran in 1873.")

    figures = report(rewritten(run(QUESTIONS[:1]), change))
    assert figures["exact_match"] == 1.0
    assert figures["correct_and_supported"] == figures["supported"] == 0.0
    assert figures["accuracy_at_coverage"]["100%"] == 0.0
    assert figures["exact_match_at_coverage"]["100%"] == 1.0
    assert figures["aurc"] == 1.0


def test_a_quote_of_another_document_supports_when_it_shares_a_run_with_the_long_answer(run):
    def change(line):
        line["gold_document_id"] = "Elsewhere.txt"
        line["question"] = "which completely different matter"

    folder = rewritten(run(QUESTIONS[:1]), change)
    assert report(folder)["supported"] == 0.0

    def told(line):
        line["long_answer"] = "We read: Henry Winstanley built the first tower at Eddystone. And more."

    assert report(rewritten(folder, told))["supported"] == 1.0


def test_predictions_of_before_there_were_long_answers_are_read_and_scored_alike(run):
    folder = run()
    figures, long = report(folder), scored(folder).outcomes[0].long

    def aged(line):
        del line["selected_sentences"], line["trace"]["decision"]["short_answer"]
        for citation in line["trace"]["decision"]["citations"]:
            del citation["further"]

    assert report(rewritten(folder, aged)) == figures
    assert long is None


def test_who_answers_nearer_to_what_is_wrong_is_misled(run):
    asked = replace(QUESTIONS[1], wrong_answers=("1901", "1900"))
    assert report(run([asked]))["misled_of_answered"] == 1.0
    fooled = outcomes(run([replace(QUESTIONS[0], wrong_answers=("John Smeaton",))], out="other"))
    assert fooled["q1"].misled is False


def test_unquoted_configurations_are_scored_by_their_first_candidate(run):
    found = outcomes(run(QUESTIONS[:2], configuration="closed-book"))
    assert found["q1"].exact_match
    assert found["q1"].confidence == pytest.approx(0.9)
    assert not found["q1"].supported
    assert found["q1"].gold_cited is False


def test_the_best_cited_candidate_counts_whether_it_was_chosen_or_not(run):
    def choose_another(line):
        line["trace"]["decision"].update(answer="nobody", short_answer="nobody")

    folder = rewritten(run(QUESTIONS[:2]), choose_another)
    assert {id_: one.candidate_exact_match for id_, one in outcomes(folder).items()} == {
        "q1": True,
        "q2": False,
    }
    figures = report(folder)
    assert figures["candidate_exact_match"] == 0.5
    assert figures["exact_match_without_threshold"] == 0.0

    uncited = rewritten(folder, lambda line: line["trace"].update(cited=[]))
    assert report(uncited)["candidate_exact_match"] == 0.0


def test_without_quotes_there_is_no_choice_among_cited_candidates(run):
    assert report(run(configuration="closed-book"))["candidate_exact_match"] is None


def test_latency_is_that_of_every_stage(run):
    def change(line):
        line["trace"]["timings_ms"] = {"retrieve": 10.0 if line["id"] == "q1" else 30.0, "total": 50.0}

    figures = report(rewritten(run(QUESTIONS[:2]), change))
    assert figures["latency_ms"] == {
        "retrieve": {"p50": 20.0, "p95": 29.0, "mean": 20.0},
        "total": {"p50": 50.0, "p95": 50.0, "mean": 50.0},
    }


def test_intervals_hold_the_figure(run):
    everything = report_of(scored(run()), min_confidence=0.0)
    for name, interval in everything["intervals"].items():
        assert interval is None or interval[0] <= everything[name] <= interval[1]


def test_thresholds_show_either_side(run):
    everything = report_of(scored(run()), min_confidence=0.5)
    rows = everything["thresholds"]
    assert [row["min_confidence"] for row in rows[:3]] == [0.0, 0.05, 0.1]
    assert rows[0]["all"] == {
        "answered": 1.0,
        "exact_match": 0.5,
        "exact_match_of_answered": 0.5,
        "abstained_unanswerable": 1.0,
    }
    assert rows[-1]["all"]["answered"] == 0.0


def test_nothing_answerable_has_no_shares(run):
    figures = report(run(QUESTIONS[2:]))
    for name in (
        "f1",
        "exact_match",
        "gold_document_cited",
        "ece",
        "ece_band",
        "aurc",
        "answerable_from_hits",
    ):
        assert figures[name] is None


def test_scoring_without_a_description_is_a_sentence(run):
    folder = run()
    (folder / "run.json").unlink()
    with pytest.raises(LoccitError, match=r"run\.json cannot be read .* make them again"):
        scored(folder)


def test_the_report_is_json(run):
    everything = report_of(scored(run()), min_confidence=0.5)
    json.dumps(everything, allow_nan=False)
    assert {"exact_match", "f1", "quote_verbatim", "ece", "aurc"} <= everything.keys()


def test_no_answer_shares_no_word_even_with_an_answer_that_normalises_to_nothing(run):
    asked = replace(QUESTIONS[2], answers=("A",), kind="answerable")
    assert outcomes(run([asked]))["q3"].answer is None
    assert report(run([asked]))["f1_without_threshold"] == 0.0


def test_where_quotes_are_not_the_point_none_of_their_figures_is_told(run):
    everything = report_of(scored(run(QUESTIONS[:2], configuration="closed-book")), min_confidence=0.0)
    figures = everything["sides"]["all"]
    for name in ("supported", "correct_and_supported", "quote_has_answer", "gold_document_cited"):
        assert figures[name] is None
    assert everything["intervals"]["supported"] is None
    assert everything["intervals"]["exact_match"] is not None
    # so its confidence claims no more than to be right: one of two answers is, both with 0.9
    assert figures["accuracy_at_coverage"]["100%"] == figures["exact_match_at_coverage"]["100%"] == 0.5
    assert figures["ece"] == pytest.approx(0.4)


def test_unquoted_configurations_have_no_quotes_to_be_verbatim(run):
    assert report(run(QUESTIONS[:2], configuration="top-passage"))["quote_verbatim"] is None


def test_any_of_the_quotes_may_have_the_answer_but_the_first_says_where_from(run):
    def change(line):
        citations = line["trace"]["decision"]["citations"]
        citations.insert(0, {**citations[0], "document_id": "Trams.txt", "quote": "In Lisbon. A horse."})

    found = outcomes(rewritten(run(QUESTIONS[:1]), change))["q1"]
    assert found.quote_has_answer
    assert (found.gold_cited, found.quote_sentences) == (False, 2)


def test_equally_near_to_right_and_wrong_is_not_misled(run):
    found = outcomes(run([replace(QUESTIONS[0], wrong_answers=QUESTIONS[0].answers)]))
    assert found["q1"].misled is False


def test_without_a_candidate_an_unquoted_configuration_has_no_confidence(run):
    (line,) = outcomes(run(QUESTIONS[2:], configuration="top-passage")).values()
    assert (line.answer, line.confidence) == (None, 0.0)


def test_the_quotes_shown_beside_an_abstention_are_checked_too(run):
    folder = run(QUESTIONS[2:])
    assert report(folder)["quote_verbatim"] == 1.0

    def change(line):
        line["trace"]["decision"]["nearest"][0]["quote"] = "Nobody said this."

    assert report(rewritten(folder, change))["quote_verbatim"] == 0.0


def test_of_a_question_without_quotes_or_answers_nothing_is_said_about_them(run):
    def change(line):
        line["trace"]["decision"]["nearest"] = []

    found = outcomes(rewritten(run(QUESTIONS[2:]), change))["q3"]
    assert found.quote_verbatim is found.holds_answer is None


def test_a_title_alone_supports_nothing(run):
    def change(line):
        line["gold_document_id"] = None
        line["question"] = "which completely different matter"

    found = outcomes(rewritten(run(QUESTIONS[:1]), change))["q1"]
    assert (found.gold_cited, found.supported) == (True, False)


def test_an_unfinished_run_is_reported_as_one(run):
    folder = run()
    path = folder / "predictions.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert report_of(scored(folder), min_confidence=0.0)["unanswered_yet"] == 2
    run()
    assert report_of(scored(folder), min_confidence=0.0)["unanswered_yet"] == 0
