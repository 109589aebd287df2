"""A toy retrofit from documents to a report: what is learnt, measured, stopped and gone on with."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from app.answering.language_models.transformers_lm import LoadedModel
from app.answering.retro.database_neighbours import DatabaseNeighbours
from app.answering.retro.files import CONFIG_FILE, WEIGHTS_FILE, load_retrofit
from app.answering.retro.model import RetroModel
from app.answering.retro.modules import RetroModules
from app.answering.retro.tokenizer import RetroTokenizer
from common.errors import LoccitError, ModelUnusableError
from retriever.chunk_database import NO_CHUNK, NO_TOKEN, ChunkDatabase
from retriever.encoder import HashingEncoder
from retriever.types import Document
from tests.tiny_models import BYTES, byte_tokenizer, llama
from training.loop.run import Pace, training_dtype
from training.retrofit import prepare as preparing
from training.retrofit.bits_per_byte import (
    ChunkScores,
    held_out_windows,
    longest_run,
    overlaps,
    score,
    score_in_prompt,
    windows_of,
    with_strangers,
)
from training.retrofit.prepare import RetrofitDataSettings, prepare, read_held_out, read_windows
from training.retrofit.report import _interval, report
from training.retrofit.train import RetrofitSettings, RetrofitTask, train

QUIET = Console(quiet=True)
WORDS = ["red", "green", "blue", "bell", "clock", "tower", "river", "stone"]
WORDS += ["nine", "seven", "eight", "north", "south", "arch", "salt"]
SETTINGS = RetrofitSettings(tokens=6_000, tokens_per_step=600, rank=3, rate=3e-3)


def documents():
    """Forty documents; their second halves stand in pairs, so a neighbour tells how a document goes on."""
    random = np.random.default_rng(0)
    found = []
    for pair in range(20):
        shared = " ".join(random.choice(WORDS, 60))
        for one in range(2):
            own = " ".join(random.choice(WORDS, 8))
            found.append(Document(f"{pair}-{one}", f"Document {pair}", f"{own} {shared}"))
    return found


def base():
    return LoadedModel("toy", "f" * 64, llama(BYTES), byte_tokenizer())


@pytest.fixture
def data(tmp_path):
    out = tmp_path / "data"
    settings = RetrofitDataSettings(window=256, windows=30, held_out=8)
    prepare(documents(), out, RetroTokenizer(byte_tokenizer()), HashingEncoder(), QUIET, settings=settings)
    return out


def learn(data, out, **changes):
    return train(data, out, base(), QUIET, settings=SETTINGS, licence="none", **changes)


def test_progress_counts_the_tokens_that_are_learnt_from(data):
    task = RetrofitTask(data, base(), SETTINGS)
    steps = range(task.examples // task.examples_per_step)
    learnt = sum(part.size for step in steps for part in task.parts(step, 1))
    assert abs(task.examples - learnt) <= len(steps)


def test_windows_are_whole_chunks_with_neighbours_of_other_documents(data):
    database, windows = ChunkDatabase.open(data / "chunks"), read_windows(data)

    assert len(windows) == 30
    for start, end, neighbours in zip(windows.starts, windows.ends, windows.neighbours, strict=True):
        document = int(np.searchsorted(database.bounds, start, side="right")) - 1
        assert (start - database.bounds[document]) % database.about.chunk == 0
        assert end <= database.bounds[document + 1]
        chunks = (end - start) // database.about.chunk
        assert chunks >= 2
        rows = neighbours[:chunks]
        assert (rows != NO_CHUNK).all()
        assert document not in database.document_of(rows.reshape(-1))
        assert (neighbours[chunks:] == NO_CHUNK).all()


def test_a_chunk_that_was_written_is_looked_up_in_the_database(data):
    database, tokenizer = ChunkDatabase.open(data / "chunks"), RetroTokenizer(byte_tokenizer())
    source = DatabaseNeighbours(database, tokenizer, HashingEncoder(), k=2)
    length = database.about.chunk
    chunks = np.array([0, 3, database.first_chunks[1]])
    written = database.values(chunks)[:, :length].reshape(1, 3, length)
    written[0, 2, :5] = NO_TOKEN  # padding on the left is no text

    found = source.neighbours(written)
    assert found.shape == (1, 3, 2, 2 * length)
    # nothing is nearer to a chunk than what says the same, as the chunk itself does
    assert [found[0, place, 0, :length].tolist() for place in (0, 1)] == written[0, :2].tolist()
    [key] = HashingEncoder().encode_passages(tokenizer.texts([written[0, 2, 5:].tolist()]))
    assert (found[0, 2] == database.values(database.nearest(key[None], k=2))[0]).all()


def test_documents_held_out_are_in_no_chunk_and_their_bytes_add_up(data):
    database, held_out = ChunkDatabase.open(data / "chunks"), read_held_out(data)
    tokenizer = RetroTokenizer(byte_tokenizer())
    texts = [
        tokenizer.texts([held_out.tokens[start:end].tolist()])[0]
        for start, end in zip(held_out.bounds[:-1], held_out.bounds[1:], strict=True)
    ]
    every = {f"{one.title}\n\n{one.text}" for one in documents()}

    assert 1 <= len(texts) < 12
    assert set(texts) < every
    assert database.about.documents == len(every) - len(texts)
    assert int(held_out.utf8.sum()) == sum(len(text.encode()) for text in texts)


def test_near_copies_of_what_is_in_the_database_are_not_held_out(tmp_path):
    words = " ".join(np.random.default_rng(1).choice(WORDS, 400))
    copied = [Document(f"copy-{n}", "", f"{words} {n}") for n in range(40)]
    lone = [
        Document(f"lone-{n}", "", " ".join(np.random.default_rng(n).permutation(WORDS * 2))) for n in range(9)
    ]
    settings = RetrofitDataSettings(window=256, windows=5, held_out=2, held_out_documents=100)
    prepare(
        [*copied, *lone],
        tmp_path / "data",
        RetroTokenizer(byte_tokenizer()),
        HashingEncoder(),
        QUIET,
        settings=settings,
    )
    held_out = read_held_out(tmp_path / "data")
    longest = int(np.diff(held_out.bounds).max())

    assert len(held_out.bounds) > 1
    assert longest < 200  # only the short ones


def test_copies_with_a_few_words_changed_are_found(tmp_path):
    random = np.random.default_rng(2)
    found = []
    for pair in range(30):
        words = random.permutation([f"{word}{n}" for word in WORDS for n in range(30)]).tolist()
        for one in range(2):
            changed = list(words)
            if one:
                changed[50], changed[200], changed[350] = (
                    "x",
                    "y",
                    "z",
                )  # 39 of 438 runs of 13 words: Jaccard 0.84
            found.append(Document(f"{pair}-{one}", "", " ".join(changed)))
    held_out, _ = preparing._held_out(found, RetrofitDataSettings(held_out=3))
    apart = preparing._without_copies(held_out, found, QUIET)

    def other(name):
        return f"{name[:-1]}{1 - int(name[-1])}"

    assert len(held_out) > 10
    assert {document.doc_id for document in apart} == {name for name in held_out if other(name) in held_out}


def test_preparing_goes_on_where_it_stopped_and_refuses_other_settings(tmp_path, data, monkeypatch):
    before = (data / "windows.npz").read_bytes()
    (data / "windows.npz").unlink()
    tokenizer, settings = RetroTokenizer(byte_tokenizer()), RetrofitDataSettings(256, 30, held_out=8)
    monkeypatch.setattr(preparing, "build_chunk_database", None)  # it is there already

    prepare(documents(), data, tokenizer, HashingEncoder(), QUIET, settings=settings)

    assert (data / "windows.npz").read_bytes() == before
    with pytest.raises(LoccitError, match="another corpus"):
        prepare(documents()[1:], data, tokenizer, HashingEncoder(), QUIET, settings=settings)
    with pytest.raises(LoccitError, match="other settings"):
        prepare(
            documents(), data, tokenizer, HashingEncoder(), QUIET, settings=RetrofitDataSettings(window=512)
        )


def test_learning_from_neighbours_lowers_the_bits_and_is_shipped_with_its_shape(data, tmp_path):
    quality = learn(data, tmp_path / "run", pace=Pace(threads=1))
    folder = tmp_path / "run" / "weights" / "retrofit-toy"

    assert quality is not None
    every = quality["overlap_100"]
    assert every["retro"] < every["base"]
    assert every["lower_percent"] == pytest.approx(100 * (1 - every["retro"] / every["base"]), abs=0.01)
    shape = json.loads((folder / CONFIG_FILE).read_text())
    assert shape["layers"] == [1]
    assert shape["base_sha256"] == "f" * 64
    manifest = json.loads((tmp_path / "run" / "weights" / "manifest.json").read_text())
    assert manifest["retrofit-toy"]["quality"] == quality
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["quality"] == quality

    model = load_retrofit(folder, base())
    windows = list(windows_of(read_held_out(data), chunk=64, window=1024))
    database = ChunkDatabase.open(data / "chunks")
    bits, utf8 = (
        np.concatenate(columns) for columns in zip(*score(model, windows, database, k=2), strict=True)
    )
    assert bits.sum() / utf8.sum() == pytest.approx(every["retro"], rel=0.01)  # shipped in bfloat16


def test_a_run_that_stopped_ends_as_one_that_did_not(data, tmp_path):
    whole = learn(data, tmp_path / "whole", pace=Pace(threads=1))
    assert learn(data, tmp_path / "parts", pace=Pace(threads=1, stop_at_step=4)) is None
    assert learn(data, tmp_path / "parts", pace=Pace(threads=1)) == whole
    names = [tmp_path / run / "weights" / "retrofit-toy" / WEIGHTS_FILE for run in ("whole", "parts")]
    assert names[0].read_bytes() == names[1].read_bytes()


def task_of(data, settings=SETTINGS, *, start=None, loaded=None):
    """A task whose modules compute in the base model's number format, as in a run."""
    task = RetrofitTask(data, loaded or base(), settings, start)
    task.model.modules.to(task.model.base.dtype)
    return task


def test_the_base_model_stays_as_it_was(data, tmp_path):
    loaded, before = base(), base().model.to(training_dtype()).state_dict()
    task = task_of(data, loaded=loaded)
    task.losses(task.parts(0, 1)[0]).total.backward()
    after = loaded.model.state_dict()

    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert all(weight.grad is None for weight in loaded.model.parameters())


def test_a_neighbour_that_tells_goes_on_from_within_its_chunk_ever_more_seldom(data, tmp_path):
    settings = replace(SETTINGS, told=1.0)
    task, plain = task_of(data, settings), task_of(data)
    told = []
    for step in range(len(task._steps)):
        told.append(0)
        both = zip(task.parts(step, 1), plain.parts(step, 1), strict=True)
        for place, (part, usual) in zip(task._steps[step], both, strict=True):
            assert torch.equal(part.neighbours[0, :, 1], usual.neighbours[0, :, 1])
            start = int(task._windows.starts[place])
            text = "".join(map(chr, task._database.tokens[start:].tolist()))
            for chunk, value in enumerate(part.neighbours[0, :, 0]):
                if torch.equal(value, usual.neighbours[0, chunk, 0]):
                    continue
                told[-1] += 1
                run = "".join(map(chr, value[value != NO_TOKEN].tolist()))
                at = text.find(run[:64], chunk * 64)
                assert chunk * 64 < at < (chunk + 1) * 64
    chunks = [sum(part.neighbours.shape[1] for part in task.parts(step, 1)) for step in range(len(told))]
    assert told[0] == chunks[0]
    assert told[-1] < chunks[-1] / 2
    assert task.fingerprint != plain.fingerprint


def test_threads_that_read_neighbours_at_once_learn_the_same(data, tmp_path):
    first, many = (learn(data, tmp_path / str(threads), pace=Pace(threads=threads)) for threads in (1, 4))
    assert many["overlap_100"]["retro"] == pytest.approx(first["overlap_100"]["retro"], rel=1e-3)


def test_data_without_a_window_are_refused(data, tmp_path):
    none = {name: values[:0] for name, values in np.load(data / "windows.npz").items()}
    np.savez(data / "windows.npz", **none)
    with pytest.raises(LoccitError, match="no window of two chunks to learn from"):
        RetrofitTask(data, base(), SETTINGS)


@pytest.mark.parametrize("name", ["windows.npz", "held_out.npz"])
@pytest.mark.parametrize("left", [0, 100])
def test_a_damaged_file_of_the_data_is_told(data, tmp_path, name, left):
    (data / name).write_bytes((data / name).read_bytes()[:left])
    with pytest.raises(LoccitError, match="holds no whole data of a retrofit"):
        RetrofitTask(data, base(), SETTINGS)


def test_training_goes_on_from_an_earlier_retrofit_of_the_same_shape(data, tmp_path):
    learn(data, tmp_path / "first", pace=Pace(threads=1))
    folder = tmp_path / "first" / "weights" / "retrofit-toy"
    begun = task_of(data, start=folder)
    fresh = task_of(data)
    part = begun.parts(0, 1)[0]

    assert begun.losses(part).total < fresh.losses(part).total
    assert begun.fingerprint != fresh.fingerprint
    wider = RetrofitSettings(tokens=600, rank=4)
    with pytest.raises(ModelUnusableError, match="another shape"):
        RetrofitTask(data, base(), wider, folder)


def test_data_of_another_tokenizer_or_with_too_few_neighbours_is_refused(data, tmp_path):
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["<more>"])
    other = LoadedModel("other", "e" * 64, llama(BYTES + 1), tokenizer)
    with pytest.raises(LoccitError, match="another tokenizer than that of other"):
        RetrofitTask(data, other, SETTINGS)
    with pytest.raises(LoccitError, match="holds 2 neighbours of each chunk, but 3"):
        RetrofitTask(data, base(), RetrofitSettings(neighbours=3))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / WEIGHTS_FILE).write_bytes(b"no"), "no whole retrofit"),
        (lambda folder: (folder / CONFIG_FILE).write_text("{"), "no whole retrofit"),
        (lambda folder: (folder / CONFIG_FILE).unlink(), "There is no retrofit in"),
    ],
)
def test_a_damaged_retrofit_is_refused(data, tmp_path, spoil, sentence):
    learn(data, tmp_path / "run", pace=Pace(threads=1))
    folder = tmp_path / "run" / "weights" / "retrofit-toy"
    spoil(folder)
    with pytest.raises(ModelUnusableError, match=sentence):
        load_retrofit(folder, base())


def test_a_retrofit_of_another_base_model_is_refused(data, tmp_path):
    learn(data, tmp_path / "run", pace=Pace(threads=1))
    other = LoadedModel("other", "e" * 64, llama(BYTES), byte_tokenizer())
    with pytest.raises(ModelUnusableError, match="belongs to toy, but other has other weights"):
        load_retrofit(tmp_path / "run" / "weights" / "retrofit-toy", other)


def test_the_longest_run_in_common():
    chunk = np.array([1, 2, 3, 4, 5, 6])
    assert longest_run(chunk, np.array([[9, 3, 4, 5, 9, 9], [1, 2, 9, 9, 5, 6]])) == 3
    assert longest_run(chunk, np.array([[9, NO_TOKEN, NO_TOKEN, 9]])) == 0
    assert longest_run(chunk, np.array([[1, 2, 3, 4, 5, 6]])) == 6
    assert longest_run(chunk, np.zeros((0, 6), dtype=np.int64)) == 0


def test_bits_per_byte_without_retrieval_are_the_base_models(data):
    loaded = base()
    model = RetroModel(loaded.model, RetroModules(RetrofitTask_shape()))
    windows = list(windows_of(read_held_out(data), chunk=64, window=128))
    database = ChunkDatabase.open(data / "chunks")
    for window, (bits, utf8) in zip(windows, score(model, windows, database, k=0), strict=True):
        ids = torch.from_numpy(window.ids.astype(np.int64))[None]
        with torch.inference_mode():
            logprobs = loaded.model(input_ids=ids).logits[0].log_softmax(-1)
        wanted = -sum(float(logprobs[at - 1, ids[0, at]]) for at in range(64, len(window.ids))) / math.log(2)
        assert bits.sum() == pytest.approx(wanted, rel=1e-4)
        assert utf8.sum() == window.utf8[64:].sum()


def test_a_few_windows_are_of_many_documents(data, monkeypatch):
    monkeypatch.setattr("training.retrofit.bits_per_byte.WINDOW", 128)
    found = held_out_windows(data, ChunkDatabase.open(data / "chunks"))
    documents = [window.document for window in found]
    many = len(set(documents))
    assert len(documents) > many
    assert documents[:many] == sorted(set(documents))


def test_of_each_window_only_the_first_chunks_are_measured_where_that_is_asked(data):
    database = ChunkDatabase.open(data / "chunks")
    whole, cut = held_out_windows(data, database), held_out_windows(data, database, most_chunks=2)
    assert [window.document for window in cut] == [window.document for window in whole]
    for long, short in zip(whole, cut, strict=True):
        assert short.ids.tolist() == long.ids[:128].tolist()
        assert short.utf8.tolist() == long.utf8[:128].tolist()
        assert short.neighbours.tolist() == long.neighbours[:2].tolist()


def test_what_begins_every_text_is_read_and_not_scored(data):
    loaded = base()
    model = RetroModel(loaded.model, RetroModules(RetrofitTask_shape()))
    [window, *_] = windows_of(read_held_out(data), chunk=64, window=128)
    [(bits, _)] = score(model, [window], ChunkDatabase.open(data / "chunks"), k=2, begin=[1])
    ids = torch.from_numpy(np.concatenate([[1], window.ids.astype(np.int64)]))[None]
    with torch.inference_mode():
        logprobs = loaded.model(input_ids=ids).logits[0].log_softmax(-1)
    wanted = -sum(float(logprobs[at - 1, ids[0, at]]) for at in range(65, len(window.ids) + 1)) / math.log(2)
    assert bits.sum() == pytest.approx(wanted, rel=1e-4)  # gates of zero: the base model


def test_in_the_prompt_the_neighbours_of_the_chunk_before_stand_before_the_window(data):
    loaded, database = base(), ChunkDatabase.open(data / "chunks")
    [window, *_] = windows_of(read_held_out(data), chunk=64, window=256)
    [(bits, utf8)] = score_in_prompt(loaded.model, [window], database, k=2, begin=[1])
    for number, found in enumerate(bits, start=1):
        nearest, second = database.values(window.neighbours[number - 1, :2])
        prompt = [1, *second[second != NO_TOKEN], *nearest[nearest != NO_TOKEN]]
        ids = torch.tensor([*prompt, *window.ids[: (number + 1) * 64]])[None]
        with torch.inference_mode():
            logprobs = loaded.model(input_ids=ids).logits[0].log_softmax(-1)
        last = range(ids.shape[1] - 64, ids.shape[1])
        wanted = -sum(float(logprobs[at - 1, ids[0, at]]) for at in last) / math.log(2)
        assert found == pytest.approx(wanted, rel=1e-4)
    assert utf8.sum() == window.utf8[64:].sum()


def test_the_interval_resamples_documents():
    random = np.random.default_rng(0)
    document = np.repeat(np.arange(20), 30)
    gain = np.repeat(random.normal(0.02, 0.05, 20), 30)  # the same for all chunks of a document
    chunks = ChunkScores(np.ones(600), np.ones(600), np.zeros(600), document)
    low, high = _interval(chunks, ChunkScores(1 - gain, np.ones(600), np.zeros(600), document), 1.0)
    assert high - low == pytest.approx(2 * 1.96 * 100 * gain[::30].std() / 20**0.5, rel=0.15)


def RetrofitTask_shape():  # noqa: N802
    from app.answering.retro.settings import RetroSettings
    from tests.tiny_models import HIDDEN

    return RetroSettings(layers=(2,), hidden=HIDDEN, heads=4, head_width=8, rank=3)


def test_the_report_has_every_k_and_overlap_and_uses_what_was_scored_again(data, tmp_path, monkeypatch):
    learn(data, tmp_path / "run", pace=Pace(threads=1))
    model = load_retrofit(tmp_path / "run" / "weights" / "retrofit-toy", base())
    out = tmp_path / "report"
    sha256 = "0123456789ab" + "0" * 52
    found = report(model, sha256, base(), data, out, QUIET, run_folder=tmp_path / "run", in_prompt=True)
    rows = {(row["neighbours"], row["overlap_at_most"]): row for row in found["bits_per_byte"]}

    assert {k for k, _ in rows} == {0, 1, 2, 4, 10}
    assert {most for _, most in rows} <= {1.0, 0.5, 0.25, 0.125}  # toy documents share much with their pairs
    base_bits, with_two = (rows[k, 1.0]["bits_per_byte"] for k in (0, 2))
    assert rows[2, 1.0]["lower_percent"] == pytest.approx(100 * (1 - with_two / base_bits), abs=0.02)
    assert (
        rows[2, 1.0]["lower_percent_from"] < rows[2, 1.0]["lower_percent"] < rows[2, 1.0]["lower_percent_to"]
    )
    strangers = found["neighbours_of_others"]
    assert strangers["lower_percent"] == pytest.approx(
        100 * (1 - strangers["bits_per_byte"] / base_bits), abs=0.02
    )
    assert f"| 2, of other chunks | {strangers['bits_per_byte']:.4f}" in (out / "report.md").read_text()
    assert "| 2, one of which tells how the text goes on | " in (out / "report.md").read_text()
    assert found["told"]["bits_per_byte"] != with_two
    retrieved = found["by_retrieval"]["attention"]
    assert retrieved["lower_percent"] == pytest.approx(
        100 * (1 - with_two / strangers["bits_per_byte"]), abs=0.02
    )
    assert retrieved["lower_percent_from"] <= retrieved["lower_percent"] <= retrieved["lower_percent_to"]
    assert found["by_retrieval"]["prompt"] != retrieved
    assert "| 2, in the prompt of the base model | " in (out / "report.md").read_text()
    assert f"| 2 | {with_two:.4f}" in (out / "report.md").read_text()
    assert (out / "report.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((out / "report.json").read_text()) == found
    monkeypatch.setattr("training.retrofit.scoring.score", None)
    monkeypatch.setattr("training.retrofit.scoring.score_in_prompt", None)
    again = report(model, sha256, base(), data, out, QUIET, run_folder=tmp_path / "run", in_prompt=True)
    assert again == found


def test_strangers_are_neighbours_of_other_chunks(data):
    windows = list(windows_of(read_held_out(data), chunk=64, window=1024))
    pool = np.concatenate([window.neighbours for window in windows])
    strange = with_strangers(windows)

    assert [window.ids.tolist() for window in strange] == [window.ids.tolist() for window in windows]
    mixed = np.concatenate([window.neighbours for window in strange])
    assert mixed.tolist() == np.roll(pool, -(len(pool) // 2), axis=0).tolist()


def test_overlap_is_shared_with_neighbours_of_the_chunk_or_of_the_one_before(data):
    database = ChunkDatabase.open(data / "chunks")
    [window, *_] = windows_of(read_held_out(data), chunk=64, window=1024)
    texts = RetroTokenizer(byte_tokenizer()).texts(window.ids.reshape(-1, 64).tolist())
    for place, found in enumerate(overlaps(window, database), start=1):
        rows = window.neighbours[place - 1 : place + 1].reshape(-1)
        values = database.values(rows[rows != NO_CHUNK])
        others = RetroTokenizer(byte_tokenizer()).texts([row[row != NO_TOKEN].tolist() for row in values])
        text = texts[place]  # a byte is a token
        runs = (text[at:end] for at in range(64) for end in range(at + 1, 65))
        assert found * 64 == max(
            (len(run) for run in runs if any(run in other for other in others)), default=0
        )
