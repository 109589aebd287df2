"""Groups from questions about a paragraph: the paragraph that answers, and others of its article that do not."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from app.answering.text.answer_match import WordIndex, answer_spans
from common.files import records
from retriever.lexical import LexicalIndex
from retriever.store import DocumentStore
from retriever.types import Document, Passage, Span
from training.data.corpus import paragraph_id, paragraphs
from training.data.group import GroupRecord, record_of
from training.data.held_out import normalised_question
from training.data.question import Question, Source


@dataclass(frozen=True, slots=True)
class ParagraphQuestion:
    """A question of a paragraph. ``marked``: the characters that answer; none when they are not known."""

    question: Question
    context: str
    marked: tuple[Span, ...]

    @property
    def spans(self) -> list[Span]:
        """The characters of the paragraph that answer: the marked ones, or else every occurrence."""
        return (
            list(self.marked)
            or answer_spans(self.context, self.question.answers)
            or [
                Span(*match.span())
                for answer in self.question.answers
                for match in re.finditer(re.escape(answer), self.context)
            ]
        )


@dataclass(frozen=True, slots=True)
class Article:
    """All questions of an article, in the file's order. ``source``: the data set."""

    source: Source
    title: str
    questions: tuple[ParagraphQuestion, ...]

    def is_held_out(self, *, share: float, seed: int) -> bool:
        """Whether the article is among the ``share`` that is kept for development, by its title's hash."""
        digest = sha256(f"loccit-{self.source}-article-{seed}:{self.title}".encode()).digest()
        return int.from_bytes(digest[:4]) < share * 2**32


def squad_paragraphs(path: Path) -> Iterator[Document]:
    """SQuAD's paragraphs, each once."""
    return paragraphs(Source.SQUAD, ((record["title"], record["context"]) for record in records(path)))


def squad_articles(path: Path, unwanted: set[str]) -> tuple[list[Article], int]:
    """The articles, and how many rows were left out: their normalised question is unwanted."""
    kept: list[tuple[str, ParagraphQuestion]] = []
    removed = 0
    for number, record in enumerate(records(path)):
        if normalised_question(record["question"]) in unwanted:
            removed += 1
        elif record["answers"] and record["answers"][0]["text"].strip():
            kept.append((record["title"], _question(record, number)))
    articles = [
        Article(Source.SQUAD, title, tuple(question for _, question in rows))
        for title, rows in groupby(kept, key=lambda one: one[0])
    ]
    return articles, removed


class ArticleIndex:
    """The passages of one article's paragraphs, with BM25 over them."""

    def __init__(self, store: DocumentStore, rows: Iterable[int]) -> None:
        self._passages = {passage.row: passage for passage in store.passages(list(rows))}
        self._words = {row: WordIndex.of(passage.window) for row, passage in self._passages.items()}

    @cached_property
    def _lexical(self) -> LexicalIndex:
        index = LexicalIndex()
        index.add((row, one.title, one.text) for row, one in self._passages.items())
        return index

    def of_paragraph(self, doc_id: str) -> list[Passage]:
        """The passages of a paragraph, in order."""
        return [passage for passage in self._passages.values() if passage.doc_id == doc_id]

    def without_answer(self, question: Question, doc_id: str, *, k: int) -> list[Passage]:
        """The best k passages of other paragraphs that hold no answer."""
        if all(passage.doc_id == doc_id for passage in self._passages.values()):
            return []
        wanted = [WordIndex.of(answer) for answer in question.answers]
        found = (
            self._passages[one.row] for one in self._lexical.search(question.text, k=len(self._passages))
        )
        return [
            passage
            for passage in found
            if passage.doc_id != doc_id and not any(self._words[passage.row].contains(one) for one in wanted)
        ][:k]


def rows_by_article(store: DocumentStore, source: Source) -> dict[str, list[int]]:
    """The rows of the passages of each article of this data set, by its title."""
    rows: dict[str, list[int]] = {}
    prefix = f"{source}/"
    for passage in store.each_passage():
        if passage.doc_id.startswith(prefix):
            rows.setdefault(passage.title, []).append(passage.row)
    return rows


def paragraph_group(
    asked: ParagraphQuestion, title: str, article: ArticleIndex, others: Sequence[Passage], *, negatives: int
) -> GroupRecord | None:
    """The paragraph's passages that show the answer, then negatives; None when no passage shows it whole.

    ``others``: negatives from elsewhere, put last.
    """
    question = asked.question
    doc_id = paragraph_id(question.source, title, asked.context)
    shown = [(passage, _visible(asked.spans, passage)) for passage in article.of_paragraph(doc_id)]
    positives = [(passage.row, spans) for passage, spans in shown if spans]
    if not positives:
        return None
    # the passage that holds the answer itself stands before one that has it in the continuation
    lengths = {passage.row: len(passage.text) for passage, _ in shown}
    positives.sort(key=lambda one: one[1][0].start >= lengths[one[0]])
    hard = article.without_answer(question, doc_id, k=negatives)
    return record_of(
        question.id,
        question.source,
        question.text,
        question.answers,
        [*positives, *((passage.row, ()) for passage in (*hard, *others))],
    )


def _visible(spans: Sequence[Span], passage: Passage) -> list[Span]:
    """The spans of the paragraph that lie within the passage's window, as characters of it."""
    start, end = passage.span.start, passage.span.start + len(passage.window)
    return [span.shifted(-start) for span in spans if start <= span.start and span.end <= end]


def _question(record: dict[str, Any], number: int) -> ParagraphQuestion:
    answer = record["answers"][0]
    text = answer["text"]
    start = answer["answer_start"]
    known = start >= 0 and record["context"][start : start + len(text)] == text
    question = Question(f"squad-{number}", Source.SQUAD, record["question"].strip(), (text,))
    return ParagraphQuestion(question, record["context"], (Span(start, start + len(text)),) if known else ())
