"""Claims that are sentences of a passage, with the passage as quote."""

from collections.abc import Callable, Mapping
from random import Random

from app.answering.support import Claim
from app.answering.text.answer_match import has_answer
from training.data.group import GroupRecord
from training.support.answering_passage import AnsweringPassage, Case
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
        passage = case.passage
        at = self._sentence(passage, rng)
        if at is None:
            return None
        sentence, text = passage.sentence(at), passage.text
        if rng.random() < self._settings.edited:
            sentence, text = self._edited_alike(sentence, text, case.record, rng)
        if rng.random() < 0.5:
            sentence = shortened(sentence, rng) or sentence
        return self._asked(passage, at, sentence, text, rng)

    def _altered_sentence(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        at = self._sentence(passage, rng)
        pair = None if at is None else self._other_value(passage.sentence(at), passage.text, case.record, rng)
        if at is None or pair is None:
            return None
        sentence, text = passage.sentence(at), passage.text
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
        return self._asked(passage, at, sentence, text, rng)

    def _denied_sentence(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        at = self._sentence(passage, rng)
        if at is None:
            return None
        sentence = passage.sentence(at)
        near = passage.place_in_sentence if at == passage.at else None
        denied = reversed_polarity(sentence, rng, near=near)
        if denied is None:
            return None
        if rng.random() < 0.6:
            return self._asked(passage, at, denied, passage.text, rng)
        return self._asked(passage, at, sentence, passage.text.replace(sentence, denied), rng)

    def _unsaid_sentence(self, case: Case, rng: Random) -> Claim | None:
        passage = case.passage
        at = self._sentence(passage, rng)
        if at is None:
            return None
        sentence = passage.sentence(at)
        sentence = (shortened(sentence, rng) if rng.random() < 0.5 else None) or sentence
        if rng.random() < 0.3:
            found = self._elsewhere.quote(case.group, passage.answers, rng, whole=True)
            return None if found is None else Claim("", sentence, *found)
        kept = [passage.sentence(number) for number in range(len(passage.sentences)) if number != at]
        return self._asked(passage, at, sentence, " ".join(kept), rng) if kept else None

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

    def _sentence(self, passage: AnsweringPassage, rng: Random) -> int | None:
        """A sentence to be claimed: the one that answers, or any of a claim's length."""
        fit = [
            number
            for number in range(len(passage.sentences))
            if _LEAST_WORDS <= len(passage.sentence(number).split()) <= _MOST_WORDS
        ]
        if passage.at in fit and rng.random() < 0.5:
            return passage.at
        return rng.choice(fit) if fit else None

    def _asked(self, passage: AnsweringPassage, at: int, sentence: str, text: str, rng: Random) -> Claim:
        """The sentence as a claim; with the question only when it is the one that answers."""
        alone = at != passage.at or rng.random() < self._settings.without_question
        return Claim("" if alone else passage.question, sentence, passage.title, text)
