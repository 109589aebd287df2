"""Wikitext: what a reader sees of a page, each block with the anchor of its section."""

import re
from collections.abc import Iterable

import mwparserfromhell
from mwparserfromhell.nodes import (
    ExternalLink,
    Heading,
    HTMLEntity,
    Node,
    Tag,
    Template,
    Text,
    Wikilink,
)

from extraction.extracted import UnreadableError
from extraction.structure import Structure, names, one_line, with_name
from extraction.tables import Cell, Row, add_table
from retriever.types import BlockKind, Locator, LocatorKind

_LONGEST = 4_000_000  # characters; MediaWiki's own limit is 2 MB
_UNSEEN_TAGS = names("ref references gallery timeline imagemap templatestyles style script")
_OTHER_SPACE = re.compile(r"\s*(file|image|category|media)\s*:", re.IGNORECASE)
_MEASURES = names("convert cvt")
_SHOWN_ARGUMENT = {"lang": 1, "nowrap": 0, "nobr": 0, "transliteration": 1, "abbr": 0, "em": 0, "small": 0}
_LIST = re.compile(r"([*#:;]+)\s*(.*)")


def structure_of(source: str) -> Structure:
    """Headings, paragraphs, lists and tables of the page.

    Templates are not expanded: of those that only dress words or measures the words are kept, the others are left out.

    Raises:
        UnreadableError: when the page is too long or nests too deeply.
    """
    if len(source) > _LONGEST:
        raise UnreadableError(
            f"The page has {len(source):,} characters, and {_LONGEST:,} are the most; split it."
        )
    structure = Structure()
    try:
        _Walk(structure).walk(mwparserfromhell.parse(source, skip_style_tags=False).nodes)
    except (RecursionError, mwparserfromhell.parser.ParserError) as error:
        raise UnreadableError("The page nests too deeply to be read; make it flatter.") from error
    return structure


class _Walk:
    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._locator: Locator | None = None
        self._parts: list[str] = []
        self._number = 0  # of the last item, in a numbered list
        self._anchors: dict[
            str, int
        ] = {}  # those of the page in lower case, with the last number given to each

    def walk(self, nodes: Iterable[Node]) -> None:
        """Add what the nodes show."""
        for node in nodes:
            if isinstance(node, Heading):
                self._flush()
                text = one_line(_shown(node.title.nodes))
                if text:
                    self._locator = Locator(LocatorKind.ANCHOR, self._anchor(text.replace(" ", "_")))
                self._structure.heading(text, node.level, self._locator)
            elif isinstance(node, Tag) and str(node.tag).lower() == "table":
                self._flush()
                first = _tags(node, "th", "td")  # the first row may do without its mark
                rows = [first, *(_tags(row, "th", "td") for row in _tags(node, "tr"))]
                add_table(
                    self._structure, [Row([_cell(cell) for cell in row], self._locator) for row in rows]
                )
            elif isinstance(node, Tag) and str(node.tag).lower() in ("pre", "syntaxhighlight", "source"):
                self._flush()
                self._structure.code(str(node.contents), self._locator)
            else:
                self._parts.append(_shown([node]))
        self._flush()

    def _anchor(self, anchor: str) -> str:
        """The anchor as MediaWiki gives it: the second of its name ends with ``_2``, upper and lower case alike."""
        key = anchor.lower()
        if key not in self._anchors:
            self._anchors[key] = 1
            return anchor
        number = self._anchors[key] + 1
        while f"{key}_{number}" in self._anchors:
            number += 1
        self._anchors[key], self._anchors[f"{key}_{number}"] = number, 1
        return f"{anchor}_{number}"

    def _flush(self) -> None:
        """Add the lines that have come so far: a line is an item, or part of a paragraph."""
        paragraph: list[str] = []
        for line in ["".join(self._parts), ""]:
            for part in [*line.split("\n"), ""]:
                item = _LIST.match(part)
                if part.strip() and item is None:
                    paragraph.append(part)
                    continue
                self._structure.add(BlockKind.PARAGRAPH, " ".join(paragraph), self._locator)
                self._number = 0 if paragraph else self._number
                paragraph.clear()
                if item is not None:
                    self._item(item[1], item[2])
        self._parts.clear()
        self._number = 0

    def _item(self, marks: str, text: str) -> None:
        term, colon, meaning = text.partition(":")
        if marks.endswith(";") and colon:
            self._structure.add(BlockKind.FIELD, with_name(term.strip(), meaning), self._locator)
        elif marks.endswith("#"):
            self._number += 1
            self._structure.add(BlockKind.ITEM, f"{self._number}. {text}", self._locator)
        else:
            kind = BlockKind.ITEM if marks.endswith("*") else BlockKind.PARAGRAPH
            self._structure.add(kind, text, self._locator)


def _tags(node: Tag, *tags: str) -> list[Tag]:
    """The tags of these names right below this one."""
    return [
        child for child in node.contents.nodes if isinstance(child, Tag) and str(child.tag).lower() in tags
    ]


def _cell(tag: Tag) -> Cell:
    spans = {str(attribute.name).strip(): str(attribute.value).strip() for attribute in tag.attributes}
    columns, rows = (
        int(s) if (s := spans.get(name, "")[:9]).isdecimal() and s != "0" else 1
        for name in ("colspan", "rowspan")
    )
    return Cell(_shown(tag.contents.nodes), str(tag.tag).lower() == "th", columns=columns, rows=rows)


def _shown(nodes: Iterable[Node]) -> str:
    """What a reader sees of the nodes; the marks of list items stay."""
    return "".join(map(_shown_node, nodes))


def _shown_node(node: Node) -> str:
    match node:
        case Text():
            return str(node.value)
        case HTMLEntity():
            return str(node.normalize())
        case Wikilink():
            return "" if _OTHER_SPACE.match(str(node.title)) else _shown((node.text or node.title).nodes)
        case ExternalLink():
            return _shown((node.title or node.url).nodes) if node.title or not node.brackets else ""
        case Template():
            return _shown_template(node)
        case Tag():
            return _shown_tag(node)
        case _:  # comments, arguments
            return ""


def _shown_tag(node: Tag) -> str:
    tag = str(node.tag).lower()
    if tag in _UNSEEN_TAGS:
        return ""
    if tag == "br":
        return " "
    if tag in ("li", "dd", "dt") and node.wiki_markup:
        return str(node.wiki_markup)
    return "" if node.contents is None else _shown(node.contents.nodes)


def _shown_template(node: Template) -> str:
    """The words of a template that only dresses them; a measure and its unit."""
    name = str(node.name).strip().lower()
    arguments = [_shown(parameter.value.nodes).strip() for parameter in node.params if not parameter.showkey]
    if name in _MEASURES and len(arguments) > 1:
        return f"{arguments[0]} {arguments[1]}"
    place = _SHOWN_ARGUMENT.get(name)
    return arguments[place] if place is not None and len(arguments) > place else ""
