"""Texts folded for comparing: what differs only in looks becomes equal, and every character knows its origin."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from retriever.text.folding import Folded as Edited
from retriever.text.folding import edited, fold, shown
from retriever.text.sentences import splits_character
from retriever.types import Span

_QUOTATION_MARKS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
    }
)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹘－", "-"))
_LIGATURE = re.compile("[\ufb00-\ufb06]")
_FIRST_LETTER = re.compile(r"[^\W\d_]")
_END_MARK = re.compile(r"(?<!\.)[.,;:]\Z")
_UNSEEN = "\u00ad\u200b\u2060\ufeff"  # soft hyphen, zero width, joiner, byte order mark
_LOOKS = {**_QUOTATION_MARKS, **_DASHES, **dict.fromkeys(map(ord, _UNSEEN), "")}
_CHANGING = re.compile(rf"(?P<space>\s[\s{_UNSEEN}]+|[^\S ])|(?P<other>[\x21-\x7e]?[^\x00-\x7f\s]+)")


class Fold(StrEnum):
    """What may differ between a quote and the text where it stands, so that it is verbatim all the same."""

    WHITE_SPACE = "white_space"
    QUOTATION_MARKS = "quotation_marks"
    DASHES = "dashes"
    ELLIPSES = "ellipses"
    LIGATURES = "ligatures"
    INVISIBLE = "invisible_characters"
    """Soft hyphens, zero-width characters, marks of direction, and the hyphens that line ends brought."""
    COMPOSITION = "composition"
    """An accented letter as one character or as two."""
    FIRST_LETTER = "first_letter"
    """Its case: a quote may begin a sentence, or be one's middle."""
    END_MARK = "end_mark"
    """A full stop, comma, colon or semicolon at the quote's end, which may be the writer's own."""
    OMISSIONS = "omissions"
    """What is left out where the quote has "..."."""
    CHANGES = "changes"
    """What stands where the quote has "[the company]"."""


def without_end_mark(text: str) -> str:
    """The text without the full stop, comma, colon or semicolon that ends it; an ellipsis is none."""
    return _END_MARK.sub("", text)


_STEPS: dict[Fold, Callable[[str], str]] = {
    Fold.INVISIBLE: shown,
    Fold.LIGATURES: lambda text: _LIGATURE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text),
    Fold.COMPOSITION: lambda text: unicodedata.normalize("NFC", text),
    Fold.QUOTATION_MARKS: lambda text: text.translate(_QUOTATION_MARKS),
    Fold.DASHES: lambda text: text.translate(_DASHES),
    Fold.ELLIPSES: lambda text: text.replace("…", "..."),
    Fold.WHITE_SPACE: lambda text: " ".join(text.split()),
    Fold.FIRST_LETTER: lambda text: _FIRST_LETTER.sub(lambda match: match[0].lower(), text, count=1),
    Fold.END_MARK: without_end_mark,
}


def same_but_for(quote: str, text: str) -> frozenset[Fold] | None:
    """The folds that make the two equal: without any one of them they would differ. None: they are not equal."""
    if quote == text:
        return frozenset()
    if _without(quote) != _without(text):
        return None
    return frozenset(name for name in _STEPS if _without(quote, name) != _without(text, name))


def _without(text: str, left_out: Fold | None = None) -> str:
    for name, step in _STEPS.items():
        if name is not left_out:
            text = step(text)
    return text


@dataclass(frozen=True, slots=True)
class Folded:
    """A text without case, compatibility forms (NFKD), typography of quotation marks and dashes, or runs of space.

    It folds more than ``Fold`` names: what is equal here may still be only nearly verbatim.
    """

    original: str
    _edited: Edited

    @classmethod
    def of(cls, original: str) -> Self:
        """This text, folded. Linear in time."""
        read = fold(original)
        seen = _joined(read, edited(read.text, list(_edits(read.text))))
        return cls(original, Edited(seen.text.lower().translate(_QUOTATION_MARKS), seen.starts, seen.ends))

    @property
    def text(self) -> str:
        """The folded characters."""
        return self._edited.text

    def origin(self, start: int, end: int) -> Span:
        """Where the folded characters ``[start, end)`` stand in the original; no visible character is parted."""
        span = self._edited.stored(Span(start, end))
        first, last = span.start, span.end
        while splits_character(self.original, first):
            first -= 1
        while splits_character(self.original, last):
            last += 1
        return Span(first, last)


def folded(text: str) -> str:
    """The text folded and without outer space: equal for texts that differ only in looks."""
    return Folded.of(text).text.strip()


def _edits(text: str) -> Iterator[tuple[int, int, str]]:
    for run in _CHANGING.finditer(text):
        start, end = run.span()
        if run["space"]:
            yield start, end, " "
            continue
        for first, last in _clusters(text, start, end):
            piece = _compatible(text[first:last])
            if piece != text[first:last]:
                yield first, last, piece


def _clusters(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Characters with the combining marks that follow them: NFKD orders marks, but only among themselves."""
    cuts = [start]
    cuts += [cut for cut in range(start + 1, end) if not unicodedata.combining(text[cut])]
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _compatible(cluster: str) -> str:
    caseless = unicodedata.normalize("NFKD", cluster.translate(_LOOKS)).casefold()
    return unicodedata.normalize("NFKD", caseless).translate(_LOOKS)


def _joined(first: Edited, second: Edited) -> Edited:
    """The second, made of the first, with the first's way back to the stored text."""
    if first.starts is None or first.ends is None:
        return second
    if second.starts is None or second.ends is None:
        return Edited(second.text, first.starts, first.ends)
    return Edited(second.text, first.starts[second.starts], first.ends[second.ends - 1])
