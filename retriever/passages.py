"""Passages: a document in spans of whole sentences, each with the end of its continuation.

Size is counted in words, where a word is at most ``WORD_CHARACTERS`` characters between spaces: what is
longer counts as several. Scripts written without spaces count two (Chinese, Japanese) or five (Thai, Lao,
Khmer, Burmese) characters a word, which fills an encoder about as far as a hundred English words do.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from common.errors import InvalidRequestError
from retriever.sentences import sentence_spans, splits_character
from retriever.types import Document, Span

WORD_CHARACTERS = 20
"""Characters allowed for each word: a passage of 100 words never exceeds 2,000 characters."""

_CHINESE_JAPANESE = "\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff61-\uff9f\U00020000-\U0003ffff"
_SOUTHEAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(
    rf"[{_CHINESE_JAPANESE}]{{1,2}}|[{_SOUTHEAST_ASIAN}]{{1,5}}"
    rf"|[^\s{_CHINESE_JAPANESE}{_SOUTHEAST_ASIAN}]{{1,{WORD_CHARACTERS}}}"
)


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

    Raises:
        ValueError: when the continuation would end before the passage does.
    """

    span: Span
    continuation_end: int

    def __post_init__(self) -> None:
        if self.continuation_end < self.span.end:
            raise ValueError(
                f"A continuation starts where its passage ends, at {self.span.end}, "
                f"so it cannot end at {self.continuation_end}."
            )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, or part of one too long for a passage; ``words`` is its length as passages count it."""

    span: Span
    words: int


def split(document: Document, settings: PassageSettings) -> Iterator[PassageDraft]:
    """The document's passages in order; between them stands nothing but whitespace.

    Whole sentences are packed as long as they fit in ``settings.words``; a longer sentence is cut between
    words, into parts of about equal length. Where the last passage would hold less than a quarter of the
    limit, sentences move into it from the one before, unless that would then hold as little. A passage
    never exceeds ``settings.words`` words or ``WORD_CHARACTERS`` times as many characters, whitespace
    counted. A text of whitespace alone has none.

    A continuation runs on from its passage for at most ``settings.continuation_words`` words, and at most
    ``WORD_CHARACTERS`` times as many characters. It ends with a sentence, or with a word where not even one
    sentence fits: so that what is quoted from it is whole.
    """
    text = document.text
    sentences = sentence_spans(text)
    ends = [sentence.end for sentence in sentences]
    for span in _packed(text, sentences, settings.words):
        furthest = _continuation_end(text, span.end, settings.continuation_words)
        finished = bisect_right(ends, furthest)
        whole = ends[finished - 1] if finished else 0
        yield PassageDraft(span, whole if whole > span.end else furthest)


def _check_count(name: str, value: object, *, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequestError(f"{name} must be a whole number of at least {least}, but got {value!r}.")


def _packed(text: str, sentences: Iterable[Span], limit: int) -> Iterator[Span]:
    """Spans of consecutive pieces, each full but for the last two, which share evenly where that helps."""
    previous: list[_Piece] = []
    current: list[_Piece] = []
    words = 0
    for piece in _pieces(text, sentences, limit):
        if current and not _fits(current, words, piece, limit):
            if previous:
                yield _joined(previous)
            previous, current, words = current, [], 0
        current.append(piece)
        words += piece.words
    for pieces in _balanced(previous, current, limit):
        yield _joined(pieces)


def _fits(pieces: list[_Piece], words: int, piece: _Piece, limit: int) -> bool:
    characters = piece.span.end - pieces[0].span.start
    return words + piece.words <= limit and characters <= limit * WORD_CHARACTERS


def _joined(pieces: list[_Piece]) -> Span:
    return Span(pieces[0].span.start, pieces[-1].span.end)


def _balanced(previous: list[_Piece], last: list[_Piece], limit: int) -> list[list[_Piece]]:
    """The last two passages' pieces; while the last is tiny, it takes from the one before what that can spare."""
    while len(previous) > 1 and _is_tiny(last, limit):
        *kept, moved = previous
        characters = last[-1].span.end - moved.span.start
        if _is_tiny(kept, limit) or characters > limit * WORD_CHARACTERS:
            break
        previous, last = kept, [moved, *last]
    return [pieces for pieces in (previous, last) if pieces]


def _is_tiny(pieces: list[_Piece], limit: int) -> bool:
    return _words(pieces) * 4 < limit


def _words(pieces: list[_Piece]) -> int:
    return sum(piece.words for piece in pieces)


def _pieces(text: str, sentences: Iterable[Span], limit: int) -> Iterator[_Piece]:
    """Sentences, and the parts of those that are longer than ``limit`` words or their characters."""
    for span in sentences:
        words = len(_WORD.findall(text, span.start, span.end))
        if words <= limit and len(span) <= limit * WORD_CHARACTERS:
            yield _Piece(span, words)
        else:
            yield from _parts(text, list(_word_spans(text, span.start, span.end)), limit)


def _word_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Words of ``text[start:end]`` as passages count them; a long one is cut between visible characters."""
    while match := _WORD.search(text, start, end):
        start = _character_end(text, match.start(), match.end(), end)
        yield match.start(), start


def _character_end(text: str, start: int, end: int, limit: int) -> int:
    """``end``, or the nearest place within a word's length that parts no visible character, or ``end``."""
    if end == limit or not splits_character(text, end):
        return end
    backwards = range(end - 1, start, -1)
    forwards = range(end + 1, min(start + WORD_CHARACTERS, limit) + 1)
    return next((at for at in (*backwards, *forwards) if not splits_character(text, at)), end)


def _parts(text: str, words: list[tuple[int, int]], limit: int) -> Iterator[_Piece]:
    """The words in runs of about equal length, none above ``limit`` words or their characters."""
    first = 0
    while first < len(words):
        rest = len(words) - first
        size = -(-rest // -(-rest // limit))  # both divisions round up
        after = _cut(text, words, first, first + size, limit * WORD_CHARACTERS)
        yield _Piece(Span(words[first][0], words[after - 1][1]), after - first)
        first = after


def _cut(text: str, words: list[tuple[int, int]], first: int, after: int, characters: int) -> int:
    """The index to end a run at that starts with word ``first``: ``after``, or less where that is better.

    Less, so that the run has at most ``characters``; then, looking back over half of it, so that it ends
    before whitespace and not within a word.
    """
    while after > first + 1 and words[after - 1][1] - words[first][0] > characters:
        after -= 1
    if after == len(words):
        return after
    candidates = range(after, first + (after - first) // 2, -1)
    return next((at for at in candidates if _is_between_words(text, words, at)), after)


def _is_between_words(text: str, words: list[tuple[int, int]], at: int) -> bool:
    start = words[at][0]
    return words[at - 1][1] < start and not splits_character(text, start)


def _continuation_end(text: str, start: int, limit: int) -> int:
    """Where the continuation of a passage that ends at ``start`` ends; ``start`` when there is none."""
    last = start + limit * WORD_CHARACTERS
    # One character beyond the last allowed tells a whole word from the beginning of a longer one.
    spans = _word_spans(text, start, min(last + 1, len(text)))
    words = list(islice(spans, limit + 1))
    fitting = sum(1 for _, end in words[:limit] if end <= last)
    if not fitting:
        return start
    return words[_cut(text, words, 0, fitting, last - start) - 1][1]
