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

    A last line that begins with a dash says who is quoted.
    """
    block: list[Span] = []
    at = 0
    for line in [*lines_with_ends(text), ""]:
        quoted = _QUOTED_LINE.match(line)
        if quoted is not None:
            within = trimmed(text, at + quoted.end(), at + len(line))
            block.append(within or Span(at, at + len(line)))
        elif block:
            yield from _paragraphs(text, block)
            block = []
        at += len(line)


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
        cut = _without_marks(text, paragraph[-1])
        if cut is not None:
            yield Quotation(Form.BLOCK_QUOTE, (*paragraph[:-1], cut), around, source)


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
