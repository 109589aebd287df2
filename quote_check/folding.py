"""Texts folded for comparing: what differs only in looks becomes equal, and every character knows its origin."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Self

from retriever.sentences import splits_character
from retriever.types import Span

_LOOKS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘－", "-"),
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),  # soft hyphen, zero width, joiner, byte order mark
    }
)
_RUN = re.compile(r"(?P<space>\s+)|(?P<plain>[!-~]+(?: [!-~]+)*)|(?P<other>[^\s!-~]+)")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text without case, compatibility forms (NFKD), typography of quotation marks and dashes, or runs of space.

    ``starts[i]`` and ``ends[i]`` are where the characters stand that character ``i`` of ``text`` comes from.
    """

    original: str
    text: str
    starts: list[int] = field(repr=False)
    ends: list[int] = field(repr=False)

    @classmethod
    def of(cls, original: str) -> Self:
        """This text, folded."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []

        def add(piece: str, start: int, end: int) -> None:
            if piece != " " or not pieces or pieces[-1][-1] != " ":
                pieces.append(piece)
                starts.extend([start] * len(piece))
                ends.extend([end] * len(piece))

        for run in _RUN.finditer(original):
            start, end = run.span()
            if run["plain"]:
                pieces.append(run["plain"].lower().translate(_LOOKS))
                starts.extend(range(start, end))
                ends.extend(range(start + 1, end + 1))
            elif run["space"]:
                add(" ", start, end)
            else:
                for first, last in _clusters(original, start, end):
                    if piece := _compatible(original[first:last]):
                        add(piece, first, last)
        return cls(original, "".join(pieces), starts, ends)

    def origin(self, start: int, end: int) -> Span:
        """Where the folded characters ``[start, end)`` stand in the original; no visible character is parted."""
        first, last = self.starts[start], self.ends[end - 1]
        while splits_character(self.original, first):
            first -= 1
        while splits_character(self.original, last):
            last += 1
        return Span(first, last)


def folded(text: str) -> str:
    """The text folded and without outer space: equal for texts that differ only in looks."""
    return Folded.of(text).text.strip()


def _clusters(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Characters with the combining marks that follow them: NFKD orders marks, but only among themselves."""
    cuts = [start]
    cuts += [cut for cut in range(start + 1, end) if not unicodedata.combining(text[cut])]
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _compatible(cluster: str) -> str:
    caseless = unicodedata.normalize("NFKD", cluster.translate(_LOOKS)).casefold()
    return unicodedata.normalize("NFKD", caseless).translate(_LOOKS)
