"""A group as a language model is shown it: what it is to write, what is judged, and where each points."""

import re
from dataclasses import replace

import pytest

from app.answering.cross_encoders.reader_model import Judgement
from app.answering.evidence_model.evidence_input import NO_ANSWER
from app.answering.generators.evidence_generator import PASSAGES_TOGETHER
from app.answering.generators.reader_generator import SPANS_EXTRACTED
from app.answering.text.answer_score import f1
from app.answering.text.normalise import normalise_answer
from retriever.types import Span
from tests.training.adapter.toy_examples import PLAIN, answerable, example_of, text_of, tokenizer
from training.adapter.example import EvidenceSettings
from training.data.question import Source


class Saying:
    """A reader that finds the first of these answers in the first passage, the second in the second, and so on."""

    def __init__(self, *answers):
        self._answers = answers

    def judge(self, question, passages):
        return [Judgement(0.9, tuple(self._spans(*one))) for one in enumerate(passages)]

    def _spans(self, number, passage):
        answer, window = self._answers[number % len(self._answers)], passage[1]
        if answer in window:
            place = window.index(answer)
            yield Span(place, place + len(answer)), 0.5 / (number + 1)


def test_the_answer_is_written_as_it_stands_and_pointed_at_where_it_stands(opened):
    record = answerable(opened)
    one = example_of(opened, record)
    written = one.answers[0]
    (first, last), *_ = written.pairs
    passage = int(one.prompt.passages[first])
    assert one.prompt.characters(first, last).of(one.prompt.windows[passage]) in record.answers
    assert text_of(written) == f" {record.answers[0]}\n"
    assert written.right == 1.0


def test_without_the_passage_that_answers_it_says_so_and_points_at_nothing(opened):
    record = answerable(opened, rows=2)
    one = example_of(opened, record, replace(PLAIN, unanswerable=1.0))
    written, *judged = one.answers
    assert (text_of(written), written.pairs, written.right) == (f" {NO_ANSWER}\n", (), None)
    assert not any(record.answers[0] in window for window in one.prompt.windows)
    assert judged
    assert {answer.right for answer in judged} == {0.0}


def test_the_readers_other_answers_are_judged_by_how_near_they_come(opened):
    """A wrong one is backed by nothing; one that shares words with the answer is half right, and not pointed at."""
    record = answerable(opened)
    row, ((start, end), *_) = next(row for row in record.rows if row[1])
    (passage,) = opened.store.passages([row])
    window = passage.window
    answer, elsewhere = window[start:end], window[:start] + window[end:]
    wrong = next(word for word in elsewhere.split() if len(word) > 3 and word not in answer)
    longer = f"{answer}{window[end:].split('.')[0]}"
    three_times = replace(record, rows=((row, ((start, end),)), (row, ()), (row, ())))
    one = example_of(opened, three_times, reader=Saying(answer, wrong, longer))
    judged = {text_of(found).strip(): found for found in one.answers}
    assert list(judged) == [answer, wrong, longer]
    assert [judged[said_].right for said_ in (answer, wrong)] == [1.0, 0.0]
    assert judged[wrong].pairs == ()
    assert judged[longer].right == pytest.approx(f1(longer, record.answers))
    assert 0 < judged[longer].right < 1
    assert judged[longer].pairs is None


def test_answers_from_passages_that_are_not_shown_are_judged_too(opened):
    """The right one among them, which is pointed at nowhere: the language model has not read where it stands."""
    record = answerable(opened, rows=2)
    (answer,) = set(record.answers)
    every = Saying(answer)
    silent = replace(PLAIN, unanswerable=1.0, hidden=len(record.rows))
    (written, judged) = example_of(opened, record, silent, reader=every).answers
    assert (text_of(written), text_of(judged)) == (f" {NO_ANSWER}\n", f" {answer}\n")
    assert (judged.pairs, judged.right) == (None, 1.0)
    assert len(example_of(opened, record, replace(silent, hidden=0), reader=every).answers) == 1


class Remembering:
    """A reader that keeps what it was shown, and finds the words of each passage, from the first one on."""

    def judge(self, question, passages):
        self.passages = list(passages)
        return [Judgement(0.9, tuple(self._spans(window))) for _, window in passages]

    def _spans(self, window):
        for number, word in enumerate(re.finditer(r"\S+", window)):
            yield Span(*word.span()), 0.3 / (number + 1)


def test_three_answers_of_each_passage_shown_are_judged_and_one_of_each_other(opened):
    """Two passages answer here, of which one is shown; and no more are looked at than wanted."""
    record = answerable(opened, rows=3)
    (right, spans), *others = sorted(record.rows, key=lambda row: not row[1])
    both = replace(record, rows=((right, spans), (others[0][0], spans), *others[1:]))
    reader = Remembering()
    one = example_of(opened, both, replace(PLAIN, hidden=9), reader=reader)
    assert len(one.prompt.windows) == 1
    assert len(set(reader.passages)) == len(reader.passages) == len(both.rows)
    (_, read), *hidden = reader.passages
    assert read.startswith(one.prompt.windows[0])
    expected = {
        normalise_answer(word) for word in (*read.split()[:3], *(found.split()[0] for _, found in hidden))
    }
    written, *judged = [normalise_answer(text_of(answer)) for answer in one.answers]
    assert sorted(judged) == sorted(expected - {written, ""})
    example_of(opened, both, replace(PLAIN, hidden=1), reader=reader)
    assert len(reader.passages) == 2


def test_of_the_passages_shown_each_is_judged_as_when_serving(opened):
    """As many answers of the second one as of the first."""
    deep = EvidenceSettings().spans
    assert SPANS_EXTRACTED[:PASSAGES_TOGETHER] == (deep,) * PASSAGES_TOGETHER
    record = answerable(opened, rows=2)
    reader = Remembering()
    one = example_of(opened, record, replace(PLAIN, passages=(0.0, 1.0), hidden=0), reader=reader)
    assert len(one.prompt.windows) == 2
    expected = {normalise_answer(word) for _, window in reader.passages for word in window.split()[:deep]}
    written, *judged = [normalise_answer(text_of(answer)) for answer in one.answers]
    assert sorted(judged) == sorted(expected - {written, ""})


def test_the_reader_reads_on_where_the_language_model_does_not(opened):
    """As when serving."""
    records = (replace(one, rows=one.rows[:1]) for one in opened.training()[Source.NQ] if one.rows[0][1])
    record = next(one for one in records if one.group(opened.store).passages[0].passage.continuation)
    (labelled,) = record.group(opened.store).passages
    assert labelled.without_continuation.answers
    reader = Remembering()
    one = example_of(opened, record, replace(PLAIN, alone=1.0), reader=reader)
    assert one.prompt.windows == (labelled.passage.text,)
    assert reader.passages == [(labelled.passage.title, labelled.passage.window)]


def test_a_right_answer_in_other_words_is_pointed_at_where_it_stands(opened):
    record = answerable(opened)
    other = next(row for row in record.rows if row[1])
    (passage,) = opened.store.passages([other[0]])
    word = next(one for one in reversed(passage.window.split()) if one.isalpha() and len(one) > 3)
    known = replace(record, rows=(other,), answers=(*record.answers, word))
    one = example_of(opened, known, reader=Saying(word))
    found = one.answers[1]
    assert (text_of(found).strip(), found.right) == (word, 1.0)
    assert found.pairs
    for first, last in found.pairs:
        assert one.prompt.characters(first, last).of(one.prompt.windows[0]) == word


def test_a_quoted_answer_copies_the_sentence_token_by_token(opened):
    record = answerable(opened)
    one = example_of(opened, record, replace(PLAIN, quoted=1.0))
    (written,) = one.answers
    assert (written.pairs, written.right) == (None, None)
    title, window = one.prompt.titles[0], one.prompt.windows[0]
    claim, _, rest = text_of(written).removeprefix(" %<").partition(f">%({title})%[")
    quote, _, end = rest.rpartition("]%\n")
    assert (claim, end) == (record.answers[0], "")
    assert quote.strip() in window
    assert record.answers[0] in quote
    prompt, answer = [int(id_) for id_ in one.prompt.ids], list(written.ids)
    ids = tokenizer().ids(quote)
    assert any(prompt[n : n + len(ids)] == ids for n in range(len(prompt)))
    assert any(answer[n : n + len(ids)] == ids for n in range(len(answer)))


def test_several_passages_stand_in_any_order_and_show_one_that_answers(opened):
    record = answerable(opened, rows=3)
    several = replace(PLAIN, passages=(0.0, 0.0, 1.0))
    places = set()
    for seed in range(20):
        one = example_of(opened, record, several, seed=seed)
        assert len(one.prompt.windows) == 3
        places |= {int(one.prompt.passages[first]) for first, _ in one.answers[0].pairs}
    assert places == {0, 1, 2}
