"""Training the reader on a toy: it learns, resumes exactly, and ships what it measured."""

import json
import shutil
from dataclasses import replace
from random import Random

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.answering.answer_kind import AnswerKind
from app.answering.cross_encoders.cross_encoder import PROJECTIONS, base_model
from app.answering.cross_encoders.reader_input import ReaderTokenizer
from app.answering.cross_encoders.reader_model import ReaderModel, reader_model
from app.answering.shipped_weights import shipped_weights
from common.errors import LoccitError, ModelUnusableError
from common.packaged import sha256_of
from retriever.types import Span
from tests.training.conftest import write_lines
from training.data.group import GroupRecord
from training.data.mixture import mixture
from training.data.prepare import prepare
from training.data.prepared import PreparedData
from training.data.question import Source
from training.data.shards import read_shard, shards
from training.loop import run
from training.loop.optimiser import learning_rate
from training.loop.run import Pace
from training.reader import train as training
from training.reader.example import PresentationSettings, chosen, example
from training.reader.train import SMALL_RATE_GOING_ON, Ablation, TrainingSettings, train

SETTINGS = TrainingSettings(groups=40, groups_per_step=4, max_tokens=160, rate=3e-3)


def checkpoint(folder):
    return load_file(folder / "checkpoint.safetensors")


def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(data, base, tmp_path, quiet):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(data, whole, quiet, settings=SETTINGS, base=base)
    assert train(data, cut, quiet, settings=SETTINGS, base=base, pace=Pace(stop_at_step=3)) is None
    assert not (cut / "weights").exists()
    assert train(data, cut, quiet, settings=SETTINGS, base=base, pace=Pace(stop_at_step=7)) is None
    assert train(data, cut, quiet, settings=SETTINGS, base=base) is not None
    expected, found = checkpoint(whole), checkpoint(cut)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert sha256_of(whole / "weights/reader.safetensors") == sha256_of(cut / "weights/reader.safetensors")


def test_another_seed_gives_other_weights(data, base, tmp_path, quiet):
    train(data, tmp_path / "one", quiet, settings=SETTINGS, base=base)
    train(data, tmp_path / "two", quiet, settings=replace(SETTINGS, seed=1), base=base)
    names = [tmp_path / name / "weights/reader.safetensors" for name in ("one", "two")]
    assert sha256_of(names[0]) != sha256_of(names[1])


def test_a_checkpoint_of_other_settings_is_refused(data, base, tmp_path, quiet):
    train(data, tmp_path / "out", quiet, settings=SETTINGS, base=base, pace=Pace(stop_at_step=1))
    with pytest.raises(LoccitError, match="other settings or data"):
        train(data, tmp_path / "out", quiet, settings=replace(SETTINGS, rate=1e-4), base=base)


def test_a_damaged_checkpoint_is_refused(data, base, tmp_path, quiet):
    train(data, tmp_path / "out", quiet, settings=SETTINGS, base=base, pace=Pace(stop_at_step=1))
    (tmp_path / "out/checkpoint.safetensors").write_bytes(b"cut short")
    with pytest.raises(LoccitError, match="not a checkpoint"):
        train(data, tmp_path / "out", quiet, settings=SETTINGS, base=base)


def test_without_prepared_data_the_command_that_makes_it_is_named(base, tmp_path, quiet):
    with pytest.raises(LoccitError, match="loccit train data"):
        train(tmp_path, tmp_path / "out", quiet, settings=SETTINGS, base=base)


def test_the_loss_falls(data, base, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(run, "_SECONDS_BETWEEN_LINES", 0.0)
    train(data, tmp_path / "out", quiet, settings=replace(SETTINGS, groups=400), base=base)
    lines = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    losses = [line["pointer"] for line in lines if "pointer" in line]
    assert len(losses) == 100
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_what_is_shipped_reads_as_the_trained_model_did(data, base, tmp_path, quiet, monkeypatch):
    models = []

    class Kept(training.ReaderModel):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            models.append(self)

    monkeypatch.setattr(training, "ReaderModel", Kept)
    found = train(data, tmp_path / "out", quiet, settings=SETTINGS, base=base, command="the command")
    folder = tmp_path / "out/weights"
    path, entry = shipped_weights("reader", "reader", folder)
    assert (entry.command, entry.seed, entry.licence) == ("the command", 0, "Apache-2.0")
    assert entry.base_sha256 == sha256_of(base / "model.safetensors")
    assert entry.quality == found
    assert not any("words" in name for name in load_file(path))
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.bfloat16}
    trained = models[-1]
    dtype = trained._model.words.dtype
    shipped = reader_model(path, base, max_tokens=160, dtype=dtype)
    passages = [("Port Dover", "Port Dover has 6 cranes north."), ("", "It belongs to Lord Dover.")]
    ours, theirs = (model.judge("How many cranes?", passages) for model in (shipped, trained))
    if dtype == torch.bfloat16:
        assert ours == theirs
    for one, other in zip(ours, theirs, strict=True):
        assert one.answerability == pytest.approx(other.answerability, abs=0.02)


def test_who_stops_it_while_it_is_measured_has_the_weights(data, base, tmp_path, quiet, monkeypatch):
    class Stopped(Exception):  # noqa: N818 - as by Ctrl-C
        pass

    def measured(run, *, whole=False):
        raise Stopped

    monkeypatch.setattr(run.Run, "_evaluate", measured)
    with pytest.raises(Stopped):
        train(data, tmp_path / "out", quiet, settings=replace(SETTINGS, groups=4), base=base)
    path, entry = shipped_weights("reader", "reader", tmp_path / "out/weights")
    assert "pointer" in " ".join(load_file(path))
    assert entry.quality == {}


def test_a_damaged_file_is_not_read(data, base, tmp_path, quiet):
    train(data, tmp_path / "out", quiet, settings=replace(SETTINGS, groups=4), base=base)
    folder = tmp_path / "out/weights"
    with (folder / "reader.safetensors").open("ab") as file:
        file.write(b"!")
    with pytest.raises(ModelUnusableError, match="but the manifest says"):
        shipped_weights("reader", "reader", folder)
    with pytest.raises(ModelUnusableError, match="names no weights 'support'"):
        shipped_weights("support", "support", folder)


def test_the_order_mixes_by_shares_and_repeats_a_source_only_when_it_is_used_up():
    def records(source, count):
        return [GroupRecord(f"{source}-{n}", source, "", (), ()) for n in range(count)]

    groups = {Source.SQUAD: records(Source.SQUAD, 100), Source.NQ: records(Source.NQ, 5), Source.TRIVIAQA: []}
    mixed = mixture(groups, {Source.SQUAD: 0.8, Source.NQ: 0.1, Source.TRIVIAQA: 0.1}, total=90, seed=3)
    squad = [record.id for record in mixed if record.source is Source.SQUAD]
    nq = [record.id for record in mixed if record.source is Source.NQ]
    assert (len(squad), len(nq)) == (80, 10)
    assert len(set(squad)) == 80
    assert sorted(nq) == sorted([f"nq-{n}" for n in range(5)] * 2)
    assert mixed == mixture(groups, {Source.SQUAD: 0.8, Source.NQ: 0.1}, total=90, seed=3)
    assert mixed != mixture(groups, {Source.SQUAD: 0.8, Source.NQ: 0.1}, total=90, seed=4)


def test_a_group_is_shown_with_a_positive_unless_it_is_to_be_unanswerable():
    rows = tuple((n, ((0, 1),) if n < 3 else ()) for n in range(10))
    record = GroupRecord("nq-1", Source.NQ, "?", ("a",), rows)
    always = PresentationSettings(distant_passages=4, unanswerable=0.0)
    shown = [chosen(record, always, Random(n)).rows for n in range(50)]
    assert {len(one) for one in shown} == {4}
    assert {sum(1 for _, spans in one if spans) for one in shown} == {1, 2}
    never = [chosen(record, replace(always, unanswerable=1.0), Random(n)).rows for n in range(50)]
    assert not any(spans for one in never for _, spans in one)


def test_without_negatives_only_passages_that_answer_are_shown(data, base):
    def shown(settings):
        order = training._ReaderTask(PreparedData(data), settings, base)._order
        return [row for one in order for row in chosen(one, settings.presentation, Random(0)).rows]

    assert not all(answers for _, answers in shown(SETTINGS))
    assert all(answers for _, answers in shown(SETTINGS.without(Ablation.NEGATIVES)))


def test_an_example_points_at_the_tokens_of_the_answer(data, base):
    from training.data.corpus import open_store

    store, tokenizer = open_store(data / "corpus"), ReaderTokenizer(base, max_tokens=160)
    for path in shards(data / "groups", "train-squad"):
        for record in read_shard(path):
            group = record.group(store)
            shown = example(group, tokenizer, PresentationSettings(), Random(0))
            for one, answers in zip(shown.inputs, shown.answers, strict=True):
                for first, last in answers:
                    span = one.characters(first - one.first, last - one.first)
                    assert span.of(one.window) in group.answers


def test_the_learning_rate_rises_in_a_line_and_falls_in_a_line():
    rates = [learning_rate(step, 100, peak=1.0) for step in range(100)]
    assert rates[:6] == pytest.approx([n / 6 for n in range(1, 7)])
    assert rates[6:] == pytest.approx([(100 - step) / 94 for step in range(6, 100)])


def test_squad_groups_are_shown_alone_or_with_a_negative():
    record = GroupRecord("squad-1", Source.SQUAD, "?", ("a",), ((1, ((0, 1),)), (2, ()), (3, ())))
    settings = PresentationSettings(squad_passages=2, squad_alone=0.5, unanswerable=0.0)
    shown = [chosen(record, settings, Random(n)).rows for n in range(50)]
    assert {len(one) for one in shown} == {1, 2}
    assert all(one[0] == (1, ((0, 1),)) for one in shown)


def low_rank(**changes):
    settings = TrainingSettings.low_rank(4, groups=40, seed=0)
    return replace(settings, max_tokens=160, rate=1e-2, layers_kept=1, **changes)


PASSAGES = [("Port Dover", "Port Dover has 6 cranes north."), ("", "It belongs to Lord Dover.")]


def test_a_low_rank_reader_ships_its_changes_and_heads_and_reads_as_it_did(
    data, base, tmp_path, quiet, monkeypatch
):
    models = []

    class Kept(training.ReaderModel):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            models.append(self)

    monkeypatch.setattr(training, "ReaderModel", Kept)
    train(data, tmp_path / "out", quiet, settings=low_rank(), base=base)
    path, _ = shipped_weights("reader", "reader", tmp_path / "out/weights")
    changes = {f"layers.1.{name}.lora_{side}.weight" for name in PROJECTIONS for side in "AB"}
    heads = {f"{name}.{part}" for name in ("pointer", "answerability") for part in ("weight", "bias")}
    assert load_file(path).keys() == changes | heads
    shipped = reader_model(path, base, max_tokens=160, dtype=torch.float32)
    ours, theirs = (model.judge("How many cranes?", PASSAGES) for model in (shipped, models[-1]))
    untrained = ReaderModel(base_model(base), ReaderTokenizer(base, max_tokens=160))
    before = untrained.judge("How many cranes?", PASSAGES)
    for one, other, begun in zip(ours, theirs, before, strict=True):
        assert one.answerability == pytest.approx(other.answerability, abs=0.02)
        assert abs(one.answerability - begun.answerability) > 0.05


def test_types_are_learnt_where_the_first_layer_is_changed(data, base, tmp_path, quiet):
    train(data, tmp_path / "out", quiet, settings=replace(low_rank(), layers_kept=0), base=base)
    shipped = load_file(tmp_path / "out/weights/reader.safetensors")
    begun = base_model(base).types.weight
    assert not torch.equal(shipped["types.weight"].float(), begun)
    assert "layers.0.qkv.lora_A.weight" in shipped


def test_a_low_rank_training_goes_on_from_another(data, base, tmp_path, quiet):
    train(data, tmp_path / "first", quiet, settings=low_rank(), base=base)
    start = tmp_path / "first/weights"
    train(data, tmp_path / "second", quiet, settings=replace(low_rank(), rate=0.0), base=base, start=start)
    path, entry = shipped_weights("reader", "reader", tmp_path / "second/weights")
    assert entry.made_from == {"start": sha256_of(start / "reader.safetensors")}
    begun = load_file(start / "reader.safetensors")
    assert all(torch.equal(one, begun[name]) for name, one in load_file(path).items())


def test_a_reader_of_another_rank_or_base_is_not_begun_with(data, base, tmp_path, quiet):
    train(data, tmp_path / "first", quiet, settings=low_rank(), base=base)
    start = tmp_path / "first/weights"
    with pytest.raises(ModelUnusableError, match="give its rank"):
        train(data, tmp_path / "out", quiet, settings=replace(low_rank(), rank=5), base=base, start=start)
    other = tmp_path / "other"
    shutil.copytree(base, other)
    tensors = load_file(base / "model.safetensors")
    save_file({name: one + 1 for name, one in tensors.items()}, other / "model.safetensors")
    with pytest.raises(ModelUnusableError, match="another base model"):
        train(data, tmp_path / "out", quiet, settings=low_rank(), base=other, start=start)


def test_a_quick_look_reads_only_what_answers(data, base):
    task = training._ReaderTask(PreparedData(data), SETTINGS, base)
    quick, whole = task.quality(whole=False), task.quality(whole=True)
    assert quick.keys() == whole.keys()
    for source, numbers in quick.items():
        assert set(numbers) == {"groups", "em_given", "f1_given"}
        assert set(whole[source]) == {"groups", "em", "f1", "em_pointed", "first", "em_given", "f1_given"}


def with_evidence(data_folder):
    """Questions on ports of which the sentence with the word of the question answers, and questions to say yes to."""
    texts = [
        f"Port {place} is old. The gate of {place} is made of {stuff}." for place, stuff in STUFF.items()
    ]
    write_lines(
        data_folder / "evidence/faq_docs.jsonl.gz",
        [
            {
                "question": f"why is the gate of {place} hard", "document": text, "title": "", "answerable": True,
                "evidence": [[text.index("The gate"), len(text)]], "kind": "long", "doc": place,
            }
            for text, place in zip(texts, STUFF, strict=True)
        ],
    )  # fmt: skip
    write_lines(
        data_folder / "evidence/boolq_dev.jsonl.gz",
        [
            {
                "question": f"is the gate of {place} old", "title": "",
                "document": f"It is {'old' if old % 2 else 'new'}.",
                "answerable": True, "evidence": [], "kind": "yesno", "yesno": "yes" if old % 2 else "no", "doc": place,
            }
            for old, place in enumerate(STUFF)
        ],
    )  # fmt: skip


STUFF = {"Emden": "oak", "Dover": "iron", "Calais": "elm", "Bergen": "tin"}


@pytest.fixture
def broad_data(data_folder, tmp_path, quiet, monkeypatch):
    """Prepared data with evidence, half of its texts held out."""
    monkeypatch.setattr(training, "HELD_OUT_TEXTS", 0.5)
    with_evidence(data_folder)
    prepare(data_folder, tmp_path / "prepared", quiet)
    return tmp_path / "prepared"


def test_a_broad_reader_learns_evidence_and_kinds_of_answers(broad_data, base, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(run, "_SECONDS_BETWEEN_LINES", 0.0)
    settings = replace(SETTINGS, groups=800, evidence=0.5, broad=True, rate=1e-2)
    train(broad_data, tmp_path / "broad", quiet, settings=settings, base=base)
    lines = [json.loads(line) for line in (tmp_path / "broad/log.jsonl").read_text().splitlines()]
    for name in ("evidence", "kind"):
        losses = [line[name] for line in lines if name in line]
        assert sum(losses[-20:]) < 0.8 * sum(losses[:20]), name
    text = "Port Emden is old. The gate of Emden is made of oak."
    path = tmp_path / "broad/weights/reader.safetensors"
    (judged,) = reader_model(path, base, max_tokens=160).judge("why is the gate of Emden hard", [("", text)])
    assert judged.broad.evidence(Span(19, len(text))) > judged.broad.evidence(Span(0, 18))
    assert judged.broad.kind is AnswerKind.EXPLANATION
    assert sum(judged.broad.kinds.values()) == pytest.approx(1.0)


def test_a_reader_of_short_answers_becomes_a_broad_one(broad_data, base, tmp_path, quiet):
    pytest.importorskip("peft")
    settings = replace(TrainingSettings.low_rank(4, groups=8, seed=0), layers_kept=0)
    train(broad_data, tmp_path / "narrow", quiet, settings=settings, base=base)
    narrow, of_narrow = shipped_weights("reader", "reader", tmp_path / "narrow/weights")
    broad = replace(settings, evidence=0.5, broad=True)
    found = train(broad_data, tmp_path / "broad", quiet, settings=broad, base=base, start=narrow.parent)
    path, entry = shipped_weights("reader", "reader", tmp_path / "broad/weights")
    heads = {name for name in load_file(path) if name.startswith("broad.") and name.endswith("weight")}
    assert heads == {"broad.evidence.weight", "broad.kind.weight", "broad.verdict.weight"}
    assert not any(name.startswith("broad.") for name in load_file(narrow))
    assert entry.data != of_narrow.data
    assert entry.made_from == {"start": of_narrow.sha256}
    assert any("kind" in numbers for numbers in found.values())
    (judged,) = reader_model(narrow, base, max_tokens=160).judge("why", [("", "It is old.")])
    assert judged.broad is None


def test_a_reader_all_of_whose_weights_are_learnt_goes_on_and_learns_from_evidence_without_its_heads(
    broad_data, base, tmp_path, quiet
):
    train(broad_data, tmp_path / "first", quiet, settings=SETTINGS, base=base)
    first, entry = shipped_weights("reader", "reader", tmp_path / "first/weights")
    settings = TrainingSettings.of(
        None, groups=8, seed=1, going_on=True, evidence=0.5, broad=False, without=None
    )
    assert settings.rate == SMALL_RATE_GOING_ON
    still = replace(settings, rate=0.0, groups_per_step=4, max_tokens=160)
    found = train(broad_data, tmp_path / "second", quiet, settings=still, base=base, start=first.parent)
    second, again = shipped_weights("reader", "reader", tmp_path / "second/weights")
    assert again.made_from == {"start": entry.sha256}
    before, after = load_file(first), load_file(second)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert found["faq_docs"].keys() == {"groups"}  # all of its passages answer, and nothing else is learnt
