"""What a retrofit gives on documents held out: bits per byte for several k and overlaps, as table, data and plot."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

from app.answering.language_models.transformers_lm import LoadedModel
from app.answering.retro.model import RetroModel
from common.files import whole_file
from retriever.chunk_database import ChunkDatabase
from training.loop.run import LOG_FILE
from training.retrofit.bits_per_byte import (
    ChunkScores,
    HeldOutWindow,
    held_out_windows,
    overlaps,
    with_strangers,
)
from training.retrofit.prepare import DATABASE_FOLDER, fingerprint_of
from training.retrofit.scoring import Scorer

NEIGHBOURS = (0, 1, 2, 4, 10)
"""How many neighbours of each chunk; 0 is the base model."""
_STRANGERS = 2
"""With so many neighbours, of other chunks, it is measured what is gained whatever they say."""
OF_OTHERS = f"{_STRANGERS}, of other chunks"
TOLD = f"{_STRANGERS}, one of which tells how the text goes on"
IN_PROMPT = f"{_STRANGERS}, in the prompt of the base model"
IN_PROMPT_OF_OTHERS = f"{IN_PROMPT}, of other chunks"
SCORES_FOLDER = "scores"
_RESAMPLED = 1_000


def report(
    model: RetroModel,
    weights_sha256: str,
    base: LoadedModel,
    data_folder: Path,
    out: Path,
    console: Console,
    *,
    most_windows: int | None = None,
    most_chunks: int | None = None,
    run_folder: Path | None = None,
    in_prompt: bool = False,
) -> dict[str, object]:
    """Score the documents held out and write ``report.json``, ``report.md`` and ``report.png`` into ``out``.

    What was scored is kept in ``out`` under what it depends on, and used again: a report that was stopped goes on.
    ``base``: the base model of ``model``. ``most_windows``: only so many. ``most_chunks``: only so many of each, its
    first. ``run_folder``: of the training, for its loss curve. ``in_prompt``: also what the base model makes of the
    same neighbours in its prompt, which takes far longer.

    Raises:
        LoccitError: when there is no data, or nothing long enough is held out.
    """
    database = ChunkDatabase.open(data_folder / DATABASE_FOLDER)
    windows = held_out_windows(data_folder, database, most_chunks=most_chunks)[:most_windows]
    shared = [overlaps(one, database) for one in windows]
    kept = out / SCORES_FOLDER
    kept.mkdir(parents=True, exist_ok=True)
    same = [fingerprint_of(data_folder), base.sha256, str(model.base.dtype), len(windows), most_chunks]
    scorer = Scorer(model, weights_sha256, database, base.begin, shared, kept, same, console)
    rows = _rows(scorer, windows, in_prompt=in_prompt)
    retrieved = _by_retrieval(rows)
    by_k = {k: rows[_name(k)] for k in NEIGHBOURS}
    found: dict[str, object] = {
        "weights": weights_sha256[:12],
        "windows": len(windows),
        "documents": len({one.document for one in windows}),
        "tokens": int(sum(len(one.ids) for one in windows)),
        "bits_per_byte": _table(by_k[0], by_k),
        "neighbours_of_others": _table(by_k[0], {_STRANGERS: rows[OF_OTHERS]})[0],
        "told": _table(by_k[0], {_STRANGERS: rows[TOLD]})[0],
        "by_retrieval": {
            name: {**_gain(others, own, 1.0), "neighbours": _STRANGERS}
            for name, (others, own) in retrieved.items()
        },
        "curve": _curve(run_folder),
    }
    _write(out, found, rows, retrieved)
    return found


def _rows(scorer: Scorer, windows: Sequence[HeldOutWindow], *, in_prompt: bool) -> dict[str, ChunkScores]:
    """The scores of each row of the table, by its name."""
    scored, others = scorer.scores, with_strangers(windows)
    rows = {_name(k): scored(f"neighbours-{k}", windows, k) for k in NEIGHBOURS}
    rows[OF_OTHERS] = scored(f"of-others-{_STRANGERS}", others, _STRANGERS)
    rows[TOLD] = scored(f"told-{_STRANGERS}", windows, _STRANGERS, told=True)
    if in_prompt:
        rows[IN_PROMPT] = scored(f"in-prompt-{_STRANGERS}", windows, _STRANGERS, prompt=True)
        rows[IN_PROMPT_OF_OTHERS] = scored(
            f"in-prompt-of-others-{_STRANGERS}", others, _STRANGERS, prompt=True
        )
    return rows


def _by_retrieval(rows: Mapping[str, ChunkScores]) -> dict[str, tuple[ChunkScores, ChunkScores]]:
    """The rows that show what comes of retrieval: with neighbours of other chunks, and with a chunk's own."""
    pairs = {"attention": (OF_OTHERS, _name(_STRANGERS)), "prompt": (IN_PROMPT_OF_OTHERS, IN_PROMPT)}
    return {name: (rows[others], rows[own]) for name, (others, own) in pairs.items() if own in rows}


def _name(k: int) -> str:
    """Of a row of the table."""
    return str(k or "none: the base model")


def _table(base: ChunkScores, by_k: Mapping[int, ChunkScores]) -> list[dict[str, float]]:
    return [
        {
            "neighbours": k,
            "overlap_at_most": most,
            "chunks": int((base.overlap <= most).sum()),
            "bits_per_byte": round(scores.bits_per_byte(most), 4),
            **_gain(base, scores, most),
        }
        for k, scores in by_k.items()
        for most in base.overlaps()
    ]


def _gain(base: ChunkScores, scores: ChunkScores, most: float) -> dict[str, float]:
    """By how many percent the bits are lower than those of ``base``, and within which bounds."""
    low, high = _interval(base, scores, most)
    return {
        "lower_percent": round(_lower(base, scores, base.overlap <= most), 2),
        "lower_percent_from": round(low, 2),
        "lower_percent_to": round(high, 2),
    }


def _lower(
    base: ChunkScores, scores: ChunkScores, kept: np.ndarray[tuple[int], np.dtype[np.generic]]
) -> float:
    """By how many percent the bits are lower than the base model's; the bytes are the same."""
    return float(100 * (1 - scores.bits[kept].sum() / base.bits[kept].sum()))


def _interval(base: ChunkScores, scores: ChunkScores, most: float) -> tuple[float, float]:
    """95% of what resampling the documents gives: chunks of one document are not independent."""
    kept = base.overlap <= most
    documents = np.unique(base.document[kept], return_inverse=True)[1]
    sums = [np.bincount(documents, weights=one.bits[kept]) for one in (base, scores)]
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(_RESAMPLED):
        rows = random.integers(len(sums[0]), size=len(sums[0]))
        drawn.append(100 * (1 - sums[1][rows].sum() / sums[0][rows].sum()))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _curve(run_folder: Path | None) -> list[dict[str, float]]:
    """Seconds and the mean cost of a token, as the training's log has them."""
    path = None if run_folder is None else run_folder / LOG_FILE
    if path is None or not path.is_file():
        return []
    by_step = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):  # the last line of a run that was killed may be torn
            line = json.loads(text)
            if "nats" in line:  # a step that was taken again counts as it was last
                by_step[line["step"]] = {key: line[key] for key in ("step", "seconds", "nats")}
    return [by_step[step] for step in sorted(by_step)]


def _write(
    out: Path,
    found: Mapping[str, object],
    rows: Mapping[str, ChunkScores],
    retrieved: Mapping[str, tuple[ChunkScores, ChunkScores]],
) -> None:
    with whole_file(out / "report.json") as unfinished:
        unfinished.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    with whole_file(out / "report.md") as unfinished:
        unfinished.write_text(_markdown(rows, retrieved), encoding="utf-8")
    figure = _figure(rows, found["curve"])  # type: ignore[arg-type]
    with whole_file(out / "report.png") as unfinished:
        figure.savefig(unfinished, format="png", dpi=150)


def _markdown(
    rows: Mapping[str, ChunkScores], retrieved: Mapping[str, tuple[ChunkScores, ChunkScores]]
) -> str:
    """Bits per byte, one row for each k and one for neighbours of other chunks, one column for each overlap.

    Below it, what comes of retrieval: the same number of neighbours, its own against those of other chunks.
    """
    base = rows[_name(0)]
    heads = [f"at most {100 * most:g}% shared" if most < 1 else "all chunks" for most in base.overlaps()]
    lines = [
        "| neighbours | " + " | ".join(heads) + " |",
        "|---|" + "---|" * len(base.overlaps()),
        "| (chunks) | " + " | ".join(f"{(base.overlap <= most).sum():,}" for most in base.overlaps()) + " |",
    ]
    for name, scores in rows.items():
        cells = [
            f"{scores.bits_per_byte(most):.4f}"
            + (f" ({-_lower(base, scores, base.overlap <= most):+.2f}%)" if scores is not base else "")
            for most in base.overlaps()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name, (others, own) in retrieved.items():
        cells = []
        for most in base.overlaps():
            gain = _gain(others, own, most)
            cells.append(
                f"{-gain['lower_percent']:+.2f}% ({-gain['lower_percent_to']:+.2f} to "
                f"{-gain['lower_percent_from']:+.2f})"
            )
        lines.append(f"| {_STRANGERS} by {name}, against those of other chunks | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _figure(rows: Mapping[str, ChunkScores], curve: Sequence[Mapping[str, float]]) -> Figure:
    """The gains by overlap, but of neighbours that tell, whose gain is of another size; and the training's loss."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    gains, losses = figure.subplots(1, 2)
    base = rows[_name(0)]
    percent = [100 * most for most in base.overlaps()]

    def gain(scores: ChunkScores) -> list[float]:
        return [_lower(base, scores, base.overlap <= most) for most in base.overlaps()]

    for name, scores in rows.items():
        if name not in (_name(0), TOLD):
            line = {"linestyle": "--", "marker": "x"} if "other chunks" in name else {"marker": "o"}
            gains.plot(percent, gain(scores), label=f"k = {name}", **line)
    gains.set_xscale("log")
    gains.set_xticks(percent, [f"{one:g}%" for one in percent])
    gains.minorticks_off()
    gains.set_xlabel("chunks that share at most so much with their neighbours")
    gains.set_ylabel("bits per byte lower than the base model, %")
    gains.axhline(0, color="grey", linewidth=0.8)
    gains.legend()
    losses.plot([one["step"] for one in curve], [one["nats"] for one in curve])
    losses.set_xlabel("step of training")
    losses.set_ylabel("nats a token, minute by minute")
    return figure
