"""Which passages of a group with evidence are shown together."""

from collections import Counter
from random import Random

from app.answering.answer_kind import AnswerKind
from app.answering.cross_encoders.reader_input import ReaderTokenizer
from retriever.types import Span
from training.data.evidence import MANUALS, EvidenceGroup, EvidencePassage
from training.reader.example import BESIDE, SILENT, evidence_example


def passage(number, *, answers=False):
    text = f"The lock number {number} waits thirty seconds."
    found = (Span(text.index("thirty"), len(text) - 1),) if answers else ()
    return EvidencePassage("Locks", text, ((Span(0, len(text)), answers),), found, answers)


def shown(base, source, *, draws=400, positives=1):
    """How often so many passages that answer, and that do not, were shown together; and whether the pointer learns."""
    group = EvidenceGroup(
        "g", source, "d", "how long does it wait", AnswerKind.SHORT, None,
        tuple(passage(n, answers=n < positives) for n in range(6)),
    )  # fmt: skip
    tokenizer = ReaderTokenizer(base)
    examples = [evidence_example(group, tokenizer, Random(n)) for n in range(draws)]
    assert all(one.pointed for one in examples)
    return Counter((sum(one.answerable), len(one.answerable) - sum(one.answerable)) for one in examples)


def test_with_a_passage_of_a_manual_two_that_were_found_and_do_not_answer(base):
    counts = shown(base, MANUALS)
    assert set(counts) == {(1, 2), (0, 3)}
    assert abs(counts[0, 3] / counts.total() - SILENT) < 0.06


def test_with_a_passage_of_another_text_sometimes_one(base):
    counts = shown(base, "faq_docs")
    assert set(counts) == {(1, 0), (1, 1)}
    assert abs(counts[1, 1] / counts.total() - BESIDE) < 0.1
    assert set(shown(base, "faq_docs", positives=0)) == {(0, 1)}


def test_a_question_that_a_manual_does_not_answer_is_shown_with_three(base):
    assert set(shown(base, MANUALS, positives=0)) == {(0, 3)}
