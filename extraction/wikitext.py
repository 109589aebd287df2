"""Wikitext: what a reader sees of a page, each block with the anchor of its section."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from itertools import filterfalse, takewhile

import mwparserfromhell
from mwparserfromhell.nodes import (
    Comment,
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
from extraction.hiding import hides
from extraction.raised import raised
from extraction.structure import Structure, names, one_line, with_name
from extraction.table_tags import with_closed_cells
from extraction.tables import Cell, Row, add_table
from retriever.types import BlockKind, Locator, LocatorKind

_LONGEST = 4_000_000  # characters; MediaWiki's own limit is 2 MB
_UNSEEN_TAGS = names("ref references gallery timeline imagemap templatestyles style script")
_BLOCK_TAGS = names(
    "blockquote caption center dd div dl dt li ol p poem section table tbody td tfoot th thead tr ul"
)
_LIST_MARKS = {"ul": "*", "ol": "#", "dl": ""}
_ITEM_MARKS = {"li": "", "dt": ";", "dd": ":"}
_LEFT_TAG = re.compile(
    r"</?(blockquote|center|dd|div|dl|dt|li|ol|p|section|table|tbody|td|tfoot|th|thead|tr|ul|"
    r"b|big|cite|code|em|font|i|kbd|s|samp|small|span|strong|sub|sup|tt|u|var)(?:\s[^<>]*)?>",
    re.IGNORECASE,
)  # the parser leaves tags as text that are not closed, or not opened
_NOWIKI = re.compile(r"</?nowiki\s*/?>", re.IGNORECASE)
_BREAK = re.compile(r"\n(?![*#:;])")
_COMMENT = "\0"  # stands where one was: a line of nothing else ends no list
_OTHER_SPACE = re.compile(r"\s*(file|image|category|media)\s*:", re.IGNORECASE)
_SWITCH = re.compile(
    "__(?:NO|FORCE)?TOC__|__(?:NO)?(?:INDEX|EDITSECTION|GALLERY|NEWSECTIONLINK|CC|TC|CONTENTCONVERT|TITLECONVERT)__|"
    "__NONEWSECTIONLINK__|__HIDDENCAT__|__EXPECTUNUSEDCATEGORY__|__STATICREDIRECT__|__DISAMBIG__",
    re.IGNORECASE,
)
_MEASURES = names("convert cvt")
_SHOWN_ARGUMENT = dict.fromkeys(
    names(
        "abbr angbr big blockquote bold center chem code cquote em flag flagcountry flagu highlight ill italic kbd "
        "larger left math mono mvar nobold nobr noitalic nowrap nts poemquote quote right samp sic small smaller "
        "strong sub tooltip val vanchor"
    ),
    0,
) | {"color": 1, "colour": 1, "lang": 1, "sort": 1, "transl": 1, "transliteration": 1}
_JOINED = {"sortname": (" ", 2), "ubl": (", ", 99), "unbulleted list": (", ", 99), "hlist": (", ", 99)}
"""Templates that show several arguments: what stands between them, and how many they are at most."""
_SAID = {
    "yes": "Yes",
    "no": "No",
    "partial": "Partial",
    "maybe": "Maybe",
    "unknown": "Unknown",
    "dunno": "?",
    "n/a": "N/A",
    "won": "Won",
    "nom": "Nominated",
    "tba": "TBA",
    "tbd": "TBD",
}
"""What templates for cells of tables say where they have no argument."""
_LIST = re.compile(r"([*#:;]+)\s*(.*)")


def structure_of(source: str) -> Structure:
    """Headings, paragraphs, lists and tables of the page.

    Templates are not expanded: of those that only dress words or measures, or say what a cell of a table holds, the
    words are kept; the others are left out.

    Raises:
        UnreadableError: when the page is too long or nests too deeply.
    """
    if len(source) > _LONGEST:
        raise UnreadableError(
            f"The page has {len(source):,} characters, and {_LONGEST:,} are the most; split it."
        )
    structure = Structure()
    try:
        _Walk(structure).walk(mwparserfromhell.parse(with_closed_cells(source), skip_style_tags=False).nodes)
    except (RecursionError, mwparserfromhell.parser.ParserError) as error:
        raise UnreadableError("The page nests too deeply to be read; make it flatter.") from error
    return structure


class _Walk:
    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._locator: Locator | None = None
        self._parts: list[str] = []
        self._list_tags: list[str] = []  # names of the lists that are open, as tags of HTML
        self._in_item = False  # whether the line that is being taken is one
        self._marks = ""  # of the last item
        self._numbers: list[int] = []  # of the last item, one for each of its marks
        self._anchors: dict[
            str, int
        ] = {}  # those of the page in lower case, with the last number given to each

    def walk(self, nodes: Iterable[Node]) -> None:
        """Add what the nodes show."""
        self._take(nodes)
        self._flush()

    def _take(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if isinstance(node, Heading):
                self._flush()
                text = one_line(_shown(node.title.nodes))
                if text:
                    self._locator = Locator(LocatorKind.ANCHOR, self._anchor(text.replace(" ", "_")))
                self._structure.heading(text, node.level, self._locator)
            elif isinstance(node, Tag) and not _is_unseen(node):
                self._take_tag(node, str(node.tag).lower())
            elif not isinstance(node, Tag):
                self._add(_shown([node]))

    def _add(self, text: str) -> None:
        self._parts.append(_BREAK.sub(" ", text) if self._list_tags else text)
        self._in_item = self._in_item and "\n" not in text

    def _take_tag(self, node: Tag, tag: str) -> None:
        if tag == "table":
            self._flush()
            for caption in _captions(node):
                self._structure.add(BlockKind.PARAGRAPH, caption, self._locator)
            rows = [[_cell(cell) for cell in row] for row in _rows(node)]
            add_table(self._structure, [Row(row, self._locator) for row in rows])
        elif tag in ("pre", "syntaxhighlight", "source"):
            self._flush()
            code = str(node.contents)
            code = unescape(_NOWIKI.sub("", code)) if tag == "pre" else code
            self._structure.code(code, self._locator)
            self._parts.append(_COMMENT if self._in_item else "")
        elif node.wiki_markup or node.self_closing or tag in ("sup", "nowiki"):
            self._add(_shown([node]))
            self._in_item = self._in_item or (bool(node.wiki_markup) and tag in _ITEM_MARKS)
        elif tag in _LIST_MARKS:
            self._end_block()
            self._list_tags.append(tag)
            self._take(node.contents.nodes)
            self._list_tags.pop()
            self._end_block()
        elif tag in _ITEM_MARKS:
            marks = "".join(_LIST_MARKS[name] for name in self._list_tags) + _ITEM_MARKS[tag]
            self._parts.append(f"\n{marks} ")
            self._take(node.contents.nodes)
        elif tag in _BLOCK_TAGS:
            self._end_block()
            self._take(node.contents.nodes)
            self._end_block()
        else:
            self._take(node.contents.nodes)

    def _end_block(self) -> None:
        """A block begins or ends here; in a list it is part of its item."""
        if self._list_tags or self._in_item:
            self._parts.append(" ")
        else:
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
        lines = "".join(self._parts).split("\n")
        self._parts.clear()
        for line in [*filterfalse(_is_only_comment, lines), None]:
            text = "" if line is None else line.replace(_COMMENT, "")
            item = _LIST.match(text)
            if text.strip() and item is None:
                paragraph.append(text)
                continue
            self._structure.add(BlockKind.PARAGRAPH, " ".join(paragraph), self._locator)
            if item is not None:
                self._item(item[1], item[2], goes_on=not paragraph)
            elif line is not None or not self._in_item:
                self._marks = ""
            paragraph.clear()

    def _item(self, marks: str, text: str, *, goes_on: bool) -> None:
        same = takewhile(lambda pair: pair[0] == pair[1], zip(self._marks, marks, strict=False))
        going_on = [number for number, _ in zip(self._numbers, same, strict=False)] if goes_on else []
        self._numbers = going_on + [0] * (len(marks) - len(going_on))
        self._numbers[-1] += 1
        self._marks = marks
        term, colon, meaning = text.partition(":")
        if marks.endswith(";") and colon:
            self._structure.add(BlockKind.FIELD, with_name(term.strip(), meaning), self._locator)
        elif marks.endswith("#"):
            self._structure.add(BlockKind.ITEM, f"{self._numbers[-1]}. {text}", self._locator)
        else:
            kind = BlockKind.ITEM if marks.endswith("*") else BlockKind.PARAGRAPH
            self._structure.add(kind, text, self._locator)


def _tags(node: Tag, *tags: str) -> list[Tag]:
    """The tags of these names right below this one that are shown."""
    return [
        child
        for child in node.contents.nodes
        if isinstance(child, Tag) and str(child.tag).lower() in tags and not _is_unseen(child)
    ]


def _rows(table: Tag) -> Iterator[list[Tag]]:
    """The rows of a table; the first may do without its mark."""
    yield [cell for cell in _tags(table, "th", "td") if not _is_caption(cell)]
    for part in [table, *_tags(table, "thead", "tbody", "tfoot")]:
        for row in _tags(part, "tr"):
            yield _tags(row, "th", "td")


def _captions(table: Tag) -> Iterator[str]:
    for tag in _tags(table, "td", "caption"):
        text = _shown_in(tag)
        if str(tag.tag).lower() == "caption":
            yield text
        elif _is_caption(tag):
            yield text.removeprefix("+")


def _is_caption(tag: Tag) -> bool:
    """Whether what the parser takes for a cell begins with ``|+``: a table's caption."""
    if tag.wiki_markup != "|":
        return False
    return (str(tag.attributes[0]) if tag.attributes else str(tag.contents)).startswith("+")


def _cell(tag: Tag) -> Cell:
    spans = {str(attribute.name).strip(): str(attribute.value).strip() for attribute in tag.attributes}
    columns, rows = (
        int(s) if (s := spans.get(name, "")[:9]).isdecimal() and s != "0" else 1
        for name in ("colspan", "rowspan")
    )
    return Cell(_shown_in(tag), str(tag.tag).lower() == "th", columns=columns, rows=rows)


def _shown_in(tag: Tag) -> str:
    """What a cell or a caption shows."""
    structure = Structure()
    _Walk(structure).walk(tag.contents.nodes)
    return structure.text


def _is_unseen(tag: Tag) -> bool:
    styles = [
        str(attribute.value) for attribute in tag.attributes if str(attribute.name).strip().lower() == "style"
    ]
    return str(tag.tag).lower() in _UNSEEN_TAGS or any(map(hides, styles))


def _shown(nodes: Iterable[Node]) -> str:
    """What a reader sees of the nodes; the marks of list items stay."""
    return "".join(map(_shown_node, nodes))


def _shown_node(node: Node) -> str:
    match node:
        case Text():
            return _SWITCH.sub("", _LEFT_TAG.sub(_left, str(node.value)))
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
        case Comment():
            return _COMMENT
        case _:  # arguments
            return ""


def _is_only_comment(line: str) -> bool:
    return _COMMENT in line and not line.replace(_COMMENT, "").strip()


def _left(tag: re.Match[str]) -> str:
    """What stands in place of a tag that the parser has left as text."""
    name = tag[1].lower()
    if name not in _BLOCK_TAGS:
        return ""
    if tag[0].startswith("</"):
        return "\n"
    return "\n* " if name == "li" else "\n\n"


def _shown_tag(node: Tag) -> str:
    tag = str(node.tag).lower()
    if _is_unseen(node):
        return ""
    if tag in ("br", "hr"):
        return " " if tag == "br" else "\n\n"
    if tag in _ITEM_MARKS and node.wiki_markup:
        return str(node.wiki_markup)
    if node.contents is None:
        return ""
    text = unescape(str(node.contents)) if tag == "nowiki" else _shown(node.contents.nodes)
    if tag == "sup":
        return raised(text)
    return f" {text} " if tag in _BLOCK_TAGS else text


def _shown_template(node: Template) -> str:
    """The words of a template that only dresses them; a measure and its unit; what a cell of a table says."""
    name = str(node.name).strip().lower().replace("_", " ")
    arguments = [_shown(parameter.value.nodes).strip() for parameter in node.params if not parameter.showkey]
    if name in _MEASURES and len(arguments) > 1:
        return f"{arguments[0]} {arguments[1]}"
    if name in _SAID:
        return next(filter(None, arguments), _SAID[name])
    if name in _JOINED:
        between, most = _JOINED[name]
        return between.join(filter(None, arguments[:most]))
    place = _SHOWN_ARGUMENT.get(name)
    if name == "val" and node.has("u") and arguments:
        return f"{arguments[0]} {_shown(node.get('u').value.nodes).strip()}"
    return arguments[place] if place is not None and len(arguments) > place else ""
