"""An answer's text read for checking: its quotes, its claims, and what its marks cite."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from common.deadline import Check, go_on
from quote_check.check import QuoteToCheck
from quote_check.citing import marks_of
from quote_check.corpus import Corpus, GivenCorpus
from quote_check.folding import folded
from quote_check.marks import Mark, marks_in
from quote_check.markup import as_read, hidden
from quote_check.quotations import Quotation, block_quotations, html_quotations, marked_quotations
from quote_check.searched_text import words
from quote_check.sources import sources_of
from retriever.text.sentences import sentence_spans, trimmed
from retriever.types import Span

_PARAGRAPH_END = re.compile(r"\r?\n[ \t]*\r?\n")
_QUOTED_LINE = re.compile(r"^ {0,3}(?:> ?)+", re.MULTILINE)
_LETTER = re.compile(r"[^\W_]")
_NOT_A_LINE_END = re.compile(r"[^\r\n]")


@dataclass(frozen=True, slots=True)
class ClaimToCheck:
    """A sentence that a quote or a mark backs.

    ``quotes``: places of its quotes among the answer's, from 0. ``document_ids``: what its marks cite. ``span``: where
    it stands in the answer; None where it came in a field.
    """

    text: str
    quotes: tuple[int, ...] = ()
    document_ids: tuple[str, ...] = ()
    span: Span | None = None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnresolvedMark:
    """A mark that names no document."""

    written: str
    span: Span


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What an answer holds to be checked, in its order."""

    quotes: tuple[QuoteToCheck, ...]
    claims: tuple[ClaimToCheck, ...]
    unresolved: tuple[UnresolvedMark, ...] = ()


def read_answer(
    text: str, corpus: Corpus, *, sources: Mapping[str, str] | None = None, check: Check = go_on
) -> ReadAnswer:
    """The quotes and claims of an answer, plain or in Markdown, with the documents that its marks cite.

    ``sources``: documents' ids by what the marks call them. What is not there is looked for in the answer's own
    footnotes and lists of sources, then among the documents' ids; [2] of documents handed in is the second.
    ``check``: asked at each paragraph, quote and sentence.
    """
    return _Reading(text, corpus, sources or {}, check).answer()


class _Reading:
    """One answer being read."""

    def __init__(self, text: str, corpus: Corpus, sources: Mapping[str, str], check: Check) -> None:
        self._text, self._corpus, self._given, self._go_on = text, corpus, sources, check
        self._stated = sources_of(text)
        shown = hidden(text)
        self._resolved: dict[tuple[str, str | None], str | None] = {}
        self._marks = [mark for mark in marks_in(text) if shown[mark.span.start] == text[mark.span.start]]
        told = _blank(shown, self._stated.spans)
        tagged = list(html_quotations(told))
        self._blocks = _beside(block_quotations(told), tagged)
        self._html = _beside(tagged, self._blocks)
        prose = _blank(told, [each.around for each in self._blocks])
        self._prose = _QUOTED_LINE.sub(lambda match: " " * len(match[0]), prose)
        self._unquoted = _blank(self._prose, [each.around for each in self._html])
        self._shown = shown

    def answer(self) -> ReadAnswer:
        """All of it."""
        paragraphs = _paragraphs(self._prose)
        marked = [
            quotation
            for paragraph in paragraphs
            for quotation in marked_quotations(self._unquoted, paragraph.start, paragraph.end)
        ]
        inline = sorted([*self._html, *marked], key=lambda quotation: quotation.around.start)
        notes = list(self._notes())
        changes = self._changes([*inline, *self._blocks, *(quotation for _, quotation in notes)])
        self._marks = [mark for mark in self._marks if mark.span not in changes]
        sentences = self._sentences(paragraphs, inline)
        told = [mark for mark in self._marks if not self._in_sources(mark.span)]
        found: list[tuple[QuoteToCheck, Quotation, Span | None]] = []
        homes = {quotation: _holding(sentences, quotation.around) for quotation in inline}
        for around, group in groupby(inline, key=lambda quotation: homes[quotation] or quotation.around):
            together = list(group)
            cited = marks_of(together, _within(told, around), self._text)
            for quotation, marks in zip(together, cited, strict=True):
                found.append((self._quote(quotation, marks), quotation, homes[quotation]))
        for quotation in self._blocks:
            home = self._introducing(sentences, quotation)
            marks = _within(told, Span(quotation.around.start, self._line_end(quotation.around.end)))
            if home is not None and not marks and quotation.source is None:
                marks = _within(told, home)
            found.append((self._quote(quotation, marks), quotation, home))
        found.sort(key=lambda each: each[1].around.start)
        quotes = [quote for quote, _, _ in found] + [self._noted(*note) for note in notes]
        return ReadAnswer(
            tuple(quotes),
            tuple(
                self._claims(
                    sentences, [home for *_, home in found], quotes, [name for name, _ in notes], told
                )
            ),
            tuple(
                UnresolvedMark(mark.written, mark.span)
                for mark in told
                if any(document is None for document in self._named(mark))
            ),
        )

    def _claims(
        self,
        sentences: Sequence[Span],
        homes: Sequence[Span | None],
        quotes: Sequence[QuoteToCheck],
        notes: Sequence[str],
        told: Sequence[Mark],
    ) -> Iterable[ClaimToCheck]:
        of_sentence: dict[Span, list[int]] = {}
        for number, home in enumerate(homes):
            if home is not None and not quotes[number].too_short:
                of_sentence.setdefault(home, []).append(number)
        for sentence in sentences:
            self._go_on()
            marks = _within(told, sentence)
            numbers = of_sentence.get(sentence, [])
            names = {name for mark in marks for name in mark.names}
            numbers += [len(homes) + place for place, name in enumerate(notes) if name in names]
            text = as_read(_outside(self._text, sentence, [mark.span for mark in marks]))
            if (marks or numbers) and words(folded(text)):
                yield ClaimToCheck(
                    text,
                    tuple(numbers),
                    self._documents(marks),
                    sentence,
                    tuple(mark.written for mark in marks),
                )

    def _sentences(self, paragraphs: Sequence[Span], quotations: Sequence[Quotation]) -> list[Span]:
        """The sentences of the prose: with the marks that follow them, and never ending inside a quotation."""
        marks = {mark.span.start: mark.span.end for mark in self._marks}
        starts = [quotation.around.start for quotation in quotations]
        sentences: list[Span] = []
        for paragraph in paragraphs:
            self._go_on()
            first = len(sentences)
            for span in sentence_spans(paragraph.of(self._prose)):
                start, end = span.start + paragraph.start, span.end + paragraph.start
                at = start
                while len(sentences) > first and at in marks:
                    sentences[-1] = Span(sentences[-1].start, marks[at])
                    at = (
                        marks[at]
                        + len(self._prose[marks[at] : end])
                        - len(self._prose[marks[at] : end].lstrip())
                    )
                if at >= end:
                    continue
                before = bisect_left(starts, at) - 1
                inside = before >= 0 and at < quotations[before].around.end
                if inside and len(sentences) > first:
                    sentences[-1] = Span(sentences[-1].start, max(end, sentences[-1].end))
                else:
                    sentences.append(Span(at, end))
        return sentences

    def _introducing(self, sentences: Sequence[Span], quotation: Quotation) -> Span | None:
        """The sentence with marks that a block quote follows, if it ends with a colon."""
        at = bisect_right(sentences, quotation.around.start, key=lambda span: span.end) - 1
        if at < 0 or self._prose[sentences[at].end : quotation.around.start].strip():
            return None
        marks = _within(self._marks, sentences[at])
        said = _outside(self._text, sentences[at], [mark.span for mark in marks]).rstrip(" *_")
        return sentences[at] if marks and said.endswith(":") else None

    def _changes(self, quotations: Iterable[Quotation]) -> set[Span]:
        """The bracketed numbers inside quotations that are no marks: they name no document, and words follow."""
        changes = set()
        for quotation in quotations:
            ends, at = True, quotation.span.end
            for mark in reversed(_within(self._marks, quotation.span)):
                ends = ends and not _LETTER.search(self._text, mark.span.end, at)
                at = mark.span.start
                if mark.may_be_a_change and not ends and not any(self._named(mark)):
                    changes.add(mark.span)
        return changes

    def _notes(self) -> Iterator[tuple[str, Quotation]]:
        """The quotations of footnotes, each with the footnote's name."""
        for name, span in self._stated.notes.items():
            for quotation in marked_quotations(self._shown, span.start, span.end):
                yield name, quotation

    def _noted(self, name: str, quotation: Quotation) -> QuoteToCheck:
        document = self._document(name, None)
        return self._cited(quotation, () if document is None else (document,), (f"[^{name}]",))

    def _quote(self, quotation: Quotation, marks: Sequence[Mark]) -> QuoteToCheck:
        self._go_on()
        ids = self._documents(marks)
        if quotation.source is not None and not ids:
            called = self._corpus.called(quotation.source)
            ids = () if called is None else (called,)
        return self._cited(quotation, ids, tuple(mark.written for mark in marks))

    def _cited(self, quotation: Quotation, ids: tuple[str, ...], marks: tuple[str, ...]) -> QuoteToCheck:
        text = as_read("\n".join(piece.of(self._text) for piece in quotation.pieces))
        inside = [[mark.span for mark in _within(self._marks, piece)] for piece in quotation.pieces]
        unmarked = as_read(
            "\n".join(
                _outside(self._text, piece, spans)
                for piece, spans in zip(quotation.pieces, inside, strict=True)
            )
        )
        return QuoteToCheck(
            text, ids, None, quotation.form, quotation.span, marks, unmarked if any(inside) else None
        )

    def _documents(self, marks: Sequence[Mark]) -> tuple[str, ...]:
        named = [document for mark in marks for document in self._named(mark)]
        return tuple(dict.fromkeys(document for document in named if document is not None))

    def _named(self, mark: Mark) -> list[str | None]:
        """The documents that a mark cites, by its names."""
        return [self._document(name, mark.label) for name in mark.names]

    def _document(self, name: str, label: str | None) -> str | None:
        """What a mark of this name cites; None where nothing says so."""
        key = name, label
        if key not in self._resolved:
            self._resolved[key] = self._looked_up(name, label)
        return self._resolved[key]

    def _looked_up(self, name: str, label: str | None) -> str | None:
        if name in self._given:
            return self._given[name]
        for said in filter(None, (label, self._stated.said.get(name))):
            if (called := self._corpus.called(said)) is not None:
                return called
        if self._corpus.named(name) is not None:
            return name
        if isinstance(self._corpus, GivenCorpus) and name.isascii() and name.isdigit():
            return self._corpus.at(int(name))
        return None

    def _in_sources(self, span: Span) -> bool:
        spans = self._stated.spans
        at = bisect_right(spans, span.start, key=lambda each: each.start) - 1
        return at >= 0 and span.start < spans[at].end

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end


def _paragraphs(text: str) -> list[Span]:
    ends = [match.span() for match in _PARAGRAPH_END.finditer(text)]
    starts = [0, *(end for _, end in ends)]
    spans = [
        trimmed(text, start, end)
        for start, end in zip(starts, [*(s for s, _ in ends), len(text)], strict=True)
    ]
    return [span for span in spans if span is not None]


def _beside(quotations: Iterable[Quotation], others: Sequence[Quotation]) -> list[Quotation]:
    """Those that do not begin within one of the others, which are in order and disjoint."""
    ends = {other.around.start: other.around.end for other in others}
    starts = sorted(ends)
    found = []
    for quotation in quotations:
        before = bisect_right(starts, quotation.around.start) - 1
        if before < 0 or quotation.around.start >= ends[starts[before]]:
            found.append(quotation)
    return found


def _blank(text: str, spans: Iterable[Span]) -> str:
    pieces, at = [], 0
    for span in sorted(spans):
        if span.start >= at:
            pieces += [text[at : span.start], _NOT_A_LINE_END.sub(" ", span.of(text))]
            at = span.end
    return "".join([*pieces, text[at:]])


def _outside(text: str, span: Span, left_out: Iterable[Span]) -> str:
    pieces, at = [], span.start
    for each in left_out:
        pieces.append(text[at : each.start].rstrip(" "))
        at = each.end
    return "".join([*pieces, text[at : span.end]])


def _within(marks: Sequence[Mark], span: Span) -> list[Mark]:
    first = bisect_left(marks, span.start, key=lambda mark: mark.span.start)
    return list(marks[first : bisect_left(marks, span.end, key=lambda mark: mark.span.start)])


def _holding(sentences: Sequence[Span], span: Span) -> Span | None:
    at = bisect_right(sentences, span.start, key=lambda each: each.start) - 1
    return sentences[at] if at >= 0 and sentences[at].touches(span) else None
