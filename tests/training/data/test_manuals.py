"""Questions over manuals: what answers, what was found beside it, and what the index has not."""

import json

import pytest
from rich.console import Console

from app.answering.answer_kind import AnswerKind
from index_builder.build import build_index
from index_builder.corpora.opening import open_corpus
from retriever.encoder import HashingEncoder
from retriever.text.passages import PassageSettings
from tests.training.conftest import write_lines
from training.data import manuals
from training.data.evidence_shards import PreparedEvidence, prepare_evidence_alone
from training.data.manuals import open_manual_questions, row_of

LOCKS = """# Locks

## Timeouts

The lock waits before it gives up. Default: 30 seconds.

In this example the lock waits 5 seconds.

## Colours

""" + "\n\n".join(f"Paint number {n} of the lock is kept in a dry place of the workshop." for n in range(40))
GATES = """# Gates

The gate waits 90 seconds for the lock.
"""
ROWS = [
    {
        "question": "how long does the lock wait by default", "kind": "short", "source": "locks",
        "document_id": "index.md", "evidence": ["Default: 30 seconds."], "answers": ["30 seconds"],
        "also": [
            {
                "document_id": "index.md", "evidence": ["Paint number 31 of the lock is kept"],
                "answers": ["31"],
            },
            {"document_id": "gone.md", "evidence": ["Default: 30 seconds."]},
        ],
    },
    {
        "question": "does the gate wait for the lock", "kind": "yesno", "yesno": "yes", "source": "gates",
        "document_id": "index.md", "evidence": ["The gate waits 90 seconds for the lock."],
    },
    {"question": "what does paint cost", "kind": "short", "source": "locks"},
    {
        "question": "gone", "kind": "long", "source": "locks", "document_id": "index.md",
        "evidence": ["The lock sings."],
    },
    {
        "question": "twice", "kind": "long", "source": "locks", "document_id": "index.md",
        "evidence": ["of the lock is kept in a dry place of the workshop."],
    },
    {"question": "no page", "kind": "long", "source": "gates", "document_id": "b.md", "evidence": ["a b"]},
]  # fmt: skip


@pytest.fixture
def index(tmp_path, monkeypatch):
    for name, text in (("locks", LOCKS), ("gates", GATES)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.md").write_text(text)
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps(row_of(row)) + "\n" for row in ROWS))
    monkeypatch.setattr(manuals, "QUESTIONS", questions)
    build_index(
        [open_corpus(f"{name}={tmp_path / name}") for name in ("locks", "gates")],
        tmp_path / "index",
        encoder=HashingEncoder(),
        settings=PassageSettings(),
        strict=True,
        console=Console(quiet=True),
    )
    return tmp_path / "index"


def test_the_file_holds_no_text_of_the_manuals():
    kept = json.dumps(row_of(ROWS[0]))
    assert "30 seconds" not in kept
    assert "Paint" not in kept
    assert "how long does the lock wait" in kept


def test_passages_with_evidence_answer_and_others_of_the_manual_stand_beside_them(index):
    questions = open_manual_questions(index)
    by_question = {group.question: group for group in questions}
    assert questions.lost == ["gone", "twice", "no page"]

    group = by_question["how long does the lock wait by default"]
    assert (group.kind, group.doc, group.source) == (AnswerKind.SHORT, "manuals:locks", "manuals")
    first, also, *others = group.passages
    assert first.title.startswith("Locks")
    assert [span.of(first.window) for span, is_evidence in first.sentences if is_evidence] == [
        "Default: 30 seconds."
    ]
    assert [span.of(first.window) for span in first.answers] == ["30 seconds"]
    assert also.answers_question
    assert [span.of(also.window) for span in also.answers] == ["31"]
    assert others
    for other in others:
        assert not other.answers_question
        assert "30 seconds" not in other.window
        assert "gate" not in other.window
        assert other.answers == ()


def test_yes_or_no_is_known_and_a_question_without_a_page_has_no_answer(index):
    by_question = {group.question: group for group in open_manual_questions(index)}
    assert by_question["does the gate wait for the lock"].verdict is True
    unanswered = by_question["what does paint cost"]
    assert unanswered.passages
    assert not any(passage.answers_question for passage in unanswered.passages)


def test_questions_over_manuals_that_the_index_has_not_have_no_answer_in_it(index):
    questions = manuals.QUESTIONS
    of_another = {**ROWS[1], "question": "is the roof red", "source": "roofs"}
    questions.write_text(questions.read_text() + json.dumps(row_of(of_another)) + "\n")
    opened = open_manual_questions(index)
    (group,) = opened.elsewhere()
    assert (group.question, group.doc, group.passages, group.verdict) == (
        "is the roof red", "manuals:roofs", (), None,
    )  # fmt: skip
    assert "is the roof red" not in [group.question for group in opened]
    assert opened.lost[-1] == "is the roof red"


def test_they_are_prepared_with_the_other_sets_and_known_by_their_index(index, data_folder, tmp_path, quiet):
    other = {
        "question": "is it old",
        "context": "It is old.",
        "evidence": [[0, 10]],
        "answerable": True,
        "kind": "long",
    }
    write_lines(data_folder / "evidence/medquad.jsonl.gz", [{**other, "kind": "long", "doc": "page"}])
    for number in (1, 2):
        prepare_evidence_alone(
            data_folder, tmp_path / f"out{number}", quiet, manuals=open_manual_questions(index)
        )
    first, second = (PreparedEvidence(tmp_path / f"out{number}") for number in (1, 2))
    assert [group.question for group in first.groups()["manuals"]] == [
        "how long does the lock wait by default",
        "does the gate wait for the lock",
        "what does paint cost",
    ]
    assert first.fingerprint == second.fingerprint
