"""Training an adapter on a toy: it learns to write and to point, resumes exactly, and what is shipped acts the same."""

import json
from dataclasses import replace
from itertools import pairwise
from math import log
from random import Random

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from app.answering.adapter import adapted
from app.answering.answer_score import f1
from app.answering.citation_head import CitationHead
from app.answering.evidence_input import NO_ANSWER, EvidenceTokenizer
from app.answering.evidence_lm import EvidenceLM
from app.answering.low_rank import merge
from app.answering.reader_model import Judgement
from app.answering.shipped_weights import MANIFEST_FILE, record_weights, shipped_weights
from app.answering.transformers_lm import LoadedModel
from retriever.errors import LoccitError, ModelUnusableError
from retriever.models import sha256_of
from retriever.types import Span
from training import run
from training.adapter import AGREED_FOLDER, AdapterSettings, train
from training.agreement import agreed
from training.data import DataSettings, prepare
from training.evidence_batch import evidence_losses, evidence_parts, require_packable
from training.evidence_example import EvidenceSettings, evidence_example
from training.group import GroupRecord
from training.mining import MiningSettings
from training.prepared import PreparedData
from training.question import Source
from training.run import CHECKPOINT_FILE, Pace

SETTINGS = AdapterSettings(examples=24, examples_per_step=4, rate=3e-3, rank=2)


class FirstAnswer:
    """A reader that finds the capitalised word after the first one."""

    sha256 = "e" * 64

    def judge(self, question, passages):
        judged = []
        for _, window in passages:
            place = next((n for n, one in enumerate(window) if n and one.isupper()), 0)
            end = place + len(window[place:].split()[0].rstrip("."))
            judged.append(Judgement(0.9, ((Span(place, max(end, place + 1)), 0.9),)))
        return judged


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


@pytest.fixture
def data(data_folder, tmp_path, quiet):
    settings = DataSettings(
        mining=MiningSettings(depth=10, negatives=4), development_questions=2, development_articles=0.0
    )
    prepare(data_folder, tmp_path / "prepared", quiet, settings=settings)
    return tmp_path / "prepared"


def byte_tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: n for n, token in enumerate(["<pad>", "<bos>", "<eos>", *alphabet])}
    backend = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="<eos>")


def tiny():
    """A Llama of two layers; every call gives the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=259,
                hidden_size=32,
                intermediate_size=48,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=1,
                max_position_embeddings=2048,
                tie_word_embeddings=True,
                eos_token_id=2,
                bos_token_id=None,
                pad_token_id=0,
            )
        )
        for name, weight in model.named_parameters():  # far from zero, so that there is something to change
            if "norm" not in name:
                torch.nn.init.normal_(weight, std=0.15)
    return LoadedModel("tiny", "a" * 64, model, byte_tokenizer())


def trained(data, out, quiet, *, settings=SETTINGS, pace=None, start=None):
    return train(
        data,
        out,
        tiny(),
        quiet,
        settings=settings,
        pace=pace or Pace(threads=1),
        reader=FirstAnswer(),
        start=start,
        licence="of the toy",
    )


def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(data, tmp_path, quiet):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    trained(data, whole, quiet)
    assert trained(data, cut, quiet, pace=Pace(threads=1, stop_at_step=2)) is None
    assert trained(data, cut, quiet) is not None
    expected, found = (load_file(folder / "weights/tiny/adapter.safetensors") for folder in (whole, cut))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


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
    settings = replace(SETTINGS, examples=240, rate=2e-2, rank=8, shown=PLAIN)
    trained(data, tmp_path / "out", quiet, settings=settings)
    lines = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    for name, share in (("write", 0.8), ("cite", 0.9), ("right", 0.9)):
        losses = [line[name] for line in lines if name in line]
        assert len(losses) == 60
        assert sum(losses[-10:]) < share * sum(losses[:10])


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


@pytest.fixture
def opened(data):
    return PreparedData(data)


def answerable(opened, source=Source.SQUAD):
    return next(one for one in opened.training()[source] if one.answerable)


def tokenizer():
    return EvidenceTokenizer(byte_tokenizer(), begin=[])


PLAIN = EvidenceSettings(passages=(1.0,), unanswerable=0.0, quoted=0.0)


class Saying:
    """A reader that finds these answers wherever they stand, the first ones likeliest."""

    def __init__(self, *answers):
        self._answers = answers

    def judge(self, question, passages):
        return [Judgement(0.9, tuple(self._spans(window))) for _, window in passages]

    def _spans(self, window):
        for number, answer in enumerate(self._answers):
            if answer in window:
                place = window.index(answer)
                yield Span(place, place + len(answer)), 0.5 / (number + 1)


def shown(opened, record, settings, seed=0, reader=None):
    return evidence_example(
        record, opened.store, tokenizer(), settings, reader or FirstAnswer(), Random(seed)
    )


def said(answer):
    return byte_tokenizer().decode(answer.ids)


def test_the_answer_is_written_as_it_stands_and_pointed_at_where_it_stands(opened):
    record = answerable(opened)
    one = shown(opened, record, PLAIN)
    written = one.answers[0]
    (first, last), *_ = written.pairs
    passage = int(one.prompt.passages[first])
    assert one.prompt.characters(first, last).of(one.prompt.windows[passage]) in record.answers
    assert said(written) == f" {record.answers[0]}\n"
    assert written.right == 1.0


def test_without_the_passage_that_answers_it_says_so_and_points_at_nothing(opened):
    record = next(one for one in opened.training()[Source.SQUAD] if len(one.rows) > 1 and one.answerable)
    one = shown(opened, record, replace(PLAIN, unanswerable=1.0))
    written, *judged = one.answers
    assert (said(written), written.pairs, written.right) == (f" {NO_ANSWER}\n", (), None)
    assert not any(record.answers[0] in window for window in one.prompt.windows)
    assert judged
    assert {answer.right for answer in judged} == {0.0}


def test_the_readers_other_answers_are_judged_by_how_near_they_come(opened):
    """A wrong one is backed by nothing; one that shares words with the answer is half right, and not pointed at."""
    record = next(one for one in opened.training()[Source.SQUAD] if len(one.rows) > 1 and one.answerable)
    row, ((start, end), *_) = next(row for row in record.rows if row[1])
    (passage,) = opened.store.passages([row])
    window = passage.window
    answer, elsewhere = window[start:end], window[:start] + window[end:]
    wrong = next(word for word in elsewhere.split() if len(word) > 3 and word not in answer)
    longer = f"{answer}{window[end:].split('.')[0]}"
    one = shown(opened, record, PLAIN, reader=Saying(answer, wrong, longer))
    judged = {said(found).strip(): found for found in one.answers}
    assert list(judged)[:3] == [answer, wrong, longer]
    assert [judged[said_].right for said_ in (answer, wrong)] == [1.0, 0.0]
    assert judged[wrong].pairs == ()
    assert judged[longer].right == pytest.approx(f1(longer, record.answers))
    assert 0 < judged[longer].right < 1
    assert judged[longer].pairs is None


def test_a_right_answer_in_other_words_is_pointed_at_where_it_stands(opened):
    record = answerable(opened)
    other = next(row for row in record.rows if row[1])
    (passage,) = opened.store.passages([other[0]])
    word = next(one for one in reversed(passage.window.split()) if one.isalpha() and len(one) > 3)
    known = replace(record, rows=(other,), answers=(*record.answers, word))
    one = shown(opened, known, PLAIN, reader=Saying(word))
    found = one.answers[1]
    assert (said(found).strip(), found.right) == (word, 1.0)
    assert found.pairs
    for first, last in found.pairs:
        assert one.prompt.characters(first, last).of(one.prompt.windows[0]) == word


def test_no_more_answers_are_judged_than_wanted(opened):
    record = answerable(opened)
    reader = Saying(
        *{word for row, _ in record.rows for word in opened.store.passages([row])[0].text.split()}
    )
    assert len(shown(opened, record, PLAIN, reader=reader).answers) == 1 + PLAIN.candidates
    assert len(shown(opened, record, replace(PLAIN, candidates=2), reader=reader).answers) == 3


def test_a_quoted_answer_copies_the_sentence_token_by_token(opened):
    record = answerable(opened)
    one = shown(opened, record, replace(PLAIN, quoted=1.0))
    (written,) = one.answers
    assert (written.pairs, written.right) == (None, None)
    title, window = one.prompt.titles[0], one.prompt.windows[0]
    claim, _, rest = said(written).removeprefix(" %<").partition(f">%({title})%[")
    quote, _, end = rest.rpartition("]%\n")
    assert (claim, end) == (record.answers[0], "")
    assert quote.strip() in window
    assert record.answers[0] in quote
    prompt, answer = [int(id_) for id_ in one.prompt.ids], list(written.ids)
    ids = tokenizer().ids(quote)
    assert any(prompt[n : n + len(ids)] == ids for n in range(len(prompt)))
    assert any(answer[n : n + len(ids)] == ids for n in range(len(answer)))


def test_several_passages_stand_in_any_order_and_show_one_that_answers(opened):
    record = next(one for one in opened.training()[Source.SQUAD] if len(one.rows) > 2 and one.answerable)
    several = replace(PLAIN, passages=(0.0, 0.0, 1.0))
    places = set()
    for seed in range(20):
        one = shown(opened, record, several, seed)
        assert len(one.prompt.windows) == 3
        places |= {int(one.prompt.passages[first]) for first, _ in one.answers[0].pairs}
    assert places == {0, 1, 2}


def test_parts_hold_every_example_once_alike_in_length(opened):
    records = [one for one in opened.training()[Source.SQUAD] if one.answerable][:6]
    examples = [shown(opened, one, EvidenceSettings(), seed) for seed, one in enumerate(records)]
    parts = evidence_parts(examples, 3, "cpu")
    assert sorted(one.tokens for part in parts for one in part.examples) == sorted(
        one.tokens for one in examples
    )
    lengths = [[one.tokens for one in part.examples] for part in parts]
    assert all(min(longer) >= max(shorter) for longer, shorter in pairwise(lengths))


@torch.no_grad()
def test_the_loss_of_a_batch_is_the_mean_over_examples_alone(opened):
    """Padding, and who stands beside an example, change nothing."""
    model, records = tiny().model, [one for one in opened.training()[Source.SQUAD] if one.answerable][:3]
    torch.manual_seed(3)
    head = CitationHead(32)
    shown_as = (PLAIN, replace(PLAIN, quoted=1.0), replace(PLAIN, unanswerable=1.0))
    examples = [shown(opened, one, how, 1) for one, how in zip(records, shown_as, strict=True)]
    (together,) = evidence_parts(examples, 1, "cpu")
    whole = evidence_losses(model, head, together)
    alone = [evidence_losses(model, head, evidence_parts([one], 1, "cpu")[0]) for one in examples]
    for name, value in whole.by_name().items():
        parts = [float(one.by_name()[name]) for one in alone]
        assert float(value) == pytest.approx(sum(parts) / 3, rel=1e-4)
    assert (float(alone[1].cite), float(alone[1].right)) == (0.0, 0.0)
    assert min(float(one) for losses in (alone[0], alone[2]) for one in losses) > 0.1


@pytest.fixture(params=["llama", "gemma3"])
def model(request):
    """Models far from nothing; a passage is longer than the second one's sliding window."""
    if request.param == "llama":
        return tiny().model.eval()
    torch.manual_seed(5)
    config = Gemma3TextConfig(
        vocab_size=259,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        query_pre_attn_scalar=8,
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        max_position_embeddings=2048,
    )
    built = Gemma3ForCausalLM(config)
    for name, weight in built.named_parameters():
        if "norm" not in name:
            torch.nn.init.normal_(weight, std=0.3)
    return built.eval()


@torch.no_grad()
def test_answers_packed_beside_each_other_are_judged_as_when_served_alone(opened, model):
    record = next(one for one in opened.training()[Source.SQUAD] if len(one.rows) > 2 and one.answerable)
    torch.manual_seed(3)
    head = CitationHead(32)
    words = {word for row, _ in record.rows for word in opened.store.passages([row])[0].text.split()}
    several = replace(PLAIN, passages=(0.0, 1.0))
    one = shown(opened, record, several, reader=Saying(*sorted(words)))
    asked = [(number, answer) for number, answer in enumerate(one.answers) if answer.right is not None]
    assert len(asked) == 5
    found = evidence_losses(model, head, evidence_parts([one, one], 1, "cpu")[0])
    lm = EvidenceLM(model, tokenizer(), head)
    evidence = lm.read(record.question, list(zip(one.prompt.titles, one.prompt.windows, strict=True)))
    assert evidence.prompt.ids == one.prompt.ids
    served = [evidence.score([said(answer).strip()])[0] for answer in one.answers]
    entropies = [
        -answer.right * log(served[number].pointed.right)
        - (1 - answer.right) * log(1 - served[number].pointed.right)
        for number, answer in asked
    ]
    assert float(found.right) == pytest.approx(sum(entropies) / 5, rel=1e-3)
    nulls = [-log(served[number].pointed.null) for number, answer in asked if answer.pairs == ()]
    only_wrong = replace(one, answers=tuple(answer for _, answer in asked if answer.pairs == ()))
    losses = evidence_losses(model, head, evidence_parts([only_wrong], 1, "cpu")[0])
    assert float(losses.cite) == pytest.approx(sum(nulls) / len(nulls), rel=1e-3)
    ids = [*one.prompt.ids, *one.answers[0].ids]
    logprobs = model(input_ids=torch.tensor([ids])).logits[0].float().log_softmax(-1)
    wanted = torch.tensor(one.answers[0].ids)
    before = logprobs[len(one.prompt.ids) - 1 : -1]
    written = before.gather(1, wanted[:, None]).mean()
    assert float(found.write) == pytest.approx(-float(written), rel=1e-3)


def test_a_model_whose_layers_no_mask_keeps_apart_is_refused(model):
    require_packable(model)
    model.config.layer_types = ["full_attention", "conv", "linear_attention"]
    with pytest.raises(LoccitError, match="has layers of conv, linear_attention, but an adapter is trained"):
        require_packable(model)


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
    with pytest.raises(LoccitError, match="other settings or data"):
        trained(data, tmp_path / "second", quiet, settings=still)


def test_a_folder_without_an_adapter_is_not_begun_with(data, tmp_path, quiet):
    with pytest.raises(LoccitError, match=r"nowhere holds no adapter for tiny; give the folder"):
        trained(data, tmp_path / "out", quiet, start=tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


def test_an_adapter_of_another_rank_is_not_begun_with(data, tmp_path, quiet):
    trained(data, tmp_path / "first", quiet, settings=replace(SETTINGS, examples=4))
    other = replace(SETTINGS, rank=3)
    with pytest.raises(LoccitError, match=r"has .* of shape \(2, 32\), but \(3, 32\) is to be trained"):
        trained(data, tmp_path / "second", quiet, settings=other, start=tmp_path / "first/weights")


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
    again = agreed([], Agreeing(), opened.store, tmp_path / "kept", quiet, name="nq", at_least=2)
    assert again == []
    assert isinstance(kept[0], GroupRecord)
