"""Groups from SQuAD: the paragraph that answers, and others of its article that do not."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from app.answering.text.answer_match import WordIndex, answer_spans
from common.files import records
from retriever.lexical import LexicalIndex
from retriever.store import DocumentStore
from retriever.types import Passage, Span
from training.data.corpus import SQUAD_PREFIX, paragraph_id
from training.data.group import GroupRecord, record_of
from training.data.held_out import normalised_question
from training.data.question import Question, Source


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """A question of a paragraph. ``start``: where its answer begins, None when that is not known."""

    question: Question
    context: str
    start: int | None

    @property
    def spans(self) -> list[Span]:
        """The characters of the paragraph that answer: the marked ones, or else every occurrence."""
        (answer,) = self.question.answers
        if self.start is not None:
            return [Span(self.start, self.start + len(answer))]
        return answer_spans(self.context, [answer]) or [
            Span(*match.span()) for match in re.finditer(re.escape(answer), self.context)
        ]


@dataclass(frozen=True, slots=True)
class SquadArticle:
    """All questions of an article, in the file's order."""

    title: str
    questions: tuple[SquadQuestion, ...]

    def is_held_out(self, *, share: float, seed: int) -> bool:
        """Whether the article is among the ``share`` that is kept for development, by its title's hash."""
        digest = sha256(f"loccit-squad-article-{seed}:{self.title}".encode()).digest()
        return int.from_bytes(digest[:4]) < share * 2**32


def squad_articles(path: Path, unwanted: set[str]) -> tuple[list[SquadArticle], int]:
    """The articles, and how many rows were left out: their normalised question is unwanted."""
    kept: list[tuple[str, SquadQuestion]] = []
    removed = 0
    for number, record in enumerate(records(path)):
        if normalised_question(record["question"]) in unwanted:
            removed += 1
        elif record["answers"] and record["answers"][0]["text"].strip():
            kept.append((record["title"], _question(record, number)))
    articles = [
        SquadArticle(title, tuple(question for _, question in rows))
        for title, rows in groupby(kept, key=lambda one: one[0])
    ]
    return articles, removed


class ArticleIndex:
    """The passages of one SQuAD article, with BM25 over them."""

    def __init__(self, store: DocumentStore, rows: Iterable[int]) -> None:
        self._passages = {passage.row: passage for passage in store.passages(list(rows))}
        self._words = {row: WordIndex.of(passage.window) for row, passage in self._passages.items()}
        self._lexical = LexicalIndex()
        self._lexical.add((row, one.title, one.text) for row, one in self._passages.items())

    def of_paragraph(self, doc_id: str) -> list[Passage]:
        """The passages of a paragraph, in order."""
        return [passage for passage in self._passages.values() if passage.doc_id == doc_id]

    def without_answer(self, question: Question, doc_id: str, *, k: int) -> list[Passage]:
        """The best k passages of other paragraphs that hold no answer."""
        wanted = [WordIndex.of(answer) for answer in question.answers]
        found = (
            self._passages[one.row] for one in self._lexical.search(question.text, k=len(self._passages))
        )
        return [
            passage
            for passage in found
            if passage.doc_id != doc_id and not any(self._words[passage.row].contains(one) for one in wanted)
        ][:k]


def rows_by_article(store: DocumentStore) -> dict[str, list[int]]:
    """The rows of each SQuAD article's passages, by its title."""
    rows: dict[str, list[int]] = {}
    for passage in store.each_passage():
        if passage.doc_id.startswith(SQUAD_PREFIX):
            rows.setdefault(passage.title, []).append(passage.row)
    return rows


def squad_group(
    asked: SquadQuestion, title: str, article: ArticleIndex, others: Sequence[Passage], *, negatives: int
) -> GroupRecord | None:
    """The paragraph's passages that show the answer, then negatives; None when no passage shows it whole.

    ``others``: negatives from elsewhere, put last.
    """
    question = asked.question
    doc_id = paragraph_id(title, asked.context)
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
        Source.SQUAD,
        question.text,
        question.answers,
        [*positives, *((passage.row, ()) for passage in (*hard, *others))],
    )


def _visible(spans: Sequence[Span], passage: Passage) -> list[Span]:
    """The spans of the paragraph that lie within the passage's window, as characters of it."""
    start, end = passage.span.start, passage.span.start + len(passage.window)
    return [span.shifted(-start) for span in spans if start <= span.start and span.end <= end]


def _question(record: dict[str, Any], number: int) -> SquadQuestion:
    answer = record["answers"][0]
    text = answer["text"]
    start = answer["answer_start"]
    marked = start >= 0 and record["context"][start : start + len(text)] == text
    question = Question(f"squad-{number}", Source.SQUAD, record["question"].strip(), (text,))
    return SquadQuestion(question, record["context"], start if marked else None)
