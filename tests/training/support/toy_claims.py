"""Three passages and questions about them: what claims are made of in tests."""

from random import Random

from retriever.types import Passage, Span
from training.data.group import record_of
from training.data.question import Source
from training.support.distractors import OtherAnswers
from training.support.example import SupportExamples
from training.support.kinds import SupportSettings

PLAIN = SupportSettings(any_kind=0.0, stated=0.0, wider=0.0, whole=0.0, edited=0.0, without_question=0.0)
SEEDS = range(40)

FIRST = (
    "The old mill stands by a quiet river. The tower of Dover was built by Anna Keeper in 1803. "
    "Its lamp was not lit before May 1810. Visitors like the garden."
)
SECOND = "The bridge of Calais was opened by Bert Mason in 1925. It was painted green for a fair."
THIRD = "In 1803 a ship was named after the queen. The harbour of Emden has 12 cranes."


class ToyStore:
    """A store of three passages."""

    def passages(self, rows):
        texts = {1: ("Dover", FIRST), 2: ("Calais", SECOND), 3: ("Emden", THIRD)}
        return [
            Passage(row, f"doc-{row}", texts[row][0], texts[row][1], Span(0, len(texts[row][1])))
            for row in rows
        ]


def squad_record(number, question, answer, row, text, others=()):
    start = text.index(answer)
    spans = [Span(start, start + len(answer))]
    return record_of(
        f"squad-{number}", Source.SQUAD, question, [answer], [(row, spans), *((one, []) for one in others)]
    )


ASKED = squad_record(0, "When was the tower built?", "1803", 1, FIRST, others=(2,))
BUILDER = squad_record(1, "Who built the tower?", "Anna Keeper", 1, FIRST, others=(2,))
OTHERS = [
    BUILDER,
    squad_record(2, "When was the bridge opened?", "1925", 2, SECOND),
    squad_record(3, "When was a ship named after the queen?", "1803", 3, THIRD),
    squad_record(4, "Who opened the bridge?", "Bert Mason", 2, SECOND),
]
ANSWERING = "The tower of Dover was built by Anna Keeper in 1803."


def examples_of(settings=PLAIN):
    """Makes claims of the three passages; plainly, unless told otherwise."""
    return SupportExamples(ToyStore(), OtherAnswers([ASKED, *OTHERS]), settings)


def claims_of(examples, kind, record=ASKED):
    """A claim for every seed by which the group offers one of this kind; there are some."""
    found = [examples.of_kind(record, kind, Random(seed)) for seed in SEEDS]
    claims = [one for one in found if one is not None]
    assert claims, kind
    return claims
