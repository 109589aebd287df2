"""What counts as right over manuals, and what the table says of it."""

from io import StringIO

import pytest
from rich.console import Console

from app.answering.answer_kind import AnswerKind
from benchmarks.manuals import judged, table
from retriever.types import Span
from training.confidence.held_out_answers import Outcome
from training.data.evidence import EvidenceGroup, EvidencePassage

SENTENCE, OTHER = "The lock waits thirty seconds.", "The gate is old."
WINDOW = f"{SENTENCE} {OTHER}"
GROUP = EvidenceGroup(
    "manuals-0", "manuals", "manuals:locks", "why does it wait", AnswerKind.EXPLANATION, None,
    (
        EvidencePassage(
            "Locks", WINDOW, ((Span(0, len(SENTENCE)), True), (Span(len(SENTENCE) + 1, len(WINDOW)), False)), (),
            answers_question=True,
        ),
    ),
)  # fmt: skip


def outcome(said, *, right=False, asked="explanation", confidence=0.6, answerable=True, kind="explanation"):
    return Outcome(
        "manuals", "manuals-0", "why does it wait", kind, asked, answerable, said, confidence, right,
        precision=0.25, recall=1.0, seconds=1.0, features=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "asked", "right"),
    [
        (SENTENCE, "explanation", True),
        (OTHER, "explanation", False),
        ("thirty seconds", "short", False),  # as it came out: of a few words these are known
        ("No", "yes/no", False),
        (None, "explanation", False),
    ],
)
def test_a_sentence_is_right_where_it_is_among_those_that_answer(said, asked, right):
    assert judged(outcome(said, asked=asked), GROUP).right is right


def test_the_table_counts_right_wrong_and_withheld():
    outcomes = [
        outcome("a", right=True),
        outcome("b", confidence=0.4, right=True),
        outcome("c", kind="list"),
        outcome("d", answerable=False),
        outcome(None, answerable=False, confidence=0.0),
    ]
    out = StringIO()
    Console(file=out, width=140).print(table(outcomes))
    rows = {
        cells[0].strip(): [cell.strip() for cell in cells[1:6]]
        for line in out.getvalue().splitlines()
        if (cells := line.strip("│").split("│")) and len(cells) > 5
    }
    assert rows["explanation"] == ["2", "1", "0", "1", "2"]
    assert rows["list"] == ["1", "0", "1", "0", "0"]
    assert rows["all"] == ["3", "1", "1", "1", "2"]
    assert rows["not answerable"] == ["2", "", "1", "1", ""]
