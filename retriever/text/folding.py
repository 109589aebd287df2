"""Text as models and search read it, with the way back to the stored characters.

Folded are invisible characters (soft hyphens, zero-width spaces, marks of direction), ligatures ("ﬁ" is read as
"fi") and words that a line end parted ("com-" at the end of a line, "pany" on the next). The stored text, its offsets
and quotes are untouched: what is found in the folded text is a span of the stored one.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retriever.types import Span

IntArray = npt.NDArray[np.int64]

_LOWER = "[^\\W\\d_A-Z]"  # a letter, no Latin capital
_LINE_END = "[ \\t]*\\r?\\n[ \\t]*"
_INVISIBLE = "[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u180e]"
_JOINER = "(?<=[A-Za-z])[\u200c\u200d]+(?=[A-Za-z])"  # elsewhere they belong to emoji and to other scripts
_SOFT_HYPHEN = f"\u00ad+(?:{_LINE_END}(?={_LOWER}))?"
_LINE_HYPHEN = f"(?<={_LOWER})[-\u2010]{_LINE_END}(?={_LOWER})"
_UNSEEN = re.compile(f"{_INVISIBLE}|{_JOINER}|{_SOFT_HYPHEN}|(?P<hyphen>{_LINE_HYPHEN})")
_FOLDABLE = re.compile(f"{_UNSEEN.pattern}|(?P<ligature>[\ufb00-\ufb06])")
_MARK = re.compile("[\u00ad\u180e\u200b-\u2010\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufb00-\ufb06]")
_HYPHEN_AT_LINE_END = re.compile(r"-[ \t]*\r?\n")
"""Without either there is nothing to fold: most texts tell so twenty times as fast as the whole expression does."""

_WORD_BEFORE = re.compile(r"[\w-]+$")
_WORD_SEEN = 40
_KEEPS_HYPHEN = re.compile(
    r"(?:all|anti|cross|ex|full|half|high|long|low|mid|multi|non|off|on|one|open|post|pre|re|self|semi|short|so|sub|two"
    r"|up|well)",
    re.IGNORECASE,
)
"""What is written with a hyphen before another word: at a line end the hyphen was there before the line was."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. ``starts``, ``ends``: the stored characters that each of its characters stands for.

    Both None where nothing was folded, so that the two texts are the same.
    """

    text: str
    starts: IntArray | None = None
    ends: IntArray | None = None

    def stored(self, span: Span) -> Span:
        """The characters of the stored text that these of the folded one stand for.

        What was folded away at the ends is not among them; of a ligature they are the whole.
        """
        if self.starts is None or self.ends is None:
            return span
        return Span(int(self.starts[span.start]), int(self.ends[span.end - 1]))

    def stored_offsets(self, offsets: IntArray) -> IntArray:
        """The same for many: (tokens, 2), start and end of each; an empty run stays one."""
        if self.starts is None or self.ends is None or not len(self.starts):
            return offsets
        empty = offsets[:, 0] >= offsets[:, 1]
        starts = self.starts[np.minimum(offsets[:, 0], len(self.starts) - 1)]
        ends = np.where(empty, starts, self.ends[np.maximum(offsets[:, 1], 1) - 1])
        return np.stack([starts, ends], axis=1)


def fold(text: str) -> Folded:
    """The text as models and search read it. Linear in time; the text itself where there is nothing to fold."""
    return edited(text, list(_edits(text, _FOLDABLE)) if _may_fold(text) else [])


def edited(text: str, edits: Sequence[tuple[int, int, str]]) -> Folded:
    """The text with these edits: start and end of what goes, in order and disjoint, and what stands there instead."""
    if not edits:
        return Folded(text)
    pieces: list[str] = []
    runs: list[
        tuple[int, int, int, int]
    ] = []  # stored start and step, stored end and length of what stands there
    at = 0
    for start, end, instead in [*edits, (len(text), len(text), "")]:
        pieces += [text[at:start], instead]
        runs += [(at, 1, at + 1, start - at), (start, 0, end, len(instead))]
        at = end
    firsts, steps, ends, lengths = np.array(runs, dtype=np.int64).T
    within = np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
    within *= np.repeat(steps, lengths)
    return Folded("".join(pieces), np.repeat(firsts, lengths) + within, np.repeat(ends, lengths) + within)


def _may_fold(text: str) -> bool:
    return (not text.isascii() and _MARK.search(text) is not None) or _HYPHEN_AT_LINE_END.search(
        text
    ) is not None


def shown(text: str) -> str:
    """The text as a person sees it: without invisible characters, words whole that a line end parted."""
    pieces, at = [], 0
    for start, end, _ in _edits(text, _UNSEEN):
        pieces.append(text[at:start])
        at = end
    return "".join([*pieces, text[at:]])


def _edits(text: str, what: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    """Start and end of what is folded, and what stands there instead."""
    for match in what.finditer(text):
        if match["hyphen"] and _is_real_hyphen(text, match.start()):
            continue
        ligature = match.groupdict().get("ligature")
        yield match.start(), match.end(), unicodedata.normalize("NFKC", ligature) if ligature else ""


def _is_real_hyphen(text: str, at: int) -> bool:
    """Whether the word before a hyphen at a line end has it anyway: "well-" or the second of "state-of-"."""
    match = _WORD_BEFORE.search(text[max(0, at - _WORD_SEEN) : at])
    word = match.group() if match else ""
    return "-" in word or bool(_KEEPS_HYPHEN.fullmatch(word))
