"""What an adapter's quality counts: which answers, from which passages, in whose order."""

import pytest

from app.answering.cross_encoders.reader_model import Judgement
from app.answering.evidence_model.adapted_lm import Pointed, Written
from app.answering.evidence_model.evidence_input import NO_ANSWER
from retriever.types import Passage, Span
from training.adapter.quality import quality
from training.data.group import Group, LabelledPassage
from training.data.question import Source

FOUND = {  # answerability, the reader's answer and its probability
    "Aston": (0.3, "ash", 0.2),
    "Barnes": (0.8, "beech", 0.1),
    "Crewe": (0.1, "cedar", 0.9),
    "Derby": (0.5, "fir", 0.6),
    "Ely": (0.9, "elm", 0.3),
    "Fowey": (0.2, "pine", 0.4),
}
RIGHT = {"cedar": 0.9, "rye": 0.88, "Derby": 0.86, "Barnes": 0.8}
"""What the language model makes of answers."""
ANSWERING = "Crewe"


class Reader:
    """The answer stands in the continuation."""

    def judge(self, question, passages):
        return [self._judgement(title, *FOUND[title], window) for title, window in passages]

    def _judgement(self, title, answerability, answer, probability, window):
        likeliest = (answer, probability), ("one", 0.01), (title, 0.005), ("rye", 0.001)
        spans = [(Span(window.index(word), window.index(word) + len(word)), one) for word, one in likeliest]
        return Judgement(answerability, tuple(spans))


class Reciting:
    """A language model that writes out what it reads and points at the end, but finds nothing in Aston."""

    def __init__(self, passages=()):
        self._passages = passages

    def read(self, question, passages):
        return Reciting(passages)

    def write(self, *, max_tokens):
        titles, windows = zip(*self._passages, strict=True)
        last = Span(windows[-1].rindex(" ") + 1, len(windows[-1]))
        text = NO_ANSWER if titles == ("Aston",) else " ".join(windows)
        return [written(text, spans=((len(windows) - 1, last, 1.0),))]

    def score(self, answers):
        return [written(answer, right=RIGHT.get(answer, 0.1)) for answer in answers]


def written(text, *, right=0.5, spans=()):
    return Written(text, -1.0, 3, True, Pointed(right, 0.0, spans))


def group(*known, titles=tuple(FOUND), source=Source.SQUAD):
    passages = []
    for row, title in enumerate(titles):
        text, continuation = f"{title} grows", f" one rye or {FOUND[title][1]}"
        passage = Passage(row, title, title, text, Span(0, len(text)), continuation)
        answers = (Span(len(text) + 12, len(passage.window)),) if title == ANSWERING else ()
        passages.append(LabelledPassage(passage, answers))
    return Group(f"group-{known}", source, "what grows there", known, tuple(passages))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("em_given", "Crewe grows one rye or cedar"),
        ("cited_given", "cedar"),
        ("em", "Ely grows Barnes grows"),
        ("em_reader", "fir"),
        ("em_chosen", "Barnes"),
    ],
)
def test_each_answer_is_right_by_one_count(name, known):
    """Better ones are not looked at: in the reader's sixth passage, the fourth of its first, the third of its third."""
    found = quality(Reciting(), Reader(), [group(known)])["squad"]
    counts = ("em_given", "cited_given", "em", "em_reader", "em_chosen")
    assert {one: found[one] for one in counts} == {one: float(one == name) for one in counts}


def test_quality_is_the_mean_over_a_sources_groups():
    """A group without a passage to be silent about does not count as silent."""
    groups = [group("Barnes"), group("fir", "elm"), group("cedar", titles=[ANSWERING], source=Source.NQ)]
    found = quality(Reciting(), Reader(), groups)
    assert found["squad"] == {
        "groups": 2, "em_given": 0.0, "f1_given": 0.0, "cited_given": 0.0,
        "em": 0.0, "em_reader": 0.5, "em_chosen": 0.5, "refused": 1.0,
    }  # fmt: skip
    assert found["nq"] == {
        "groups": 1, "em_given": 0.0, "f1_given": 0.2857, "cited_given": 1.0,
        "em": 0.0, "em_reader": 1.0, "em_chosen": 1.0,
    }  # fmt: skip
