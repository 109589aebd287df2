"""Training the support scorer on a toy: corruptions are what they say; it learns, resumes exactly, and ships."""

import json
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.answering.answer_match import has_answer
from app.answering.cross_encoder import base_model
from app.answering.shipped_weights import shipped_weights
from app.answering.support import Claim
from app.answering.trained_support import TrainedSupport, trained_support
from retriever.models import sha256_of
from retriever.sentences import sentence_spans
from retriever.types import Span
from training import run
from training import support as training
from training.corruption import (
    ValueKind,
    kind_of,
    others_of_kind,
    replaced,
    reversed_polarity,
    same,
    shortened,
    values,
    varied,
)
from training.data import DataSettings, prepare
from training.group import record_of
from training.mining import MiningSettings
from training.question import Source
from training.run import Pace
from training.support import SupportTrainingSettings, quality, train
from training.support_answers import OtherAnswers
from training.support_example import SupportExample, SupportExamples
from training.support_kind import Kind, SupportSettings
from training.support_statement import statement

SETTINGS = SupportTrainingSettings(claims=40, claims_per_step=4, rate=3e-3, rank=2, quote_tokens=80)
PLAIN = SupportSettings(any_kind=0.0, stated=0.0, wider=0.0, whole=0.0, edited=0.0, without_question=0.0)
SEEDS = range(40)

FIRST = (
    "The old mill stands by a quiet river. The tower of Dover was built by Anna Keeper in 1803. "
    "Its lamp was not lit before May 1810. Visitors like the garden."
)
SECOND = "The bridge of Calais was opened by Bert Mason in 1925. It was painted green for a fair."
THIRD = "In 1803 a ship was named after the queen. The harbour of Emden has 12 cranes."


@pytest.fixture
def data(data_folder, tmp_path, quiet):
    settings = DataSettings(
        mining=MiningSettings(depth=10, negatives=4), development_questions=2, development_articles=0.0
    )
    prepare(data_folder, tmp_path / "prepared", quiet, settings=settings)
    return tmp_path / "prepared"


@pytest.fixture
def reader(base, tmp_path):
    path = tmp_path / "toy-reader.safetensors"
    save_file(base_model(base).state_dict(), path)
    return path


@pytest.fixture
def examples():
    """Makes claims of three passages, plainly; the first is asked about in ``ASKED``."""
    return SupportExamples(Texts(), OtherAnswers([ASKED, *OTHERS]), PLAIN)


class Texts:
    """A store of three passages."""

    def passages(self, rows):
        from retriever.types import Passage

        texts = {1: ("Dover", FIRST), 2: ("Calais", SECOND), 3: ("Emden", THIRD)}
        return [
            Passage(row, f"doc-{row}", texts[row][0], texts[row][1], Span(0, len(texts[row][1])))
            for row in rows
        ]


def marked(number, question, answer, row, text, others=()):
    start = text.index(answer)
    spans = [Span(start, start + len(answer))]
    return record_of(
        f"squad-{number}", Source.SQUAD, question, [answer], [(row, spans), *((one, []) for one in others)]
    )


ASKED = marked(0, "When was the tower built?", "1803", 1, FIRST, others=(2,))
BUILDER = marked(1, "Who built the tower?", "Anna Keeper", 1, FIRST, others=(2,))
OTHERS = [
    BUILDER,
    marked(2, "When was the bridge opened?", "1925", 2, SECOND),
    marked(3, "When was a ship named after the queen?", "1803", 3, THIRD),
    marked(4, "Who opened the bridge?", "Bert Mason", 2, SECOND),
]
ANSWERING = "The tower of Dover was built by Anna Keeper in 1803."


def made(examples, kind, record=ASKED):
    found = [examples.of_kind(record, kind, Random(seed)) for seed in SEEDS]
    claims = [one for one in found if one is not None]
    assert claims, kind
    return claims


def test_a_supported_answer_comes_with_its_sentence(examples):
    for claim in made(examples, Kind.TRUE):
        assert claim == Claim("When was the tower built?", "1803", "Dover", ANSWERING)


def test_the_quote_of_another_passage_does_not_hold_the_answer(examples):
    for claim in made(examples, Kind.OTHER_PASSAGE):
        assert (claim.answer, claim.title) == ("1803", "Calais")
        assert claim.quote in SECOND
        assert not has_answer(claim.quote, ["1803"])


def test_a_neighbour_is_a_sentence_of_the_passage_without_the_answer(examples):
    quotes = {claim.quote for claim in made(examples, Kind.NEIGHBOUR)}
    assert quotes == {span.of(FIRST) for span in sentence_spans(FIRST)} - {ANSWERING}


@pytest.mark.parametrize(("record", "right"), [(ASKED, "1803"), (BUILDER, "Anna Keeper")])
def test_another_claim_is_another_value_of_the_same_kind_with_the_true_quote(examples, record, right):
    claims = made(examples, Kind.OTHER_CLAIM, record)
    assert len({claim.answer for claim in claims}) > 1
    for claim in claims:
        assert claim.quote == ANSWERING
        assert not same(claim.answer, right)
        assert kind_of(claim.answer) is kind_of(right)


def test_another_claim_may_be_any_words_of_the_quote():
    examples = SupportExamples(Texts(), OtherAnswers([ASKED, *OTHERS]), replace(PLAIN, any_kind=1.0))
    claims = made(examples, Kind.OTHER_CLAIM)
    assert {kind_of(claim.answer) for claim in claims} >= {ValueKind.NAME, ValueKind.WORDS}
    for claim in claims:
        assert claim.quote == ANSWERING
        assert claim.answer in ANSWERING
        assert not same(claim.answer, "1803")


@pytest.mark.parametrize(("record", "right"), [(ASKED, "1803"), (BUILDER, "Anna Keeper")])
def test_an_altered_quote_says_another_answer_and_nothing_else(examples, record, right):
    before, after = ANSWERING.split(right)
    for claim in made(examples, Kind.ALTERED_QUOTE, record):
        assert claim.answer == right
        assert claim.quote.startswith(before)
        assert claim.quote.endswith(after)
        assert right not in claim.quote
        assert claim.quote != ANSWERING


def test_a_denied_quote_differs_by_its_denial(examples):
    quotes = {claim.quote for claim in made(examples, Kind.DENIED_QUOTE)}
    assert quotes <= {ANSWERING.replace("was", "was not"), ANSWERING.replace("was", "was never")}


def test_a_quote_by_chance_holds_the_answer_to_another_question(examples):
    for claim in made(examples, Kind.BY_CHANCE):
        assert claim == Claim(
            "When was the tower built?", "1803", "Emden", "In 1803 a ship was named after the queen."
        )


def test_a_supported_sentence_stands_in_its_passage(examples):
    for claim in made(examples, Kind.TRUE_SENTENCE):
        assert claim.quote == FIRST
        assert claim.answer in FIRST
        assert claim.question == ("When was the tower built?" if claim.answer == ANSWERING else "")


def test_an_altered_sentence_differs_from_its_passage(examples):
    claims = made(examples, Kind.ALTERED_SENTENCE)
    assert {claim.quote == FIRST for claim in claims} == {True, False}
    for claim in claims:
        assert claim.answer not in claim.quote


def test_a_denied_sentence_differs_from_its_passage_in_polarity(examples):
    claims = made(examples, Kind.DENIED_SENTENCE)
    assert {claim.quote == FIRST for claim in claims} == {True, False}
    for claim in claims:
        assert claim.answer not in claim.quote
        undenied = [text.replace(" not", "").replace(" never", "") for text in (claim.answer, claim.quote)]
        assert undenied[0] in undenied[1]


def test_an_unsaid_sentence_is_not_in_its_quote(examples):
    for claim in made(examples, Kind.UNSAID_SENTENCE):
        assert claim.answer in FIRST
        assert claim.answer not in claim.quote


@pytest.mark.parametrize("record", [ASKED, BUILDER])
def test_a_harmless_edit_leaves_the_answer_in_the_quote(record):
    edited = SupportExamples(
        Texts(), OtherAnswers([ASKED, *OTHERS]), replace(PLAIN, edited=1.0, whole=0.5, wider=0.5)
    )
    claims = made(edited, Kind.TRUE, record)
    assert len({claim.quote for claim in claims}) > 5
    assert len({claim.answer for claim in claims}) > 1
    assert all(claim.answer in claim.quote for claim in claims)
    sentences = made(edited, Kind.TRUE_SENTENCE, record)
    assert any(claim.quote != FIRST for claim in sentences)
    assert all(claim.answer in claim.quote for claim in sentences)


def test_a_drawn_example_is_a_function_of_the_seed(examples):
    drawn = [examples.drawn(ASKED, Random(seed)) for seed in SEEDS]
    assert drawn == [examples.drawn(ASKED, Random(seed)) for seed in SEEDS]
    assert len({one.kind for one in drawn}) > 6


def test_about_half_of_what_is_drawn_is_supported_and_a_quarter_are_sentences():
    examples = SupportExamples(Texts(), OtherAnswers([ASKED, *OTHERS]))
    drawn = [examples.drawn(ASKED, Random(seed)) for seed in range(400)]
    assert 0.42 < sum(one.kind.supported for one in drawn) / 400 < 0.58
    assert 0.18 < sum(one.kind.value.endswith("sentence") for one in drawn) / 400 < 0.32


def test_a_claim_may_be_a_statement_without_its_question():
    settings = replace(PLAIN, stated=1.0, without_question=1.0)
    examples = SupportExamples(Texts(), OtherAnswers([ASKED, *OTHERS]), settings)
    claim = examples.of_kind(ASKED, Kind.TRUE, Random(0))
    assert (claim.question, claim.answer) == ("", "The tower was built in 1803.")


def test_a_distant_answer_counts_only_where_the_sentence_is_about_the_question(examples):
    spans = [Span(FIRST.index("1803"), FIRST.index("1803") + 4)]
    about, beside = (
        record_of("nq-1", Source.NQ, question, ["1803"], [(1, spans), (2, [])])
        for question in ("when was the tower built", "when did the emperor invade england")
    )
    assert examples.of_kind(about, Kind.TRUE, Random(0)) is not None
    assert examples.of_kind(beside, Kind.TRUE, Random(0)) is None
    assert not any(examples.drawn(beside, Random(seed)).kind.supported for seed in SEEDS)


def test_names_numbers_and_dates_are_found_with_their_places():
    text = "In May 1810 Anna Keeper of Dover paid 1,200 pounds for three lamps."
    found = values(text)
    assert [(value.kind, value.text) for value in found] == [
        (ValueKind.DATE, "May 1810"), (ValueKind.NAME, "Anna Keeper of Dover"), (ValueKind.NUMBER, "1,200"),
        (ValueKind.NUMBER, "three"),
    ]  # fmt: skip
    assert all(value.span.of(text) == value.text for value in found)
    assert values("Lamps burn oil at night.") == []


@pytest.mark.parametrize(
    "answer", ["1803", "3 May 1810", "1850s", "12", "9", "007", "1,200", "10,000 men", "three"]
)
def test_a_varied_answer_is_another_one_of_the_same_kind(answer):
    others = {varied(answer, Random(seed)) for seed in SEEDS}
    assert answer not in others
    assert len(others) > 3
    assert {kind_of(one) for one in others} == {kind_of(answer)}
    assert varied("Anna Keeper", Random(0)) is None


def test_a_replacement_takes_whole_words_everywhere():
    assert replaced("Dover and Dover's Dovers.", "Dover", "Emden") == "Emden and Emden's Dovers."
    assert replaced("Nothing here.", "Dover", "Emden") is None


def test_values_that_are_part_of_an_answer_are_no_others():
    text = "Anna Keeper met Keeper, Bert Mason and Anna in 1803."
    assert others_of_kind(text, "Anna Keeper", ["Anna Keeper"]) == ["Bert Mason"]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("It was lit.", {"It was not lit.", "It was never lit."}),
        ("It was not lit.", {"It was lit."}),
        ("It was never lit.", {"It was lit."}),
        ("It cannot not burn.", {"It can burn."}),
        ("She opened it.", {"She never opened it."}),
        ("A quiet river.", {None}),
    ],
)
def test_polarity_is_reversed(text, changed):
    assert {reversed_polarity(text, Random(seed)) for seed in SEEDS} == changed


def test_only_the_clause_around_the_answer_is_denied():
    text = "The mill was old, and the tower was built in 1803, but nobody was there."
    near = Span(text.index("1803"), text.index("1803") + 4)
    found = {reversed_polarity(text, Random(seed), near=near) for seed in SEEDS}
    assert found == {text.replace("was built", f"was {no} built") for no in ("not", "never")}
    assert reversed_polarity("It was, in 1803, Dover.", Random(0), near=Span(17, 22)) is None


def test_a_shortened_sentence_lacks_a_clause():
    text = "In 1803, the tower (a light) was built of stone, which lasts."
    assert {shortened(text, Random(seed)) for seed in SEEDS} == {
        "The tower (a light) was built of stone, which lasts.",
        "In 1803, the tower was built of stone, which lasts.",
        "In 1803, the tower (a light) was built of stone.",
    }
    assert shortened("The tower stands.", Random(0)) is None


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("Who designed the tower?", "Anna Keeper", "Anna Keeper designed the tower."),
        ("Who was elected mayor?", "Bert", "Bert was elected mayor."),
        ("What is the capital of Kent?", "Maidstone", "The capital of Kent is Maidstone."),
        ("When was the tower built?", "1803", "The tower was built in 1803."),
        ("How many cranes does Dover have?", "12", "Dover have 12."),
        ("Why is it there?", "for ships", None),
    ],
)
def test_question_and_answer_become_a_statement(question, answer, said):
    assert statement(question, answer) == said


def test_quality_is_by_kind_and_by_value():
    scores = {"right": 0.9, "unsure": 0.4, "wrong": 0.6, "bad": 0.1}

    class ByAnswer:
        def score(self, claims):
            return [scores[claim.answer] for claim in claims]

    found = quality(
        ByAnswer(),
        [
            SupportExample(Claim("", answer, "", ""), kind)
            for answer, kind in (
                ("right", Kind.TRUE), ("unsure", Kind.TRUE), ("wrong", Kind.NEIGHBOUR), ("bad", Kind.OTHER_CLAIM)
            )
        ],
    )  # fmt: skip
    assert found["all"] == {
        "claims": 4, "accuracy": 0.5, "auroc": 0.75, "mean_supported": 0.65, "mean_others": 0.35
    }  # fmt: skip
    assert found["true"] == {"claims": 2, "accuracy": 0.5}
    assert found["neighbour"] == {"claims": 1, "accuracy": 0.0, "auroc": 0.5}
    assert found["other-claim"] == {"claims": 1, "accuracy": 1.0, "auroc": 1.0}


def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(
    data, base, reader, tmp_path, quiet
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(data, whole, quiet, settings=SETTINGS, base=base, reader=reader)
    for step in (3, 7):
        stopped = train(
            data, cut, quiet, settings=SETTINGS, base=base, reader=reader, pace=Pace(stop_at_step=step)
        )
        assert stopped is None
    assert train(data, cut, quiet, settings=SETTINGS, base=base, reader=reader) is not None
    expected, found = (load_file(folder / "checkpoint.safetensors") for folder in (whole, cut))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    names = [folder / "weights/support.safetensors" for folder in (whole, cut)]
    assert sha256_of(names[0]) == sha256_of(names[1])


def test_the_loss_falls(data, base, reader, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(run, "_SECONDS_BETWEEN_LINES", 0.0)
    shown = replace(PLAIN, sentences=0.0, of_answers={Kind.NEIGHBOUR: 1.0})
    settings = replace(
        SETTINGS, claims=1600, claims_per_step=8, rate=5e-3, rank=8, shown=shown, shares={Source.SQUAD: 1.0}
    )
    train(data, tmp_path / "out", quiet, settings=settings, base=base, reader=reader)
    lines = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    losses = [line["support"] for line in lines if "support" in line]
    assert len(losses) == 200
    assert np.mean(losses[-40:]) < 0.5 * np.mean(losses[:40])


def test_what_is_shipped_scores_as_the_trained_model_did(data, base, reader, tmp_path, quiet, monkeypatch):
    scorers = []

    class Kept(TrainedSupport):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            scorers.append(self)

    monkeypatch.setattr(training, "TrainedSupport", Kept)
    settings = replace(SETTINGS, claims=80, rate=1e-2)
    found = train(data, tmp_path / "out", quiet, settings=settings, base=base, reader=reader, command="it")
    path, entry = shipped_weights("support", "support", tmp_path / "out/weights")
    assert (entry.command, entry.seed, entry.licence) == ("it", 0, "Apache-2.0")
    assert entry.base_sha256 == sha256_of(reader)
    assert entry.quality == found
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.bfloat16}
    shipped = trained_support(path, reader, base, quote_tokens=80, dtype=torch.float32)
    claims = [
        Claim("How many cranes?", str(n), "Port Dover", f"Port Dover has {n % 3} cranes.") for n in range(9)
    ]
    assert shipped.score(claims) == pytest.approx(scorers[-1].score(claims), abs=0.03)
    untrained = trained_support(
        save_nothing(tmp_path, path), reader, base, quote_tokens=80, dtype=torch.float32
    )
    assert shipped.score(claims) != pytest.approx(untrained.score(claims), abs=0.03)


def save_nothing(folder, path):
    """The file with all of its tensors 0."""
    save_file(
        {name: torch.zeros_like(one) for name, one in load_file(path).items()}, folder / "nothing.safetensors"
    )
    return folder / "nothing.safetensors"
