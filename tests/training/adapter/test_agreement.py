"""Distant supervision cleaned: which passages are believed to answer, by what a reader finds in them."""

from dataclasses import replace

from app.answering.cross_encoders.reader_model import Judgement
from retriever.types import Span
from tests.training.adapter.toy_examples import answerable
from training.adapter.agreement import agreed
from training.data.question import Source


class Agreeing:
    """A reader that finds every first labelled answer, by looking it up."""

    sha256 = "d" * 64

    def __init__(self, *answers):
        self._answers = answers

    def judge(self, question, passages):
        found = []
        for _, window in passages:
            answer = next((one for one in self._answers if one in window), None)
            spans = (
                ()
                if answer is None
                else ((Span(window.index(answer), window.index(answer) + len(answer)), 1.0),)
            )
            found.append(Judgement(0.9, spans))
        return found


def test_a_passage_is_believed_where_the_reader_finds_the_answer(opened, tmp_path, quiet):
    records = [one for one in opened.training()[Source.NQ] if one.answerable]
    assert records
    answers = [one.answers[0] for one in records]
    kept = agreed(records, Agreeing(*answers), opened.store, tmp_path / "all", quiet, name="nq", at_least=9)
    assert [one.id for one in kept] == [one.id for one in records]
    none = agreed(records, Agreeing(), opened.store, tmp_path / "none", quiet, name="nq", at_least=9)
    assert none == []


def test_groups_without_a_positive_stay_and_negatives_are_kept(opened, tmp_path, quiet):
    record = answerable(opened, Source.NQ)
    silent = replace(record, id="silent", rows=tuple(row for row in record.rows if not row[1]))
    reader = Agreeing(*record.answers)
    kept = agreed([record, silent], reader, opened.store, tmp_path / "kept", quiet, name="nq", at_least=2)
    assert [one.id for one in kept] == [record.id, "silent"]
    assert [row for row in kept[0].rows if not row[1]] == [row for row in record.rows if not row[1]]
    assert kept[1] == silent


def test_what_was_agreed_is_kept_and_not_asked_again(opened, tmp_path, quiet):
    record = answerable(opened, Source.NQ)
    first, again = (
        agreed([record], reader, opened.store, tmp_path / "kept", quiet, name="nq", at_least=1)
        for reader in (Agreeing(*record.answers), Agreeing())
    )
    assert first == again
    assert [one.id for one in again] == [record.id]
