"""Questions of every kind over real documents that no reader learnt from: what is asked for, cited, and how surely.

python -m benchmarks.kinds data/training --reader strong
python -m benchmarks.kinds data/training --reader strong --weights runs/reader/weights --each 60 --run runs/kinds.jsonl

What the texts are, and what counts as right, says ``training.confidence.held_out_answers``. Given its --run again, what
was answered is not asked anew. The data is made by `loccit train data DIR --evidence-only`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from app.service.assembly import LAZY_PARTS, open_service
from app.service.settings import Settings
from training.confidence.held_out_answers import Outcome, held_out_outcomes
from training.data.evidence_shards import PreparedEvidence

AT = (0.3, 0.5, 0.7)


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each set, and one for all."""
    shown = Table("set", "questions", "kind", "right", "precision", "recall", "AUROC")
    for threshold in AT:
        shown.add_column(f"right of given at {threshold}")
    parts = dict.fromkeys(one.part for one in outcomes)
    for part in [*parts, None]:
        some = [one for one in outcomes if part in (None, one.part) and one.right is not None]
        answerable = [one for one in some if one.answerable]
        shown.add_row(
            part or "all",
            f"{len(answerable)} + {len(some) - len(answerable)}",
            _percent([one.kind == one.given for one in some]),
            _percent([one.right for one in answerable if one.right is not None]),
            _percent([one.precision for one in answerable if one.precision is not None]),
            _percent([one.recall for one in answerable if one.recall is not None]),
            auroc(some),
            *(_given(some, threshold) for threshold in AT),
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="prepared training data, or its evidence alone")
    parser.add_argument("--index", type=Path, default=Settings().index, help="whose encoder is used")
    parser.add_argument("--reader", default=None)
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--each", type=int, default=40, help="questions of each set")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument(
        "--run", type=Path, default=Path("runs/kinds.jsonl"), help="a line of JSON for each question"
    )
    arguments = parser.parse_args()
    console = Console(stderr=True)
    named = {
        name: value
        for name in ("index", "reader", "weights", "threads")
        if (value := getattr(arguments, name)) is not None
    }
    service = open_service(Settings.of(**named), abstains=False, parts=LAZY_PARTS)
    evidence = PreparedEvidence(arguments.data)
    description = service.description()
    answering = {name: description[name] for name in ("models", "stages", "calibration")}
    outcomes = held_out_outcomes(evidence, arguments.each, service.over, answering, console, arguments.run)
    Console(width=140).print(table(outcomes))
    print(f"{1000 * fmean(one.seconds for one in outcomes):.0f} ms a question")


def _given(outcomes: Sequence[Outcome], threshold: float) -> str:
    given = [one for one in outcomes if one.confidence >= threshold]
    return f"{sum(one.right for one in given)} of {len(given)}"


def auroc(outcomes: Sequence[Outcome]) -> str:
    """How often a right answer is surer than a wrong one; "-" where there are not both."""
    right = [one.right for one in outcomes]
    if len(set(right)) < 2:
        return "-"
    return f"{roc_auc_score(right, [one.confidence for one in outcomes]):.2f}"


def _percent(values: Sequence[float]) -> str:
    return f"{100 * fmean(values):.1f}" if values else "-"


if __name__ == "__main__":
    main()
