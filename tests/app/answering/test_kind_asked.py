"""Which kind of answer is asked for: the likeliest over all that was read closely."""

import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.kind_asked import kind_asked
from app.answering.options import AnswerLength
from app.answering.types import BroadReading, Reading
from retriever.types import Hit, Passage, Span

HIT = Hit(Passage(0, "a", "A", "a", Span(0, 1)), score=1.0, rank=1)


def read(**kinds):
    told = {kind: kinds.get(kind.name.lower(), 0.0) for kind in AnswerKind}
    return Reading(HIT, 0.5, (), BroadReading(told, 0.5, ()))


OPEN = "the lock of a door"
UNREAD = Reading(HIT, 0.5, ())


@pytest.mark.parametrize(
    ("readings", "kind"),
    [
        ([read(short=0.6, explanation=0.4)], AnswerKind.SHORT),
        ([read(short=0.6, list=0.4), read(short=0.1, list=0.9)], AnswerKind.LIST),
        ([UNREAD, read(yes_no=0.8, short=0.2), UNREAD], AnswerKind.YES_NO),
        ([UNREAD], AnswerKind.SHORT),
        ([], AnswerKind.SHORT),
    ],
)
def test_the_likeliest_kind_over_what_was_read_closely_is_asked_for(readings, kind):
    assert kind_asked(OPEN, readings, AnswerLength.AUTO) is kind
    assert kind_asked(OPEN, readings, AnswerLength.LONG) is kind


def test_who_wants_a_short_answer_gets_one():
    assert kind_asked(OPEN, [read(explanation=1.0)], AnswerLength.SHORT) is AnswerKind.SHORT


@pytest.mark.parametrize(
    ("question", "short", "kind"),
    [
        ("how many days may I carry over", 0.05, AnswerKind.SHORT),
        ("how many days may I carry over", 0.01, AnswerKind.EXPLANATION),
        (OPEN, 0.05, AnswerKind.EXPLANATION),
        (OPEN, 0.6, AnswerKind.SHORT),
    ],
)
def test_the_form_of_the_question_counts_fifty_times(question, short, kind):
    assert kind_asked(question, [read(short=short, explanation=1 - short)], AnswerLength.AUTO) is kind


@pytest.mark.parametrize("question", ["why is it locked", "how is a lock made", "what is a lock"])
def test_why_and_how_ask_for_an_explanation_whatever_the_passages_say(question):
    assert kind_asked(question, [read(short=1.0)], AnswerLength.AUTO) is AnswerKind.EXPLANATION
    assert kind_asked(question, [read(short=1.0)], AnswerLength.SHORT) is AnswerKind.SHORT
