"""Passages: a document in spans of whole units, each with its headings and the end of its continuation.

A passage is no longer than its encoder reads, in the encoder's tokens, and has no more than so many words (see
``lengths`` for what a word is).
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from common.deadline import Check, go_on
from common.errors import InvalidRequestError
from retriever.text.lengths import WORD_CHARACTERS, TokenCounter, cut, word_spans
from retriever.text.packing import Packer
from retriever.text.units import units
from retriever.types import Document, Span

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """How long passages and their continuations are, in words; the index manifest records it.

    Raises:
        InvalidRequestError: unless ``words`` is at least 1 and ``continuation_words`` at least 0 (0: none).
    """

    words: int = 100
    continuation_words: int = 100

    def __post_init__(self) -> None:
        _check_count("Passage words", self.words, least=1)
        _check_count("Continuation words", self.continuation_words, least=0)


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A passage that has no row yet: its span, and where its continuation ends (``span.end``: none).

    ``headings``: those that it stands under and is read with.

    Raises:
        ValueError: when the continuation would end before the passage does.
    """

    span: Span
    continuation_end: int
    headings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.continuation_end < self.span.end:
            raise ValueError(
                f"A continuation starts where its passage ends, at {self.span.end}, "
                f"so it cannot end at {self.continuation_end}."
            )


def split(
    document: Document,
    settings: PassageSettings,
    counter: TokenCounter | None = None,
    *,
    check: Check = go_on,
) -> Iterator[PassageDraft]:
    """The document's passages in order; between them stands nothing but whitespace.

    Whole units (see ``units``) are packed as long as they fit in ``settings.words`` and, with title and headings, in
    what ``counter`` says is read. A heading stays with what it heads, and starts a new passage where the one before it
    is at least half full. The lines of a code block stay together. What is longer than a passage is cut between
    sentences, or else between words, into parts of about equal length. Where the last passage would hold less than a
    quarter of the words, units move into it from the one before, unless that would then hold as little. A passage
    never exceeds ``settings.words`` words or ``WORD_CHARACTERS`` times as many characters, whitespace
    counted. A text of whitespace alone has none.

    A continuation runs on from its passage for at most ``settings.continuation_words`` words, and at most
    ``WORD_CHARACTERS`` times as many characters. It ends with a unit, or with a word where not even one
    unit fits: so that what is quoted from it is whole.

    ``check`` is asked before each unit and each passage, and raises where the splitting has to end.
    """
    text = document.text
    whole = list(_checked(units(document), check))
    ends = [unit.span.end for unit in whole]
    for span, headings in _checked(Packer(document, settings.words, counter).packed(whole), check):
        furthest = _continuation_end(text, span.end, settings.continuation_words)
        finished = bisect_right(ends, furthest)
        last = ends[finished - 1] if finished else 0
        yield PassageDraft(span, last if last > span.end else furthest, headings)


def _checked(items: Iterator[_Item], check: Check) -> Iterator[_Item]:
    for item in items:
        check()
        yield item


def _check_count(name: str, value: object, *, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequestError(f"{name} must be a whole number of at least {least}, but got {value!r}.")


def _continuation_end(text: str, start: int, limit: int) -> int:
    """Where the continuation of a passage that ends at ``start`` ends; ``start`` when there is none."""
    last = start + limit * WORD_CHARACTERS
    # One character beyond the last allowed tells a whole word from the beginning of a longer one.
    spans = word_spans(text, start, min(last + 1, len(text)))
    words = list(islice(spans, limit + 1))
    fitting = sum(1 for _, end in words[:limit] if end <= last)
    if not fitting:
        return start
    return words[cut(text, words, 0, fitting, last - start) - 1][1]
