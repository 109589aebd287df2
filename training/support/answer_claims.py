"""Claims that are short answers, or made into a statement, each with a quote."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from app.answering.support import Claim
from app.answering.text.answer_match import has_answer
from retriever.store import DocumentStore
from training.data.group import Group
from training.support.answering_passage import AnsweringPassage, Case, answering_passage_of, quote
from training.support.corruption import other_words, replaced, reversed_polarity
from training.support.distractors import Elsewhere, OtherAnswers
from training.support.harmless_edits import HarmlessEdits
from training.support.kinds import Kind, SupportSettings
from training.support.statements import statement


class AnswerClaims:
    """Makes a claim of a group's answer. ``makers``: by kind; each gives None when the group offers none."""

    def __init__(
        self, store: DocumentStore, others: OtherAnswers, elsewhere: Elsewhere, settings: SupportSettings
    ) -> None:
        self._store, self._others, self._elsewhere, self._settings = store, others, elsewhere, settings
        self._edits = HarmlessEdits(others)
        self.makers: Mapping[Kind, Callable[[Case, Random], Claim | None]] = {
            Kind.TRUE: self._true,
            Kind.OTHER_PASSAGE: self._other_passage,
            Kind.NEIGHBOUR: self._neighbour,
            Kind.OTHER_CLAIM: self._other_claim,
            Kind.ALTERED_QUOTE: self._altered_quote,
            Kind.DENIED_QUOTE: self._denied_quote,
            Kind.BY_CHANCE: self._by_chance,
        }

    def of_silent(self, group: Group, rng: Random) -> Claim | None:
        """A claim with an answer that none of the group's passages gives."""
        if not group.answers:
            return None
        found = self._elsewhere.quote(group, group.answers, rng)
        return None if found is None else self._said(Claim(group.question, group.answers[0], *found), rng)

    def _true(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        claim = self._claim(passage, passage.answer, self._quote(passage, rng))
        if rng.random() < self._settings.edited:
            claim = self._edits.edited(claim, case, rng)
        return self._said(claim, rng)

    def _other_passage(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        found = self._elsewhere.quote(case.group, passage.answers, rng)
        return None if found is None else self._said(Claim(passage.question, passage.answer, *found), rng)

    def _neighbour(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        silent = passage.silent()
        if not silent:
            return None
        at = silent[0] if rng.random() < 0.5 else rng.choice(silent)
        beside = [number for number in (at - 1, at + 1) if number in silent]
        last = rng.choice(beside) if beside and rng.random() < self._settings.wider else at
        text = quote(passage.text, passage.sentences, at, last)
        if has_answer(text, passage.answers):
            return None
        return self._said(self._claim(passage, passage.answer, text), rng)

    def _other_claim(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        text = self._quote(passage, rng)
        if rng.random() < self._settings.any_kind:
            other = other_words(text, passage.answers, rng)
        else:
            other = self._others.instead(passage.answer, passage.answers, passage.text, case.record, rng)
        return None if other is None else self._said(self._claim(passage, other, text), rng)

    def _altered_quote(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        other = self._others.instead(passage.answer, passage.answers, passage.text, case.record, rng)
        text = self._quote(passage, rng)
        altered = None if other is None else replaced(text, passage.answer, other)
        if altered is None or has_answer(f"{passage.title}\n{altered}", passage.answers):
            return None
        return self._said(self._claim(passage, passage.answer, altered), rng)

    def _denied_quote(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        denied = reversed_polarity(passage.sentence(passage.at), rng, near=passage.place_in_sentence)
        if denied is None:
            return None
        text = self._quote(passage, rng).replace(passage.sentence(passage.at), denied)
        return self._said(self._claim(passage, passage.answer, text), rng)

    def _by_chance(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        other = self._others.with_answer(passage.answer, case.record, rng)
        there = None if other is None else answering_passage_of(other.group(self._store), rng, asked=0.0)
        if there is None or (there.title == passage.title and there.text == passage.text):
            return None
        return self._said(Claim(passage.question, passage.answer, there.title, self._quote(there, rng)), rng)

    def _said(self, claim: Claim, rng: Random) -> Claim:
        """The claim as it is, or made into a statement."""
        said = statement(claim.question, claim.answer) if rng.random() < self._settings.stated else None
        if said is None:
            return claim
        alone = rng.random() < self._settings.without_question
        return replace(claim, question="" if alone else claim.question, answer=said)

    def _quote(self, passage: AnsweringPassage, rng: Random) -> str:
        """The sentence that answers, or with a neighbour, or the whole passage."""
        chance = rng.random()
        if chance < self._settings.whole:
            return passage.text
        if chance < self._settings.whole + self._settings.wider and passage.neighbours:
            return quote(passage.text, passage.sentences, passage.at, rng.choice(passage.neighbours))
        return passage.sentence(passage.at)

    def _claim(self, passage: AnsweringPassage, answer: str, text: str) -> Claim:
        return Claim(passage.question, answer, passage.title, text)
