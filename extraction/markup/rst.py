"""reStructuredText: what a reader sees of a ``.rst`` file, each block with its line.

docutils parses it. What only Sphinx knows (its directives and roles) is read from what docutils could not understand.
"""

import re
from collections.abc import Callable

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst.directives import register_directive
from docutils.parsers.rst.directives.misc import Class

from common.lines import lines_of, with_plain_lines
from extraction.encodings import decoded
from extraction.extracted import Extracted, UnreadableError
from extraction.markup.directives import directive, role_text
from extraction.markup.object_names import names_objects_in_backquotes, text_in_backquotes
from extraction.raised import raised
from extraction.structure import Structure, one_line, tidy, with_name
from extraction.tables import Cell, Row, add_table
from retriever.types import BlockKind, Locator

_LONGEST = 2_000_000  # characters; docutils reads about 100,000 a second
_LONGEST_LINE = 100_000  # characters
_SETTINGS = {
    "report_level": 3,  # errors stand in the tree: an unknown directive is one
    "halt_level": 5,
    "warning_stream": False,
    "file_insertion_enabled": False,
    "raw_enabled": True,  # so that ``|br|``, which a raw text is put in for, is no text; it reads no files
    "_disable_config": True,
    "doctitle_xform": False,
    "docinfo_xform": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
    "input_encoding": "unicode",
    "line_length_limit": _LONGEST_LINE,
}
_UNSEEN = (
    nodes.comment,
    nodes.substitution_definition,
    nodes.image,
    nodes.raw,
    nodes.meta,
    nodes.pending,
    nodes.generated,
)
_DIRECTIVE = re.compile(r"\.\.[ \t]+([\w:.+-]+?)[ \t]?::(?:[ \t]+(.*))?$")
_ADORNMENT = re.compile(r"([^\w\s])\1*$")
_SIGNATURE = re.compile(r"[A-Z(\[.]")  # names of styles are in lower case
_NEAR = 100  # lines
_ROLE = re.compile(r":([\w:.+-]+):`(.*)`", re.DOTALL)
_REFERENCES = ("ref", "std:ref")
_SENTENCE_ENDS = (".", "!", "?")
_TITLE = "title-of-target"  # an attribute of a reference
_BY_THE_BUILD = {"|version|": "", "|release|": ""}  # what these stand for is in no file of the documentation


def extract_rst(content: bytes) -> Extracted:
    """The text without its marks; the title is the first heading. Other files are not included."""
    text = with_plain_lines(decoded(content))
    if len(text) > _LONGEST:
        raise UnreadableError(
            f"The file has {len(text):,} characters, and {_LONGEST:,} are the most for reStructuredText; split it."
        )
    if max(map(len, lines_of(text)), default=0) > _LONGEST_LINE:
        raise UnreadableError(f"The file has a line of more than {_LONGEST_LINE:,} characters; break it.")
    structure = Structure()
    add_rst(structure, text, 0)
    return Extracted(structure, structure.first_heading)


def add_rst(structure: Structure, text: str, lines_above: int) -> None:
    """Add what reStructuredText shows; it begins below so many lines of the file.

    Raises:
        UnreadableError: when it nests too deeply.
    """
    try:
        _Walk(structure).walk(text, lines_above)
    except (RecursionError, nodes.NodeFound) as error:
        raise UnreadableError("The file nests too deeply; make it flatter.") from error


class _Class(Class):  # type: ignore[misc]
    """Docutils' directive ``class``, which styles what follows.

    Sphinx's, which tells of a class of a program (``.. class:: Point(x, y)``), is refused, as all that is Sphinx's.
    """

    def run(self) -> list[nodes.Node]:
        """The content with the style; an error where the argument is how a class is written."""
        if _SIGNATURE.search(self.arguments[0]):
            raise self.error("No style is called so.")
        return list(super().run())


register_directive("class", _Class)


class _Walk:
    """Adds the blocks of a parsed text to the structure."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._level = 0
        self._above = 0  # lines of the file above the text that is being read
        self._lines: list[str] = []
        self._at = -1  # the line of that text, from 0, that was found last
        self._marker: str | None = None
        # of the sections of the whole file, by the names that references use
        self._titles: dict[str, str] = {}
        self._substitutions = _BY_THE_BUILD  # what stands for ``|name|`` in the whole file
        self._backquotes_name_objects = False  # in the whole file

    def walk(self, text: str, lines_above: int) -> None:
        """Add what the text shows; it begins below so many lines of the file."""
        outer = self._above, self._lines, self._at
        self._above, self._lines, self._at = lines_above, lines_of(text), -1
        tree = publish_doctree(text, settings_overrides=_SETTINGS)
        self._backquotes_name_objects = self._backquotes_name_objects or names_objects_in_backquotes(text)
        self._name_objects(tree)
        self._titles = self._titles or _titles(tree)
        self._substitutions = self._substitutions | _substitutions(tree)
        self._resolve(tree)
        for child in tree.children:
            self._take(child)
        self._above, self._lines, self._at = outer

    def _name_objects(self, tree: nodes.document) -> None:
        """Note what a reader sees of each name of an object in single backquotes."""
        if self._backquotes_name_objects:
            for node in tree.findall(nodes.title_reference):
                node[_TITLE] = text_in_backquotes(node.astext()).replace("\n", " ")

    def _resolve(self, tree: nodes.document) -> None:
        """Note what a reader sees of each reference of Sphinx to a section of this file, and of ``|name|``."""
        for node in tree.findall(nodes.problematic):
            role = _ROLE.fullmatch(node.astext())
            name = nodes.fully_normalize_name(role[2]) if role and role[1] in _REFERENCES else None
            if name in self._titles:
                node[_TITLE] = self._titles[name]
            elif node.astext() in self._substitutions:
                node[_TITLE] = self._substitutions[node.astext()]

    def _take(self, node: nodes.Node) -> None:
        match node:
            case nodes.system_message():
                self._refused(node)
            case nodes.section():
                self._level += 1
                self._all(node)
                self._level -= 1
            case nodes.title():
                self._title(node)
            case nodes.literal_block() | nodes.doctest_block() | nodes.math_block():
                self._leave_marker()
                self._structure.code(node.astext(), self._locator(node))
            case nodes.enumerated_list() | nodes.bullet_list():
                self._list(node)
            case nodes.definition_list_item() | nodes.field() | nodes.option_list_item():
                self._named(node)
            case nodes.table():
                self._table(node)
            case nodes.line_block():
                lines = [_shown(line) for line in node.findall(nodes.line)]
                self._text("\n".join(lines), node)
            case nodes.footnote() | nodes.citation():
                self._marker = f"[{one_line(node.children[0].astext())}]"
                self._all(node, after=1)
            case nodes.topic() if "contents" in node["classes"]:
                pass
            case nodes.topic() | nodes.admonition() | nodes.sidebar() if isinstance(
                node.next_node(), nodes.title
            ):
                label = node.children[0]
                self._leave_marker()
                with self._structure.labelled(_shown(label), self._locator(label)):
                    self._all(node, after=1)
            case nodes.TextElement():
                self._text(_shown(node), node)
            case _ if not isinstance(node, _UNSEEN):
                self._all(node)

    def _all(self, node: nodes.Node, *, after: int = 0) -> None:
        for child in node.children[after:]:
            self._take(child)

    def _title(self, node: nodes.title) -> None:
        if isinstance(node.parent, nodes.section):
            self._structure.heading(_shown(node).replace("\n", " "), self._level, self._locator(node))
        else:
            self._text(_shown(node), node)

    def _text(self, text: str, node: nodes.Node) -> None:
        if tidy(text):
            self._begin(BlockKind.PARAGRAPH, text, self._locator(node))

    def _leave_marker(self) -> None:
        """Add an item's number where no text of its own follows it."""
        if self._marker:
            self._structure.add(BlockKind.ITEM, self._marker)
        self._marker = None

    def _list(self, node: nodes.Element) -> None:
        numbered = isinstance(node, nodes.enumerated_list)
        for number, item in enumerate(node.children, start=node.get("start", 1)):
            self._marker = f"{_number(number, node['enumtype'])}." if numbered else ""
            self._all(item)
            self._marker = None

    def _named(self, node: nodes.Element) -> None:
        """A term or an option with what it means; further parts of the meaning follow as blocks of their own.

        A term that an item begins with is the item's text.
        """
        *names, body = node.children
        name = ", ".join(
            filter(None, (one_line(_shown(part)) for part in names if isinstance(part, nodes.Element)))
        )
        parts = _parts(body)
        if isinstance(node, nodes.field):
            parts = _with_hanging_lines(parts)
        if parts and isinstance(parts[0], nodes.paragraph):
            locator = self._locator(node if names else body, name)
            meaning = one_line(_shown(parts.pop(0)))
            in_sentence = name.endswith(_SENTENCE_ENDS) or self._hangs(node)
            text = f"{name} {meaning}" if in_sentence else with_name(name, meaning)
            self._begin(BlockKind.FIELD, text, locator)
        elif parts or not isinstance(node, nodes.field):
            self._begin(BlockKind.PARAGRAPH, name, self._locator(node, name))
        for part in parts:
            self._take(part)

    def _hangs(self, node: nodes.Element) -> bool:
        """Whether the lines of an item stand further in than they should, so that docutils takes them for a meaning.

        Names, of which a meaning may be told in an item, are code, strong or the like; others are words of a sentence.
        """
        if self._marker is None or not isinstance(node, nodes.definition_list_item):
            return False
        term = node.children[0]
        return any(isinstance(part, nodes.Text) and part.strip() for part in term.children)

    def _begin(self, kind: BlockKind, text: str, locator: Locator) -> None:
        """Add a text, as the item whose first text it is, else as a block of this kind."""
        if self._marker is None:
            self._structure.add(kind, text, locator)
        else:
            self._structure.add(BlockKind.ITEM, f"{self._marker} {text}", locator)
        self._marker = None

    def _table(self, node: nodes.table) -> None:
        self._leave_marker()
        for title in node.children:
            if isinstance(title, nodes.title):
                self._text(_shown(title), title)
        rows = []
        for row in node.findall(nodes.row):
            first = next((text for entry in row.children if (text := one_line(entry.astext()))), "")
            locator = self._locator(row, first)
            cells = [
                Cell(
                    self._inside(entry),
                    columns=entry.get("morecols", 0) + 1,
                    rows=entry.get("morerows", 0) + 1,
                )
                for entry in row.children
            ]
            rows.append(Row(cells, locator, heads=isinstance(row.parent, nodes.thead)))
        add_table(self._structure, rows)

    def _read(self, text: str) -> str:
        """What a reader sees of a text that stands for itself."""
        return self._apart(lambda: self.walk(text, 0))

    def _inside(self, node: nodes.Node) -> str:
        """What the node shows, as a text of its own."""
        return self._apart(lambda: self._all(node))

    def _apart(self, add: Callable[[], None]) -> str:
        """The text that is added, which does not become part of the document by itself."""
        outer, self._structure = self._structure, Structure()
        add()
        inner, self._structure = self._structure, outer
        return inner.text

    def _refused(self, message: nodes.system_message) -> None:
        """Read what docutils took for an error and left out: a directive, a table, or a heading."""
        source = next(message.findall(nodes.literal_block), None)
        if source is None or message["level"] < _SETTINGS["report_level"]:
            return
        first, *lines = source.astext().splitlines()
        if found := _DIRECTIVE.match(first):
            above = self._above + (message.get("line") or 1) - 1
            self._directive(found[1], found[2] or "", _dedented(lines), above)
        elif message.children[0].astext().startswith("Malformed table"):
            self._leave_marker()
            self._structure.code(source.astext(), self._locator(source))
        else:
            self._refused_heading(source, [first, *lines])

    def _directive(self, name: str, argument: str, lines: list[str], above: int) -> None:
        """Add what a reader sees of a directive that begins below so many lines of the file."""
        known = directive(name, argument.strip(), lines, is_rst=True)
        if known is None:
            return
        if known.is_code:
            self._leave_marker()
            code = [known.argument, *known.content] if known.argument else known.content
            self._structure.code(
                "\n".join(code), Locator.line(above + (1 if known.argument else known.skipped + 1))
            )
            return
        if known.is_labelled:
            self._leave_marker()
            with self._structure.labelled(self._read(known.argument), Locator.line(above + 1)):
                self.walk("\n".join(known.content), above + known.skipped)
            return
        if known.argument:
            self.walk(known.argument, above)
        self.walk("\n".join(known.content), above + known.skipped)

    def _refused_heading(self, source: nodes.literal_block, lines: list[str]) -> None:
        """Add the line that is over or under a line of marks, as a heading below the one above."""
        text = [line for line in lines if not _ADORNMENT.match(line.strip())]
        if len(text) < len(lines):
            title = " ".join(text)
            self._structure.heading(title, self._level + 1, self._locator(source, title))

    def _locator(self, node: nodes.Node, text: str | None = None) -> Locator:
        """The line in which the node's text begins: where its first words stand, near to where docutils saw it.

        docutils gives some nodes no line, and titles and lists one nearby.
        """
        text = node.astext() if text is None else text
        words = one_line(text[:200]).split()[:3]
        seen = getattr(node, "line", None)  # of code it is the last
        first = self._at + 1 if seen is None else max(0, seen - 4 - text.count("\n"))
        near = range(first, first + _NEAR if seen is None else seen + 4)
        begins = (n for n in near if words and n < len(self._lines) and _begins(self._lines[n], words))
        self._at = next(begins, self._at if seen is None else min(seen, len(self._lines)) - 1)
        return Locator.line(self._above + max(self._at, 0) + 1)


def _titles(tree: nodes.document) -> dict[str, str]:
    """The titles of the sections, by their names."""
    return {
        name: one_line(_shown(section.children[0]))
        for section in tree.findall(nodes.section)
        for name in section["names"]
    }


def _substitutions(tree: nodes.document) -> dict[str, str]:
    """What a reader sees in place of each ``|name|`` that is defined here."""
    return {
        f"|{name}|": "".join(map(_shown, definition.children))
        for definition in tree.findall(nodes.substitution_definition)
        for name in definition["names"]
    }


def _begins(line: str, words: list[str]) -> bool:
    """Whether the words stand in this line one after the other, as far as it reaches."""
    at = line.find(words[0])
    if at < 0 or line.lstrip().startswith(".. _"):  # a target is named like its heading
        return False
    rest = line[at:]
    return all(word in rest for word in words) or rest.strip() in " ".join(words)


def _parts(body: nodes.Element) -> list[nodes.Node]:
    """The blocks that mean something, without what docutils says of unknown roles in the lines before."""
    return [
        part
        for part in body.children
        if not (
            isinstance(part, nodes.system_message) and next(part.findall(nodes.literal_block), None) is None
        )
    ]


def _with_hanging_lines(parts: list[nodes.Node]) -> list[nodes.Node]:
    """The parts of a field, whose first paragraph may hang: its lines stand further in than a later paragraph.

    Docutils takes the first of its lines, which stands beside the field's name, for a term.
    """
    if not parts or not isinstance(parts[0], nodes.definition_list):
        return parts
    item, *others = parts[0].children
    *term, meaning = item.children
    hanging = _parts(meaning)
    lines = [*term, hanging.pop(0)] if hanging and isinstance(hanging[0], nodes.paragraph) else term
    joined = nodes.paragraph()
    for line in lines:
        joined += [nodes.Text(" : " if isinstance(line, nodes.classifier) else " "), *line.children]
    joined.line = item.line
    return [joined, *hanging, *others, *parts[1:]]


def _number(number: int, style: str) -> str:
    if style in ("loweralpha", "upperalpha") and number <= 26:
        return chr(ord("a" if style == "loweralpha" else "A") + number - 1)
    return str(number)


def _dedented(lines: list[str]) -> list[str]:
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[margin:] for line in lines]


def _shown(node: nodes.Node) -> str:
    """What a reader sees of a line: words without marks; the text of a role that only Sphinx knows."""
    if isinstance(node, nodes.Text):
        return str(node.astext()).replace("\n", " ")
    if isinstance(node, nodes.Element) and _TITLE in node:
        return str(node[_TITLE])
    if isinstance(node, nodes.problematic):
        text = node.astext().replace("\n", " ")
        role = _ROLE.fullmatch(text)
        return role_text(role[1], role[2]) if role else _reference_text(text)
    if isinstance(node, nodes.footnote_reference):
        return f"[{node.astext()}]"
    if isinstance(node, (*_UNSEEN, nodes.system_message)):
        return ""
    if isinstance(node, nodes.option_argument):
        return str(node.astext())  # with what stands before it
    shown = (", " if isinstance(node, nodes.option_group) else "").join(map(_shown, node.children))
    return raised(shown) if isinstance(node, nodes.superscript) else shown


def _reference_text(text: str) -> str:
    """What a reader sees of a reference: ``title`` of ```title <target>`_``; another text as it is."""
    if not text.endswith("_"):
        return text
    name = text.removesuffix("_").removesuffix("_").removeprefix("`").removesuffix("`")
    title, _, target = name.rpartition("<")
    told = target.endswith(">") and ">" not in target[:-1] and title[-1:].isspace()
    return title.rstrip() if told else name
