"""Training a language model's adapter (LoRA, Hu et al. 2021) with its citation head, or the head alone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from types import MappingProxyType

import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor, nn

from app.answering.cross_encoders.low_rank import merge
from app.answering.cross_encoders.reader_model import ReaderModel, load_reader_model
from app.answering.evidence_model.adapted_lm import AdaptedLM
from app.answering.evidence_model.adapter import ADAPTER_KIND, CITATION_PREFIX, PROJECTIONS
from app.answering.evidence_model.citation_head import CitationHead
from app.answering.evidence_model.evidence_input import EvidenceTokenizer
from app.answering.language_models.transformers_lm import LoadedModel
from app.answering.shipped_weights import ShippedWeights, name_of, shipped_weights
from common.digest import json_digest
from common.errors import LoccitError
from training.adapter.agreement import agreed
from training.adapter.batch import (
    EvidenceBatch,
    EvidenceLosses,
    evidence_losses,
    evidence_parts,
    require_packable,
)
from training.adapter.example import EvidenceExample, EvidenceSettings, evidence_example
from training.adapter.quality import quality
from training.data.group import GroupRecord
from training.data.mixture import mixture
from training.data.prepared import PreparedData, first_of_each
from training.data.question import Source
from training.loop.low_rank import seeded, shipped_names, with_low_rank
from training.loop.optimiser import Schedule, linear
from training.loop.run import Pace, Quality, Run, device, training_dtype

SHARES: Mapping[Source, float] = MappingProxyType({Source.SQUAD: 0.5, Source.NQ: 0.3, Source.TRIVIAQA: 0.2})
WEIGHTS_FILE = "adapter.safetensors"
AGREED_FOLDER = "agreed"
RATE_GOING_ON = 3e-4
"""The peak rate for what has learnt before."""
_QUICK_GROUPS = 12
_WHOLE_GROUPS = 120
_DISTANT_LOOKED_AT = 1.6


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """What the weights depend on, beside data and base model."""

    examples: int = 12_000
    """So many examples are shown in all, which fixes the schedule."""
    examples_per_step: int = 8
    seed: int = 0
    rate: float = 5e-4
    """The peak of the learning rate."""
    rank: int = 16
    """The rank of the adapter's matrices."""
    head_only: bool = False
    """Train the citation head alone. The adapter begun with stays as it is, whatever its rank, and examples in
    GopherCite's syntax are left out: they ask the head nothing."""
    averaged: bool = False
    """Ship the mean of what was begun with and what was learnt, matrix by matrix, which forgets less (WiSE-FT,
    Wortsman et al. 2022, at 0.5)."""
    shown: EvidenceSettings = field(default_factory=EvidenceSettings)
    shares: Mapping[Source, float] = field(default_factory=lambda: dict(SHARES))


def train(
    data_folder: Path,
    out_folder: Path,
    base: LoadedModel,
    console: Console,
    *,
    settings: AdapterSettings | None = None,
    pace: Pace | None = None,
    reader: ReaderModel | None = None,
    answers_of: ReaderModel | None = None,
    start: Path | None = None,
    fused: bool = False,
    licence: str,
    command: str = "loccit train adapter",
) -> Quality | None:
    """Train in ``out_folder`` on data that ``prepare`` made, from where a run with these settings was stopped.

    Ends with the file to ship, and its manifest, in ``out_folder/weights``, and hands back its quality on the
    development groups; None when ``pace`` stopped it before. ``reader``: whose agreement makes distantly
    supervised passages believed, the shipped one unless given. ``answers_of``: the reader whose answers are
    judged, the same one unless given; one that has not learnt from these questions makes the mistakes on them that
    are made when serving. ``start``: a folder with an adapter to begin with, of the same rank unless the head alone
    is trained. ``fused``: let torch's compiler fuse each layer's element-wise work, which takes a minute to begin
    with. Computes on a GPU where there is one.

    Raises:
        LoccitError: when there is no data, model or ``start`` does not fit, a head is to be trained over no adapter or
            a mean to be taken with none, or the checkpoint is of another run.
    """
    settings = settings or AdapterSettings()
    if settings.head_only and start is None:
        raise LoccitError("A citation head is trained over an adapter; give the folder of one as start.")
    if settings.averaged and start is None:
        raise LoccitError("A mean is taken with the adapter begun with; give the folder of one as start.")
    require_packable(base.model)
    beginning = None if start is None else _beginning(start, base)
    data = PreparedData(data_folder)
    reader = reader or load_reader_model()
    groups = _groups(data, settings, reader, out_folder, console)
    task = _AdapterTask(data, settings, base, groups, reader, answers_of or reader, beginning)
    if fused:
        task.fuse()
    name = base.name.replace("/", "--")
    parents = {"reader": reader, "start": beginning, "answers_of": answers_of}
    entry = ShippedWeights(
        file=f"{name}/{WEIGHTS_FILE}",
        sha256="",
        kind=ADAPTER_KIND,
        base_sha256=base.sha256,
        licence=licence,
        command=command,
        data=data.fingerprint,
        seed=settings.seed,
        made_from={part: parent.sha256 for part, parent in parents.items() if parent is not None},
    )
    return Run(task, out_folder, console, pace or Pace()).finish(f"adapter-{name}", entry)


def _groups(
    data: PreparedData, settings: AdapterSettings, reader: ReaderModel, out_folder: Path, console: Console
) -> dict[Source, list[GroupRecord]]:
    """The groups to learn from, the distantly supervised ones as far as the reader agrees."""
    groups = data.training()
    for source in (source for source in groups if not source.marked):
        wanted = round(settings.examples * settings.shares.get(source, 0) * _DISTANT_LOOKED_AT)
        folder = out_folder / AGREED_FOLDER / json_digest([reader.sha256, data.fingerprint])[:12]
        groups[source] = agreed(
            groups[source], reader, data.store, folder, console, name=source.value, at_least=wanted
        )
    return groups


class _AdapterTask:
    """Follows ``Task``."""

    def __init__(
        self,
        data: PreparedData,
        settings: AdapterSettings,
        base: LoadedModel,
        groups: Mapping[Source, Sequence[GroupRecord]],
        reader: ReaderModel,
        answers_of: ReaderModel,
        beginning: "_Beginning | None",
    ) -> None:
        self._data, self._settings = data, settings
        self._shown = replace(settings.shown, quoted=0.0) if settings.head_only else settings.shown
        self._reader, self._answers_of = reader, answers_of
        self._order = mixture(groups, settings.shares, total=settings.examples, seed=settings.seed)
        self._model = base.model
        self._unchanged: Mapping[str, Tensor] = {}
        self._mean_with = beginning if settings.averaged else None
        learnt: Mapping[str, nn.Parameter] = {}
        with seeded(settings.seed):
            if settings.head_only and beginning is not None:
                self._model.requires_grad_(requires_grad=False)
                self._unchanged = beginning.merge(self._model)
            else:
                learnt = with_low_rank(self._model, PROJECTIONS, rank=settings.rank)
            self._head = CitationHead(base.model.config.hidden_size).to(device())
        self._model.to(device(), training_dtype())  # type: ignore[arg-type]
        self._tokenizer = EvidenceTokenizer(
            base.tokenizer, begin=base.begin, evidence_tokens=settings.shown.evidence_tokens
        )
        head = {f"{CITATION_PREFIX}{name}": weight for name, weight in self._head.named_parameters()}
        self.parameters: Mapping[str, nn.Parameter] = {**learnt, **head}
        if beginning is not None:
            beginning.load_into(self.parameters)
        self.examples, self.examples_per_step = settings.examples, settings.examples_per_step
        self.unit, self.rate = "examples", settings.rate
        self.schedule: Schedule = linear
        sources = {source.value: [record.id for record in records] for source, records in groups.items()}
        # a finished training can be run again for the mean, or without it
        learns = {name: value for name, value in asdict(settings).items() if name != "averaged"}
        self.fingerprint = json_digest(
            [
                learns,
                data.fingerprint,
                base.sha256,
                reader.sha256,
                answers_of.sha256,
                beginning and beginning.sha256,
                sources,
            ]
        )

    def fuse(self) -> None:
        """Compile the layers, for batches of any shape."""
        for layer in self._model.model.layers:
            layer.compile(dynamic=True)

    def parts(self, step: int, at_least: int) -> list[EvidenceBatch]:
        first = step * self.examples_per_step
        places = range(first, min(first + self.examples_per_step, len(self._order)))
        return evidence_parts([self._example(place) for place in places], 2 * at_least, device())

    def losses(self, part: EvidenceBatch) -> EvidenceLosses:
        return evidence_losses(self._model, self._head, part)

    def quality(self, *, whole: bool) -> Quality:
        lm = AdaptedLM(self._model, self._tokenizer, self._head)
        records = first_of_each(self._data.development, _WHOLE_GROUPS if whole else _QUICK_GROUPS)
        eager = torch.compiler.set_stance("force_eager")  # writing has other shapes than learning
        with eager, self._as_shipped():
            return quality(lm, self._reader, [record.group(self._data.store) for record in records])

    def tensors(self) -> dict[str, Tensor]:
        """What is shipped: the adapter's matrices and the citation head."""
        with self._as_shipped():
            return {
                **self._unchanged,
                **{name: weight.detach().clone() for name, weight in shipped_names(self.parameters).items()},
            }

    @contextmanager
    def _as_shipped(self) -> Iterator[None]:
        """The parameters have the values that are shipped; those learnt come back after it."""
        learnt = {name: weight.detach().clone() for name, weight in self.parameters.items()}
        if self._mean_with is not None:
            self._mean_with.average_into(self.parameters)
        try:
            yield
        finally:
            for name, weight in self.parameters.items():
                weight.data.copy_(learnt[name])

    def _example(self, place: int) -> EvidenceExample:
        rng = Random(f"{self._settings.seed}:{place}")
        return evidence_example(
            self._order[place], self._data.store, self._tokenizer, self._shown, self._answers_of, rng
        )


@dataclass(frozen=True, slots=True)
class _Beginning:
    """An adapter that a training begins with."""

    path: Path
    sha256: str
    tensors: Mapping[str, Tensor]

    def merge(self, model: nn.Module) -> dict[str, Tensor]:
        """Merge its low-rank changes into the model's weights; the matrices that hold them."""
        merge(model, self.tensors)
        return {name: tensor for name, tensor in self.tensors.items() if not name.startswith(CITATION_PREFIX)}

    def load_into(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Load its tensors into the parameters of the same names.

        A parameter that it lacks stays as it is: an adapter from before there was a judgement of answers has none.

        Raises:
            LoccitError: when a tensor has another shape.
        """
        tensors = self.tensors
        for name, parameter in shipped_names(parameters).items():
            if name in tensors:
                if parameter.shape != tensors[name].shape:
                    raise LoccitError(
                        f"{self.path} has {name} of shape {tuple(tensors[name].shape)}, but {tuple(parameter.shape)} "
                        "is to be trained: begin with an adapter of the same rank."
                    )
                parameter.data.copy_(tensors[name])

    def average_into(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Replace each parameter by the mean of itself and its tensor; one that it lacks stays as it is."""
        tensors = self.tensors
        for name, parameter in shipped_names(parameters).items():
            if name in tensors:
                begun = tensors[name].to(parameter.device).float()
                parameter.data.copy_((parameter.data.float() + begun) / 2)


def _beginning(folder: Path, base: LoadedModel) -> _Beginning:
    name = name_of(ADAPTER_KIND, base.sha256, folder)
    if name is None:
        raise LoccitError(
            f"{folder} holds no adapter for {base.name}; give the folder of weights that a training left, such as "
            "runs/adapter/weights."
        )
    path, entry = shipped_weights(name, ADAPTER_KIND, folder)
    return _Beginning(path, entry.sha256, load_file(path))
