"""Quotations of an answer: between quotation marks, in block quotes of Markdown, in <q> and <blockquote>."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from common.lines import lines_with_ends
from quote_check.check import Form
from retriever.text.sentences import trimmed
from retriever.types import Span

_TAG = re.compile(r"<(?P<end>/?)(?P<name>q|blockquote)\b(?P<attributes>[^<>]{0,500})>", re.IGNORECASE)
_CITE = re.compile(r"""\bcite\s*=\s*["']([^"']{1,500})["']""", re.IGNORECASE)
_QUOTED_LINE = re.compile(r" {0,3}(?:> ?)+")
_BEGINS_A_BLOCK = re.compile(
    r" {0,3}(?:#{1,6}(?!\S)|`{3}|~{3}|[-+*][ \t]+\S|1[.)][ \t]+\S|</?blockquote\b)", re.IGNORECASE
)
_FENCE = re.compile(r" {0,3}(?:`{3}|~{3})")
_LIST_MARKERS = re.compile(r"(?: {0,3}(?:[-+*]|\d{1,9}[.)])[ \t]+)*")
_CODE = re.compile(r" {4}| {0,3}\t")
_CALLOUT = re.compile(r"\s*\[!\w+\]")
_ATTRIBUTION = re.compile(r"\s*(?:[–—―]|-{1,3})\s*\S.{0,200}$")
_LINE_END_MARK = re.compile(r"\[\^?[\w, –-]{1,60}\]|【[^】\n]{1,200}】")
_OPENING = {"]": "[", "】": "【"}
_MARK = re.compile(
    r'\\"|["“”„«»「」]|&(?:quot|[lrb]dquo|[lr]aquo|#34|#171|#187|#822[0-2]|#x22|#x201[C-Ec-e]);'
)
_CLOSING = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", '"': '"'}
_RAISED = "¹²³⁰⁴⁵⁶⁷⁸⁹"  # a note's number


@dataclass(frozen=True, slots=True)
class Quotation:
    """``pieces``: what it quotes, as spans of the answer: several where lines of a block quote begin with ``>``.

    ``around``: all that belongs to it, marks and attribution too. ``source``: what it says of its source.
    """

    form: Form
    pieces: tuple[Span, ...]
    around: Span
    source: str | None = None

    @property
    def span(self) -> Span:
        """From its first character to its last."""
        return Span(self.pieces[0].start, self.pieces[-1].end)


def html_quotations(text: str) -> Iterator[Quotation]:
    """What stands in ``<q>`` and ``<blockquote>``, the outermost of nested ones. A tag that never closes opens none."""
    waiting: dict[str, list[re.Match[str]]] = {"q": [], "blockquote": []}
    pairs = []
    for tag in _TAG.finditer(text):
        opened = waiting[tag["name"].lower()]
        if not tag["end"]:
            opened.append(tag)
        elif opened:
            pairs.append((opened.pop(), tag))
    at = 0
    for opening, closing in sorted(pairs, key=lambda pair: pair[0].start()):
        if opening.start() < at:
            continue
        at = closing.end()
        within = trimmed(text, opening.end(), closing.start())
        cite = _CITE.search(opening["attributes"])
        if within is not None:
            yield Quotation(Form.HTML, (within,), Span(opening.start(), at), cite[1] if cite else None)


def block_quotations(text: str) -> Iterator[Quotation]:
    """Paragraphs of Markdown's block quotes; notes such as ``> [!NOTE]`` are none.

    A line without ``>`` that continues a paragraph of the quote is of it, as CommonMark has it. A last line that begins
    with a dash says who is quoted.
    """
    block = _Block()
    at = 0
    for line in [*lines_with_ends(text), ""]:
        quoted = _QUOTED_LINE.match(line)
        if quoted is not None:
            block.add(trimmed(text, at + quoted.end(), at + len(line)) or Span(at, at + len(line)))
            block.read(line[quoted.end() :])
        elif block.in_paragraph and _continues_a_paragraph(line):
            block.add(trimmed(text, at, at + len(line)))
        elif block.lines:
            yield from _paragraphs(text, block.lines)
            block = _Block()
        at += len(line)


class _Block:
    """A block quote so far. ``in_paragraph``: whether its last line leaves a paragraph open."""

    def __init__(self) -> None:
        self.lines: list[Span] = []
        self.in_paragraph = self._in_code = False

    def add(self, line: Span | None) -> None:
        """The next of its lines, without what is around its words."""
        if line is not None:
            self.lines.append(line)

    def read(self, line: str) -> None:
        """What the next of its lines says, without its ``>``."""
        within = line[_LIST_MARKERS.match(line).end() :]  # type: ignore[union-attr]  # it matches nothing, too
        if _FENCE.match(within):
            self._in_code, self.in_paragraph = not self._in_code, False
            return
        begins = bool(_BEGINS_A_BLOCK.match(within)) or _is_rule(
            within, "*-_=" if self.in_paragraph else "*-_"
        )
        is_code = self._in_code or (not self.in_paragraph and bool(_CODE.match(within)))
        self.in_paragraph = bool(within.strip()) and not begins and not is_code


def _continues_a_paragraph(line: str) -> bool:
    """Whether the line goes on with the paragraph before it: it is not blank, and no other block begins with it."""
    return bool(line.strip()) and not _BEGINS_A_BLOCK.match(line) and not _is_rule(line, "*-_")


def _is_rule(line: str, signs: str) -> bool:
    """Whether the line is a rule, or underlines a heading: one sign again and again."""
    bare = "".join(line.split())
    return bool(bare) and bare[0] in signs and not bare.strip(bare[0]) and (len(bare) > 2 or bare[0] == "=")


def _paragraphs(text: str, lines: list[Span]) -> Iterator[Quotation]:
    paragraphs: list[list[Span]] = [[]]
    for line in lines:
        if line.of(text).strip(" >\t\r\n"):
            paragraphs[-1].append(line)
        else:
            paragraphs.append([])
    paragraphs = [paragraph for paragraph in paragraphs if paragraph]
    if not paragraphs or _CALLOUT.match(paragraphs[0][0].of(text)):
        return
    last, source = paragraphs[-1][-1], None
    if _ATTRIBUTION.match(last.of(text)) and len(lines) > 1:
        source = last.of(text).strip(" -–—―")
        paragraphs[-1].pop()
    for paragraph in filter(None, paragraphs):
        around = Span(paragraph[0].start, last.end if source is not None else paragraph[-1].end)
        while paragraph:
            cut = _without_marks(text, paragraph.pop())
            if cut is not None:
                yield Quotation(Form.BLOCK_QUOTE, (*paragraph, cut), around, source)
                break


def _without_marks(text: str, line: Span) -> Span | None:
    """The line without the marks that end it: they cite the quote."""
    end = line.end
    while end > line.start and (opening := _OPENING.get(text[end - 1])) is not None:
        start = text.rfind(opening, line.start, end)
        if start < 0 or not _LINE_END_MARK.fullmatch(text, start, end):
            break
        end = start
        while end > line.start and text[end - 1].isspace():
            end -= 1
    return trimmed(text, line.start, end)


def marked_quotations(text: str, start: int, end: int) -> Iterator[Quotation]:
    """What stands between double quotation marks in ``text[start:end]``, the outermost of nested ones.

    A straight mark opens before a word and closes after one, so that inches are none. The number of a note may follow.
    A mark that never closes opens none. An escaped mark and one written as an entity, such as ``&quot;``, are marks.
    """
    at = start
    for opening, closing in sorted(_pairs(text, start, end).items()):
        if opening.start < at:
            continue
        at = closing.end
        within = trimmed(text, opening.end, closing.start)
        if within is not None:
            yield Quotation(Form.QUOTATION_MARKS, (within,), Span(opening.start, at))


def _pairs(text: str, start: int, end: int) -> dict[Span, Span]:
    """By the place of each mark that opens, that of the one which closes it."""
    pairs: dict[Span, Span] = {}
    waiting: dict[str, list[Span]] = {opening: [] for opening in _CLOSING}
    for match in _MARK.finditer(text, start, end):
        at, mark = Span(*match.span()), html.unescape(match[0].removeprefix("\\"))
        if mark == '"':
            closes, opens = _can_close(text, at, end), _can_open(text, at, start, end)
            opens = opens and not (closes and waiting[mark])
        else:
            closes, opens = True, mark in _CLOSING
        for opening, opened in waiting.items():
            if opened and closes and mark in _CLOSING[opening]:
                pairs[opened.pop()] = at
        if opens:
            waiting[mark].append(at)
    return pairs


def _can_open(text: str, at: Span, start: int, end: int) -> bool:
    before = text[at.start - 1] if at.start > start else " "
    after = text[at.end] if at.end < end else " "
    if before in ",;":  # He said,"It is so"; but not 4",6"
        return after.isalpha()
    return not (before.isalnum() or before in ".!?)") and not after.isspace()


def _can_close(text: str, at: Span, end: int) -> bool:
    before, after = text[at.start - 1], text[at.end] if at.end < end else " "
    note = after in _RAISED or (after.isdigit() and before in ".,;!?…")
    return not before.isspace() and (note or not after.isalnum())
