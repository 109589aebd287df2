"""Conflict: another document that gives another answer, and is not far less sure."""

import re
from collections.abc import Sequence

from app.answering.text.identity import answer_identity
from app.answering.types import CitedCandidate

_MONTH = re.compile("january|february|march|april|may|june|july|august|september|october|november|december")
_DAY = re.compile(r"(?<=\d)(?:st|nd|rd|th)$")
_TO = frozenset({"to", "until", "till", "through"})
LEAST_SHARE = 0.3  # of the confidence; docs/decisions/0019-a-conflict-is-told.md


def conflict_with(best: CitedCandidate, others: Sequence[CitedCandidate]) -> CitedCandidate | None:
    """The first of the others that contradicts the best one; None when none does.

    It does when it has at least ``LEAST_SHARE`` of its confidence, is quoted from other documents alone, and says
    something else: neither has all words of the other, order aside and as ``answer_identity`` has them. So "Paris"
    and "Paris, France" are not in conflict, nor are "31 March 1889" and "March 31st, 1889". "9 to 5" and "5 to 9" are.

    ``others``: most confident first.
    """
    documents = {citation.doc_id for citation in best.citations}
    for other in others:
        elsewhere = documents.isdisjoint(citation.doc_id for citation in other.citations)
        near = other.confidence >= LEAST_SHARE * best.confidence
        if near and elsewhere and not _one_says_the_other(best.candidate.answer, other.candidate.answer):
            return other
    return None


def _one_says_the_other(one: str, other: str) -> bool:
    first, second = _words(one), _words(other)
    if _is_range(first) and _is_range(second) and _numbers(first) != _numbers(second):
        return False
    return set(first) <= set(second) or set(second) <= set(first)


def _words(answer: str) -> list[str]:
    """Of an answer that says nothing, its marks. A day of a month is its number: "1st" is "1"."""
    words = answer_identity(answer).split() or answer.split()
    return [_DAY.sub("", word) for word in words] if any(map(_MONTH.fullmatch, words)) else words


def _is_range(words: Sequence[str]) -> bool:
    return not _TO.isdisjoint(words) and len(_numbers(words)) > 1


def _numbers(words: Sequence[str]) -> list[str]:
    return [word for word in words if word[:1].isdecimal()]
