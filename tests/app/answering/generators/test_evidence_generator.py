"""What the generator asks an adapted language model for, and what it makes of it, with a scripted one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.evidence_model.adapted_lm import Pointed, QuotedAnswer, Written
from app.answering.evidence_model.evidence_input import NO_ANSWER
from app.answering.generators.evidence_generator import SAMPLES_TOGETHER, EvidenceGenerator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.types import CandidateSource, Reading, ScoredSpan
from common.deadline import NO_DEADLINE, Deadline
from common.errors import GivenUpError
from retriever.types import Hit, Passage, Span

QUESTION = "who built it"
TEXTS = (
    "Winstanley built it.",
    "Rudyerd built another.",
    "Smeaton came third.",
    "Douglass was last.",
    "It stands on a reef.",
    "The sea is rough there.",
)


class ScriptedEvidence:
    """Follows ``PrefilledEvidence``. What it was asked for is kept in ``lm.calls``."""

    def __init__(self, lm: "ScriptedAdaptedLM", windows: Sequence[str]) -> None:
        self._lm, self._windows = lm, windows

    def write(self, n=1, *, max_tokens, temperature=0.0, seed=0, deadline=NO_DEADLINE):
        self._lm.calls.append(("write", tuple(self._windows), n, temperature, seed))
        said = [self._lm.written.get(self._windows[0], NO_ANSWER)] * n
        return [
            self._found(f"{text}{number}" if temperature else text)
            for number, text in enumerate(said, start=1)
        ]

    def write_quoted(self, *, deadline=NO_DEADLINE):
        self._lm.calls.append(("write_quoted", tuple(self._windows)))
        return self._lm.quoted

    def score(self, answers, *, deadline):
        self._lm.calls.append(("score", tuple(self._windows), tuple(answers)))
        return [self._found(answer) for answer in answers]

    def _found(self, answer):
        spans = tuple(
            (number, Span(window.index(answer), window.index(answer) + len(answer)), 0.6)
            for number, window in enumerate(self._windows)
            if answer and answer in window
        )
        return Written(answer, -float(len(answer)), 2, answer not in self._lm.cut, Pointed(0.75, 0.25, spans))


class ScriptedAdaptedLM:
    """Follows ``AdaptedLM``. ``written``: by the first window; ``cut``: answers that never end."""

    evidence = ScriptedEvidence
    sampled: Sequence[str] = ()

    def __init__(self, written: Mapping[str, str], cut: Sequence[str] = ()) -> None:
        self.written, self.cut, self.calls = written, cut, []
        self.quoted: QuotedAnswer | None = None

    def read(self, question, passages, *, deadline, quoted=False):
        self.calls.append(("read quoted" if quoted else "read", question, tuple(passages)))
        return self.evidence(self, [window for _, window in passages])


class EntangledEvidence(ScriptedEvidence):
    """As of a real model: how many are written, and what else is judged, has a bearing on each."""

    def write(self, n=1, *, max_tokens, temperature=0.0, seed=0, deadline=NO_DEADLINE):
        if not temperature:
            return super().write(n, max_tokens=max_tokens)
        said = self._lm.sampled
        return [self._found(said[(3 * n + 5 * seed + number) % len(said)]) for number in range(n)]

    def score(self, answers, *, deadline):
        given = "".join(answers)
        return [
            replace(one, logprob=one.logprob - len(given), finished=True)
            for one in super().score(answers, deadline=deadline)
        ]


def reading(row, *, continuation="", pointed=None):
    text = TEXTS[row]
    passage = Passage(row, f"d{row}", f"T{row}", text, Span(100 * row, 100 * row + len(text)), continuation)
    spans = ()
    if pointed is not None:
        start = 100 * row + passage.window.index(pointed)
        spans = (ScoredSpan(Span(start, start + len(pointed)), 0.5),)
    return Reading(Hit(passage, 1.0 / (row + 1), row + 1), 0.9, spans)


def readings():
    return [
        reading(0, continuation=" It fell.", pointed="Winstanley"),
        reading(1, pointed="Rudyerd"),
        reading(2),
    ]


def generated(lm, n=1, *, together=2, found=None, reader=True, quoting=False, deadline=NO_DEADLINE):
    reader = ReaderGenerator() if reader else None
    generator = EvidenceGenerator(lm, reader, together=together, quoting=quoting)
    found = readings() if found is None else found
    return generator.generate(QUESTION, found, n=n, seed=7, deadline=deadline)


def test_the_best_passages_are_read_once_together_and_without_continuations():
    lm = ScriptedAdaptedLM({TEXTS[0]: "Winstanley"})
    generated(lm)
    assert [call for call in lm.calls if call[0] == "read"] == [
        ("read", QUESTION, (("T0", TEXTS[0]), ("T1", TEXTS[1])))
    ]


def test_a_passage_alone_is_read_with_its_continuation():
    lm = ScriptedAdaptedLM({})
    generated(lm, together=1)
    assert lm.calls[0] == ("read", QUESTION, (("T0", f"{TEXTS[0]} It fell."),))


def test_every_candidate_has_the_opinion_of_whoever_read_the_best_passages():
    first, second, written = generated(ScriptedAdaptedLM({TEXTS[0]: "Winstanley"}))
    assert [one.source for one in (first, second)] == [CandidateSource.READER] * 2
    assert written.source is CandidateSource.LM
    assert first.opinion.logprob == written.opinion.logprob == -10.0
    assert (first.opinion.right, first.opinion.null) == (0.75, 0.25)
    assert (second.opinion.pointer, second.opinion.pointed) == (Span(100, 107), 0.6)  # of the document


def test_each_answer_of_a_passage_is_judged_by_itself():
    found = replace(readings()[0], spans=(*readings()[0].spans, ScoredSpan(Span(0, 3), 0.1)))
    first, second = generated(ScriptedAdaptedLM({}), found=[found])
    assert (first.answer, second.answer) == ("Winstanley", TEXTS[0][:3])
    assert (first.opinion.logprob, second.opinion.logprob) == (-10.0, -3.0)
    assert (first.opinion.pointer, second.opinion.pointer) == (first.pointer, Span(0, 3))


def test_an_opinion_points_into_the_candidates_own_passage_or_nowhere():
    found = [reading(2, pointed="Smeaton"), reading(0), reading(1, pointed="built")]
    lm = ScriptedAdaptedLM({})
    smeaton, built = generated(lm, found=found)
    assert smeaton.opinion.pointer == Span(200, 207)
    assert (built.opinion.pointer, built.opinion.pointed) == (None, 0.0)  # its passage was not read


def test_a_written_answer_is_of_the_passage_that_it_points_into():
    (*_, written) = generated(ScriptedAdaptedLM({TEXTS[0]: "Rudyerd"}))
    assert (written.answer, written.passage.row) == ("Rudyerd", 1)
    (*_, vague) = generated(ScriptedAdaptedLM({TEXTS[0]: "nobody"}))
    assert (vague.answer, vague.passage.row) == ("nobody", 0)


def test_given_answers_are_scored_before_one_is_written_and_it_is_not_scored_again():
    lm = ScriptedAdaptedLM({TEXTS[0]: "Smeaton"})
    generated(lm)
    assert [call[0] for call in lm.calls] == ["read", "score", "write", "score"]
    assert lm.calls[1][2] == ("Winstanley", "Rudyerd")
    assert lm.calls[3][2] == ()


def test_an_answer_that_is_tidied_is_scored_as_it_is_given():
    lm = ScriptedAdaptedLM({TEXTS[0]: '"Smeaton."'})
    (*_, written) = generated(lm)
    assert written.answer == "Smeaton."
    assert lm.calls[-1][2] == ("Smeaton.",)
    assert written.opinion.logprob == -8.0


@pytest.mark.parametrize("said", [NO_ANSWER, "", "Not in the passages."])
def test_no_answer_is_no_candidate(said):
    assert [one.source for one in generated(ScriptedAdaptedLM({TEXTS[0]: said}))] == [
        CandidateSource.READER
    ] * 2


def test_an_answer_that_was_cut_off_is_no_candidate():
    lm = ScriptedAdaptedLM({TEXTS[0]: "Smeaton and"}, cut=["Smeaton and"])
    assert all(one.source is CandidateSource.READER for one in generated(lm))


def test_further_answers_come_from_passages_with_something_in_them_one_by_one_then_from_samples():
    lm = ScriptedAdaptedLM({TEXTS[0]: "Winstanley", TEXTS[1]: "Rudyerd", TEXTS[2]: "Smeaton"})
    found = [one for one in generated(lm, n=4) if one.source is CandidateSource.LM]
    assert [(one.answer, one.sample, one.attempt) for one in found] == [
        ("Winstanley", 0, 0), ("Rudyerd", 0, 1), ("Winstanley1", 1, 2), ("Winstanley2", 2, 3),
    ]  # fmt: skip
    assert [call[2] for call in lm.calls if call[0] == "read"] == [
        (("T0", TEXTS[0]), ("T1", TEXTS[1])), (("T1", TEXTS[1]),),
    ]  # fmt: skip
    assert ("write", (TEXTS[0], TEXTS[1]), SAMPLES_TOGETHER, 0.7, 7000) in lm.calls
    assert all(one.opinion is not None for one in found)


@pytest.mark.parametrize(
    ("pointed", "alone"),
    [
        (("Winstanley", None, "Smeaton"), [2]),
        ((None, "Rudyerd", "Smeaton"), [1, 2]),
        (("Winstanley", None, None), []),
        ((None, None, None), [1, 2]),  # the reader helps nobody choose
    ],
)
def test_a_passage_is_read_alone_where_the_reader_found_something_and_the_best_one_never(pointed, alone):
    lm = ScriptedAdaptedLM({})
    generated(lm, n=9, found=[reading(row, pointed=span) for row, span in enumerate(pointed)])
    assert [call[2] for call in lm.calls if call[0] == "read"][1:] == [
        ((f"T{row}", TEXTS[row]),) for row in alone
    ]


def test_sixteen_are_one_of_the_best_passages_seven_of_single_ones_and_eight_samples():
    texts = [f"Keeper{row} lit it." for row in range(20)]
    passages = [Passage(row, f"d{row}", "", text, Span(0, len(text)), "") for row, text in enumerate(texts)]
    found = [
        Reading(Hit(one, 1.0, one.row + 1), 0.5, (ScoredSpan(Span(0, 7), 0.5),) if one.row < 8 else ())
        for one in passages
    ]
    lm = ScriptedAdaptedLM({text: f"Keeper{row}" for row, text in enumerate(texts)})
    written = [one for one in generated(lm, n=16, found=found) if one.attempt is not None]
    assert [one.attempt for one in written] == list(range(16))
    assert [one.answer for one in written[:8]] == [f"Keeper{row}" for row in range(8)]
    assert [one.sample for one in written] == [0] * 8 + list(range(1, 9))


def test_further_samples_have_a_seed_of_their_own():
    lm = ScriptedAdaptedLM({TEXTS[0]: "Winstanley"})
    found = generated(lm, n=3 + SAMPLES_TOGETHER)
    drawn = [call for call in lm.calls if call[0] == "write" and call[3]]
    assert [(call[2], call[4]) for call in drawn] == [(SAMPLES_TOGETHER, 7000), (SAMPLES_TOGETHER, 7008)]
    assert found[-1].sample == SAMPLES_TOGETHER + 1


def test_past_its_deadline_nothing_more_is_read_or_written_and_what_there_is_comes_back():
    lm = ScriptedAdaptedLM({TEXTS[0]: "Smeaton", TEXTS[1]: "Rudyerd"})
    found = generated(lm, n=16, deadline=Deadline.after(-1))
    assert [(one.answer, one.attempt) for one in found] == [("Winstanley", None), ("Rudyerd", None)]
    assert [call[0] for call in lm.calls] == ["read", "score"]


def test_when_the_deadline_comes_while_passages_are_read_the_readers_answers_are_left_unjudged():
    class Late(ScriptedAdaptedLM):
        def read(self, question, passages, *, deadline, quoted=False):
            deadline.check("generate")

    found = generated(Late({}), deadline=Deadline.after(-1))
    assert [(one.answer, one.opinion) for one in found] == [("Winstanley", None), ("Rudyerd", None)]


def test_a_question_that_was_given_up_leaves_nothing():
    deadline = Deadline()
    deadline.give_up()
    with pytest.raises(GivenUpError):
        generated(ScriptedAdaptedLM({}), deadline=deadline)


def test_an_answer_that_there_was_no_time_to_judge_has_no_opinion():
    class JudgesOne(ScriptedEvidence):
        def score(self, answers, *, deadline):
            return super().score(answers, deadline=deadline)[:1]

    lm = ScriptedAdaptedLM({})
    lm.evidence = JudgesOne
    found = generated(lm, deadline=Deadline.after(-1))
    assert [(one.answer, one.opinion is None) for one in found] == [("Winstanley", False), ("Rudyerd", True)]


SAID = st.sampled_from(["Winstanley", "Rudyerd", '"Smeaton."', "Smeaton", "reef", "cut off", "", NO_ANSWER])


@given(data=st.data(), quoting=st.booleans(), reader=st.booleans(), together=st.integers(1, 3))
def test_fewer_candidates_are_those_of_the_first_attempts_of_more(data, quoting, reader, together):
    lm = ScriptedAdaptedLM({text: data.draw(SAID) for text in TEXTS}, cut=["cut off"])
    lm.evidence = EntangledEvidence
    lm.sampled = data.draw(st.lists(SAID, min_size=1, max_size=30))
    lm.quoted = QuotedAnswer(data.draw(SAID), 0, Span(0, 5), -3.0, 9, True)
    found = [
        reading(row, pointed=TEXTS[row][:7] if data.draw(st.booleans()) else None)
        for row in range(data.draw(st.integers(1, len(TEXTS))))
    ]
    few, many = sorted(data.draw(st.tuples(st.integers(1, 30), st.integers(1, 30))))
    of_few, of_many = (
        generated(lm, n, together=together, found=found, reader=reader, quoting=quoting) for n in (few, many)
    )
    assert of_few == [one for one in of_many if one.attempt is None or one.attempt < few]
    assert {one.attempt is None for one in of_few} <= {reader, False}
    attempts = [one.attempt for one in of_few if one.attempt is not None]
    assert attempts == sorted(set(attempts))


def test_without_a_reader_the_language_model_answers_alone():
    found = generated(ScriptedAdaptedLM({TEXTS[0]: "Winstanley"}), reader=False)
    assert [(one.answer, one.source) for one in found] == [("Winstanley", CandidateSource.LM)]


def test_nothing_read_gives_nothing():
    lm = ScriptedAdaptedLM({})
    assert generated(lm, found=[]) == []
    assert lm.calls == []


def test_a_quoting_model_brings_the_quote_that_it_wrote():
    lm = ScriptedAdaptedLM({})
    lm.quoted = QuotedAnswer("Rudyerd", 1, Span(0, 13), -3.0, 9, True)
    (*_, written) = generated(lm, quoting=True)
    assert (written.answer, written.source) == ("Rudyerd", CandidateSource.CONSTRAINED)
    assert (written.passage.row, written.pointer) == (1, Span(100, 113))
    assert (written.logprob, written.tokens) == (-3.0, 9)
    assert written.opinion.logprob == -7.0  # as the model judges it unquoted
    assert ("read quoted", QUESTION, (("T0", TEXTS[0]), ("T1", TEXTS[1]))) in lm.calls
    assert not any(call[0] == "write" for call in lm.calls)


@pytest.mark.parametrize(
    "quoted",
    [
        None,
        QuotedAnswer("Rudyerd", 1, Span(0, 13), -3.0, 9, False),
        QuotedAnswer(NO_ANSWER, 1, Span(0, 13), -3.0, 9, True),
    ],
)
def test_a_quote_that_was_cut_off_or_backs_nothing_is_no_candidate(quoted):
    lm = ScriptedAdaptedLM({})
    lm.quoted = quoted
    assert all(one.source is CandidateSource.READER for one in generated(lm, quoting=True))
