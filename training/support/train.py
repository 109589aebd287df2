"""Training the support scorer: from prepared groups to the file that is shipped."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from rich.console import Console
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from app.answering.cross_encoders.cross_encoder import PROJECTIONS, Packed
from app.answering.cross_encoders.reader_weights import READER_KIND, READER_NAME, reader_base, reader_encoder
from app.answering.cross_encoders.support_input import QUOTE_TOKENS, SupportInput, SupportTokenizer
from app.answering.cross_encoders.support_model import HEAD, SupportModel
from app.answering.cross_encoders.trained_support import SUPPORT_KIND, SUPPORT_NAME, TrainedSupport
from app.answering.shipped_weights import WEIGHTS_FOLDER, ShippedWeights, shipped_weights
from app.answering.support import SupportScorer
from common.digest import json_digest
from common.packaged import sha256_of
from training.data.group import GroupRecord
from training.data.mixture import mixture
from training.data.prepared import PreparedData, first_of_each
from training.data.question import Source
from training.loop.low_rank import seeded, shipped_names, with_low_rank
from training.loop.optimiser import Schedule, linear
from training.loop.run import Pace, Quality, Run, device, training_dtype
from training.support.answering_passage import answering_passage_of
from training.support.distractors import OtherAnswers
from training.support.example import SupportExample, SupportExamples
from training.support.kinds import Kind, SupportSettings

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

WEIGHTS_FILE = "support.safetensors"
LICENCE = "Apache-2.0"
SHARES: Mapping[Source, float] = MappingProxyType({Source.SQUAD: 0.9, Source.NQ: 0.05, Source.TRIVIAQA: 0.05})
_QUICK_GROUPS = 40
_SCORED_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class SupportTrainingSettings:
    """What the weights depend on, beside the data and the reader."""

    claims: int = 30_000
    """So many claims are shown in all, which fixes the schedule."""
    claims_per_step: int = 32
    seed: int = 0
    rate: float = 1e-3
    """The peak of the learning rate."""
    rank: int = 16
    """The rank of the low-rank changes."""
    quote_tokens: int = QUOTE_TOKENS
    shown: SupportSettings = field(default_factory=SupportSettings)
    shares: Mapping[Source, float] = field(default_factory=lambda: dict(SHARES))


def train(
    data_folder: Path,
    out_folder: Path,
    console: Console,
    *,
    settings: SupportTrainingSettings | None = None,
    pace: Pace | None = None,
    reader: Path | None = None,
    base: Path | None = None,
    command: str = "loccit train support",
) -> Quality | None:
    """Train in ``out_folder`` on data that ``prepare`` made, from where a run with these settings was stopped.

    Ends with the file to ship, and its manifest, in ``out_folder/weights``, and hands back its quality on the
    development groups; None when ``pace`` stopped it before. ``reader``: weights to begin with, the shipped
    ones unless given. ``base``: folder of the base model, that of the shipped reader unless given.

    Raises:
        LoccitError: when there is no data, or the checkpoint belongs to another run.
        ModelUnusableError: when the reader is missing, damaged or not of the base model's shape.
    """
    path, entry = shipped_weights(READER_NAME, READER_KIND, WEIGHTS_FOLDER)
    task = _SupportTask(
        PreparedData(data_folder),
        settings or SupportTrainingSettings(),
        reader or path,
        base or reader_base(READER_NAME, entry),
    )
    return Run(task, out_folder, console, pace or Pace()).finish(SUPPORT_NAME, task.entry(command))


@dataclass(frozen=True, slots=True)
class SupportBatch:
    """``supported``: 1.0 where the quote backs the claim, (S,)."""

    packed: Packed
    supported: Tensor

    @property
    def size(self) -> int:
        """S."""
        return len(self.supported)


class SupportLosses(NamedTuple):
    """``support``: the mean binary cross-entropy over a batch's claims, a scalar."""

    support: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.support

    def by_name(self) -> dict[str, Tensor]:
        return {"support": self.support}


class _SupportTask:
    """Follows ``Task``."""

    def __init__(
        self, data: PreparedData, settings: SupportTrainingSettings, reader: Path, base: Path
    ) -> None:
        self._data, self._settings = data, settings
        groups = data.training()
        for source in (source for source in groups if not source.marked):
            groups[source] = [record for record in groups[source] if self._offers_support(record)]
        self._order = mixture(groups, settings.shares, total=settings.claims, seed=settings.seed)
        others = OtherAnswers(groups[Source.SQUAD])
        self._examples = SupportExamples(data.store, others, settings.shown)
        self._tokenizer = SupportTokenizer(base, quote_tokens=settings.quote_tokens)
        self._reader_sha256 = sha256_of(reader)
        encoder = reader_encoder(reader, base)
        self.model = SupportModel(encoder)
        encoder.to(training_dtype())
        with seeded(settings.seed):
            changes = with_low_rank(encoder, PROJECTIONS, rank=settings.rank)
        self.model.to(device())
        head = {f"{HEAD}{name}": weight for name, weight in self.model.head.named_parameters()}
        self.parameters: Mapping[str, nn.Parameter] = {**changes, **head}
        self.examples, self.examples_per_step = settings.claims, settings.claims_per_step
        self.unit, self.rate = "examples", settings.rate
        self.schedule: Schedule = linear
        self.fingerprint = json_digest([asdict(settings), data.fingerprint, self._reader_sha256])

    def parts(self, step: int, at_least: int) -> list[SupportBatch]:
        first = step * self.examples_per_step
        places = range(first, min(first + self.examples_per_step, len(self._order)))
        examples = [example for place in places if (example := self._example(place)) is not None]
        inputs = self._tokenizer.inputs([example.claim for example in examples])
        # the longest first, dealt out in turn: parts of about as many tokens
        dealt = sorted(zip(inputs, examples, strict=True), key=lambda pair: -len(pair[0][0]))
        parts = (dealt[number::at_least] for number in range(at_least))
        return [_batch(part) for part in parts if part]

    def losses(self, part: SupportBatch) -> SupportLosses:
        return SupportLosses(F.binary_cross_entropy_with_logits(self.model(part.packed), part.supported))

    def quality(self, *, whole: bool) -> Quality:
        development = self._data.development
        records = development if whole else first_of_each(development, _QUICK_GROUPS)
        examples = [
            SupportExample(claim, kind)
            for record in records
            if record.answerable
            for kind in Kind
            if (claim := self._examples.of_kind(record, kind, Random(f"{record.id}:{kind}"))) is not None
        ]
        return quality(TrainedSupport(self.model, self._tokenizer), examples)

    def tensors(self) -> Mapping[str, Tensor]:
        return shipped_names(self.parameters)

    def entry(self, command: str) -> ShippedWeights:
        """What the manifest says of the weights, before they are written and measured."""
        return ShippedWeights(
            file=WEIGHTS_FILE,
            sha256="",
            kind=SUPPORT_KIND,
            base_sha256=self._reader_sha256,
            licence=LICENCE,
            command=command,
            data=self._data.fingerprint,
            seed=self._settings.seed,
        )

    def _offers_support(self, record: GroupRecord) -> bool:
        """Whether a passage that was found to hold the answer is likely to be about the question."""
        group = record.group(self._data.store)
        return answering_passage_of(group, Random(record.id), asked=self._settings.shown.asked) is not None

    def _example(self, place: int) -> SupportExample | None:
        return self._examples.drawn(self._order[place], Random(f"{self._settings.seed}:{place}"))


def quality(scorer: SupportScorer, examples: Sequence[SupportExample]) -> Quality:
    """For each kind of claim that is there (0-1, higher is better):

    ``accuracy``: of the verdict "supported" at 0.5 and above; ``auroc``: of a corruption, against the supported
    claims of the same form; under ``all``: against each other, and the mean score of the supported
    and the others. ``claims``: how many there are.
    """
    scores = np.array(_scores(scorer, examples))
    kinds = np.array([example.kind.value for example in examples])
    supported = np.array([example.kind.supported for example in examples], dtype=bool)
    right = (scores >= 0.5) == supported
    found: Quality = {"all": {"claims": len(examples), "accuracy": _mean(right)}}
    if supported.any() and not supported.all():
        found["all"] |= {
            "auroc": _auroc(supported, scores),
            "mean_supported": _mean(scores[supported]),
            "mean_others": _mean(scores[~supported]),
        }
    for kind in Kind:
        of_kind = kinds == kind.value
        if not of_kind.any():
            continue
        found[kind.value] = {"claims": int(of_kind.sum()), "accuracy": _mean(right[of_kind])}
        against = kinds == (Kind.TRUE_SENTENCE if kind.value.endswith("sentence") else Kind.TRUE).value
        if not kind.supported and against.any():
            both = of_kind | against
            found[kind.value]["auroc"] = _auroc(supported[both], scores[both])
    return found


def _scores(scorer: SupportScorer, examples: Sequence[SupportExample]) -> list[float]:
    scores: list[float] = []
    for at in range(0, len(examples), _SCORED_TOGETHER):
        scores += scorer.score([example.claim for example in examples[at : at + _SCORED_TOGETHER]])
    return scores


def _auroc(supported: Flags, scores: Floats) -> float:
    return round(float(roc_auc_score(supported, scores)), 4)


def _mean(values: Flags | Floats) -> float:
    return round(float(values.mean()), 4)


def _batch(part: Sequence[tuple[SupportInput, SupportExample]]) -> SupportBatch:
    return SupportBatch(
        Packed.of([tokens for tokens, _ in part], device()),
        torch.tensor([float(example.kind.supported) for _, example in part], device=device()),
    )
