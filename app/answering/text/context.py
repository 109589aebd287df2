"""The text around a quote, for whoever wants to see it in its place."""

from retriever.text.sentences import splits_character
from retriever.types import Span

CONTEXT_CHARACTERS = 160
_WORD_CHARACTERS = 40  # how far to look for a word's edge: text without white space is cut between characters


def text_before(text: str, span: Span) -> str:
    """At most 160 characters that end where the span starts, from the beginning of a word on.

    Exact: ``text[span.start - len(before) : span.start] == before``.
    """
    first = max(0, span.start - CONTEXT_CHARACTERS)
    near = range(first, min(first + _WORD_CHARACTERS, span.start))
    start = next((at for at in near if _word_starts(text, at)), first)
    while splits_character(text, start) and start < span.start:
        start += 1
    return text[start : span.start]


def text_after(text: str, span: Span) -> str:
    """At most 160 characters that start where the span ends, up to the end of a word.

    Exact: ``text[span.end : span.end + len(after)] == after``.
    """
    last = min(len(text), span.end + CONTEXT_CHARACTERS)
    near = range(last, max(last - _WORD_CHARACTERS, span.end), -1)
    end = next((at for at in near if _word_ends(text, at)), last)
    while splits_character(text, end) and end > span.end:
        end -= 1
    return text[span.end : end]


def _word_starts(text: str, at: int) -> bool:
    return not text[at].isspace() and (at == 0 or text[at - 1].isspace())


def _word_ends(text: str, at: int) -> bool:
    return not text[at - 1].isspace() and (at == len(text) or text[at].isspace())
