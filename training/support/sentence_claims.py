"""Claims that are sentences of a passage, with the passage as quote."""

from collections.abc import Callable, Mapping
from random import Random

from app.answering.support import Claim
from app.answering.text.answer_match import has_answer
from training.data.group import GroupRecord
from training.support.answering_passage import Case, Shown
from training.support.corruption import replaced, reversed_polarity, shortened, values
from training.support.distractors import Elsewhere, OtherAnswers
from training.support.kinds import Kind, SupportSettings

_LEAST_WORDS, _MOST_WORDS = 5, 40


class SentenceClaims:
    """Makes a claim of a passage's sentence. ``makers``: by kind; each gives None when the group offers none."""

    def __init__(self, others: OtherAnswers, elsewhere: Elsewhere, settings: SupportSettings) -> None:
        self._others, self._elsewhere, self._settings = others, elsewhere, settings
        self.makers: Mapping[Kind, Callable[[Case, Random], Claim | None]] = {
            Kind.TRUE_SENTENCE: self._true_sentence,
            Kind.ALTERED_SENTENCE: self._altered_sentence,
            Kind.DENIED_SENTENCE: self._denied_sentence,
            Kind.UNSAID_SENTENCE: self._unsaid_sentence,
        }

    def _true_sentence(self, case: Case, rng: Random) -> Claim | None:
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

    def _altered_sentence(self, case: Case, rng: Random) -> Claim | None:
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

    def _denied_sentence(self, case: Case, rng: Random) -> Claim | None:
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

    def _unsaid_sentence(self, case: Case, rng: Random) -> Claim | None:
        shown = case.shown
        at = self._sentence(shown, rng)
        if at is None:
            return None
        sentence = shown.sentence(at)
        sentence = (shortened(sentence, rng) if rng.random() < 0.5 else None) or sentence
        if rng.random() < 0.3:
            found = self._elsewhere.quote(case.group, shown.answers, rng, whole=True)
            return None if found is None else Claim("", sentence, *found)
        kept = [shown.sentence(one) for one in range(len(shown.sentences)) if one != at]
        return self._asked(shown, at, sentence, " ".join(kept), rng) if kept else None

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
