"""Quotes of passages that do not answer."""

from random import Random

from app.answering.answer_match import has_answer
from retriever.sentences import sentence_spans
from retriever.store import DocumentStore
from training.group import Group
from training.support_answers import OtherAnswers
from training.support_kind import SupportSettings
from training.support_shown import quote as sentences_of

_TRIES = 4


class Elsewhere:
    """Quotes where a group's question is not answered."""

    def __init__(self, store: DocumentStore, others: OtherAnswers, settings: SupportSettings) -> None:
        self._store, self._others, self._settings = store, others, settings

    def quote(
        self, group: Group, answers: tuple[str, ...], rng: Random, *, whole: bool = False
    ) -> tuple[str, str] | None:
        """(title, quote) of a passage that does not answer, one of the group's or any; None when there is none.

        ``whole``: the quote is always the whole passage.
        """
        passages = [one.passage for one in group.negatives]
        if not passages:
            other = self._others.any(rng)
            passages = [] if other is None else [one.passage for one in other.group(self._store).positives]
        for passage in rng.sample(passages, min(_TRIES, len(passages))):
            sentences = sentence_spans(passage.text)
            if not sentences:
                continue
            at = rng.randrange(len(sentences))
            last = min(at + 1, len(sentences) - 1) if rng.random() < self._settings.wider else at
            whole_passage = whole or rng.random() < self._settings.whole
            text = passage.text if whole_passage else sentences_of(passage.text, sentences, at, last)
            if not has_answer(text, answers):
                return passage.title, text
        return None
