"""What a retrofit gives on documents held out: bits per byte for several k and overlaps, as table, data and plot."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

from app.answering.retro.model import RetroModel
from common.files import whole_file
from common.progress import progress
from retriever.chunk_database import ChunkDatabase
from training.loop.run import LOG_FILE
from training.retrofit.bits_per_byte import (
    ChunkScores,
    HeldOutWindow,
    held_out_windows,
    overlaps,
    score,
    with_strangers,
)
from training.retrofit.prepare import DATABASE_FOLDER

NEIGHBOURS = (0, 1, 2, 4, 10)
"""How many neighbours of each chunk; 0 is the base model."""
_STRANGERS = 2
"""With so many neighbours, of other chunks, it is measured what is gained whatever they say."""
SCORES_FOLDER = "scores"
_SHOWN_AT_ONCE = 4  # windows
_RESAMPLED = 1_000


def report(
    model: RetroModel,
    name: str,
    data_folder: Path,
    out: Path,
    console: Console,
    *,
    most_windows: int | None = None,
    run_folder: Path | None = None,
) -> dict[str, object]:
    """Score the documents held out and write ``report.json``, ``report.md`` and ``report.png`` into ``out``.

    ``name``: of these weights; scores kept under it are used again, so a report that was stopped goes on.
    ``most_windows``: only so many. ``run_folder``: of the training, for its loss curve.

    Raises:
        LoccitError: when there is no data, or nothing long enough is held out.
    """
    database = ChunkDatabase.open(data_folder / DATABASE_FOLDER)
    windows = held_out_windows(data_folder, database)[:most_windows]
    shared = [overlaps(one, database) for one in windows]
    folder = out / SCORES_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    by_k = {}
    for k in NEIGHBOURS:
        what = f"{name}-{k}" if k else "base"
        by_k[k] = _scored(folder / f"{what}-{len(windows)}.npz", model, windows, database, k, shared, console)
    strangers = _scored(
        folder / f"{name}-{_STRANGERS}-of-others-{len(windows)}.npz",
        model,
        with_strangers(windows),
        database,
        _STRANGERS,
        shared,
        console,
    )
    found: dict[str, object] = {
        "weights": name,
        "windows": len(windows),
        "tokens": int(sum(len(one.ids) for one in windows)),
        "bits_per_byte": _table(by_k),
        "neighbours_of_others": {
            "neighbours": _STRANGERS,
            "bits_per_byte": round(strangers.bits_per_byte(), 4),
            "lower_percent": round(_lower(by_k[0], strangers, by_k[0].overlap <= 1), 2),
        },
        "curve": _curve(run_folder),
    }
    _write(out, found, by_k, strangers)
    return found


def _scored(
    path: Path,
    model: RetroModel,
    windows: Sequence[HeldOutWindow],
    database: ChunkDatabase,
    k: int,
    shared: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]],
    console: Console,
) -> ChunkScores:
    """The scores with k neighbours, kept in this file once computed."""
    if not path.is_file():
        scores = []
        with progress(console, f"Scoring with {k} neighbours", total=len(windows)) as advance:
            for at in range(0, len(windows), _SHOWN_AT_ONCE):
                some = list(windows[at : at + _SHOWN_AT_ONCE])
                scores += score(model, some, database, k=k)
                advance(len(some))
        bits, utf8 = (np.concatenate(columns) for columns in zip(*scores, strict=True))
        with whole_file(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, bits=bits, utf8=utf8)
    with np.load(path) as file:
        return ChunkScores(file["bits"], file["utf8"], np.concatenate(list(shared)))


def _table(by_k: Mapping[int, ChunkScores]) -> list[dict[str, float]]:
    base = by_k[0]
    rows = []
    for k, scores in by_k.items():
        for most in base.overlaps():
            low, high = _interval(base, scores, most)
            rows.append(
                {
                    "neighbours": k,
                    "overlap_at_most": most,
                    "chunks": int((base.overlap <= most).sum()),
                    "bits_per_byte": round(scores.bits_per_byte(most), 4),
                    "lower_percent": round(_lower(base, scores, base.overlap <= most), 2),
                    "lower_percent_from": round(low, 2),
                    "lower_percent_to": round(high, 2),
                }
            )
    return rows


def _lower(
    base: ChunkScores, scores: ChunkScores, kept: np.ndarray[tuple[int], np.dtype[np.generic]]
) -> float:
    """By how many percent the bits are lower than the base model's; the bytes are the same."""
    return float(100 * (1 - scores.bits[kept].sum() / base.bits[kept].sum()))


def _interval(base: ChunkScores, scores: ChunkScores, most: float) -> tuple[float, float]:
    """95% of what resampling the chunks gives."""
    rows = np.flatnonzero(base.overlap <= most)
    random = np.random.default_rng(0)
    drawn = [_lower(base, scores, random.choice(rows, len(rows))) for _ in range(_RESAMPLED)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _curve(run_folder: Path | None) -> list[dict[str, float]]:
    """Seconds and the mean cost of a token, as the training's log has them."""
    path = None if run_folder is None else run_folder / LOG_FILE
    if path is None or not path.is_file():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{key: line[key] for key in ("step", "seconds", "nats")} for line in lines if "nats" in line]


def _write(
    out: Path, found: Mapping[str, object], by_k: Mapping[int, ChunkScores], strangers: ChunkScores
) -> None:
    with whole_file(out / "report.json") as unfinished:
        unfinished.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    with whole_file(out / "report.md") as unfinished:
        unfinished.write_text(_markdown(by_k, strangers), encoding="utf-8")
    figure = _figure(by_k, found["curve"])  # type: ignore[arg-type]
    with whole_file(out / "report.png") as unfinished:
        figure.savefig(unfinished, format="png", dpi=150)


def _markdown(by_k: Mapping[int, ChunkScores], strangers: ChunkScores) -> str:
    """Bits per byte, one row for each k and one for neighbours of other chunks, one column for each overlap."""
    base = by_k[0]
    heads = [f"at most {100 * most:g}% shared" if most < 1 else "all chunks" for most in base.overlaps()]
    lines = [
        "| neighbours | " + " | ".join(heads) + " |",
        "|---|" + "---|" * len(base.overlaps()),
        "| (chunks) | " + " | ".join(f"{(base.overlap <= most).sum():,}" for most in base.overlaps()) + " |",
    ]
    rows = {str(k or "none: the base model"): scores for k, scores in by_k.items()}
    for name, scores in {**rows, f"{_STRANGERS}, of other chunks": strangers}.items():
        cells = [
            f"{scores.bits_per_byte(most):.4f}"
            + (f" ({-_lower(base, scores, base.overlap <= most):+.2f}%)" if scores is not base else "")
            for most in base.overlaps()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _figure(by_k: Mapping[int, ChunkScores], curve: Sequence[Mapping[str, float]]) -> Figure:
    figure = Figure(figsize=(10, 4), layout="constrained")
    gains, losses = figure.subplots(1, 2)
    base = by_k[0]
    percent = [100 * most for most in base.overlaps()]
    for k, scores in by_k.items():
        if k:
            lower = [_lower(base, scores, base.overlap <= most) for most in base.overlaps()]
            gains.plot(percent, lower, marker="o", label=f"k = {k}")
    gains.set_xscale("log")
    gains.set_xticks(percent, [f"{one:g}%" for one in percent])
    gains.set_xlabel("chunks that share at most so much with their neighbours")
    gains.set_ylabel("bits per byte lower than the base model, %")
    gains.axhline(0, color="grey", linewidth=0.8)
    gains.legend()
    losses.plot([one["step"] for one in curve], [one["nats"] for one in curve])
    losses.set_xlabel("step of training")
    losses.set_ylabel("nats a token, minute by minute")
    return figure
