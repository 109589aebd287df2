"""Training a retrofit: the base model stays as it is, what chunked cross-attention adds to it is learnt."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional

from app.answering.language_models.transformers_lm import LoadedModel
from app.answering.retro.files import RETROFIT_KIND, WEIGHTS_FILE, load_settings, load_weights, write_config
from app.answering.retro.model import RetroModel, as_tensor
from app.answering.retro.modules import RetroModules
from app.answering.retro.settings import shape_for
from app.answering.retro.tokenizer import RetroTokenizer
from app.answering.shipped_weights import ShippedWeights
from common.digest import json_digest
from common.errors import LoccitError, ModelUnusableError
from common.packaged import sha256_of
from common.terminal_text import plain
from retriever.chunk_database import ChunkDatabase, Integers
from training.loop.low_rank import seeded
from training.loop.optimiser import Schedule, cosine
from training.loop.run import WEIGHTS_FOLDER, Pace, Quality, Run, device, training_dtype
from training.retrofit.bits_per_byte import Floats, HeldOutWindow, gathered, held_out_windows, overlaps, score
from training.retrofit.flops import flops_per_token
from training.retrofit.losses import TokenLosses
from training.retrofit.prepare import DATABASE_FOLDER, fingerprint_of, read_windows
from training.retrofit.telling import tell

_QUICK_WINDOWS = 4
_WHOLE_WINDOWS = 8


@dataclass(frozen=True, slots=True)
class RetrofitSettings:
    """``tokens``: read in all, which fixes the schedule. ``neighbours``: of each chunk, RETRO's k."""

    tokens: int = 5_000_000
    tokens_per_step: int = 512
    neighbours: int = 2
    rank: int = 8
    """Of the changes to the projections that ask and that write."""
    seed: int = 0
    rate: float = 1e-3
    """The peak of the learning rate."""
    told: float = 0.0
    """The share of chunks, at first, of which a neighbour tells how the text goes on, which teaches to look there; it
    falls to 0 in a line."""


@dataclass(frozen=True, slots=True)
class RetrofitWindow:
    """``ids``: (1, tokens), after what begins every text. ``neighbours``: of every chunk that is whole before the last
    token, (1, chunks, k, tokens). ``size``: tokens that retrieval can reach, which are what is learnt from.
    """

    ids: Tensor
    neighbours: Tensor
    size: int


def train(
    data_folder: Path,
    out_folder: Path,
    base: LoadedModel,
    console: Console,
    *,
    settings: RetrofitSettings | None = None,
    pace: Pace | None = None,
    start: Path | None = None,
    licence: str,
    command: str = "loccit train retrofit",
) -> Quality | None:
    """Train in ``out_folder`` on data that ``prepare`` made, from where a run with these settings was stopped.

    ``start``: a folder with a retrofit of the same shape to begin with. Ends with the weights, their shape and their
    manifest in ``out_folder/weights``, and hands back bits per byte on documents held out; None when ``pace``
    stopped it before. Computes on a GPU where there is one.

    Raises:
        LoccitError: when there is no data, it was made for another language model, or the checkpoint is of another
            run.
    """
    settings = settings or RetrofitSettings()
    task = RetrofitTask(data_folder, base, settings, start)
    console.print(plain(f"One token takes {task.flops_per_token / 1e9:.2f} GFLOP."))
    name = base.name.replace("/", "--")
    write_config(
        out_folder / WEIGHTS_FOLDER / f"retrofit-{name}",
        task.model.settings,
        base_name=base.name,
        base_sha256=base.sha256,
    )
    entry = ShippedWeights(
        file=f"retrofit-{name}/{WEIGHTS_FILE}",
        sha256="",
        kind=RETROFIT_KIND,
        base_sha256=base.sha256,
        licence=licence,
        command=command,
        data=task.data,
        seed=settings.seed,
    )
    return Run(task, out_folder, console, pace or Pace()).finish(f"retrofit-{name}", entry)


class RetrofitTask:
    """Follows ``Task``; an example is a token."""

    def __init__(
        self,
        folder: Path,
        base: LoadedModel,
        settings: RetrofitSettings,
        start: Path | None = None,
    ) -> None:
        self._database = ChunkDatabase.open(folder / DATABASE_FOLDER)
        self._windows = read_windows(folder)
        if self._database.about.tokenizer != RetroTokenizer(base.tokenizer).sha256:
            raise LoccitError(
                f"{folder} was made with another tokenizer than that of {base.name}; make it again for this model."
            )
        if self._windows.neighbours.shape[-1] < settings.neighbours:
            raise LoccitError(
                f"{folder} holds {self._windows.neighbours.shape[-1]} neighbours of each chunk, but "
                f"{settings.neighbours} are to be learnt from."
            )
        if not len(self._windows):
            raise LoccitError(f"{folder} holds no window of two chunks to learn from; give a larger corpus.")
        self._settings, self._begin = settings, base.begin
        chunk = self._database.about.chunk
        shape = shape_for(base.model, chunk=chunk, value=2 * chunk, rank=settings.rank)
        base.model.requires_grad_(requires_grad=False)
        base.model.to(device(), training_dtype())  # type: ignore[arg-type]
        with seeded(settings.seed):
            modules = RetroModules(shape)
        if start is not None:
            if load_settings(start, base) != shape:
                raise ModelUnusableError(
                    f"The retrofit in {start} has another shape; give one of the same shape."
                )
            load_weights(modules, start)
        self.model = RetroModel(base.model, modules.to(device()))
        self.parameters: Mapping[str, nn.Parameter] = dict(modules.named_parameters())
        self.flops_per_token = flops_per_token(base.model, modules, neighbours=settings.neighbours)
        self._steps = list(self._groups())
        # steps hold whole windows, so their tokens are about as many in each
        learnt = (self._windows.ends - self._windows.starts - chunk)[list(chain.from_iterable(self._steps))]
        self.examples_per_step = max(1, round(int(learnt.sum()) / len(self._steps)))
        self.examples = len(self._steps) * self.examples_per_step
        self.unit, self.rate = "tokens", settings.rate
        self.schedule: Schedule = cosine
        begun_with = None if start is None else sha256_of(start / WEIGHTS_FILE)
        self.data = fingerprint_of(folder)
        self.fingerprint = json_digest([asdict(settings), asdict(shape), self.data, base.sha256, begun_with])
        held_out = held_out_windows(folder, self._database)
        self._held_out = _HeldOut(held_out, self._database, settings.neighbours, base.begin)

    def parts(self, step: int, at_least: int) -> list[RetrofitWindow]:  # noqa: ARG002 - a window is a part
        return [self._window(step, place) for place in self._steps[step]]

    def losses(self, part: RetrofitWindow) -> TokenLosses:
        output = self.model(
            input_ids=part.ids[:, :-1],  # nothing is told after the last token
            neighbours=part.neighbours,
            lead=len(self._begin),
            use_cache=False,
            logits_to_keep=part.size,
        )
        return TokenLosses(functional.cross_entropy(output.logits[0].float(), part.ids[0, -part.size :]))

    def quality(self, *, whole: bool) -> Quality:
        self.model.modules.eval()
        try:
            return self._held_out.quality(self.model, whole=whole)
        finally:
            self.model.modules.train()

    def tensors(self) -> dict[str, Tensor]:
        return {name: weight.detach() for name, weight in self.parameters.items()}

    def _window(self, step: int, place: int) -> RetrofitWindow:
        windows, database, chunk = self._windows, self._database, self.model.settings.chunk
        tokens = database.tokens[windows.starts[place] : windows.ends[place]].astype(np.int64)
        rows = windows.neighbours[place, : (len(tokens) - 1) // chunk, : self._settings.neighbours]
        values = database.values(rows)
        if self._settings.told:
            self._tell(values, step, place)
        ids = np.concatenate([np.array(self._begin, dtype=np.int64), tokens])
        where = self.model.base.device
        return RetrofitWindow(
            as_tensor(ids, where)[None],
            as_tensor(values, where)[None],
            # the last token of the first chunk is the first that attends to neighbours, and tells the next one
            size=len(tokens) - chunk,
        )

    def _tell(self, values: Integers, step: int, place: int) -> None:
        """Let the nearest neighbours of some chunks tell how the text goes on, ever fewer."""
        database, start = self._database, int(self._windows.starts[place])
        random = np.random.default_rng([self._settings.seed, step, place])
        share = self._settings.told * (1 - step / len(self._steps))
        document = int(np.searchsorted(database.bounds, start, side="right")) - 1
        tokens = database.tokens[start : int(database.bounds[document + 1])]
        told = np.flatnonzero(random.random(len(values)) < share).tolist()
        tell(values, tokens, told, chunk=self.model.settings.chunk, random=random)

    def _groups(self) -> Iterator[list[int]]:
        """The windows of each step: all in their order, again in another one when they are used up."""
        lengths = (self._windows.ends - self._windows.starts).tolist()
        order, turn, read = list(range(len(lengths))), 0, 0
        group: list[int] = []
        held = 0
        while read < self._settings.tokens:
            for place in order:
                group.append(place)
                held += lengths[place]
                if held >= self._settings.tokens_per_step:
                    yield group
                    read += held
                    group, held = [], 0
                    if read >= self._settings.tokens:
                        return
            turn += 1
            order = np.random.default_rng([self._settings.seed, turn]).permutation(len(lengths)).tolist()


@dataclass(slots=True)
class _HeldOut:
    """Documents held out, and what the base model spends on them, which is computed once."""

    windows: list[HeldOutWindow]
    database: ChunkDatabase
    neighbours: int
    begin: list[int]
    _base: dict[int, list[tuple[Floats, Floats]]] = field(default_factory=dict)

    def quality(self, model: RetroModel, *, whole: bool) -> Quality:
        """Bits per byte of the base model and with k neighbours, and how much lower, in percent, by overlap."""
        windows = self.windows[: _WHOLE_WINDOWS if whole else _QUICK_WINDOWS]
        if len(windows) not in self._base:
            self._base[len(windows)] = score(model, windows, self.database, k=0, begin=self.begin)
        shared = [overlaps(window, self.database) for window in windows]
        without = gathered(windows, self._base[len(windows)], shared)
        with_it = gathered(
            windows, score(model, windows, self.database, k=self.neighbours, begin=self.begin), shared
        )
        found: Quality = {}
        for most in without.overlaps():
            before, after = without.bits_per_byte(most), with_it.bits_per_byte(most)
            found[f"overlap_{100 * most:g}"] = {
                "chunks": float((without.overlap <= most).sum()),
                "base": round(before, 4),
                "retro": round(after, 4),
                "lower_percent": round(100 * (1 - after / before), 2),
            }
        return found
