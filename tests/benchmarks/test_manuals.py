"""What the table of questions over manuals says."""

from io import StringIO

from rich.console import Console

from benchmarks.manuals import table
from training.confidence.held_out_answers import Outcome


def outcome(said, *, right=False, given="explanation", confidence=0.6, answerable=True, kind="explanation"):
    return Outcome(
        "manuals", "manuals-0", "why does it wait", kind, given, answerable, said, confidence, right,
        precision=0.25, recall=1.0, seconds=1.0, candidates=(),
    )  # fmt: skip


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
