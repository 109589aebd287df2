"""Training an adapter on a toy: it learns, resumes exactly, and ships what acts the same."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.answering.cross_encoders.low_rank import merge
from app.answering.evidence_model.adapter import adapted
from app.answering.language_models.transformers_lm import LoadedModel
from app.answering.shipped_weights import MANIFEST_FILE, record_weights, shipped_weights
from common.errors import LoccitError, ModelUnusableError
from common.packaged import sha256_of
from tests.tiny_models import BYTES, byte_tokenizer, llama
from tests.training.shown import PLAIN, FirstAnswer, said, shown
from training.adapter import train as adapter
from training.adapter.train import AGREED_FOLDER, AdapterSettings, train
from training.data.prepare import DataSettings, prepare
from training.data.question import Source
from training.loop import run
from training.loop.run import CHECKPOINT_FILE, Pace

SETTINGS = AdapterSettings(examples=24, examples_per_step=4, rate=3e-3, rank=2)


def tiny():
    return LoadedModel("tiny", "a" * 64, llama(BYTES), byte_tokenizer())


def trained(data, out, quiet, *, settings=SETTINGS, pace=None, reader=None, answers_of=None, start=None):
    return train(
        data,
        out,
        tiny(),
        quiet,
        settings=settings,
        pace=pace or Pace(threads=1),
        reader=reader or FirstAnswer(),
        answers_of=answers_of,
        start=start,
        licence="of the toy",
    )


class Asked(FirstAnswer):
    """Remembers what it was asked about."""

    def __init__(self, sha256):
        self.sha256, self.questions = sha256, set()

    def judge(self, question, passages):
        self.questions.add(question)
        return super().judge(question, passages)


@pytest.mark.parametrize("begun", [False, True], ids=["from-nothing", "from-an-adapter"])
def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(data, tmp_path, quiet, begun):
    start = None
    if begun:
        trained(data, tmp_path / "first", quiet, settings=replace(SETTINGS, examples=4))
        start = tmp_path / "first/weights"
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    trained(data, whole, quiet, start=start)
    assert trained(data, cut, quiet, start=start, pace=Pace(threads=1, stop_at_step=2)) is None
    assert trained(data, cut, quiet, start=start) is not None
    for file in (CHECKPOINT_FILE, "weights/tiny/adapter.safetensors"):
        expected, found = load_file(whole / file), load_file(cut / file)
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_answers_can_be_those_of_another_reader(opened, data, tmp_path, quiet):
    """It is asked about what is learnt alone; and with another one it is another run."""
    reader, other = Asked("1" * 64), Asked("2" * 64)
    settings = replace(SETTINGS, shown=PLAIN, shares={Source.SQUAD: 1.0})
    trained(data, tmp_path / "out", quiet, settings=settings, reader=reader, answers_of=other)
    assert other.questions == {one.question for one in opened.training()[Source.SQUAD]}
    assert reader.questions == {one.question for one in opened.development if one.answerable}
    _, entry = shipped_weights("adapter-tiny", "adapter", tmp_path / "out/weights")
    assert entry.made_from == {"reader": reader.sha256, "answers_of": other.sha256}
    with pytest.raises(LoccitError, match="other settings or data"):
        trained(data, tmp_path / "out", quiet, settings=settings, reader=reader)


def test_steps_that_ask_the_citation_head_nothing_are_taken_all_the_same(data, tmp_path, quiet):
    """All examples of a part can happen to be in GopherCite's syntax."""
    settings = replace(SETTINGS, shown=replace(PLAIN, quoted=1.0), examples=8)
    assert trained(data, tmp_path / "out", quiet, settings=settings) is not None


def test_a_checkpoint_of_other_settings_is_refused(data, tmp_path, quiet):
    trained(data, tmp_path / "out", quiet, pace=Pace(threads=1, stop_at_step=1))
    with pytest.raises(LoccitError, match="other settings or data"):
        trained(data, tmp_path / "out", quiet, settings=replace(SETTINGS, rate=1e-4))


def test_the_reader_is_asked_again_about_data_made_anew(data, data_folder, tmp_path, quiet):
    """What it agreed to before could bring back questions that are to be kept out by now."""
    out = tmp_path / "out"
    trained(data, out, quiet, pace=Pace(threads=1, stop_at_step=1))
    (out / CHECKPOINT_FILE).unlink()
    prepare(data_folder, data, quiet, settings=DataSettings(seed=1, development_questions=2))
    trained(data, out, quiet, pace=Pace(threads=1, stop_at_step=1))
    assert len(list((out / AGREED_FOLDER).iterdir())) == 2


def test_all_losses_fall(data, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(run, "_SECONDS_BETWEEN_LINES", 0.0)
    settings = replace(SETTINGS, examples=120, rate=2e-2, rank=8, shown=PLAIN)
    trained(data, tmp_path / "out", quiet, settings=settings)
    lines = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    for name in ("write", "cite", "right"):
        losses = [line[name] for line in lines if name in line]
        assert len(losses) == 30
        assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_a_right_answer_is_judged_above_a_wrong_one(opened, data, tmp_path, quiet):
    settings = replace(SETTINGS, examples=80, rate=2e-2, rank=8, shown=PLAIN, shares={Source.SQUAD: 1.0})
    trained(data, tmp_path / "out", quiet, settings=settings)
    lm = adapted(tiny(), tmp_path / "out/weights").lm
    for record in opened.training()[Source.SQUAD][::3]:
        one = shown(opened, record)
        evidence = lm.read(record.question, list(zip(one.prompt.titles, one.prompt.windows, strict=True)))
        right, *wrong = evidence.score([said(answer).strip() for answer in one.answers])
        assert [answer.right for answer in one.answers] == [1.0] + [0.0] * len(wrong)
        assert wrong
        assert right.pointed.right > 0.5 > max(answer.pointed.right for answer in wrong)


def test_what_is_shipped_writes_as_the_trained_model_did(data, tmp_path, quiet):
    trained(data, tmp_path / "out", quiet, settings=replace(SETTINGS, rate=1e-2))
    folder = tmp_path / "out/weights"
    path, entry = shipped_weights("adapter-tiny", "adapter", folder)
    assert (entry.file, entry.base_sha256, entry.licence) == (
        "tiny/adapter.safetensors",
        "a" * 64,
        "of the toy",
    )
    assert entry.quality == json.loads((folder / MANIFEST_FILE).read_text())["adapter-tiny"]["quality"]
    tensors = load_file(path)
    changed, plain = tiny().model, tiny().model
    merge(changed, tensors)
    name = "model.layers.1.mlp.down_proj"
    up, down = tensors[f"{name}.lora_B.weight"].float(), tensors[f"{name}.lora_A.weight"].float()
    weight, before = changed.get_parameter(f"{name}.weight"), plain.get_parameter(f"{name}.weight")
    assert torch.allclose(weight, before + 2.0 * up @ down, atol=1e-6)
    assert not torch.equal(weight, before)
    model = adapted(tiny(), folder)
    assert model.adapter_sha256 == entry.sha256
    (written,) = model.lm.read("Which port?", [("Dover", "Dover has 6 cranes.")]).write(max_tokens=4)
    assert written.tokens <= 4


def test_an_adapter_that_did_not_learn_to_judge_is_told_so(data, tmp_path, quiet):
    trained(data, tmp_path / "out", quiet, settings=replace(SETTINGS, examples=4))
    folder = tmp_path / "out/weights"
    path, entry = shipped_weights("adapter-tiny", "adapter", folder)
    save_file({name: one for name, one in load_file(path).items() if "citation.right" not in name}, path)
    record_weights("adapter-tiny", replace(entry, sha256=sha256_of(path)), folder)
    with pytest.raises(ModelUnusableError, match="did not judge answers; train it again"):
        adapted(tiny(), folder)


def test_a_damaged_adapter_is_not_used(data, tmp_path, quiet):
    trained(data, tmp_path / "out", quiet, settings=replace(SETTINGS, examples=4))
    with (tmp_path / "out/weights/tiny/adapter.safetensors").open("ab") as file:
        file.write(b"!")
    with pytest.raises(ModelUnusableError, match="but the manifest says"):
        adapted(tiny(), tmp_path / "out/weights")


def test_a_model_without_an_adapter_is_told_so(tmp_path):
    with pytest.raises(ModelUnusableError, match="names no weights 'adapter-tiny'"):
        adapted(tiny(), tmp_path)


def test_a_training_can_begin_with_another_ones_adapter(data, tmp_path, quiet):
    """Also with one from before answers were judged; and a run that began otherwise is another run."""
    trained(data, tmp_path / "first", quiet, settings=replace(SETTINGS, examples=4, rate=1e-2))
    folder = tmp_path / "first/weights"
    path, entry = shipped_weights("adapter-tiny", "adapter", folder)
    kept = {name: one for name, one in load_file(path).items() if not name.startswith("citation.right")}
    save_file(kept, path)
    record_weights("adapter-tiny", replace(entry, sha256=sha256_of(path)), folder)
    still = replace(SETTINGS, examples=4, rate=0.0)
    trained(data, tmp_path / "second", quiet, settings=still, start=folder)
    again = load_file(tmp_path / "second/weights/tiny/adapter.safetensors")
    assert all(torch.equal(again[name], one) for name, one in kept.items())
    assert again.keys() - kept.keys() == {"citation.right.weight", "citation.right.bias"}
    _, entry = shipped_weights("adapter-tiny", "adapter", tmp_path / "second/weights")
    assert entry.made_from == {"reader": FirstAnswer.sha256, "start": sha256_of(path)}
    with pytest.raises(LoccitError, match="other settings or data"):
        trained(data, tmp_path / "second", quiet, settings=still)


def test_the_mean_of_what_was_begun_with_and_what_was_learnt_can_be_shipped(
    data, tmp_path, quiet, monkeypatch
):
    """From the same checkpoint; its quality is the mean's; and looking at it on the way changes nothing."""
    file = "weights/tiny/adapter.safetensors"
    monkeypatch.setattr(
        run, "native_dtype", lambda: torch.bfloat16
    )  # what is learnt is rounded as what is shipped
    fast = replace(SETTINGS, rate=3e-2)
    trained(data, tmp_path / "first", quiet, settings=fast)
    start = tmp_path / "first/weights"
    trained(data, tmp_path / "out", quiet, settings=fast, start=start)
    before, after = load_file(tmp_path / "first" / file), load_file(tmp_path / "out" / file)
    checked = []

    def look(lm, *_):
        up = lm.model.get_parameter("model.layers.1.mlp.down_proj.lora_B.default.weight")
        checked.append([one.detach().bfloat16().clone() for one in (lm.head.right.weight, up)])
        return {}

    monkeypatch.setattr(adapter, "quality", look)
    mean = replace(fast, averaged=True)
    trained(data, tmp_path / "out", quiet, settings=mean, start=start)
    watched = Pace(threads=1, evaluate_minutes=0.0)
    trained(data, tmp_path / "watched", quiet, settings=mean, start=start, pace=watched)
    for out in ("out", "watched"):
        shipped = load_file(tmp_path / out / file)
        assert shipped.keys() == after.keys() == before.keys()
        for name, one in shipped.items():
            assert torch.equal(one, ((before[name].float() + after[name].float()) / 2).bfloat16())
        assert not any(torch.equal(one, after[name]) for name, one in shipped.items())
    assert len(checked) == 1 + 6 + 1
    for judged, written in (checked[0], checked[-1]):
        assert torch.equal(judged, shipped["citation.right.weight"])
        assert torch.equal(written, shipped["model.layers.1.mlp.down_proj.lora_B.weight"])


def test_a_mean_is_not_taken_with_nothing(data, tmp_path, quiet):
    with pytest.raises(LoccitError, match="with the adapter begun with; give the folder of one"):
        trained(data, tmp_path / "out", quiet, settings=replace(SETTINGS, averaged=True))
    assert not (tmp_path / "out").exists()


def test_a_folder_without_an_adapter_is_not_begun_with(data, tmp_path, quiet):
    with pytest.raises(LoccitError, match=r"nowhere holds no adapter for tiny; give the folder"):
        trained(data, tmp_path / "out", quiet, start=tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


def test_an_adapter_of_another_rank_is_not_begun_with(data, tmp_path, quiet):
    trained(data, tmp_path / "first", quiet, settings=replace(SETTINGS, examples=4))
    other = replace(SETTINGS, rank=3)
    with pytest.raises(LoccitError, match=r"has .* of shape \(2, 32\), but \(3, 32\) is to be trained"):
        trained(data, tmp_path / "second", quiet, settings=other, start=tmp_path / "first/weights")


def losses_of(out):
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line[name] for line in lines if "write" in line for name in ("write", "cite", "right")]


def test_a_head_can_be_trained_alone(data, tmp_path, quiet):
    """What the model writes stays, to the last bit; how it judges and where it points change; and it resumes."""
    trained(data, tmp_path / "first", quiet, settings=replace(SETTINGS, rate=1e-2))
    start = tmp_path / "first/weights"
    alone = replace(SETTINGS, rate=1e-2, rank=16, head_only=True)
    stopped = Pace(threads=1, stop_at_step=2)
    assert trained(data, tmp_path / "cut", quiet, settings=alone, start=start, pace=stopped) is None
    for out in ("whole", "cut"):
        trained(data, tmp_path / out, quiet, settings=alone, start=start)
    before, after, resumed = (
        load_file(tmp_path / out / "weights/tiny/adapter.safetensors") for out in ("first", "whole", "cut")
    )
    assert before.keys() == after.keys() == resumed.keys()
    same = {name for name, one in before.items() if torch.equal(one, after[name])}
    assert same == {name for name in before if not name.startswith("citation.")}
    assert all(torch.equal(one, resumed[name]) for name, one in after.items())
    passage = ("Dover", "Dover has 6 cranes.")
    old, new = (
        adapted(tiny(), tmp_path / out / "weights").lm.read("How many?", [passage])
        for out in ("first", "whole")
    )
    (first,), (second,) = (one.write(max_tokens=4) for one in (old, new))
    assert (first.text, first.logprob) == (second.text, second.logprob)
    assert first.pointed != second.pointed


def test_a_head_alone_learns_on_the_adapted_models_states(data, tmp_path, quiet, monkeypatch):
    """With nothing learnt yet its losses are those of the adapter and the head that it begins with.

    In float32, which holds seven digits: merged weights give the same as matrices beside them to four digits at
    least. In bfloat16, which holds two, rounding the merged weights alone can move a loss by several per cent.
    """
    monkeypatch.setattr(run, "_SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(run, "native_dtype", lambda: torch.float32)
    settings = replace(SETTINGS, rate=2e-2, shown=PLAIN)
    trained(data, tmp_path / "first", quiet, settings=settings)
    still = replace(settings, rate=0.0)
    trained(data, tmp_path / "nothing", quiet, settings=still)
    for out, head_only in (("both", False), ("head", True)):
        settings = replace(still, head_only=head_only)
        trained(data, tmp_path / out, quiet, settings=settings, start=tmp_path / "first/weights")
    bare, both, head = (losses_of(tmp_path / out) for out in ("nothing", "both", "head"))
    assert head == pytest.approx(both, rel=1e-4)
    assert all(one != pytest.approx(other, rel=1e-2) for one, other in zip(head, bare, strict=True))


def test_a_head_alone_is_not_shown_what_asks_it_nothing(data, tmp_path, quiet):
    """All examples would be in GopherCite's syntax."""
    trained(data, tmp_path / "first", quiet, settings=replace(SETTINGS, examples=4))
    quoting = replace(SETTINGS, examples=8, head_only=True, shown=replace(PLAIN, quoted=1.0))
    assert trained(data, tmp_path / "out", quiet, settings=quoting, start=tmp_path / "first/weights")


def test_a_head_is_not_trained_over_nothing(data, tmp_path, quiet):
    with pytest.raises(LoccitError, match="over an adapter; give the folder of one"):
        trained(data, tmp_path / "out", quiet, settings=replace(SETTINGS, head_only=True))
    assert not (tmp_path / "out").exists()
