"""HTML: the main content of a page as a reader sees it, each block with the nearest anchor."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from common.deadline import Check, go_on
from extraction.anchors import Anchors
from extraction.encodings import decoded_page
from extraction.extracted import Extracted
from extraction.fragment_places import Lines, Nowhere, Places
from extraction.html_alternatives import show_alternatives
from extraction.html_list import HtmlList, whole_number
from extraction.html_navigation import take_out_navigation
from extraction.html_seen import classes, is_furniture, is_main, is_unseen, is_unseen_or_furniture
from extraction.raised import raised
from extraction.safe_html import safe_html
from extraction.structure import Structure, names, one_line, with_name
from extraction.tables import Cell, Row, add_table
from retriever.types import BlockKind, Locator, LocatorKind

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CONTROLS_SHOWN = ("button", "label")  # beside each other without a space between them
_SIGNS = names(
    "anchor anchor-link doc-anchor hash-link header-anchor headerlink heading-anchor mark permalink"
)  # classes of links that lead to where they stand
_CONTENT = frozenset({"main", "article"})
_BLOCKS = names(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol p pre section summary "
    "table tbody td tfoot th thead tr ul"
)
_WHOLE = names("dt pre h1 h2 h3 h4 h5 h6")  # one text, whatever blocks stand in it
_LABEL = "label"
_LABELS = names("admonition-title sd-tab-label")  # classes, as Sphinx and MkDocs write them
_ANY_HEADING = "h1, h2, h3, h4, h5, h6"
_RAISING = re.compile(r"vertical-align\s*:\s*super", re.IGNORECASE)
_IN_LAYOUT_CELLS = f"{_ANY_HEADING}, pre"


def extract_html(content: bytes) -> Extracted:
    """The page of these bytes; see ``extract_page``."""
    return extract_page(decoded_page(content))


def extract_page(page: str, check: Check = go_on) -> Extracted:
    """The page's main content: ``main``, else its only ``article`` if most of the text is in it, else what is not
    navigation and the like.

    The title is the only first heading, else the page's ``title``. What is hidden, scripts and forms are left out.
    ``check`` is asked on the way, and raises where the reading has to end.
    """
    tree = LexborHTMLParser(safe_html(page))
    check()
    show_alternatives(tree)
    structure, first_headings = _main_content(tree, check)
    return Extracted(structure, first_headings[0] if len(first_headings) == 1 else _title(tree))


def add_html(structure: Structure, fragment: str, first_line: int | None = None) -> None:
    """Add what a fragment of HTML shows, without its anchors; its blocks stand in lines from ``first_line`` on."""
    body = LexborHTMLParser(safe_html(fragment)).body
    if body is not None:
        _Walk(structure, Nowhere() if first_line is None else Lines(fragment, first_line)).walk(body)


class _Content(NamedTuple):
    structure: Structure
    first_headings: list[str]


def _main_content(tree: LexborHTMLParser, check: Check) -> _Content:
    body = tree.body
    if body is None:
        return _Content(Structure(), [])
    take_out_navigation(body)
    check()
    if tree.css_first("main, [role=main]") is not None:
        main = _content(_outermost(body, is_main, is_unseen), check)
        if main.structure.blocks:
            return main
    whole = _content([body], check)
    if tree.css_first("article") is not None:
        articles = _outermost(body, lambda node: node.tag == "article", is_unseen_or_furniture)
        only = _content(articles if len(articles) == 1 else [], check)
        if 2 * len(only.structure.text) > len(whole.structure.text):
            return only
    return whole


def _content(roots: Sequence[LexborNode], check: Check) -> _Content:
    structure = Structure(check=check)
    walk = _Walk(structure)
    for root in roots:
        walk.walk(root)
    return _Content(structure, walk.first_headings)


def _outermost(
    root: LexborNode, wanted: Callable[[LexborNode], bool], unseen: Callable[[LexborNode], bool]
) -> list[LexborNode]:
    """The wanted elements that stand in no other of them, and in nothing unseen."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if node is not root and unseen(node):
            continue
        if wanted(node):
            found.append(node)
        else:
            waiting += reversed(list(node.iter()))
    return found


def _is_raised(node: LexborNode) -> bool:
    return node.tag == "sup" or (
        node.tag == "span" and bool(_RAISING.search(node.attributes.get("style") or ""))
    )


def _is_label(node: LexborNode) -> bool:
    """Whether the element is the label of what else its parent holds."""
    if node.tag == "summary":
        return node.css_first(_ANY_HEADING) is None
    return not _LABELS.isdisjoint(classes(node))


def _title(tree: LexborHTMLParser) -> str | None:
    title = tree.css_first("title")
    return (one_line(title.text()) if title is not None else None) or None


def _shown_in(node: LexborNode) -> tuple[str, bool]:
    """The text that a cell or a caption shows, and whether all of it is strong."""
    structure = Structure()
    walk = _Walk(structure, Nowhere(), rows=False)
    walk.walk(node)
    return structure.text, walk.is_strong


class _Waiting:
    """The text that waits to become a block."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._raised: list[
            int
        ] = []  # the parts from which on the text is raised, for each element that raises it
        self.is_blank = True
        self.has_letter = self.has_unraised = False

    def add(self, text: str) -> None:
        self._parts.append(text)
        self.has_unraised = self.has_unraised or (not self._raised and bool(text.strip()))
        self.is_blank = self.is_blank and not text.strip()
        self.has_letter = self.has_letter or any(map(str.isalpha, text))

    def end_line(self) -> None:
        """What comes next begins a line."""
        if self._parts and not self._parts[-1].endswith("\n"):
            self._parts.append("\n")

    def begin_raised(self) -> None:
        self._raised.append(len(self._parts))

    def end_raised(self) -> None:
        start = self._raised.pop()
        self._parts[start:] = [raised("".join(self._parts[start:]))]

    def take(self) -> str:
        """The text; from now on there is none."""
        text = "".join(self._parts)
        self._parts.clear()
        self._raised = [0] * len(self._raised)
        self.is_blank, self.has_letter, self.has_unraised = True, False, False
        return text


class _Walk:
    """Walks a tree without recursion and adds its blocks to the structure.

    ``places``: where blocks stand; None: each at its nearest anchor. ``rows``: whether tables become rows; else what
    they hold is read one after the other. ``first_headings``: those of the top level. ``is_strong``: whether all the
    text is.
    """

    def __init__(self, structure: Structure, places: Places | None = None, *, rows: bool = True) -> None:
        self._structure, self._places, self._rows = structure, places, rows
        self._begins: Locator | None = None  # where the text that waits begins, by ``places``
        self._anchors = Anchors()
        self._waiting = _Waiting()
        self._whole: list[tuple[int, str]] = []  # depth and name of the elements that become one text
        self._labelled: list[
            tuple[int, ExitStack]
        ] = []  # depth of the elements that have a label, and their ends
        self._heading: str | None = None  # all the text of the one that is being walked
        self._lists: list[HtmlList] = []
        self._marker: str | None = None  # of the item whose first text comes next
        self._terms: list[str] = []  # of a definition list, whose definition comes next
        self._in_content = self._in_strong = 0
        self.first_headings: list[str] = []
        self.is_strong = True

    def walk(self, root: LexborNode) -> None:
        """Add everything below ``root`` that a reader sees."""
        stack: list[tuple[LexborNode, int, bool]] = [(root, 0, False)]
        while stack:
            node, depth, leaving = stack.pop()
            if leaving:
                self._leave(node, depth)
            elif node.is_text_node:
                self._take(node.text_content or "")
            elif (
                node.is_element_node
                and (depth == 0 or not self._is_left_out(node))
                and self._enter(node, depth)
            ):
                stack.append((node, depth, True))
                stack += [(child, depth + 1, False) for child in reversed(_children(node))]
        self._flush()
        self._flush_terms()

    def _take(self, text: str) -> None:
        if text.strip():
            self._anchors.take_text()
            self.is_strong = self.is_strong and self._in_strong > 0
            if self._waiting.is_blank and not self._is_in("pre"):
                self._note(text)
        self._waiting.add(text if self._is_in("pre") else text.replace("\n", " "))

    def _is_in(self, tag: str) -> bool:
        """Whether an element of this name becomes the text that waits."""
        return bool(self._whole) and self._whole[-1][1] == tag

    def _note(self, text: str) -> None:
        if self._places is not None:
            self._places.note(text)
            self._begins = self._places.locator()

    def _is_left_out(self, node: LexborNode) -> bool:
        return (
            is_unseen(node)
            or (is_furniture(node) and not self._in_content)
            or (node.tag == "button" and not self._is_shown_button(node))
        )

    def _is_shown_button(self, button: LexborNode) -> bool:
        """Whether the button says what it opens, or is the heading's text rather than beside it."""
        return "aria-expanded" in button.attributes or (
            self._heading is not None and not self._waiting.has_letter
        )

    def _is_sign(self, link: LexborNode) -> bool:
        """Whether a link is only the sign, such as ¶, that leads to where it stands."""
        attributes = link.attributes
        to_itself = self._heading is not None and (attributes.get("href") or "").startswith("#")
        has_class = not _SIGNS.isdisjoint(classes(link))
        if not to_itself and not has_class:
            return False
        text = link.text()
        return not any(map(str.isalnum, text)) and (has_class or text.strip() != self._heading)

    def _enter(self, node: LexborNode, depth: int) -> bool:
        """Begin an element; whether its children are to be walked."""
        tag = node.tag or ""
        if tag == "p" and not self._waiting.is_blank and not self._waiting.has_unraised:
            self._waiting.add(" ")  # after the number of the note that the paragraph is
        elif tag in _BLOCKS:
            self._end_block()
        if self._places is None:
            self._anchors.enter(node, depth)
        if tag == "a" and self._is_sign(node):
            return False
        if tag == "table" and self._rows and not self._whole and not _is_layout(node):
            self._flush_marker_alone()
            self._flush_terms()
            self._add_table(node)
            self._anchors.leave(depth)
            return False
        self._in_content += tag in _CONTENT or (depth == 0 and tag != "body")
        self._in_strong += tag in ("b", "strong")
        if tag in _WHOLE and (not self._whole or (self._is_in("dt") and tag in _HEADINGS)):
            self._begin_whole(node, tag, depth)
        elif not self._whole and _is_label(node):
            self._end_block()
            self._whole.append((depth, _LABEL))
        elif tag == "br":
            self._waiting.add("\n")
        elif tag in ("ul", "ol", "menu"):
            self._flush_terms()
            self._lists.append(HtmlList.of(node))
        elif tag == "li":
            self._marker = self._lists[-1].next_marker(node) if self._lists else ""
        elif _is_raised(node):
            self._waiting.begin_raised()
        elif tag == "q":
            self._waiting.add("“")
        elif tag in _CONTROLS_SHOWN:
            self._waiting.add(" ")
        return True

    def _begin_whole(self, node: LexborNode, tag: str, depth: int) -> None:
        self._whole.append((depth, tag))
        if tag == "pre":
            self._flush_marker_alone()
            self._flush_terms()
            self._note(node.text())
        elif tag in _HEADINGS:
            self._heading = node.text().strip()

    def _end_whole(self) -> None:
        depth, tag = self._whole.pop()
        text = self._waiting.take()
        if tag == _LABEL:
            self._begin_labelled(text, depth - 1)
        elif tag in _HEADINGS:
            self._heading = None
            self._flush_terms()
            self._structure.heading(text, _HEADINGS[tag], self._locator())
            if tag == "h1" and one_line(text):
                self.first_headings.append(one_line(text))
        elif tag == "pre":
            self._structure.code(text, self._locator())
        elif term := one_line(text):
            self._terms.append(term)

    def _begin_labelled(self, label: str, depth: int) -> None:
        """What else the element of this depth holds stands under the label, up to its next one."""
        self._end_labelled(depth)
        self._flush_terms()
        end = ExitStack()
        end.enter_context(self._structure.labelled(label, self._locator()))
        self._labelled.append((depth, end))

    def _end_labelled(self, depth: int) -> None:
        if self._labelled and self._labelled[-1][0] == depth:
            self._flush()
            self._labelled.pop()[1].close()

    def _leave(self, node: LexborNode, depth: int) -> None:
        tag = node.tag or ""
        if self._whole and self._whole[-1][0] == depth:
            self._end_whole()
        elif tag in _BLOCKS:
            self._end_block()
        self._end_labelled(depth)
        if tag in ("ul", "ol", "menu"):
            self._lists.pop()
        elif tag == "li":
            self._marker = None
        elif tag in ("dd", "dl"):
            self._flush_terms()
        elif _is_raised(node):
            self._waiting.end_raised()
        elif tag == "q":
            self._waiting.add("”")
        elif tag in _CONTROLS_SHOWN:
            self._waiting.add(" ")
        self._in_content -= tag in _CONTENT or (depth == 0 and tag != "body")
        self._in_strong -= tag in ("b", "strong")
        self._anchors.leave(depth)

    def _locator(self) -> Locator | None:
        return self._anchors.nearest() if self._places is None else self._begins

    def _end_block(self) -> None:
        """A block begins or ends here."""
        if self._whole:
            self._waiting.end_line()
        else:
            self._flush()

    def _flush(self) -> None:
        """Add the text that has come so far as a block: a field, an item or a paragraph."""
        text = self._waiting.take()
        if not text.strip():
            return
        if self._terms:
            self._structure.add(BlockKind.FIELD, with_name(", ".join(self._terms), text), self._locator())
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
        self._anchors.take_text()
        rows = []
        for node in _children(table):
            if node.tag == "caption" and not is_unseen(node):
                self._structure.add(BlockKind.PARAGRAPH, _shown_in(node)[0], self._locator())
        for node, cells_of in _rows(table):
            anchor = (node.attributes.get("id") or "").strip()
            cells = [_cell(cell) for cell in cells_of]
            self._note(next((cell.text for cell in cells if cell.text), ""))
            own = Locator(LocatorKind.ANCHOR, anchor) if anchor and self._places is None else self._locator()
            rows.append(Row(cells, own, heads=node.parent is not None and node.parent.tag == "thead"))
        add_table(self._structure, rows)


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))


def _rows(table: LexborNode) -> Iterator[tuple[LexborNode, list[LexborNode]]]:
    """The rows that are the table's own, each with its cells."""
    for part in _children(table):
        if part.tag in ("thead", "tbody", "tfoot") and not is_unseen(part):
            for row in _children(part):
                if row.tag == "tr" and not is_unseen(row):
                    cells = [cell for cell in _children(row) if cell.tag in ("td", "th")]
                    yield row, [cell for cell in cells if not is_unseen(cell)]


def _cell(node: LexborNode) -> Cell:
    spans = [whole_number(node.attributes.get(name), 1) for name in ("colspan", "rowspan")]
    text, is_strong = _shown_in(node)
    heads = node.tag == "th" or (bool(text) and is_strong)
    return Cell(text, heads, columns=max(1, spans[0]), rows=max(1, spans[1]))


def _is_layout(table: LexborNode) -> bool:
    """Whether the table only places things: what it holds is then read one after the other.

    So it is where it names no column or row and holds other tables, or headings or code and no rows of one length.
    """
    if table.attributes.get("role") in ("presentation", "none"):
        return True
    rows = [cells for _, cells in _rows(table) if cells]
    if any(cell.tag == "th" for cells in rows for cell in cells):
        return False
    if len(table.css("table")) > 1:
        return True
    lengths = set(map(len, rows))
    has_columns = len(rows) > 1 and len(lengths) == 1 and lengths != {1}
    return not has_columns and table.css_first(_IN_LAYOUT_CELLS) is not None
