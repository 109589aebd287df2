"""A claim with a quote that backs it, or with one that is made not to: what the support scorer learns from."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from app.answering.support import Claim
from retriever.store import DocumentStore
from training.data.group import GroupRecord
from training.support.answer_claims import AnswerClaims
from training.support.answering_passage import Case, answering_passage_of
from training.support.distractors import Elsewhere, OtherAnswers
from training.support.kinds import Kind, SupportSettings
from training.support.sentence_claims import SentenceClaims


@dataclass(frozen=True, slots=True)
class SupportExample:
    """A claim, and how its quote goes with it."""

    claim: Claim
    kind: Kind


class SupportExamples:
    """Makes examples of groups. The same group and the same state of ``rng`` give the same example."""

    def __init__(
        self, store: DocumentStore, others: OtherAnswers, settings: SupportSettings | None = None
    ) -> None:
        self._store = store
        self._settings = settings or SupportSettings()
        elsewhere = Elsewhere(store, others, self._settings)
        self._answers = AnswerClaims(store, others, elsewhere, self._settings)
        sentences = SentenceClaims(others, elsewhere, self._settings)
        self._makers = {**self._answers.makers, **sentences.makers}

    def drawn(self, record: GroupRecord, rng: Random) -> SupportExample | None:
        """An example of the group, of a kind by the settings' shares among those it offers; None if it offers none."""
        settings = self._settings
        sentence = rng.random() < settings.sentences
        shares = settings.of_sentences if sentence else settings.of_answers
        kinds = _drawn_order(shares, rng)
        true = Kind.TRUE_SENTENCE if sentence else Kind.TRUE
        order = [true, *kinds] if rng.random() < settings.supported else [*kinds, true]
        for kind in (*order, Kind.TRUE, Kind.OTHER_PASSAGE):
            claim = self.of_kind(record, kind, rng)
            if claim is not None:
                return SupportExample(claim, kind)
        return None

    def of_kind(self, record: GroupRecord, kind: Kind, rng: Random) -> Claim | None:
        """A claim of this kind; None when the group offers none."""
        group = record.group(self._store)
        passage = answering_passage_of(group, rng, asked=self._settings.asked)
        if passage is None:
            return self._answers.of_silent(group, rng) if kind is Kind.OTHER_PASSAGE else None
        return self._makers[kind](Case(record, group, passage), rng)


def _drawn_order(shares: Mapping[Kind, float], rng: Random) -> list[Kind]:
    """The kinds in an order in which each comes first as often as its share says."""
    left, order = dict(shares), []
    while left:
        (kind,) = rng.choices(list(left), list(left.values()))
        order.append(kind)
        del left[kind]
    return order
