"""Texts that were published as tokens with spaces between them, as people write them."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from retriever.types import Span

_CLOSING = r"[,.;:!?%)\]]|'s|n't|'re|'ve|'ll|'d|'m|'"
_REPLACED = re.compile(
    rf"(?P<before>\ (?=(?:{_CLOSING})(?:\s|$)))|(?P<after>(?<=[(\[$£€])\ )"
    r"|(?P<dash>\ --\ )|(?P<hyphen>(?<=\w)\ -\ (?=\w))|(?P<slash>\ /\ )|(?P<opened>``\ ?)|(?P<closed>\ ?'')",
    re.VERBOSE,
)
_BY = {"before": "", "after": "", "dash": "–", "hyphen": "-", "slash": "/", "opened": '"', "closed": '"'}


@dataclass(frozen=True, slots=True)
class Untokenised:
    """``text``: as people write it. ``kept``: the runs that are unchanged, (old start, new start, length) in order."""

    text: str
    kept: tuple[tuple[int, int, int], ...]

    def span(self, old: Span) -> Span | None:
        """Where these characters of the tokens stand now; None when none of them is left."""
        start, end = self._place(old.start, rounded_up=True), self._place(old.end, rounded_up=False)
        while start < end and self.text[start].isspace():
            start += 1
        while start < end and self.text[end - 1].isspace():
            end -= 1
        return Span(start, end) if start < end else None

    def _place(self, old: int, *, rounded_up: bool) -> int:
        """The new place of an old one; within what was replaced, the beginning of it, or else its end."""
        number = bisect_right(self.kept, old, key=lambda run: run[0]) - 1
        before, now, length = self.kept[number]
        if old - before <= length or number + 1 == len(self.kept):
            return now + min(old - before, length)
        return now + length if rounded_up else self.kept[number + 1][1]


def untokenised(tokens: str) -> Untokenised:
    """The text with the spaces around punctuation taken out, and dashes and quotation marks as characters."""
    pieces: list[str] = []
    kept: list[tuple[int, int, int]] = []
    now = 0
    for start, end, replacement in _runs(tokens):
        kept.append((start, now, end - start))
        pieces += [tokens[start:end], replacement]
        now += end - start + len(replacement)
    return Untokenised("".join(pieces), tuple(kept))


def _runs(tokens: str) -> Iterator[tuple[int, int, str]]:
    """The unchanged runs, each with what stands after it now."""
    start = 0
    for match in _REPLACED.finditer(tokens):
        yield start, match.start(), _BY[match.lastgroup or ""]
        start = match.end()
    yield start, len(tokens), ""
