"""Groups for questions that come with answers but no passages: found lexically, labelled by answer match."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.answering.text.answer_match import WordIndex, longest_apart
from retriever.types import Passage, Span
from training.data.corpus import TrainingCorpus
from training.data.group import GroupRecord, record_of
from training.data.question import Question

_NEIGHBOURS = 4
_WINDOWS_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """``depth``: passages looked at. ``positives``, ``negatives``: kept of them at most, best first.

    ``of_article``: negatives from around the best positive in its article, among the negatives.
    """

    depth: int = 50
    positives: int = 3
    negatives: int = 12
    of_article: int = 2


class Miner:
    """Distant supervision: a passage that holds an answer as whole words counts as one that answers.

    That is noisy, which the reader's loss allows for (it sums over all occurrences in all positives).
    """

    def __init__(self, corpus: TrainingCorpus, settings: MiningSettings) -> None:
        self._corpus, self._settings = corpus, settings
        self._words = lru_cache(maxsize=_WINDOWS_KEPT)(WordIndex.of)

    def group(self, question: Question) -> GroupRecord:
        """The best positives, then the hardest negatives; without positives when none is near the top."""
        labelled = self._labelled(question, self._settings.depth)
        positives = sorted(
            ((passage, spans) for passage, spans in labelled if spans),
            key=lambda labelled: (
                labelled[1][0].start >= len(labelled[0].text)
            ),  # those in the passage before its continuation
        )[: self._settings.positives]
        negatives = [passage for passage, spans in labelled if not spans]
        beside = self._beside(question, positives[0][0])[: self._settings.of_article] if positives else []
        taken = {passage.row for passage in beside}
        hardest = [passage for passage in negatives if passage.row not in taken]
        kept = hardest[: self._settings.negatives - len(beside)] + beside
        return _record(question, [*positives, *((passage, []) for passage in kept)])

    def as_found(self, question: Question, *, k: int) -> GroupRecord:
        """The first k passages as a search gives them, whatever they hold: what serving sees."""
        return _record(question, self._labelled(question, k))

    def without_answer(self, question: Question, *, k: int) -> list[Passage]:
        """The best k passages that hold no answer."""
        labelled = self._labelled(question, self._settings.depth)
        return [passage for passage, spans in labelled if not spans][:k]

    def _labelled(self, question: Question, depth: int) -> list[tuple[Passage, list[Span]]]:
        wanted = [WordIndex.of(answer) for answer in question.answers]
        return [
            (passage, self._spans(passage, wanted)) for passage in self._corpus.search(question.text, k=depth)
        ]

    def _spans(self, passage: Passage, wanted: Sequence[WordIndex]) -> list[Span]:
        words = self._words(passage.window)
        return longest_apart({span for answer in wanted for span in words.spans(answer)})

    def _beside(self, question: Question, passage: Passage) -> list[Passage]:
        """Passages of the same article near this one that hold no answer, nearest first."""
        around = sorted(
            (row for row in range(passage.row - _NEIGHBOURS, passage.row + _NEIGHBOURS + 1) if row > 0),
            key=lambda row: (abs(row - passage.row), row),
        )
        wanted = [WordIndex.of(answer) for answer in question.answers]
        return [
            other
            for other in self._corpus.store.passages(around[1:])
            if other.doc_id == passage.doc_id and not self._spans(other, wanted)
        ]


def _record(question: Question, passages: Sequence[tuple[Passage, Sequence[Span]]]) -> GroupRecord:
    return record_of(
        question.id,
        question.source,
        question.text,
        question.answers,
        [(passage.row, spans) for passage, spans in passages],
    )
