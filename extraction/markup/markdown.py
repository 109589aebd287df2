"""Markdown: what a reader sees of a ``.md`` file, each block with its line.

CommonMark with tables; the settings at the top, template tags, raw HTML, the directives and roles of MyST, the boxes
and tabs of MkDocs, Docusaurus, VitePress and GitHub, what MkDocs' extensions put into a line, and reStructuredText in
MyST's ``eval-rst`` are read, as are tables, links and roles that stand in Markdown as reStructuredText has them.
"""

import re
import textwrap
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from common.deadline import Check, go_on
from common.lines import lines_of
from extraction.encodings import decoded
from extraction.extracted import Extracted, UnreadableError
from extraction.html import add_html
from extraction.markup.colon_fences import MARK as COLONS
from extraction.markup.colon_fences import colon_fence
from extraction.markup.directives import directive, role_text
from extraction.markup.footnotes import footnote
from extraction.markup.front_matter import front_matter
from extraction.markup.generated_parts import generated_part
from extraction.markup.indented_boxes import indented_box
from extraction.markup.rst import add_rst
from extraction.markup.rst_in_markdown import rst_link, rst_table, rst_target
from extraction.markup.templates import without_comments, without_tags
from extraction.markup.unresolved_links import unresolved_link
from extraction.raised import raised
from extraction.structure import Structure, names, one_line, tidy, with_name
from extraction.tables import Cell, Row, add_table
from retriever.types import BlockKind, Locator

_LONGEST = 5_000_000  # characters; parsing so many takes a minute
_DEEPEST = 60  # what nests more deeply the parser leaves out
_DEEPEST_BOXES = 10  # one within the other; those further in are read as paragraphs
_LONGEST_RST = (
    5_000  # characters of one block: docutils is never asked to end, and some texts take half a second then
)
_BOXES = {"colon_fence": colon_fence, "indented_box": indented_box}
_DIRECTIVE = re.compile(r"\{([\w:.-]+)\}\s*(.*)")
_ROLE = re.compile(r"(?:\{([a-zA-Z][\w:.+-]*)\}|(?<![\w:]):([a-zA-Z][\w:.+-]*[\w]):)$")
_MARKUP_DIRECTIVES = names(
    "admonition attention caution danger deprecated details dropdown error figure hint important margin note "
    "seealso sidebar tab tab-item tab-set tip todo topic versionadded versionchanged versionremoved warning card "
    "grid grid-item grid-item-card epigraph pull-quote rubric"
)
_ATTRIBUTES = re.compile(r"\{[ \t]?[:#.][^{}\n]{0,500}\}\s*$")
_CLOSING_MARKS = re.compile(r"[ \t]#+[ \t]*\Z")  # of a heading, before its attributes
_ATTRIBUTE = r"(?:[#.][\w:-]+|[\w:-]+=(?:\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'|[^\s\"'{}=]{1,500}))"
_LIST_OF_ATTRIBUTES = rf"\{{:?[ \t]*{_ATTRIBUTE}(?:[ \t]+{_ATTRIBUTE}){{0,20}}[ \t]*\}}"
_AFTER_A_MARK = re.compile(_LIST_OF_ATTRIBUTES)  # of the picture, the link or the code before it
_ICON = re.compile(rf":(?:material|octicons|fontawesome|simple)-[\w-]+:(?:{_LIST_OF_ATTRIBUTES})?")
_LANGUAGE = re.compile(r"#![a-zA-Z][\w+-]*[ \t]+")  # that code in a line is coloured by
_MARKDOWN_WITHIN = re.compile(
    r"\s*<(?P<tag>\w+)(?=\s)[^<>]{0,500}?\smarkdown(?:=[\"']?\w*[\"']?)?(?:\s[^<>]{0,500})?>"
    r"(?P<content>.*?)(?:</(?P=tag)\s*>\s*)?\Z",
    re.DOTALL,
)
_TARGET = re.compile(r"\([^()\s]+\)=$")
_ALERT = re.compile(r"\[![A-Za-z]+\][-+]?[ \t]*")  # what kind of box a quotation of GitHub or Obsidian is
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,100}\]")
_CONTAINER = re.compile(r"^[ \t]*:{3,}[ \t]*(?:\{[.#][^{}\n]{0,500}\}|\{?[\w-]*\}?)", re.MULTILINE)
_MODULE_LINES = re.compile(
    r"(?:import|export)\s[^'\"]*?\bfrom\s*['\"]|import\s*(['\"])[^'\"\s]+\1\s*;?$"
    r"|export\s+(?:(?:default|async|const|let|var|function|class)\s+)*[\w$]*\s*[=({]",
    re.MULTILINE,
)
_MDX_COMMENT = re.compile(r"\{/\*(?:(?!\{/\*).){0,5000}?\*/\}", re.DOTALL)
_TABLE_MARK = re.compile(r"<(/?)table\b", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/?(?:li|ul|ol|p|div|dt|dd))\b", re.IGNORECASE)
_RAISING = re.compile(r"<(/?)sup\b", re.IGNORECASE)
_DEFINITION = re.compile(r"([^\n]+)\n:[ \t]+(.+)", re.DOTALL)


def extract_markdown(content: bytes) -> Extracted:
    """The Markdown of these bytes; see ``extract_markdown_text``."""
    return extract_markdown_text(decoded(content))


def extract_mdx(content: bytes) -> Extracted:
    """The Markdown of these bytes, among which stand lines of JavaScript modules."""
    return extract_markdown_text(decoded(content), has_modules=True)


def extract_markdown_text(text: str, check: Check = go_on, *, has_modules: bool = False) -> Extracted:
    """The text without its marks; the title is that of the settings at the top, else the first heading.

    ``check`` is asked on the way, and raises where the reading has to end. ``has_modules``: whether a paragraph that
    reads as a line of a JavaScript module is none, as in MDX.
    """
    if len(text) > _LONGEST:
        raise UnreadableError(
            f"The file has {len(text):,} characters, and {_LONGEST:,} are the most for Markdown; split it."
        )
    settings = front_matter(text)
    structure = Structure(check=check)
    lines = lines_of(text)[settings.lines :]
    try:
        _Walk(structure, check, has_modules=has_modules).walk("\n".join(lines), settings.lines)
    except RecursionError as error:
        raise UnreadableError("The file nests lists or quotations too deeply; make it flatter.") from error
    title = settings.title or structure.first_heading
    return Extracted(structure, title, settings.metadata)


def _parser(check: Check) -> MarkdownIt:
    def checked(*_: object) -> bool:
        """A rule that applies nowhere: the parser asks it at every place that it comes by."""
        check()
        return False

    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable("table")
    parser.inline.ruler.before("text", "checked", checked)
    parser.block.ruler.before("table", "checked", checked, {"alt": []})
    for name, rule in _BOXES.items():
        parser.block.ruler.before(
            "fence", name, rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
        )
    parser.block.ruler.before("fence", "generated_part", generated_part, {"alt": ["paragraph"]})
    parser.block.ruler.before("reference", "footnote", footnote, {"alt": ["paragraph"]})
    parser.block.ruler.before("table", "rst_table", rst_table, {"alt": []})
    parser.block.ruler.before("reference", "rst_target", rst_target, {"alt": ["paragraph"]})
    parser.inline.ruler.before("backticks", "rst_link", rst_link)
    parser.inline.ruler.after("link", "unresolved_link", unresolved_link)
    parser.core.ruler.before("inline", "without_tags", _without_tags)
    parser.core.ruler.before("inline", "before_literal_block", _before_literal_block)
    return parser


def _without_tags(state: object) -> None:
    tokens = [token for token in state.tokens if token.type in _WITH_CONTENT]  # type: ignore[attr-defined]
    shown = without_comments([(token.content, token.type in _CODE) for token in tokens])
    for token, content in zip(tokens, shown, strict=True):
        token.content = content if token.type in _CODE else _CONTAINER.sub("", without_tags(content))


def _before_literal_block(state: object) -> None:
    """A paragraph that ends in ``::`` above code, as in reStructuredText, ends in a colon, or has none of its own."""
    tokens = state.tokens  # type: ignore[attr-defined]
    for paragraph, close, code in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if code.type == "code_block" and close.type == "paragraph_close":
            paragraph.content = _LITERAL_BLOCK_MARK.sub("", paragraph.content)


_LITERAL_BLOCK_MARK = re.compile(r"(?:(?:\A|\s):)?:\Z(?<=::)")
_MARKS_END = ("image", "code_inline", "_close")
_CODE = ("fence", "code_block")
_WITH_CONTENT = ("inline", "html_block", *_CODE)


class _Walk:
    """Adds the blocks of Markdown to the structure."""

    def __init__(self, structure: Structure, check: Check, *, has_modules: bool = False) -> None:
        self._structure, self._check, self._has_modules = structure, check, has_modules
        self._parser = _parser(check)
        self._links: dict[str, object] = {}  # what references in the whole file lead to
        self._lists: list[int | None] = []  # the number of each list's next item; None: no numbers
        self._marker: str | None = None
        self._html: list[Token] = []  # pieces of HTML that wait for the end of a table
        self._open_tables = 0
        self._rows: list[Row] = []
        self._cells: list[Cell] = []
        self._first_line = 1
        self._depth = 0  # of texts within directives

    def walk(self, text: str, lines_above: int) -> None:
        """Add what the text shows; it begins below so many lines of the file."""
        above, self._first_line = self._first_line, lines_above + 1
        self._depth += 1
        switch = self._parser.enable if self._depth <= _DEEPEST_BOXES else self._parser.disable
        switch(list(_BOXES))
        tokens = self._parser.parse(text, self._links)
        if any(token.level >= _DEEPEST - 1 for token in tokens):
            raise UnreadableError("The file nests lists or quotations too deeply; make it flatter.")
        for token in tokens:
            if token.type != "html_block" or not self._open_tables:
                self._add_html()
            self._take(token)
        self._add_html()
        self._first_line = above
        self._depth -= 1

    def _take(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._inline(token)
            case "fence" | "code_block":
                self._code(token)
            case "box":
                self._leave_marker(token)
                is_label = bool(token.info and token.content.strip())
                self._box(token.info, token.content, token, 1, is_label=is_label)
            case "rst":
                self._rst(token.content, token, 0)
            case "html_block":
                self._html.append(token)
                marks = _TABLE_MARK.findall(token.content)
                self._open_tables = max(0, self._open_tables + len(marks) - 2 * marks.count("/"))
            case "heading_open" | "paragraph_open" | "th_open" | "td_open":
                self._holder = token
            case "bullet_list_open":
                self._lists.append(None)
            case "ordered_list_open":
                self._lists.append(int(token.attrGet("start") or (0 if token.attrGet("start") == 0 else 1)))
            case "list_item_open":
                self._begin_item()
            case "list_item_close":
                self._marker = None
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "tr_open":
                self._cells = []
            case "tr_close":
                self._rows.append(Row(self._cells, self._row_locator))
            case "table_close":
                add_table(self._structure, self._rows)
                self._rows = []

    def _add_html(self) -> None:
        """Add the HTML that waits as one; a blank line within a table parts it for CommonMark.

        What stands in an element that says so (``<figure markdown>``) is Markdown.
        """
        if not self._html:
            return
        parts: list[str] = []
        first = line = (self._html[0].map or [0])[0]
        for token in self._html:
            parts.append("\n" * max(0, (token.map or [0])[0] - line))
            parts.append(token.content)
            line += len(parts[-2]) + token.content.count("\n")
        html, above = "".join(parts), self._first_line - 1 + first
        self._html, self._open_tables = [], 0
        within = _MARKDOWN_WITHIN.match(html) if self._depth <= _DEEPEST_BOXES else None
        if within is None:
            add_html(self._structure, html, above + 1)
        else:
            self.walk(
                textwrap.dedent(within["content"]), above + html.count("\n", 0, within.start("content"))
            )

    def _begin_item(self) -> None:
        number = self._lists[-1]
        self._marker = "" if number is None else f"{number}."
        if number is not None:
            self._lists[-1] = number + 1

    def _inline(self, token: Token) -> None:
        text, locator = shown(token.children or []), self._locator(token)
        if self._holder.type in ("th_open", "td_open"):
            self._row_locator = locator
            self._cells.append(Cell(text, heads=self._holder.type == "th_open"))
        elif self._holder.type == "heading_open":
            without = _ATTRIBUTES.sub("", text)
            heading = text if without == text else _CLOSING_MARKS.sub("", without)
            self._structure.heading(heading, int(self._holder.tag[1:]), locator)
        else:
            is_module = self._has_modules and token.level == 1 and _MODULE_LINES.match(token.content)
            if not is_module and not _TARGET.match(token.content):
                self._paragraph(text, token.content, locator)

    def _paragraph(self, text: str, source: str, locator: Locator | None) -> None:
        text = _MDX_COMMENT.sub("", _ATTRIBUTES.sub("", text))
        if alert := _ALERT.match(text):
            text = text[alert.end() :]
        if self._marker is not None:
            if tidy(text):
                self._structure.add(BlockKind.ITEM, f"{self._marker} {text}", locator)
                self._marker = None
        elif definition := _DEFINITION.fullmatch(source):
            name, value = (one_line(self._shown(part)) for part in definition.groups())
            self._structure.add(BlockKind.FIELD, with_name(name, value), locator)
        else:
            self._structure.add(BlockKind.PARAGRAPH, text, locator)

    def _code(self, token: Token) -> None:
        if not token.content and not token.info.startswith("{"):
            return
        known = _DIRECTIVE.match(token.info.strip())
        self._leave_marker(token)
        if known and known[1] == "eval-rst":
            self._rst(token.content, token, 1)
            return
        if known is None:
            self._structure.code(token.content, self._locator(token))
            return
        found = directive(known[1], known[2], lines_of(token.content), fenced_options=True)
        if found is None or token.map is None:
            return
        if known[1] in _MARKUP_DIRECTIVES or (token.markup.startswith(COLONS) and not found.is_code):
            content = "\n".join(found.content)
            self._box(found.argument, content, token, found.skipped, is_label=found.is_labelled)
        else:
            code = [found.argument, *found.content] if found.argument else found.content
            self._structure.code("\n".join(code), self._locator(token))

    def _rst(self, text: str, token: Token, skipped: int) -> None:
        """Add what reStructuredText shows, so many lines below the token's first; as code where it is too long."""
        self._check()
        self._leave_marker(token)
        if len(text) > _LONGEST_RST or token.map is None:
            self._structure.code(text, self._locator(token))
        else:
            add_rst(self._structure, text, self._first_line - 1 + token.map[0] + skipped)

    def _box(self, label: str, content: str, token: Token, skipped: int, *, is_label: bool) -> None:
        """Add what stands apart, so many lines below the token's first. ``is_label``: else it is a paragraph above."""
        shown, locator = self._shown(label), self._locator(token)
        above = self._first_line - 1 + (token.map or [0])[0] + skipped
        if is_label:
            with self._structure.labelled(shown, locator):
                self.walk(content, above)
        else:
            self._structure.add(BlockKind.PARAGRAPH, shown, locator)
            self.walk(content, above)

    def _leave_marker(self, token: Token) -> None:
        """Add an item's number where no text of its own follows it."""
        if self._marker:
            self._structure.add(BlockKind.ITEM, self._marker, self._locator(token))
        self._marker = None

    def _shown(self, text: str) -> str:
        return shown(self._parser.parseInline(text, self._links)[0].children or [])

    def _locator(self, token: Token) -> Locator | None:
        return None if token.map is None else Locator.line(token.map[0] + self._first_line)


def shown(tokens: Sequence[Token]) -> str:
    """What a reader sees of a line's tokens: words and code without marks, no targets, no pictures, no attributes."""
    parts: list[str] = []
    raised_from: int | None = None  # the part that a superscript begins with
    before = ""  # the type of the token before
    for token in tokens:
        if token.type == "text":
            text = _ICON.sub("", _FOOTNOTE.sub("", token.content))
            attributes = _AFTER_A_MARK.match(text) if before.endswith(_MARKS_END) else None
            parts.append(text if attributes is None else text[attributes.end() :])
        elif token.type == "code_inline":
            role = _ROLE.search(parts[-1]) if parts else None
            if role is not None:
                parts[-1] = parts[-1][: role.start()]
                parts.append(role_text(role[1] or role[2], token.content))
            else:
                language = _LANGUAGE.match(token.content)
                parts.append(token.content[language.end() :] if language else token.content)
        elif token.type == "softbreak":
            parts.append(" ")
        elif token.type == "hardbreak" or (token.type == "html_inline" and _BREAK.match(token.content)):
            parts.append("\n")
        elif token.type == "html_inline" and (mark := _RAISING.match(token.content)):
            if not mark[1]:
                raised_from = len(parts)
            elif raised_from is not None:
                parts[raised_from:] = [raised("".join(parts[raised_from:]))]
                raised_from = None
        before = token.type
    return "".join(parts)
