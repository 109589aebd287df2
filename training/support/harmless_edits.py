"""Edits of a claim and its quote that do no harm, so that an edit alone says nothing."""

from dataclasses import replace
from random import Random

from app.answering.support import Claim
from app.answering.text.answer_match import has_answer
from training.support.answering_passage import Case, quote
from training.support.corruption import replaced, reversed_polarity, values
from training.support.distractors import OtherAnswers


class HarmlessEdits:
    """Changes a claim that its quote backs into another one that its quote backs."""

    def __init__(self, others: OtherAnswers) -> None:
        self._others = others

    def edited(self, claim: Claim, case: Case, rng: Random) -> Claim:
        """The claim with one edit; as it is where it offers no place for any."""
        edits = [self._renamed, self._with_other_detail, self._with_other_neighbour]
        rng.shuffle(edits)
        return next((edited for edit in edits if (edited := edit(claim, case, rng))), claim)

    def _renamed(self, claim: Claim, case: Case, rng: Random) -> Claim | None:
        """The claim with the same other answer in answer and quote."""
        passage = case.passage
        if has_answer(f"{passage.question}\n{passage.title}", [passage.answer]):
            return None
        other = self._others.instead(passage.answer, passage.answers, claim.quote, case.record, rng)
        text = None if other is None else replaced(claim.quote, passage.answer, other)
        return None if other is None or text is None else replace(claim, answer=other, quote=text)

    def _with_other_detail(self, claim: Claim, case: Case, rng: Random) -> Claim | None:
        """The claim with a value of the quote changed that neither question, answer nor title names."""
        passage = case.passage
        named = f"{passage.question}\n{passage.title}\n{passage.answer}"
        free = [value for value in values(claim.quote) if not has_answer(named, [value.text])]
        if not free:
            return None
        value = rng.choice(free)
        other = self._others.instead(value.text, passage.answers, claim.quote, case.record, rng)
        text = None if other is None else replaced(claim.quote, value.text, other)
        return None if text is None or claim.answer not in text else replace(claim, quote=text)

    def _with_other_neighbour(self, claim: Claim, case: Case, rng: Random) -> Claim | None:
        """The claim with a neighbouring sentence that is denied, beside the one that backs it."""
        passage = case.passage
        beside = [number for number in passage.neighbours if number in passage.silent()]
        if not beside:
            return None
        at = rng.choice(beside)
        denied = reversed_polarity(passage.sentence(at), rng)
        if denied is None:
            return None
        both = quote(passage.text, passage.sentences, passage.at, at)
        return replace(claim, quote=both.replace(passage.sentence(at), denied))
