"""Marks that cite: [1], [1, 2], [1-3], [^note], 【1】, and links that are numbers, as [1](https://example.org)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from retriever.types import Span

_NUMBERS = r"\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*"
MARK = re.compile(
    rf"\[\^(?P<note>[^\]\[\s]{{1,60}})\]|\[(?P<numbers>{_NUMBERS})\](?:\((?P<url>[^()\s]{{1,2000}})\))?"
    r"|【(?P<lenticular>[^】【\n]{1,200})】"
)
_NUMBERED = re.compile(rf"\[{_NUMBERS}\]")
_RANGE = re.compile(r"(\d{1,4})\s*[–-]\s*(\d{1,4})|(\d{1,4})")
_WIDEST_RANGE = 50


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in an answer. ``names``: what it cites, as definitions and lists of sources call it.

    ``label``: what it says itself of its source: a link's address, or what follows the dagger in 【1†title】.
    """

    span: Span
    written: str
    names: tuple[str, ...]
    label: str | None = None

    @property
    def may_be_a_change(self) -> bool:
        """Whether it may as well be what an editor put into a quote, such as [1889]."""
        return _NUMBERED.fullmatch(self.written) is not None


def marks_in(text: str, start: int = 0, end: int | None = None) -> Iterator[Mark]:
    """The marks of ``text[start:end]``, in order."""
    for match in MARK.finditer(text, start, len(text) if end is None else end):
        label = match["url"]
        if match["note"]:
            names: tuple[str, ...] = (match["note"],)
        elif match["numbers"]:
            names = _numbers(match["numbers"])
        else:
            name, _, dagger = match["lenticular"].partition("†")
            names = _numbers(name) if re.fullmatch(_NUMBERS, name.strip()) else (name.strip(),)
            label = dagger.strip() or None
        yield Mark(Span(*match.span()), match[0], names, label)


def _numbers(listed: str) -> tuple[str, ...]:
    numbers: list[int] = []
    for match in _RANGE.finditer(listed):
        first, last, single = match.groups()
        if single is not None:
            numbers.append(int(single))
        elif 0 <= int(last) - int(first) < _WIDEST_RANGE:
            numbers += range(int(first), int(last) + 1)
        else:
            numbers += [int(first), int(last)]
    return tuple(str(number) for number in dict.fromkeys(numbers))
