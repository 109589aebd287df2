"""Judged claims: read as they are, cut into windows, scored by the best of them, compared by value."""

import gzip
import json

import pytest

from common.errors import LoccitError
from evaluation.support_sets import (
    JudgedClaim,
    Verdict,
    agreement,
    evaluate_support,
    load_judged,
    scores_of,
    support_table,
    windows_of,
)

ATTRIBUTED = {
    "id": "1", "question": "Who kept the light?", "claim": "Mr. Dover kept it.", "response": "",
    "references": ["Title: The light\nText: It was lit in 1803. Mr. Dover kept it.", "No title here."],
    "attribution_label": "attributable", "src_dataset": "Ports",
}  # fmt: skip
UNATTRIBUTED = {**ATTRIBUTED, "attribution_label": "not attributable", "src_dataset": "Ships"}
WICE = {
    "label": "partially_supported", "supporting_sentences": [[1]], "claim": "It burns oil.", "meta": {},
    "evidence": ["(meta data) TITLE: Lamps", "It burns oil.", "It shines."],
}  # fmt: skip


class ByQuote:
    """Scores a claim by what its quote holds."""

    def __init__(self, scores):
        self.scores, self.seen = scores, []

    def score(self, claims):
        self.seen += claims
        return [max([0.0, *(s for word, s in self.scores.items() if word in one.quote)]) for one in claims]


def judged(text, verdict, group="a"):
    return JudgedClaim("", "claim", (("", text),), verdict, group)


def write(path, rows):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_attributionbench_is_read_with_the_titles_of_its_references(tmp_path):
    first, second = load_judged(write(tmp_path / "a.jsonl.gz", [ATTRIBUTED, UNATTRIBUTED]))
    assert first.windows == (("The light", "It was lit in 1803. Mr. Dover kept it."), ("", "No title here."))
    assert (first.question, first.claim, first.group) == (
        "Who kept the light?",
        "Mr. Dover kept it.",
        "Ports",
    )
    assert (first.supported, second.supported) == (True, False)


def test_wice_is_read_with_the_page_as_title_and_no_question(tmp_path):
    (one,) = load_judged(write(tmp_path / "w.jsonl.gz", [WICE]))
    assert one.windows == (("Lamps", "It burns oil. It shines."),)
    assert (one.question, one.verdict, one.supported) == ("", Verdict.PARTIALLY, False)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"claim": "x"}, "neither references nor evidence"),
        ({**WICE, "label": "perhaps"}, "label is 'perhaps', but it must be one of"),
        ({**WICE, "claim": " "}, "claim is blank"),
    ],
)
def test_a_line_of_another_form_is_refused_with_its_place(tmp_path, row, sentence):
    path = write(tmp_path / "w.jsonl.gz", [WICE, row])
    with pytest.raises(LoccitError, match=sentence) as refused:
        load_judged(path)
    assert f"{path}:2" in str(refused.value)


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(LoccitError, match="holds no claims"):
        load_judged(write(tmp_path / "w.jsonl.gz", []))


def test_windows_hold_every_sentence_and_overlap():
    sentences = [f"Sentence {n} is here." for n in range(10)]
    found = windows_of(sentences, words=16)
    assert found[0] == " ".join(sentences[:4])
    assert found[1] == " ".join(sentences[2:6])
    assert found[-1].endswith(sentences[-1])
    assert all(any(sentence in window for window in found) for sentence in sentences)
    assert all(len(window.split()) <= 16 for window in found)


@pytest.mark.parametrize("words", [1, 3, 7, 100])
def test_a_sentence_longer_than_a_window_stands_alone(words):
    sentences = ["one two three four five", "six", "seven eight nine ten eleven twelve"]
    found = windows_of(sentences, words=words)
    assert all(any(sentence in window for window in found) for sentence in sentences)
    assert len(set(found)) == len(found)
    assert windows_of([], words=words) == []


def test_a_claims_score_is_that_of_its_best_window():
    claim = JudgedClaim("q", "c", (("", "nothing"), ("", "good"), ("", "fair")), Verdict.SUPPORTED, "a")
    none = JudgedClaim("q", "c", (), Verdict.NOT, "a")
    scorer = ByQuote({"good": 0.9, "fair": 0.6})
    assert scores_of(scorer, [none, claim]) == [0.0, 0.9]
    assert [(one.question, one.answer) for one in scorer.seen] == [("q", "c")] * 3


def test_agreement_is_by_value():
    verdicts = [Verdict.SUPPORTED, Verdict.NOT, Verdict.SUPPORTED, Verdict.PARTIALLY]
    claims = [judged("", verdict) for verdict in verdicts]
    found = agreement([0.4, 0.1, 0.3, 0.35], claims)
    assert (found.claims, found.supported) == (4, 2)
    assert found.auroc == pytest.approx(3 / 4)
    assert found.accuracy == 0.5
    assert (found.best_accuracy, found.best_threshold) == (0.75, 0.3)


def test_without_two_verdicts_there_is_no_auroc():
    found = agreement([0.2, 0.9], [judged("", Verdict.NOT)] * 2)
    assert found.auroc is None
    assert found.best_accuracy == 1.0
    assert found.best_threshold > 0.9


def test_groups_and_the_claims_without_partial_ones_are_told_apart():
    claims = [
        judged("good", Verdict.SUPPORTED), judged("fair", Verdict.PARTIALLY), judged("bad", Verdict.NOT, "b")
    ]  # fmt: skip
    found = evaluate_support(ByQuote({"good": 0.9, "fair": 0.8}), claims)
    assert {name: one.claims for name, one in found.items()} == {
        "all": 3, "a": 2, "b": 1, "without partially supported": 2
    }  # fmt: skip
    assert found["all"].accuracy == pytest.approx(2 / 3)
    assert found["without partially supported"].accuracy == 1.0
    table = support_table("a file", found)
    assert table.rows[0][:4] == ("all", "3", "1", "1.000")
