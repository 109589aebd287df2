"""Questions over manuals that no training has seen: what is right, and how surely, by kind of question.

python -m benchmarks.manuals data/indexes/measured-manuals
python -m benchmarks.manuals data/indexes/measured-manuals --weights runs/reader/weights --run runs/manuals.jsonl

The questions and the places that answer them are in evaluation/data/manual_questions.jsonl, the manuals in
training/manuals/README.md, which says how to make the index. A few words are right where they are those asked for, and
stand in a sentence that answers. A sentence, step or line is right where it is among those that answer; what is quoted
beside it counts in the precision of the quotes alone. Given its --run again, what was answered is not asked anew.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

from app.service.assembly import LAZY_PARTS, open_service
from app.service.settings import Settings
from benchmarks.kinds import auroc
from common.packaged import package_folder
from training.confidence.held_out_answers import Outcome, manual_outcomes
from training.data.manuals import ManualQuestions

QUESTIONS = "manual_questions.jsonl"
AT = 0.5


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each kind of question, one for all of these, and one for those that are not answered."""
    shown = Table("asked for", "questions", f"right at {AT}", "wrong", "withheld", "right, nothing abstained")
    shown.add_column("precision of the quotes")
    shown.add_column("AUROC")
    answerable = [one for one in outcomes if one.answerable]
    for kind in [*sorted({one.kind for one in answerable}), None]:
        some = [one for one in answerable if kind in (None, one.kind)]
        given = [one for one in some if one.confidence >= AT]
        right = sum(bool(one.right) for one in given)
        shown.add_row(
            kind or "all",
            str(len(some)),
            str(right),
            str(len(given) - right),
            str(len(some) - len(given)),
            str(sum(bool(one.right) for one in some)),
            f"{fmean(one.precision for one in some if one.precision is not None):.0%}",
            auroc(some),
        )
    others = [one for one in outcomes if not one.answerable]
    given = [one for one in others if one.confidence >= AT]
    shown.add_row(
        "not answerable", str(len(others)), "", str(len(given)), str(len(others) - len(given)), "", ""
    )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path, help="of the manuals, each a source of its name")
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument(
        "--run", type=Path, default=Path("runs/manuals.jsonl"), help="a line of JSON for each question"
    )
    arguments = parser.parse_args()
    console = Console(stderr=True)
    named = {
        name: value
        for name in ("index", "weights", "threads")
        if (value := getattr(arguments, name)) is not None
    }
    service = open_service(Settings.of(**named), abstains=False, parts=LAZY_PARTS)
    folder = package_folder("evaluation")
    assert folder is not None  # this repository's
    questions = ManualQuestions(folder / "data" / QUESTIONS, service.index, service.encoder)
    description = service.description()
    answering = {name: description[name] for name in ("models", "stages", "calibration")}
    outcomes = manual_outcomes(questions, service.pipeline, answering, console, arguments.run)
    Console(width=120).print(table(outcomes))
    print(f"{1000 * fmean(one.seconds for one in outcomes):.0f} ms a question")


if __name__ == "__main__":
    main()
