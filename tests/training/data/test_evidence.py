"""Questions of every kind: which rows are used, what their passages are, and where their evidence stands."""

import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.text.normalise import normalise_answer
from tests.training.conftest import write_lines
from training.data.evidence import NEGATIVES_KEPT, EvidenceGroup, evidence_groups

FILLER = "The weather of that year was mild and the harvest was good in most parishes. " * 9
PAGE = (
    "To open the lock, turn the key twice. Then lift the gate with both hands.\n\n"
    + FILLER
    + "\n\n"
    + FILLER.replace("weather", "lock key water")
)


def row(question="how do I open the lock", text=PAGE, *evidence, **more):
    spans = [[text.index(part), text.index(part) + len(part)] for part in evidence]
    return {
        "question": question, "document": text, "title": "Locks", "evidence": spans, "answerable": True, "kind": "long",
        "doc": "page-1", **more,
    }  # fmt: skip


STEPS = "To open the lock, turn the key twice. Then lift the gate with both hands."


def groups(tmp_path, *rows, source="faq_docs", unwanted=()):
    path = tmp_path / "set.jsonl.gz"
    write_lines(path, rows)
    return list(evidence_groups(path, source, {normalise_answer(question) for question in unwanted}))


def test_passages_that_hold_a_whole_sentence_of_evidence_answer_and_others_do_not(tmp_path):
    (group,) = groups(tmp_path, row("how do I open the lock", PAGE, STEPS))
    assert (group.id, group.kind, group.verdict) == ("faq_docs-0", AnswerKind.EXPLANATION, None)
    first, *others = group.passages
    assert first.answers_question
    assert [span.of(first.window) for span, is_evidence in first.sentences if is_evidence] == [
        "To open the lock, turn the key twice.",
        "Then lift the gate with both hands.",
    ]
    assert others
    assert len(others) <= NEGATIVES_KEPT
    assert not any(passage.answers_question for passage in others)
    assert "lock key water" in others[0].window  # most like the question
    assert not any(is_evidence for passage in others for _, is_evidence in passage.sentences)


def test_a_text_whose_evidence_is_not_known_is_read_whole_or_not_at_all(tmp_path):
    short = row("is the lock old", "The lock is old. It rusts.", kind="yesno", yesno="yes")
    long = row("is the lock old", PAGE * 2, kind="yesno", yesno="yes")
    (group,) = groups(tmp_path, short, long)
    (passage,) = group.passages
    assert (passage.window, passage.sentences, passage.answers_question) == (
        "The lock is old. It rusts.",
        None,
        True,
    )
    assert (group.kind, group.verdict) == (AnswerKind.YES_NO, True)


def test_a_page_without_the_answer_has_passages_that_do_not_answer(tmp_path):
    (group,) = groups(tmp_path, row(answerable=False))
    assert group.passages
    assert not any(passage.answers_question for passage in group.passages)


def test_the_items_of_a_list_are_pointed_at(tmp_path):
    text = "You need two carrots , one onion , and stock ."
    listed = row("what is in the soup", text, "two carrots", "one onion", "stock", kind="list")
    (group,) = groups(tmp_path, listed, source="multispanqa")
    (passage,) = group.passages
    assert passage.window == "You need two carrots, one onion, and stock."
    assert [span.of(passage.window) for span in passage.answers] == ["two carrots", "one onion", "stock"]
    assert [is_evidence for _, is_evidence in passage.sentences] == [True]


@pytest.mark.parametrize(
    "more",
    [
        {"passage_in_eval": True},
        {"history": ["user: which lock?"]},
        {"licence": "GPL-2+"},
        {"licence": "Artistic / GPL"},
        {"kind": "claim"},
        {"kind": "yesno", "yesno": "depends"},
        {"question": "How do I open the LOCK?!"},
    ],
)
def test_rows_that_cannot_be_learnt_from_are_left_out(tmp_path, more):
    usable = row("how do I open it", PAGE, STEPS)
    found = groups(
        tmp_path, {**usable, **more}, {**usable, "licence": "CC BY 4.0"}, unwanted=["how do i open the lock"]
    )
    assert [group.id for group in found] == ["faq_docs-1"]


def test_a_verdict_that_depends_on_a_scenario_is_not_learnt(tmp_path):
    asked = row("am I entitled", "People over 60 are entitled.", kind="yesno", yesno="yes")
    alone, with_scenario = groups(tmp_path, asked, {**asked, "scenario": "I am 61."})
    assert (alone.verdict, with_scenario.verdict) == (True, None)


def test_a_claim_is_learnt_from_as_the_question_whether_it_is_true(tmp_path):
    claim = {
        "claim": "The lock is old.",
        "context": "The lock is new.",
        "kind": "claim",
        "doc": "d",
        "evidence": [],
    }
    labels = ("supported", "not_supported", "refuted", "not_enough", "partially_supported")
    found = groups(
        tmp_path, *({**claim, "label": label, "answerable": label == "supported"} for label in labels)
    )
    assert [(group.question, group.kind, group.verdict) for group in found] == [
        ("Is it true that The lock is old?", AnswerKind.YES_NO, verdict) for verdict in (True, False, False)
    ]
    assert all(passage.answers_question for group in found for passage in group.passages)


def test_the_number_of_a_question_is_no_part_of_it(tmp_path):
    found = groups(
        tmp_path, *(row(question, PAGE, STEPS) for question in ("6) How?", "Q3: How?", "2.1. How?", "3 x 4?"))
    )
    assert [group.question for group in found] == ["How?", "How?", "How?", "3 x 4?"]


def test_a_group_survives_being_stored(tmp_path):
    text = "You need two carrots."
    found = groups(
        tmp_path,
        row("a", PAGE, STEPS),
        row("b", text, kind="yesno", yesno="no"),
        row("c", text, "carrots", kind="short"),
    )
    assert [EvidenceGroup.of_json(group.as_json()) for group in found] == found


def test_projects_are_held_out_whole(tmp_path):
    found = groups(tmp_path, *(row(f"q{n}", PAGE, STEPS, project=f"project {n % 20}") for n in range(60)))
    held_out = [group for group in found if group.is_held_out(share=0.3)]
    assert 0 < len(held_out) < 60
    assert not {group.doc for group in held_out} & {group.doc for group in found if group not in held_out}
