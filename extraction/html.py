"""HTML: the main content of a page as a reader sees it, each block with the nearest anchor."""

import re
from html import unescape
from typing import Protocol

from selectolax.lexbor import LexborHTMLParser, LexborNode

from common.deadline import Check, go_on
from extraction.encodings import decoded_page
from extraction.extracted import Extracted
from extraction.safe_html import safe_html
from extraction.structure import Structure, names, one_line, with_name
from extraction.tables import Cell, Row, add_table
from retriever.types import BlockKind, Locator, LocatorKind

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_NEVER_SEEN = names(
    "script style noscript template head title svg iframe object embed canvas audio video map button "
    "select datalist input textarea nav dialog rp"
)
_FURNITURE = frozenset({"header", "footer", "aside", "search"})
_FURNITURE_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog"})
_CONTENT = frozenset({"main", "article"})
_BLOCKS = names(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol p pre section summary "
    "table tbody td tfoot th thead tr ul"
)
_IN_LAYOUT_CELLS = names("table h1 h2 h3 h4 h5 h6 pre")
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def extract_html(content: bytes) -> Extracted:
    """The page of these bytes; see ``extract_page``."""
    return extract_page(decoded_page(content))


def extract_page(page: str, check: Check = go_on) -> Extracted:
    """The page's main content: ``main``, else its only ``article``, else what is not navigation and the like.

    The title is the only first heading, else the page's ``title``. What is hidden, scripts and forms are left out.
    ``check`` is asked on the way, and raises where the reading has to end.
    """
    tree = LexborHTMLParser(safe_html(page))
    check()
    structure = Structure(check=check)
    root = _root(tree)
    if root is not None:
        _Walk(structure).walk(root)
    return Extracted(structure, _title(tree, root))


def add_html(structure: Structure, fragment: str, first_line: int | None = None) -> None:
    """Add what a fragment of HTML shows, without its anchors; its blocks stand in lines from ``first_line`` on."""
    body = LexborHTMLParser(safe_html(fragment)).body
    if body is not None:
        _Walk(structure, _Nowhere() if first_line is None else _Lines(fragment, first_line)).walk(body)


class _Places(Protocol):
    """Where the blocks of a fragment stand, when not at anchors."""

    def note(self, text: str) -> None:
        """Take in the text that comes next."""

    def locator(self) -> Locator | None:
        """Where it begins."""
        ...


class _Nowhere:
    """Places that cannot be told."""

    def note(self, text: str) -> None:
        pass

    def locator(self) -> Locator | None:
        return None


_LOOKED_THROUGH = 64
"""Texts are looked for through so many times the length of a fragment; after that the line stays."""


class _Lines:
    """Lines of a text file that a fragment is part of, by where its texts stand one after the other."""

    def __init__(self, fragment: str, first: int) -> None:
        # a text is in no tag, and written without entities
        blank = unescape(re.sub(r"<[^<>]*>", lambda tag: re.sub(r"[^\n]", " ", tag[0]), fragment))
        self._fragment, self._at, self._line = blank, 0, first
        self._left = _LOOKED_THROUGH * len(blank)

    def note(self, text: str) -> None:
        seen = text.strip().split("\n")[0]
        at = self._fragment.find(seen, self._at) if self._left > 0 else -1
        self._left -= (at if at >= 0 else len(self._fragment)) - self._at
        if at >= 0:  # a text whose white space was folded is not found
            self._line += self._fragment.count("\n", self._at, at)
            self._at = at

    def locator(self) -> Locator | None:
        return Locator.line(self._line)


def _root(tree: LexborHTMLParser) -> LexborNode | None:
    mains = tree.css("main, [role=main]")
    articles = tree.css("article")
    chosen = mains if mains else articles if len(articles) == 1 else []
    return chosen[0] if chosen else tree.body


def _title(tree: LexborHTMLParser, root: LexborNode | None) -> str | None:
    first = [] if root is None else root.css("h1")
    shown = [one_line(_shown_text(heading)) for heading in first]
    if len(shown) == 1 and shown[0]:
        return shown[0]
    title = tree.css_first("title")
    return (one_line(title.text()) if title is not None else None) or None


def _shown_text(node: LexborNode) -> str:
    structure = Structure()
    _Walk(structure).walk(node)
    return structure.text


class _Walk:
    """Walks a tree without recursion and adds its blocks to the structure.

    ``places``: where blocks stand; None: each at its nearest anchor.
    """

    def __init__(self, structure: Structure, places: _Places | None = None) -> None:
        self._structure, self._places = structure, places
        self._begins: Locator | None = None  # where the text that waits begins, by ``places``
        self._inline: list[str] = []
        self._anchors: list[tuple[int, str]] = []  # depth of the element that the anchor lasts for, its id
        self._lists: list[_List] = []
        self._marker: str | None = None  # of the item whose first text comes next
        self._terms: list[str] = []  # of a definition list, whose definition comes next
        self._in_content = 0

    def walk(self, root: LexborNode) -> None:
        """Add everything below ``root`` that a reader sees."""
        stack: list[tuple[LexborNode, int, bool]] = [(root, 0, False)]
        while stack:
            node, depth, leaving = stack.pop()
            if leaving:
                self._leave(node, depth)
            elif node.is_text_node:
                self._take(node.text_content or "")
            elif node.is_element_node and not self._is_left_out(node, depth) and self._enter(node, depth):
                stack.append((node, depth, True))
                stack += [(child, depth + 1, False) for child in reversed(_children(node))]
        self._flush()
        self._flush_terms()

    def _take(self, text: str) -> None:
        if text.strip() and not any(part.strip() for part in self._inline):
            self._note(text)
        self._inline.append(text.replace("\n", " "))

    def _note(self, text: str) -> None:
        if self._places is not None:
            self._places.note(text)
            self._begins = self._places.locator()

    def _is_left_out(self, node: LexborNode, depth: int) -> bool:
        tag, attributes = node.tag or "", node.attributes
        furniture = tag in _FURNITURE or attributes.get("role") in _FURNITURE_ROLES
        return (
            tag in _NEVER_SEEN
            or (furniture and depth > 0 and not self._in_content)
            or ("hidden" in attributes and attributes.get("hidden") != "until-found")
            or attributes.get("aria-hidden") == "true"
            or bool(_HIDING.search(attributes.get("style") or ""))
        )

    def _enter(self, node: LexborNode, depth: int) -> bool:
        """Begin an element; whether its children are to be walked."""
        tag = node.tag or ""
        if tag in _BLOCKS:
            self._flush()
        self._note_anchor(node, tag, depth)
        self._in_content += tag in _CONTENT or (depth == 0 and tag != "body")
        if tag == "br":
            self._inline.append("\n")
        elif tag == "pre":
            self._flush_marker_alone()
            self._flush_terms()
            self._note(node.text())
            self._structure.code(node.text(), self._locator())
            self._forget_anchors(depth)
            return False
        elif tag in ("ul", "ol", "menu"):
            self._flush_terms()
            self._lists.append(_List.of(node))
        elif tag == "li":
            self._marker = self._lists[-1].next_marker(node) if self._lists else ""
        elif tag == "table" and not _is_layout(node):
            self._flush_terms()
            self._add_table(node)
            self._forget_anchors(depth)
            return False
        elif tag == "q":
            self._inline.append("“")
        return True

    def _leave(self, node: LexborNode, depth: int) -> None:
        tag = node.tag or ""
        if tag in _HEADINGS:
            self._flush_terms()
            text = "".join(self._inline)
            self._inline.clear()
            self._structure.heading(text, _HEADINGS[tag], self._locator())
        elif tag == "dt":
            self._terms.append(one_line("".join(self._inline)))
            self._inline.clear()
        elif tag in _BLOCKS:
            self._flush()
        if tag in ("ul", "ol", "menu"):
            self._lists.pop()
        elif tag == "li":
            self._marker = None
        elif tag in ("dd", "dl"):
            self._flush_terms()
        elif tag == "q":
            self._inline.append("”")
        self._in_content -= tag in _CONTENT or (depth == 0 and tag != "body")
        self._forget_anchors(depth)

    def _forget_anchors(self, depth: int) -> None:
        """An element at this depth has ended, and what its id stood for with it."""
        while self._anchors and self._anchors[-1][0] > depth:
            self._anchors.pop()

    def _note_anchor(self, node: LexborNode, tag: str, depth: int) -> None:
        """Remember an element's id: a heading's or a link's lasts until its parent ends, another's as long as it."""
        name = node.attributes.get("id") or (node.attributes.get("name") if tag == "a" else None)
        if name and name.strip():
            lasts = depth if tag in _HEADINGS or tag in ("a", "dt") else depth + 1
            self._anchors.append((lasts, name))

    def _locator(self) -> Locator | None:
        if self._places is not None:
            return self._begins
        if not self._anchors:
            return None
        return Locator(LocatorKind.ANCHOR, self._anchors[-1][1])

    def _flush(self) -> None:
        """Add the text that has come so far as a block: a field, an item or a paragraph."""
        text = "".join(self._inline)
        self._inline.clear()
        if not text.strip():
            return
        if self._terms:
            self._structure.add(
                BlockKind.FIELD, with_name(", ".join(filter(None, self._terms)), text), self._locator()
            )
            self._terms.clear()
        elif self._marker is not None:
            self._structure.add(BlockKind.ITEM, f"{self._marker} {text}", self._locator())
            self._marker = None
        else:
            self._structure.add(BlockKind.PARAGRAPH, text, self._locator())

    def _flush_terms(self) -> None:
        """Add terms that no text defines."""
        self._structure.add(BlockKind.PARAGRAPH, "\n".join(self._terms), self._locator())
        self._terms.clear()

    def _flush_marker_alone(self) -> None:
        """Add an item's number where no text of its own follows it."""
        if self._marker:
            self._structure.add(BlockKind.ITEM, self._marker, self._locator())
        self._marker = None

    def _add_table(self, table: LexborNode) -> None:
        caption = table.css_first("caption")
        if caption is not None:
            self._structure.add(BlockKind.PARAGRAPH, _shown_text(caption), self._locator())
        rows = []
        for node in table.css("tr"):
            anchor = (node.attributes.get("id") or "").strip()
            cells = [_cell(cell) for cell in _children(node) if cell.tag in ("td", "th")]
            self._note(next((cell.text for cell in cells if cell.text), ""))
            own = Locator(LocatorKind.ANCHOR, anchor) if anchor and self._places is None else self._locator()
            rows.append(Row(cells, own, heads=node.parent is not None and node.parent.tag == "thead"))
        add_table(self._structure, rows)


class _List:
    """A list that is being walked: what marks its next item."""

    def __init__(self, number: int | None, style: str) -> None:
        self._number, self._style = number, style

    @classmethod
    def of(cls, node: LexborNode) -> "_List":
        if node.tag != "ol":
            return cls(None, "")
        return cls(_whole(node.attributes.get("start"), 1), node.attributes.get("type") or "1")

    def next_marker(self, item: LexborNode) -> str:
        """The item's number as the page shows it; nothing in a list without numbers."""
        if self._number is None:
            return ""
        number = _whole(item.attributes.get("value"), self._number)
        self._number = number + 1
        letter = chr(ord(self._style) + number - 1) if self._style in "aA" and 1 <= number <= 26 else None
        return f"{letter or number}."


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,9}", text) else otherwise


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))


def _cell(node: LexborNode) -> Cell:
    spans = [_whole(node.attributes.get(name), 1) for name in ("colspan", "rowspan")]
    text = _shown_text(node)
    strong = "".join(part.text() for part in node.css("strong, b"))
    heads = node.tag == "th" or (bool(text) and "".join(strong.split()) == "".join(text.split()))
    return Cell(text, heads, columns=max(1, spans[0]), rows=max(1, spans[1]))


def _is_layout(table: LexborNode) -> bool:
    """Whether the table only places things: what it holds is then read one after the other."""
    if table.attributes.get("role") in ("presentation", "none"):
        return True
    return any(table.css(tag) and (tag != "table" or len(table.css("table")) > 1) for tag in _IN_LAYOUT_CELLS)
