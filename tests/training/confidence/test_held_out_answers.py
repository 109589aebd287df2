"""What is asked of texts that nothing was learnt from, and what counts as right."""

import math
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from app.answering.answer_kind import AnswerKind
from app.answering.confidence.features import FEATURES
from app.answering.options import AnswerOptions
from app.answering.types import (
    AbstainReason,
    Abstention,
    Candidate,
    CandidateSource,
    Citation,
    CitedAnswer,
    CitedCandidate,
    Quote,
    Reading,
    Trace,
)
from common.errors import LoccitError
from retriever.types import Document, Hit, Passage, Span
from training.confidence.held_out_answers import (
    asked,
    held_out,
    held_out_outcomes,
    manual_outcomes,
    outcome,
    windows_as_documents,
)
from training.data.evidence import MANUALS, EvidenceGroup, EvidencePassage
from training.reader.train import HELD_OUT_TEXTS

SENTENCES = ("The lock is old.", "Turn the key.", "Lift the gate.")
TEXT = " ".join(SENTENCES)
SPANS = tuple(Span(TEXT.index(one), TEXT.index(one) + len(one)) for one in SENTENCES)


def group(*evidence, kind=AnswerKind.EXPLANATION, verdict=None, doc="d", number=0):
    passage = EvidencePassage(
        "Lock", TEXT, tuple((span, n in evidence) for n, span in enumerate(SPANS)), (), bool(evidence)
    )
    return EvidenceGroup(f"faq-{number}", "faq", doc, "how does it open", kind, verdict, (passage,))


class Answering:
    """A pipeline that answers with these sentences, surest first, or abstains."""

    options = AnswerOptions(min_confidence=0.5)

    def __init__(self, *quoted, said="Turn the key.", kind=AnswerKind.EXPLANATION):
        self.quoted, self.said, self.kind, self.thresholds = quoted, said, kind, []

    def answer(self, question, options=None):
        self.thresholds.append((options or self.options).min_confidence)
        document = Document("0", "Lock", TEXT)
        passage = Passage(1, "0", "Lock", TEXT, Span(0, len(TEXT)))
        hit = Hit(passage, 1.0, 1)
        citations = tuple(Citation.of(Quote(document, SPANS[n]), support=0.4) for n in self.quoted)
        candidate = Candidate(self.said, passage, CandidateSource.EVIDENCE, -0.5, 1)
        cited = (CitedCandidate(candidate, citations[:1], 0.6),) if citations else ()
        decision = (
            CitedAnswer(self.said, self.said, citations, 0.6, passage, kind=self.kind)
            if citations
            else Abstention(AbstainReason.NO_CANDIDATE, 0.0, (), self.kind)
        )
        readings = (Reading(hit, 0.8, ()),)
        return Trace(question, (hit,), readings, (candidate,), cited, decision, {"read": 0.25})


@pytest.mark.parametrize(
    ("evidence", "quoted", "right", "precision", "recall"),
    [
        ((1, 2), (1, 2), True, 1.0, 1.0),
        ((1, 2), (0, 1), False, 0.5, 0.5),
        ((1,), (1, 0, 2), True, 1 / 3, 1.0),
        ((0,), (1, 2), False, 0.0, 0.0),
    ],
)
def test_an_answer_is_right_when_its_sentence_is_evidence_and_precise_when_all_it_quotes_is(
    evidence, quoted, right, precision, recall
):
    pipeline = Answering(*quoted)
    found = outcome(pipeline, group(*evidence))
    assert (found.right, found.precision, found.recall) == (right, pytest.approx(precision), recall)
    assert (found.confidence, found.kind, found.given, found.seconds) == (
        0.6,
        "explanation",
        "explanation",
        0.25,
    )
    assert pipeline.thresholds == [0.0]
    (considered,) = found.candidates
    assert considered.right is right
    assert dict(zip(FEATURES, considered.features, strict=True)) == pytest.approx(
        {
            **dict.fromkeys(FEATURES, 0.0),
            "pointer": logit(1e-4), "retrieval_score": 1.0, "support": 0.4, "answerability": logit(0.8),
            "broad": -math.log(math.exp(0.5) - 1),
        },
        abs=1e-9,
    )  # fmt: skip


def test_every_candidate_is_judged_and_the_surest_tells_of_the_answer():
    class Two(Answering):
        def answer(self, question, options=None):
            trace = super().answer(question, options)
            (first,) = trace.cited
            document = Document("0", "Lock", TEXT)
            other = replace(
                first, confidence=0.7, citations=(Citation.of(Quote(document, SPANS[2]), support=0.4),)
            )
            return replace(trace, cited=(first, other))

    found = outcome(Two(1), group(1))
    assert [one.right for one in found.candidates] == [True, False]
    assert found.right is False


def logit(probability):
    return math.log(probability / (1 - probability))


@pytest.mark.parametrize(
    ("quoted", "right", "precision", "recall"),
    [((1, 0), True, 1.0, 0.5), ((0, 1), False, 0.0, 0.0), ((1, 2), True, 1.0, 0.5)],
)
def test_of_a_short_answer_the_first_quote_alone_counts(quoted, right, precision, recall):
    found = outcome(Answering(*quoted, kind=AnswerKind.SHORT), group(1, 2, kind=AnswerKind.SHORT))
    assert (found.right, found.precision, found.recall) == (right, precision, recall)


@pytest.mark.parametrize(
    ("said", "kind", "right"),
    [
        ("the key", AnswerKind.SHORT, True),
        ("Turn the key.", AnswerKind.SHORT, True),
        ("key", AnswerKind.SHORT, True),
        ("the gate", AnswerKind.SHORT, False),
        ("ke", AnswerKind.SHORT, False),
        ("the gate", AnswerKind.EXPLANATION, True),
    ],
)
def test_a_few_words_are_right_where_they_are_those_asked_for(said, kind, right):
    asked_for = group(1, kind=AnswerKind.SHORT)
    start = TEXT.index("the key")
    (passage,) = asked_for.passages
    named = replace(asked_for, passages=(replace(passage, answers=(Span(start, start + 7),)),))
    assert outcome(Answering(1, said=said, kind=kind), named).right is right


@pytest.mark.parametrize(("said", "right"), [("Yes", True), ("No", False)])
def test_a_verdict_is_right_when_people_said_so(said, right):
    asked_for = group(0, kind=AnswerKind.YES_NO, verdict=True)
    assert outcome(Answering(1, said=said, kind=AnswerKind.YES_NO), asked_for).right is right


def test_where_a_sentence_answers_a_question_for_yes_or_no_its_evidence_tells_if_there_is_some():
    with_evidence = group(0, kind=AnswerKind.YES_NO, verdict=True)
    assert outcome(Answering(0), with_evidence).right is True
    assert outcome(Answering(1), with_evidence).right is False
    (passage,) = with_evidence.passages
    without = replace(with_evidence, passages=(replace(passage, sentences=None),))
    assert outcome(Answering(0), without).right is None


def test_where_every_sentence_is_evidence_nobody_knows():
    assert outcome(Answering(1), group(0, 1, 2)).right is None
    assert outcome(Answering(1), group(1, 2)).right is True


def test_where_nothing_answers_nothing_is_right():
    found = outcome(Answering(1), group())
    assert (found.answerable, found.right, found.precision) == (False, False, None)


def test_an_abstention_says_nothing_and_has_no_candidate():
    found = outcome(Answering(), group(1))
    assert (found.said, found.right, found.candidates, found.confidence) == (None, False, (), 0.0)


def test_texts_are_documents_once_each_and_every_question_is_asked(tmp_path):
    groups = [group(1), group(2, number=1)]
    (document,) = windows_as_documents(groups)
    assert (document.title, document.text) == ("Lock", TEXT)
    found = asked(lambda: Answering(1), groups, Console(quiet=True), path=tmp_path / "run", state={})
    assert [(one.id, one.right) for one in found] == [("faq-0", True), ("faq-1", False)]


@pytest.fixture
def ask(tmp_path):
    def ask(pipeline, groups, state="as it is"):
        path = tmp_path / "runs" / "kept.jsonl"
        return asked(lambda: pipeline, groups, Console(quiet=True), path=path, state={"models": state})

    return ask


class CutError(Exception):
    pass


class Interrupted(Answering):
    def answer(self, question, options):
        if self.thresholds:
            raise CutError
        return super().answer(question, options)


def test_what_was_asked_before_an_interruption_is_not_asked_again(tmp_path, ask):
    groups = [group(1), group(2, number=1), group(0, number=2)]
    with pytest.raises(CutError):
        ask(Interrupted(1), groups)
    path = tmp_path / "runs" / "kept.jsonl"
    path.write_bytes(path.read_bytes() + b'{"part": "fa')  # killed within a line
    pipeline = Answering(1)
    found = ask(pipeline, groups)
    assert len(pipeline.thresholds) == 2
    assert ask(Answering(), groups) == found == [outcome(Answering(1), one) for one in groups]


def test_where_every_answer_is_kept_nothing_is_opened_to_answer(tmp_path, ask):
    found = ask(Answering(1), [group(1)])
    path = tmp_path / "runs" / "kept.jsonl"
    assert asked(None, [group(1)], Console(quiet=True), path=path, state={"models": "as it is"}) == found


def test_what_another_state_answered_is_refused(ask):
    ask(Answering(1), [group(1)])
    with pytest.raises(LoccitError, match="other models, settings or rules"):
        ask(Answering(1), [group(1)], state="another")


def test_a_damaged_line_is_told(tmp_path, ask):
    ask(Answering(1), [group(1)])
    path = tmp_path / "runs" / "kept.jsonl"
    path.write_bytes(path.read_bytes() + b'{"id": "faq-9"}\n')
    with pytest.raises(LoccitError, match="is damaged"):
        ask(Answering(1), [group(1)])


class Prepared:
    fingerprint = "of these sets"

    def __init__(self, **sets):
        self._sets = sets

    def groups(self):
        return self._sets


def test_only_texts_that_are_held_out_are_asked_about_and_only_where_right_is_known():
    groups = [group(1, doc=f"project {n}", number=n) for n in range(200)]
    apart = [one for one in groups if one.is_held_out(share=HELD_OUT_TEXTS)]
    unknown = [replace(one, kind=AnswerKind.YES_NO) for one in apart]
    assert 3 < len(apart) < 60
    manuals = [replace(one, source=MANUALS) for one in apart]
    assert list(held_out(Prepared(faq=groups, polls=unknown, manuals=manuals), each=3)) == apart[:3]


class Manuals:
    """Three questions over one manual, one of them lost, and one over a manual that there is not."""

    lost = ("gone", "of the roof")

    def __init__(self):
        self.groups = [replace(group(1, doc="manuals:lock", number=n), source=MANUALS) for n in range(3)]

    def __iter__(self):
        return iter(self.groups)

    def elsewhere(self):
        yield replace(group(doc="manuals:roof", number=9), source=MANUALS, passages=())

    def description(self):
        return {}


@pytest.mark.parametrize(
    ("each", "elsewhere", "answerable", "lost"),
    [(2, True, [True, True, False], "1 question."), (None, False, [True] * 3, "2 questions.")],
)
def test_of_each_manual_so_many_are_asked_and_where_wanted_of_those_that_are_not_there(
    tmp_path, each, elsewhere, answerable, lost
):
    out = StringIO()
    found = manual_outcomes(
        Manuals(), Answering(1), {}, Console(file=out), tmp_path / "run", each=each, elsewhere=elsewhere
    )
    assert [one.answerable for one in found] == answerable
    assert [one.right for one in found] == answerable
    assert out.getvalue().splitlines()[0] == f"Not in these manuals: {lost}"


def test_an_index_that_answers_no_question_is_refused(tmp_path):
    nothing = Manuals()
    nothing.groups = []
    with pytest.raises(
        LoccitError, match=r"No question has its answer in this index; give one of the manuals"
    ):
        manual_outcomes(nothing, Answering(1), {}, Console(quiet=True), tmp_path / "run", elsewhere=True)
    assert not (tmp_path / "run").exists()


def test_of_manuals_each_is_a_part_of_its_own():
    of_manual = replace(group(1, doc="manuals:lock"), source=MANUALS)
    assert outcome(Answering(1), of_manual).part == "manuals:lock"
    assert outcome(Answering(1), group(1)).part == "faq"


def test_data_without_a_held_out_text_is_refused(tmp_path):
    groups = [group(1, doc=f"project {n}", number=n) for n in range(200)]
    learnt_from = Prepared(faq=[one for one in groups if not one.is_held_out(share=HELD_OUT_TEXTS)])
    with pytest.raises(
        LoccitError, match=r"holds no question over a text that is held out; .*--evidence-only"
    ):
        held_out_outcomes(
            learnt_from,
            3,
            lambda _: None,
            {},
            Console(quiet=True),
            tmp_path / "run",
        )
    assert not (tmp_path / "run").exists()


def test_texts_are_searched_only_where_an_answer_is_missing_and_a_first_answer_is_not_kept(tmp_path):
    groups = [group(1, doc=f"project {n}", number=n) for n in range(200)]
    opened = []

    def over(documents):
        opened.append(Answering(1))
        return opened[-1]

    def outcomes(each):
        return held_out_outcomes(Prepared(faq=groups), each, over, {}, Console(quiet=True), tmp_path / "run")

    found = outcomes(2)
    assert outcomes(2) == found
    (pipeline,) = opened
    assert len(pipeline.thresholds) == 1 + len(found) == 3
