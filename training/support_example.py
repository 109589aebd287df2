"""A claim with a quote that backs it, or with one that is made not to: what the support scorer learns from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from app.answering.answer_match import has_answer
from app.answering.support import Claim
from retriever.sentences import sentence_spans
from retriever.store import DocumentStore
from training.corruption import other_words, replaced, reversed_polarity, shortened, values
from training.group import Group, GroupRecord
from training.support_answers import OtherAnswers
from training.support_kind import Kind, SupportSettings
from training.support_shown import Shown, quote, shown_of
from training.support_statement import statement

_LEAST_WORDS, _MOST_WORDS = 5, 40
_TRIES = 4


class _Case(NamedTuple):
    """A group as stored, with its texts, and its passage that answers."""

    record: GroupRecord
    group: Group
    shown: Shown


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
        self._store, self._others = store, others
        self._settings = settings or SupportSettings()
        self._makers: dict[Kind, Callable[[_Case, Random], Claim | None]] = {
            Kind.TRUE: self._true,
            Kind.OTHER_PASSAGE: self._other_passage,
            Kind.NEIGHBOUR: self._neighbour,
            Kind.OTHER_CLAIM: self._other_claim,
            Kind.ALTERED_QUOTE: self._altered_quote,
            Kind.DENIED_QUOTE: self._denied_quote,
            Kind.BY_CHANCE: self._by_chance,
            Kind.TRUE_SENTENCE: self._true_sentence,
            Kind.ALTERED_SENTENCE: self._altered_sentence,
            Kind.DENIED_SENTENCE: self._denied_sentence,
            Kind.UNSAID_SENTENCE: self._unsaid_sentence,
        }

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
        shown = shown_of(group, rng, asked=self._settings.asked)
        if shown is None:
            return self._of_silent(group, rng) if kind is Kind.OTHER_PASSAGE else None
        return self._makers[kind](_Case(record, group, shown), rng)

    def _true(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        claim = self._claim(shown, shown.answer, self._quote(shown, rng))
        if rng.random() < self._settings.edited:
            edits = [self._renamed, self._with_other_detail, self._with_other_neighbour]
            rng.shuffle(edits)
            claim = next((edit for one in edits if (edit := one(claim, case, rng))), claim)
        return self._said(claim, rng)

    def _other_passage(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        found = self._elsewhere(case.group, shown.answers, rng)
        return None if found is None else self._said(Claim(shown.question, shown.answer, *found), rng)

    def _neighbour(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        silent = shown.silent()
        if not silent:
            return None
        at = silent[0] if rng.random() < 0.5 else rng.choice(silent)
        beside = [one for one in (at - 1, at + 1) if one in silent]
        last = rng.choice(beside) if beside and rng.random() < self._settings.wider else at
        text = quote(shown.text, shown.sentences, at, last)
        if has_answer(text, shown.answers):
            return None
        return self._said(self._claim(shown, shown.answer, text), rng)

    def _other_claim(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        text = self._quote(shown, rng)
        if rng.random() < self._settings.any_kind:
            other = other_words(text, shown.answers, rng)
        else:
            other = self._others.instead(shown.answer, shown.answers, shown.text, case.record, rng)
        return None if other is None else self._said(self._claim(shown, other, text), rng)

    def _altered_quote(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        other = self._others.instead(shown.answer, shown.answers, shown.text, case.record, rng)
        text = self._quote(shown, rng)
        altered = None if other is None else replaced(text, shown.answer, other)
        if altered is None or has_answer(f"{shown.title}\n{altered}", shown.answers):
            return None
        return self._said(self._claim(shown, shown.answer, altered), rng)

    def _denied_quote(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        denied = reversed_polarity(shown.sentence(shown.at), rng, near=shown.place_in_sentence)
        if denied is None:
            return None
        text = self._quote(shown, rng).replace(shown.sentence(shown.at), denied)
        return self._said(self._claim(shown, shown.answer, text), rng)

    def _by_chance(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        other = self._others.with_answer(shown.answer, case.record, rng)
        there = None if other is None else shown_of(other.group(self._store), rng, asked=0.0)
        if there is None or (there.title == shown.title and there.text == shown.text):
            return None
        return self._said(Claim(shown.question, shown.answer, there.title, self._quote(there, rng)), rng)

    def _true_sentence(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        at = self._sentence(shown, rng)
        if at is None:
            return None
        sentence, text = shown.sentence(at), shown.text
        if rng.random() < self._settings.edited:
            sentence, text = self._edited_alike(sentence, text, case.record, rng)
        if rng.random() < 0.5:
            sentence = shortened(sentence, rng) or sentence
        return self._asked(shown, at, sentence, text, rng)

    def _altered_sentence(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        at = self._sentence(shown, rng)
        pair = None if at is None else self._other_value(shown.sentence(at), shown.text, case.record, rng)
        if at is None or pair is None:
            return None
        sentence, text = shown.sentence(at), shown.text
        if rng.random() < 0.6:
            altered = replaced(sentence, *pair)
            if altered is None:
                return None
            sentence = (shortened(altered, rng) if rng.random() < 0.4 else None) or altered
            if pair[1] not in sentence:
                sentence = altered
        else:
            found = replaced(text, *pair)
            if found is None:
                return None
            text = found
        return self._asked(shown, at, sentence, text, rng)

    def _denied_sentence(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        at = self._sentence(shown, rng)
        if at is None:
            return None
        sentence = shown.sentence(at)
        near = shown.place_in_sentence if at == shown.at else None
        denied = reversed_polarity(sentence, rng, near=near)
        if denied is None:
            return None
        if rng.random() < 0.6:
            return self._asked(shown, at, denied, shown.text, rng)
        return self._asked(shown, at, sentence, shown.text.replace(sentence, denied), rng)

    def _unsaid_sentence(self, case: _Case, rng: Random) -> Claim | None:
        shown = case.shown
        at = self._sentence(shown, rng)
        if at is None:
            return None
        sentence = shown.sentence(at)
        sentence = (shortened(sentence, rng) if rng.random() < 0.5 else None) or sentence
        if rng.random() < 0.3:
            found = self._elsewhere(case.group, shown.answers, rng, whole=True)
            return None if found is None else Claim("", sentence, *found)
        kept = [shown.sentence(one) for one in range(len(shown.sentences)) if one != at]
        return self._asked(shown, at, sentence, " ".join(kept), rng) if kept else None

    def _of_silent(self, group: Group, rng: Random) -> Claim | None:
        """A claim with an answer that none of the group's passages gives."""
        if not group.answers:
            return None
        found = self._elsewhere(group, group.answers, rng)
        return None if found is None else self._said(Claim(group.question, group.answers[0], *found), rng)

    def _elsewhere(
        self, group: Group, answers: tuple[str, ...], rng: Random, *, whole: bool = False
    ) -> tuple[str, str] | None:
        """(title, quote) of a passage that does not answer: one of the group's, or any."""
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
            text = passage.text if whole_passage else quote(passage.text, sentences, at, last)
            if not has_answer(text, answers):
                return passage.title, text
        return None

    def _other_value(
        self, sentence: str, text: str, record: GroupRecord, rng: Random
    ) -> tuple[str, str] | None:
        """A name, number or date of the sentence, and another that the sentence does not hold."""
        found = values(sentence)
        for value in rng.sample(found, len(found)):
            other = self._others.instead(value.text, (value.text,), text, record, rng)
            if other is not None and not has_answer(sentence, [other]):
                return value.text, other
        return None

    def _renamed(self, claim: Claim, case: _Case, rng: Random) -> Claim | None:
        """The claim with the same other answer in answer and quote."""
        shown = case.shown
        if has_answer(f"{shown.question}\n{shown.title}", [shown.answer]):
            return None
        other = self._others.instead(shown.answer, shown.answers, claim.quote, case.record, rng)
        text = None if other is None else replaced(claim.quote, shown.answer, other)
        return None if other is None or text is None else replace(claim, answer=other, quote=text)

    def _with_other_detail(self, claim: Claim, case: _Case, rng: Random) -> Claim | None:
        """The claim with a value of the quote changed that neither question, answer nor title names."""
        shown = case.shown
        named = f"{shown.question}\n{shown.title}\n{shown.answer}"
        free = [one for one in values(claim.quote) if not has_answer(named, [one.text])]
        if not free:
            return None
        value = rng.choice(free)
        other = self._others.instead(value.text, shown.answers, claim.quote, case.record, rng)
        text = None if other is None else replaced(claim.quote, value.text, other)
        return None if text is None or claim.answer not in text else replace(claim, quote=text)

    def _with_other_neighbour(self, claim: Claim, case: _Case, rng: Random) -> Claim | None:
        """The claim with a neighbouring sentence that is denied, beside the one that backs it."""
        shown = case.shown
        beside = [one for one in shown.neighbours if one in shown.silent()]
        if not beside:
            return None
        at = rng.choice(beside)
        denied = reversed_polarity(shown.sentence(at), rng)
        if denied is None:
            return None
        both = quote(shown.text, shown.sentences, shown.at, at)
        return replace(claim, quote=both.replace(shown.sentence(at), denied))

    def _edited_alike(self, sentence: str, text: str, record: GroupRecord, rng: Random) -> tuple[str, str]:
        """Sentence and passage with the same value changed, or the same statement denied, in both."""
        if rng.random() < 0.35:
            denied = reversed_polarity(sentence, rng)
            return (sentence, text) if denied is None else (denied, text.replace(sentence, denied))
        pair = self._other_value(sentence, text, record, rng)
        if pair is None:
            return sentence, text
        return replaced(sentence, *pair) or sentence, replaced(text, *pair) or text

    def _sentence(self, shown: Shown, rng: Random) -> int | None:
        """A sentence to be claimed: the one that answers, or any of a claim's length."""
        fit = [
            one
            for one in range(len(shown.sentences))
            if _LEAST_WORDS <= len(shown.sentence(one).split()) <= _MOST_WORDS
        ]
        if shown.at in fit and rng.random() < 0.5:
            return shown.at
        return rng.choice(fit) if fit else None

    def _asked(self, shown: Shown, at: int, sentence: str, text: str, rng: Random) -> Claim:
        """The sentence as a claim; with the question only when it is the one that answers."""
        alone = at != shown.at or rng.random() < self._settings.without_question
        return Claim("" if alone else shown.question, sentence, shown.title, text)

    def _said(self, claim: Claim, rng: Random) -> Claim:
        """The claim as it is, or made into a statement."""
        said = statement(claim.question, claim.answer) if rng.random() < self._settings.stated else None
        if said is None:
            return claim
        alone = rng.random() < self._settings.without_question
        return replace(claim, question="" if alone else claim.question, answer=said)

    def _quote(self, shown: Shown, rng: Random) -> str:
        """The sentence that answers, or with a neighbour, or the whole passage."""
        chance = rng.random()
        if chance < self._settings.whole:
            return shown.text
        if chance < self._settings.whole + self._settings.wider and shown.neighbours:
            return quote(shown.text, shown.sentences, shown.at, rng.choice(shown.neighbours))
        return shown.sentence(shown.at)

    def _claim(self, shown: Shown, answer: str, text: str) -> Claim:
        return Claim(shown.question, answer, shown.title, text)


def _drawn_order(shares: Mapping[Kind, float], rng: Random) -> list[Kind]:
    """The kinds in an order in which each comes first as often as its share says."""
    left, order = dict(shares), []
    while left:
        (kind,) = rng.choices(list(left), list(left.values()))
        order.append(kind)
        del left[kind]
    return order
