"""Packing: the units of a document into runs that each fill a passage."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retriever.encoder import passage_input
from retriever.text.lengths import WORD_CHARACTERS, Piece, Room, Ruler, TokenCounter, count_words
from retriever.text.units import Unit
from retriever.types import BlockKind, Document, Span, heading_line

HEADING_TOKENS = 32
"""Title and headings that are read with a passage: as many as the reader takes."""
_LEAST_TOKENS = 32  # of a passage's text, however long its title is


@dataclass(frozen=True, slots=True)
class Group:
    """Pieces that stay together: a unit with the headings right above it, or the lines of a code block.

    ``headings``: those that the first piece stands under, as they are read with it. ``room``: of a passage that starts
    with this group. ``heads``: it begins with a heading.
    """

    pieces: tuple[Piece, ...]
    headings: tuple[str, ...]
    room: Room
    heads: bool = False

    @property
    def words(self) -> int:
        """Its length in words."""
        return sum(piece.words for piece in self.pieces)


class Packer:
    """Packs the units of one document. ``words``: the most that a passage has; ``counter``: None for words alone."""

    def __init__(self, document: Document, words: int, counter: TokenCounter | None) -> None:
        self._title, self._words = document.title, words
        self._counter = None if counter is None or counter.max_tokens is None else counter
        self._ruler = Ruler(document.text, self._counter)
        self._above: dict[tuple[str, ...], tuple[tuple[str, ...], Room]] = {}

    def packed(self, units: Sequence[Unit]) -> Iterator[tuple[Span, tuple[str, ...]]]:
        """The span and the headings of each passage, all full but the last two, which share evenly where that helps.

        A heading starts a new passage where the one before it is at least half full.
        """
        previous: list[Group] = []
        current: list[Group] = []
        for group in self._groups(units):
            if current and (self._is_new_part(current, group) or not _fits([*current, group])):
                if previous:
                    yield _joined(previous)
                previous, current = current, []
            current.append(group)
        for groups in self._balanced(previous, current):
            yield _joined(groups)

    def _is_new_part(self, current: Sequence[Group], group: Group) -> bool:
        return group.heads and _words(current) * 2 >= self._words

    def _balanced(self, previous: list[Group], last: list[Group]) -> list[list[Group]]:
        """The last two passages; while the last is tiny, it takes from the one before what that can spare."""
        while len(previous) > 1 and self._is_tiny(last) and not last[0].heads:
            *kept, moved = previous
            if self._is_tiny(kept) or not _fits([moved, *last]):
                break
            previous, last = kept, [moved, *last]
        return [groups for groups in (previous, last) if groups]

    def _is_tiny(self, groups: Sequence[Group]) -> bool:
        return _words(groups) * 4 < self._words

    def _groups(self, units: Sequence[Unit]) -> Iterator[Group]:
        """What stays together, in order; what is longer than a passage, in parts."""
        pieces = self._ruler.measured([unit.span for unit in units])
        start = 0
        while start < len(units):
            below = start
            while below + 1 < len(units) and units[below].kind is BlockKind.HEADING:
                below += 1
            end = below + 1
            while end < len(units) and _is_same_code(units[below], units[end]):
                end += 1
            headings, room = self._read_above(units[start].path)
            group = Group(tuple(pieces[start:end]), headings, room, heads=below > start)
            yield from [group] if _fits([group]) else self._parts(group, below - start)
            start = end

    def _parts(self, group: Group, headings: int) -> Iterator[Group]:
        """A group that no passage holds, in parts; its first ``headings`` pieces stay with the first part.

        Unless they would leave that less than half of a passage.
        """
        above, below = group.pieces[:headings], group.pieces[headings:]
        room = group.room.beside(above, below[0].span.start)
        if room.words * 2 < group.room.words or room.tokens * 2 < group.room.tokens or room.characters < 1:
            above, below, room = (), group.pieces, group.room
        first, *others = [part for piece in below for part in self._ruler.parts(piece, room)]
        yield Group((*above, first), group.headings, group.room, heads=group.heads)
        for part in others:
            yield Group((part,), group.headings, group.room)

    def _read_above(self, path: tuple[str, ...]) -> tuple[tuple[str, ...], Room]:
        """The headings of a path that are read with a passage under it, and the room that title and headings leave.

        Where title and headings exceed ``HEADING_TOKENS``, the outer headings are left out.
        """
        if path not in self._above:
            path_below = tuple(heading for heading in path if heading != self._title)
            choices = [path_below[outer:] for outer in range(len(path_below) + 1)]
            lines = [passage_input(heading_line(self._title, headings), "") for headings in choices]
            counts = self._counter.count_tokens(lines) if self._counter else list(map(count_words, lines))
            chosen = next((at for at, count in enumerate(counts) if count <= HEADING_TOKENS), len(path_below))
            self._above[path] = choices[chosen], self._room(counts[chosen])
        return self._above[path]

    def _room(self, above: int) -> Room:
        """The room of a passage below so many tokens."""
        most = self._counter.max_tokens if self._counter else None
        tokens = math.inf if most is None else max(_LEAST_TOKENS, most - above)
        return Room(self._words, tokens, self._words * WORD_CHARACTERS)


def _is_same_code(unit: Unit, following: Unit) -> bool:
    return unit.kind is BlockKind.CODE and (unit.kind, unit.number) == (following.kind, following.number)


def _fits(groups: Sequence[Group]) -> bool:
    return groups[0].room.holds([piece for group in groups for piece in group.pieces])


def _words(groups: Sequence[Group]) -> int:
    return sum(group.words for group in groups)


def _joined(groups: Sequence[Group]) -> tuple[Span, tuple[str, ...]]:
    first, last = groups[0].pieces[0], groups[-1].pieces[-1]
    return Span(first.span.start, last.span.end), groups[0].headings
