"""Anchors of a page: the nearest one at each place of a walk through it."""

from typing import NamedTuple

from selectolax.lexbor import LexborNode

from extraction.structure import names
from retriever.types import Locator, LocatorKind

_LEVELS = {f"h{level}": level for level in range(1, 7)}
_FOLLOWED = names("a dt")  # what an id of these stands for comes after them
_WITHOUT_TEXT = names("a span svg button")  # beside a heading, where they have none
_BOUNDS = names("article aside blockquote dd details fieldset figure footer li main section td th")


class _Anchor(NamedTuple):
    name: str
    lasts: int  # ends with the element around it of the depth below
    order: int  # among all of the page
    followed: bool


class _Section(NamedTuple):
    level: int
    name: str | None
    lasts: int
    order: int


class Anchors:
    """Takes in the elements as they begin and end; ``nearest`` is then the place of a text that comes next.

    An element's id stands for what is in it, a link's or a term's for what follows, up to a heading beside it or the
    end of its parent. A heading's id stands for what follows up to the next heading of its level or above, or the end
    of the section that it heads; it may also stand on what is in the heading, around it alone, or right before it. Of
    several, the one that began last is the nearest.
    """

    def __init__(self) -> None:
        self._open: list[_Anchor] = []
        self._sections: list[_Section] = []
        self._bounds: list[int] = []  # depths of the open elements that no heading reaches out of
        self._heading: int | None = None  # depth of the one that is being walked
        self._passed: str | None = None  # name of a link or the like that no text has followed so far
        self._count = 0

    def enter(self, node: LexborNode, depth: int) -> None:
        """Take in an element that begins; ``depth``: how many elements of the walk it is in."""
        tag = node.tag or ""
        if self._heading is not None:
            return
        self._count += 1
        if tag in _BOUNDS:
            self._bounds.append(depth)
        if tag in _LEVELS:
            self._heading = depth
            self._begin_section(node, _LEVELS[tag], depth)
        elif name := _name(node):
            if tag in _WITHOUT_TEXT:
                self._passed = name
            followed = tag in _FOLLOWED
            self._open.append(_Anchor(name, depth if followed else depth + 1, self._count, followed))

    def leave(self, depth: int) -> None:
        """An element of this depth has ended, and what its id stood for with it."""
        if self._heading == depth:
            self._heading = None
        if self._bounds and self._bounds[-1] == depth:
            self._bounds.pop()
        while self._open and self._open[-1].lasts > depth:
            self._open.pop()
        while self._sections and self._sections[-1].lasts > depth:
            self._sections.pop()

    def take_text(self) -> None:
        """Take in that text comes next."""
        self._passed = None

    def nearest(self) -> Locator | None:
        """The nearest anchor; None where there is none."""
        last = self._open[-1] if self._open else None
        section = next((section for section in reversed(self._sections) if section.name), None)
        if section is not None and (last is None or section.order > last.order):
            return Locator(LocatorKind.ANCHOR, section.name or "")
        return None if last is None else Locator(LocatorKind.ANCHOR, last.name)

    def _begin_section(self, heading: LexborNode, level: int, depth: int) -> None:
        while self._sections and self._sections[-1].level >= level:
            self._sections.pop()
        while self._open and self._open[-1].followed and self._open[-1].lasts == depth:
            self._open.pop()
        around = _around_alone(heading, depth)
        within = (_name(node) or _name_within(node) for node in [heading, *around])
        name = next(filter(None, within), None) or self._passed
        bound = next((bound for bound in reversed(self._bounds) if bound < depth - len(around)), 0)
        self._sections.append(_Section(level, name, bound + 1, self._count))


def _name(node: LexborNode) -> str | None:
    attributes = node.attributes
    name = attributes.get("id") or (attributes.get("name") if node.tag == "a" else None)
    return name if name and name.strip() else None


def _name_within(node: LexborNode) -> str | None:
    found = node.css_first("[id], a[name]")
    return None if found is None else _name(found)


def _around_alone(node: LexborNode, most: int) -> list[LexborNode]:
    """The elements that hold the node and no other text, the nearest first."""
    around: list[LexborNode] = []
    while len(around) < most and node.parent is not None and _is_alone(node):
        node = node.parent
        around.append(node)
    return around


def _is_alone(node: LexborNode) -> bool:
    before, after = node.prev, node.next
    while before is not None and _is_without_text(before):
        before = before.prev
    while after is not None and _is_without_text(after):
        after = after.next
    return before is None and after is None


def _is_without_text(node: LexborNode) -> bool:
    if node.is_element_node:
        return node.tag in _WITHOUT_TEXT and not any(map(str.isalnum, node.text()))
    return not (node.text_content or "").strip() or node.is_comment_node
