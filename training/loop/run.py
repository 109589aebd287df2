"""A training under way: steps with progress, a log and checkpoints, gone on with exactly where it was stopped."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from rich.console import Console
from safetensors.torch import save_file
from torch import nn

from app.answering.shipped_weights import ShippedWeights, record_weights
from common.digest import json_digest
from common.files import whole_file
from common.packaged import sha256_of
from common.progress import progress
from common.terminal_text import plain
from common.torch_runtime import native_dtype, use_threads
from training.loop.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from training.loop.gradients import GradientWorkers, Losses, Part
from training.loop.optimiser import MasterAdamW, Schedule, learning_rate

CHECKPOINT_FILE = "checkpoint.safetensors"
LOG_FILE = "log.jsonl"
WEIGHTS_FOLDER = "weights"
_SECONDS_BETWEEN_LINES = 60.0

Quality = dict[str, dict[str, float]]
P = TypeVar("P", bound=Part)


class Task(Protocol[P]):
    """What is trained, and on what.

    ``parameters``: what is learnt, by name, float32 when the run begins. ``examples``, ``examples_per_step``:
    shown in all and at once. ``unit``: what they are called. ``rate``: the peak of the learning rate, ``schedule`` how
    it falls from there. ``fingerprint``: of all that what is learnt depends on but the number format.
    """

    parameters: Mapping[str, nn.Parameter]
    examples: int
    examples_per_step: int
    unit: str
    rate: float
    schedule: Schedule
    fingerprint: str

    def parts(self, step: int, at_least: int) -> Sequence[P]:
        """The step's examples, a function of the step alone, as that many parts or more where there are enough."""

    def losses(self, part: P) -> Losses:
        """The mean losses of a part."""

    def quality(self, *, whole: bool) -> Quality:
        """Scores on development data, or quickly on some of it, by source."""

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """What is shipped of it, by name."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how long a run goes on, and how often it looks up.

    ``threads``: of the CPU, torch's own number unless given. ``hours``, ``stop_at_step``: stop before the end.
    """

    threads: int | None = None
    hours: float | None = None
    stop_at_step: int | None = None
    checkpoint_minutes: float = 5.0
    evaluate_minutes: float = 15.0


def device() -> str:
    """Where a training computes: a GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def training_dtype() -> torch.dtype:
    """The number format it computes in; weights and moments are kept in float32."""
    return torch.bfloat16 if device() == "cuda" else native_dtype()


class Run(Generic[P]):
    """A task's training in a folder. The task's parameters compute in ``training_dtype()`` from now on."""

    def __init__(self, task: Task[P], out_folder: Path, console: Console, pace: Pace) -> None:
        self._task, self._out, self._console, self._pace = task, out_folder, console, pace
        dtype = training_dtype()
        self._steps = -(-task.examples // task.examples_per_step)  # rounded up
        self._optimiser = MasterAdamW(task.parameters, dtype)
        if pace.threads is not None:
            use_threads(pace.threads)
        self._parts = 1 if device() == "cuda" else torch.get_num_threads()
        self._workers = GradientWorkers(task.losses, task.parameters, self._parts)
        self._fingerprint = json_digest([task.fingerprint, str(dtype)])
        self._step, self._seconds = 0, 0.0
        out_folder.mkdir(parents=True, exist_ok=True)

    def finish(self, name: str, entry: ShippedWeights) -> Quality | None:
        """Go on from the last checkpoint for as long as the pace allows; after the last step, ship the weights.

        ``entry``: what their manifest says of them, but for their sha256 and quality. Hands back the quality;
        None when the pace stopped it before.

        Raises:
            LoccitError: when the checkpoint belongs to another run.
        """
        return self._ship(name, entry) if self._go() else None

    def _go(self) -> bool:
        """Whether the last step was taken."""
        self._resume()
        pace = self._pace
        began = time.monotonic()
        stop_at = min(self._steps, pace.stop_at_step or self._steps)
        until = None if pace.hours is None else began + pace.hours * 3600
        meter, saved, evaluated = _Meter(), began, began
        left = max(0, self._task.examples - self._step * self._task.examples_per_step)
        with progress(self._console, f"Training {self._task.unit}", total=left) as advance:
            while self._step < stop_at and (until is None or time.monotonic() < until):
                started = time.monotonic()
                shown, losses = self._take_step()
                now = time.monotonic()
                self._seconds += now - started
                meter.add(losses, shown)
                advance(shown)
                if now - meter.since >= _SECONDS_BETWEEN_LINES:
                    self._report(meter)
                    meter = _Meter()
                if now - saved >= pace.checkpoint_minutes * 60:
                    self._save()
                    saved = now
                if now - evaluated >= pace.evaluate_minutes * 60:
                    self._evaluate()
                    evaluated = time.monotonic()
                    meter = _Meter()
        self._save()
        return self._step == self._steps

    def _ship(self, name: str, entry: ShippedWeights) -> Quality:
        """Write the file that is shipped, and its manifest, in ``weights``.

        The quality comes into the manifest last: it takes minutes to measure, and the weights are to be kept whatever
        happens then.
        """
        folder = self._out / WEIGHTS_FOLDER
        path = folder / entry.file
        path.parent.mkdir(parents=True, exist_ok=True)
        write_weights(path, self._task.tensors(), base_sha256=entry.base_sha256)
        finished = replace(entry, sha256=sha256_of(path))
        record_weights(name, finished, folder)
        self._say(f"The weights are in {path}, {path.stat().st_size / 1e6:.1f} MB.")
        found = self._evaluate(whole=True)
        record_weights(name, replace(finished, quality=found), folder)
        return found

    def _resume(self) -> None:
        checkpoint = load_checkpoint(self._out / CHECKPOINT_FILE, self._fingerprint)
        if checkpoint is not None:
            self._step, self._seconds = checkpoint.step, checkpoint.seconds
            self._optimiser.restore(checkpoint.tensors)
            self._say(f"Going on after step {self._step:,} of {self._steps:,}.")

    def _take_step(self) -> tuple[int, dict[str, float]]:
        """How many examples were shown, and the losses before the step."""
        parts = self._task.parts(self._step, self._parts)
        step = self._workers.step(parts)
        task = self._task
        rate = learning_rate(self._step, self._steps, peak=task.rate, fall=task.schedule)
        self._optimiser.step(step.gradients, rate=rate)
        self._step += 1
        return sum(part.size for part in parts), step.losses

    def _save(self) -> None:
        checkpoint = Checkpoint(self._step, self._seconds, self._fingerprint, self._optimiser.tensors())
        save_checkpoint(self._out / CHECKPOINT_FILE, checkpoint)

    def _evaluate(self, *, whole: bool = False) -> Quality:
        found = self._task.quality(whole=whole)
        self._log({"quality": found, "whole": whole})
        for source, numbers in found.items():
            self._say(f"  {source}: " + ", ".join(f"{name} {value:g}" for name, value in numbers.items()))
        return found

    def _report(self, meter: "_Meter") -> None:
        left = (self._steps - self._step) * meter.seconds / meter.steps
        losses = {name: total / meter.steps for name, total in meter.losses.items()}
        rate = meter.examples / meter.seconds
        self._log({**losses, f"{self._task.unit}_per_second": rate})
        self._say(
            f"Step {self._step:,} of {self._steps:,}: "
            + ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
            + f", {rate:.1f} {self._task.unit}/s, {left / 60:.0f} min left"
        )

    def _log(self, what: Mapping[str, Any]) -> None:
        line = {"step": self._step, "seconds": round(self._seconds, 1), **what}
        with (self._out / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _say(self, line: str) -> None:
        self._console.print(plain(line))


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor], *, base_sha256: str) -> None:
    """The tensors as a file to ship, in bfloat16."""
    halved = {
        name: tensor.detach().to("cpu", torch.bfloat16).contiguous() for name, tensor in tensors.items()
    }
    with whole_file(path) as unfinished:
        save_file(halved, unfinished, metadata={"base_sha256": base_sha256})
        unfinished.chmod(0o644)  # safetensors writes for its owner alone, but this file is shipped


@dataclass(slots=True)
class _Meter:
    """Sums since the last report."""

    steps: int = 0
    examples: int = 0
    losses: dict[str, float] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self.since, 1e-9)

    def add(self, losses: Mapping[str, float], examples: int) -> None:
        self.steps += 1
        self.examples += examples
        for name, value in losses.items():
            self.losses[name] = self.losses.get(name, 0.0) + value
