"""Lists of links that are navigation, on pages that do not mark them so: what they say stands elsewhere.

They are menus before the first text, links to the page in other languages, and tables of contents.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from selectolax.lexbor import LexborNode

from extraction.html_seen import classes, is_main, is_unseen_or_furniture
from extraction.structure import names

_LISTS = names("center div dl menu ol p section table ul")
_HEADINGS = names("h1 h2 h3 h4 h5 h6")
_LOOKED_INTO = "a[href], form, article, main, [role=main], h1, h2, h3, h4, h5, h6"
_CONTENTS = re.compile(
    r"(?:^|[-_])(?:toc|contents)(?:$|[-_])", re.IGNORECASE
)  # ids and classes of tables of contents
_LONGEST_LABEL = 30  # letters and digits beside the links, as of "Available languages:"
_FEWEST_IN_MENU = 3
_LONGEST_BESIDE_MENU = 60  # a motto, a version
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class _Below:
    """What stands in an element. Text is counted in letters and digits."""

    text: int = 0
    linked: int = 0  # text in links
    sections: int = 0  # headings, and what is marked as content
    links: int = 0
    away: int = 0  # links to other places than in the page
    translations: int = 0  # links to the page in other languages
    headings: int = 0  # links to headings of the page, in their words
    near_headings: int = 0  # the same, in all their words but the first or the last

    def __iadd__(self, other: Self) -> Self:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def beside(self) -> int:
        """The text that is in no link."""
        return self.text - self.linked


def take_out_navigation(body: LexborNode) -> None:
    """Remove the lists of links that are navigation from a page."""
    counts = _counts(body)
    for node in list(_navigation(body, counts)):
        node.decompose()


def _navigation(body: LexborNode, counts: dict[int, _Below]) -> Iterator[LexborNode]:
    """The outermost elements that are navigation, in order."""
    rest = counts[body.mem_id].text
    is_top = True  # nothing but links has come so far
    waiting = [body]
    while waiting:
        node = waiting.pop()
        if node.is_text_node:
            is_top = is_top and not _size(node.text_content or "")
            continue
        below = counts.get(node.mem_id)
        if below is None:
            continue
        if not below.links:
            is_top = is_top and not below.text
            continue
        is_top = is_top and not _is_section(node)
        if node.tag in _LISTS:
            is_menu = is_top and _is_menu(below) and 2 * below.text <= rest
            if is_menu or _is_choice_of_language(below) or _is_contents(node, below):
                rest -= below.text
                yield node
                continue
        if node.tag != "a":
            waiting += reversed(list(node.iter(include_text=is_top)))


def _is_section(node: LexborNode) -> bool:
    return node.tag in _HEADINGS or node.tag == "article" or is_main(node)


def _is_menu(below: _Below) -> bool:
    return (
        below.away >= _FEWEST_IN_MENU
        and not below.sections
        and 2 * below.linked >= below.text
        and below.beside <= _LONGEST_BESIDE_MENU
    )


def _is_choice_of_language(below: _Below) -> bool:
    return 0 < below.translations >= below.links - 1 and below.beside <= _LONGEST_LABEL


def _is_contents(node: LexborNode, below: _Below) -> bool:
    """Whether all links lead to headings of the page. A list that a sentence announces is kept."""
    if any(map(_CONTENTS.search, [node.attributes.get("id") or "", *classes(node)])):
        return below.near_headings == below.links and below.beside <= _LONGEST_LABEL
    return below.headings == below.links > 1 and below.beside == 0 and not _is_announced(node)


def _is_announced(node: LexborNode) -> bool:
    """Whether a paragraph or text outside of blocks stands right before."""
    before = node.prev
    while before is not None and not _size(before.text() or ""):
        before = before.prev
    return before is not None and (
        before.is_text_node or before.tag == "p" or before.tag not in _LISTS | _HEADINGS
    )


def _counts(body: LexborNode) -> dict[int, _Below]:
    """What stands in each element that is seen, by its ``mem_id``."""
    ids = {node.attributes.get("id") or node.attributes.get("name") for node in body.css("[id], a[name]")}
    headings = {_words(node.text()) for node in body.css(", ".join(_HEADINGS))}
    near = {part for words in headings for part in (words, words.partition(" ")[2], words.rpartition(" ")[0])}
    counts: dict[int, _Below] = {}
    around = [_Below()]
    stack: list[tuple[LexborNode, bool]] = [(body, False)]
    while stack:
        node, leaving = stack.pop()
        if leaving:
            below = around.pop()
            counts[node.mem_id] = below
            around[-1] += below
        elif node.is_text_node:
            around[-1].text += _size(node.text_content or "")
        elif node.is_element_node and (node is body or not is_unseen_or_furniture(node)):
            if node.tag == "a" and "href" in node.attributes:
                counts[node.mem_id] = below = _link(node, ids, headings, near)
                around[-1] += below
                continue
            if node is not body and node.css_first(_LOOKED_INTO) is None:
                counts[node.mem_id] = below = _Below(text=_size(node.text()), sections=_is_section(node))
                around[-1] += below
                continue
            around.append(_Below(sections=_is_section(node)))
            stack.append((node, True))
            stack += [(child, False) for child in node.iter(include_text=True)]
    return counts


def _link(node: LexborNode, ids: set[str | None], headings: set[str], near: set[str]) -> _Below:
    text = node.text()
    size = _size(text)
    if not size:
        return _Below()
    attributes = node.attributes
    _, _, fragment = (attributes.get("href") or "").partition("#")
    words = _words(text)
    is_within = fragment in ids
    return _Below(
        text=size,
        linked=size,
        links=1,
        away=not is_within,
        translations="hreflang" in attributes and "alternate" in (attributes.get("rel") or "").split(),
        headings=is_within and words in headings,
        near_headings=is_within and words in near,
    )


def _size(text: str) -> int:
    return sum(map(str.isalnum, text))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))
