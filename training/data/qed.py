"""Groups from QED: questions that people asked a search engine, each with the Wikipedia passage that answers it.

The rows are Natural Questions' training side as annotated for QED (Lamm et al. 2021): ``question``, ``context``,
``title``, ``answer_spans`` and ``answerable``. Contexts are tokens with spaces between them, and are read as text.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from common.files import Record, records
from retriever.types import Document, Span
from training.data.corpus import paragraphs
from training.data.held_out import normalised_question
from training.data.question import Question, Source
from training.data.squad import Article, ParagraphQuestion
from training.data.untokenised import Untokenised, untokenised

LONGEST_ANSWER = 8
"""Words of an answer at most: longer ones define or explain, and are seldom given as short answers."""


def qed_paragraphs(path: Path) -> Iterator[Document]:
    """The passages of the rows that are not in an evaluation file, each once."""
    texts = ((record["title"], untokenised(record["context"]).text) for record in _usable(path))
    return paragraphs(Source.QED, texts)


def qed_articles(path: Path, unwanted: set[str]) -> tuple[list[Article], int]:
    """The articles by title, and how many rows were left out: their normalised question is unwanted."""
    kept: list[tuple[str, ParagraphQuestion]] = []
    removed = 0
    for number, record in enumerate(_usable(path)):
        if normalised_question(record["question"]) in unwanted:
            removed += 1
        elif (asked := _question(record, number)) is not None:
            kept.append((record["title"], asked))
    kept.sort(key=lambda one: one[0])
    articles = [
        Article(Source.QED, title, tuple(asked for _, asked in rows))
        for title, rows in groupby(kept, key=lambda one: one[0])
    ]
    return articles, removed


def _usable(path: Path) -> Iterator[Record]:
    """The rows that have an answer and whose passage stands in no evaluation file."""
    return (record for record in records(path) if record["answerable"] and not record.get("passage_in_eval"))


def _question(record: dict[str, Any], number: int) -> ParagraphQuestion | None:
    """The question with its short answers; None when it has none."""
    context = untokenised(record["context"])
    found = [Span(*one) for one in record["answer_spans"] if one[0] >= 0]  # -1: it has no characters
    marked = tuple(span for old in found if (span := _short(context, old)) is not None)
    if not marked:
        return None
    answers = tuple(dict.fromkeys(span.of(context.text) for span in marked))
    question = Question(f"{Source.QED}-{number}", Source.QED, record["question"].strip(), answers)
    return ParagraphQuestion(question, context.text, marked)


def _short(context: Untokenised, old: Span) -> Span | None:
    span = context.span(old)
    return span if span is not None and len(span.of(context.text).split()) <= LONGEST_ANSWER else None
