"""An audit: every quote of a file checked, the findings written and counted. Loads no model."""

import json
import math
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from rich.console import Console

from common.errors import LoccitError
from common.progress import progress
from quote_check.check import Finding, Verdict, check_with_holder, find_holders
from quote_check.claims import read_answers
from quote_check.corpus import Corpus

LISTED = 20
"""Findings that an audit keeps for showing."""


class NearestJson(TypedDict):
    """The span of the index that comes nearest to a quote."""

    document_id: str
    title: str
    start: int
    end: int
    text: str


class FindingJson(TypedDict):
    """One line of the findings file."""

    id: str
    number: int
    quote: str
    document_id: str | None
    start: int | None
    end: int | None
    verdict: Verdict
    similarity: float | None
    exact: bool
    offsets_match: bool | None
    unknown_document: bool
    reason: str
    nearest: NearestJson | None


@dataclass(slots=True)
class Audit:
    """What was counted. ``listed``: the first findings of quotes that are not verbatim where they claim to be."""

    answers: int
    without_quotes: int
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    misplaced: int = 0
    unknown_documents: int = 0
    unsound: int = 0
    listed: list[Finding] = field(default_factory=list)

    @property
    def quotes(self) -> int:
        """How many were checked."""
        return self.verdicts.total()

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        self.verdicts[finding.verdict] += 1
        self.misplaced += finding.verdict is Verdict.VERBATIM and not finding.sound
        self.unknown_documents += finding.unknown_document
        self.unsound += not finding.sound
        if not finding.sound and len(self.listed) < LISTED:
            self.listed.append(finding)


def audit(file: str, directory: Path, *, out: Path | None, console: Console) -> Audit:
    """Check every quote of the answers in ``file`` against the index in ``directory``.

    ``out``: where to write the findings, one JSON object a line, in the file's order. The whole file is read
    first, of which the quotes are kept, so that a malformed line stops the audit before anything is written.

    Raises:
        LoccitError: when the file or the index cannot be read.
    """
    if out is not None and out.exists() and Path(file).exists() and out.samefile(file):
        raise LoccitError(f"{out} is the file that is checked; give another file to --out.")
    corpus = Corpus.open(directory)
    answers = list(read_answers(file))
    quotes = [quote for answer in answers for quote in answer.quotes]
    counted = Audit(len(answers), sum(not answer.quotes for answer in answers))
    with progress(console, "Reading documents", total=len(corpus)) as advance:
        holders = find_holders(quotes, corpus, advance)
    with (
        nullcontext() if out is None else out.open("w", encoding="utf-8", newline="\n") as written,
        progress(console, "Checking quotes", total=len(quotes)) as advance,
    ):
        for quote in quotes:
            finding = check_with_holder(quote, corpus, holders.get(quote.text))
            counted.add(finding)
            if written is not None:
                written.write(json.dumps(finding_as_json(finding), ensure_ascii=False) + "\n")
            advance()
    return counted


def finding_as_json(finding: Finding) -> FindingJson:
    """One line of the findings file."""
    quote, nearest = finding.quote, finding.nearest
    start, end = quote.offsets or (None, None)
    return {
        "id": quote.answer_id,
        "number": quote.number,
        "quote": quote.text,
        "document_id": quote.document_id,
        "start": start,
        "end": end,
        "verdict": finding.verdict,
        "similarity": None if nearest is None else rounded_down(nearest.similarity),
        "exact": nearest is not None and nearest.exact,
        "offsets_match": finding.offsets_match,
        "unknown_document": finding.unknown_document,
        "reason": finding.reason,
        "nearest": None
        if nearest is None
        else {
            "document_id": nearest.doc_id,
            "title": nearest.title,
            "start": nearest.span.start,
            "end": nearest.span.end,
            "text": nearest.text,
        },
    }


def rounded_down(similarity: float) -> float:
    """To four digits, never up: 1 is kept for what is the same."""
    return math.floor(similarity * 10_000) / 10_000
