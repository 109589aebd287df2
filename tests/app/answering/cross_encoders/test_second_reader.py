"""The second reading: whose spans count, how answerability is shared, and what is not read again."""

import pytest

from app.answering.cross_encoders.reader_model import Judgement
from app.answering.cross_encoders.second_reader import SecondReader
from app.answering.cross_encoders.trained_reader import TrainedReader
from common.deadline import NO_DEADLINE
from retriever.types import Hit, Passage, Span

TEXT = "Vienna is on the Danube. So is Linz."


class Says:
    """Judges windows of these titles so; records what it was asked."""

    def __init__(self, sha256, **judgements):
        self.sha256, self._judgements, self.asked = sha256, judgements, []

    def judge(self, question, passages, *, whole, deadline=NO_DEADLINE):
        self.asked.append([title for title, _ in passages])
        return [self._judgements[title] for title, _ in passages]


def hit(title, rank, start=0):
    return Hit(Passage(rank, title, title, TEXT, Span(start, start + len(TEXT))), score=1.0, rank=rank)


def judged(answerability, *spans):
    return Judgement(answerability, tuple((Span(*span), probability) for *span, probability in spans))


SMALL = Says(
    "small",
    a=judged(0.5, (0, 6, 0.2)),
    b=judged(0.9, (0, 6, 0.5)),
    c=judged(0.8, (31, 35, 0.1)),
    d=judged(0.1, (0, 6, 0.1)),
)


@pytest.fixture
def strong():
    return Says("strong", b=judged(0.2, (17, 23, 0.3)), c=judged(0.8, (0, 6, 0.6), (31, 35, 0.1)))


@pytest.fixture
def readings(strong):
    reader = SecondReader(TrainedReader(SMALL), strong, passages=2)
    return reader.read("who", [hit("a", 1), hit("b", 2, 100), hit("c", 3), hit("d", 4)])


def test_only_the_most_answerable_are_read_again(strong, readings):
    assert strong.asked == [["b", "c"]]
    assert len(readings) == 4


def test_answerability_lies_between_both_readings(readings):
    found = {reading.hit.passage.title: reading.answerability for reading in readings}
    # odds of 9 and 1/4: their geometric mean is 1.5; 4 and 4: 4
    assert found["b"] == pytest.approx(0.6)
    assert found["c"] == pytest.approx(0.8)
    assert (found["a"], found["d"]) == (pytest.approx(0.5), pytest.approx(0.1))
    assert [reading.hit.passage.title for reading in readings] == ["c", "b", "a", "d"]


def test_spans_are_the_second_readings_in_characters_of_the_document(readings):
    spans = {
        reading.hit.passage.title: [(span.span, span.score) for span in reading.spans] for reading in readings
    }
    assert spans == {
        "b": [(Span(117, 123), 0.3)],
        "c": [(Span(0, 6), 0.6), (Span(31, 35), 0.1)],
        "a": [],
        "d": [],
    }


def test_certain_judgements_stay_finite():
    strong = Says("strong", a=judged(1.0))
    (reading,) = SecondReader(TrainedReader(Says("small", a=judged(0.0))), strong).read("who", [hit("a", 1)])
    assert reading.answerability == pytest.approx(0.5)


def test_its_digest_is_of_both_readers_and_of_how_much_is_read_again():
    def sha256(small, strong, passages=3):
        return SecondReader(TrainedReader(Says(small)), Says(strong), passages=passages).sha256

    assert (
        len({sha256("1", "2"), sha256("1", "3"), sha256("2", "2"), sha256("2", "1"), sha256("1", "2", 4)})
        == 5
    )
