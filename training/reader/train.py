"""Training the reader: from prepared groups to the file that is shipped."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from types import MappingProxyType

from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor, nn

from app.answering.cross_encoders.cross_encoder import BROAD, HEADS, PROJECTIONS, base_model
from app.answering.cross_encoders.reader_input import MAX_TOKENS, ReaderTokenizer
from app.answering.cross_encoders.reader_model import ReaderModel
from app.answering.cross_encoders.reader_weights import READER_KIND, READER_NAME
from app.answering.shipped_weights import ShippedWeights, shipped_weights
from common.digest import json_digest
from common.errors import ModelUnusableError
from common.mpnet import mpnet_folder
from common.packaged import minilm_folder, sha256_of
from training.data.evidence import SHOWN, EvidenceGroup
from training.data.group import GroupRecord
from training.data.mixture import mixture
from training.data.prepared import PreparedData, first_of_each
from training.data.question import Source
from training.loop.low_rank import seeded, shipped_names, with_low_rank
from training.loop.optimiser import LEARNING_RATE, Schedule, linear
from training.loop.run import Pace, Quality, Run, device, training_dtype
from training.reader.ablation import Ablation
from training.reader.batch import Batch, batch_of
from training.reader.evidence_quality import evidence_quality
from training.reader.example import Example, PresentationSettings, chosen, evidence_example, example
from training.reader.loss import Losses, reader_losses
from training.reader.quality import quality

WEIGHTS_FILE = "reader.safetensors"
LICENCE = "Apache-2.0"
SHARES: Mapping[Source, float] = MappingProxyType(
    {Source.SQUAD: 0.85, Source.NQ: 0.07, Source.TRIVIAQA: 0.08}
)
LOW_RANK_SHARES: Mapping[Source, float] = MappingProxyType(
    {Source.SQUAD: 0.45, Source.QED: 0.35, Source.NQ: 0.12, Source.TRIVIAQA: 0.08}
)
LOW_RANK_RATE = 6e-4
RATE_GOING_ON = 3e-4
SMALL_RATE_GOING_ON = 5e-5
"""Of a reader all of whose weights are learnt."""
HELD_OUT_TEXTS = 0.06
"""The share of the texts with evidence, whole projects at a time, that nothing is learnt from."""
_QUICK_GROUPS = 50
_LOW_RANK_GROUPS = 60
_QUICK_EVIDENCE, _EVIDENCE_GROUPS = 12, 60


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What the weights depend on, beside the data and the base model."""

    groups: int = 140_000
    """So many groups are shown in all, which fixes the number of steps and so the schedule."""
    groups_per_step: int = 16
    seed: int = 0
    rate: float = LEARNING_RATE
    """The peak of the learning rate."""
    max_tokens: int = MAX_TOKENS
    presentation: PresentationSettings = field(default_factory=PresentationSettings)
    shares: Mapping[Source, float] = field(default_factory=lambda: dict(SHARES))
    """The share of the groups that is of each source."""
    rank: int | None = None
    """The rank of changes to the base model's projections; None: all its weights are learnt, but the word
    embeddings."""
    layers_kept: int = 0
    """With a rank, the first so many layers get no changes: neither they nor what lies below need a backward pass."""
    evidence: float = 0.0
    """The share of the groups that is of the sets with evidence."""
    broad: bool = False
    """Whether evidence, the kind of answer, and yes or no are learnt besides."""

    @classmethod
    def of(
        cls,
        rank: int | None,
        *,
        groups: int,
        seed: int,
        going_on: bool,
        evidence: float,
        broad: bool,
        without: Ablation | None,
    ) -> "TrainingSettings":
        """Those that suit the rank: with None, a small base model, whose weights are all learnt."""
        if rank is None:
            rate = SMALL_RATE_GOING_ON if going_on else LEARNING_RATE
            settings = cls(groups=groups, seed=seed, rate=rate, evidence=evidence, broad=broad)
        else:
            settings = cls.low_rank(
                rank, groups=groups, seed=seed, going_on=going_on, evidence=evidence, broad=broad
            )
        return settings if without is None else settings.without(without)

    @classmethod
    def low_rank(
        cls,
        rank: int,
        *,
        groups: int,
        seed: int,
        going_on: bool = False,
        evidence: float = 0.0,
        broad: bool = False,
    ) -> "TrainingSettings":
        """For a larger base model, of which little is learnt and on which every passage takes long."""
        return cls(
            groups=groups,
            groups_per_step=12,
            seed=seed,
            rate=RATE_GOING_ON if going_on else LOW_RANK_RATE,
            presentation=PresentationSettings(
                squad_alone=0.75, distant_passages=2, unanswerable=0.08, without_continuation=0.5
            ),
            shares=dict(LOW_RANK_SHARES),
            rank=rank,
            layers_kept=4,
            evidence=evidence,
            broad=broad,
        )

    def without(self, part: Ablation) -> "TrainingSettings":
        """The same training with this part of the data left out, to see what it gives."""
        if part is Ablation.DISTANT:
            marked = {source: share for source, share in self.shares.items() if source.marked}
            return replace(self, shares=marked)
        alone = replace(self.presentation, squad_passages=1, distant_passages=1, unanswerable=0.0)
        return replace(self, presentation=alone)


def train(
    data_folder: Path,
    out_folder: Path,
    console: Console,
    *,
    settings: TrainingSettings | None = None,
    pace: Pace | None = None,
    base: Path | None = None,
    start: Path | None = None,
    command: str = "loccit train reader",
) -> Quality | None:
    """Train in ``out_folder`` on data that ``prepare`` made, from where a run with these settings was stopped.

    Ends with the file to ship, and its manifest, in ``out_folder/weights``, and hands back its quality on the
    development groups; None when ``pace`` stopped it before. ``base``: folder of the base model,
    all-MiniLM-L6-v2 unless given. ``start``: folder of a reader of the same rank to begin with, as a training leaves
    it in ``weights``. Computes on a GPU where there is one.

    Raises:
        LoccitError: when there is no data, or the checkpoint belongs to another run.
        ModelUnusableError: when the reader to begin with is missing, damaged, or of another base model or rank.
    """
    settings = settings or TrainingSettings()
    task = _ReaderTask(PreparedData(data_folder), settings, base or minilm_folder(), start)
    return Run(task, out_folder, console, pace or Pace()).finish(READER_NAME, task.entry(command))


def base_folder(name_or_path: str) -> Path:
    """The folder of the base model of this name, ``minilm`` or ``mpnet``, or the folder that is named.

    Raises:
        ModelUnusableError: when it is not installed, or there is no such folder.
    """
    packaged = {"minilm": minilm_folder, "mpnet": mpnet_folder}
    if name_or_path in packaged:
        return packaged[name_or_path]()
    if not Path(name_or_path).is_dir():
        raise ModelUnusableError(f"{name_or_path!r} is neither minilm, nor mpnet, nor a folder with a model.")
    return Path(name_or_path)


class _ReaderTask:
    """Follows ``Task``."""

    def __init__(
        self, data: PreparedData, settings: TrainingSettings, base: Path, start: Path | None = None
    ) -> None:
        self._data, self._settings = data, settings
        self._order, self._held_out = _order(data, settings)
        self._tokenizer = ReaderTokenizer(base, max_tokens=settings.max_tokens)
        self._base_sha256 = sha256_of(base / "model.safetensors")
        self._made_from: dict[str, str] = {}
        self.model = base_model(base, seed=settings.seed, broad=settings.broad).to(device())
        self.model.words = self.model.words.to(training_dtype())
        self.parameters = self._to_learn(settings, start)
        self.examples, self.examples_per_step = settings.groups, settings.groups_per_step
        self.unit, self.rate = "examples", settings.rate
        self.schedule: Schedule = linear
        self._data_fingerprint = (
            json_digest([data.fingerprint, data.evidence.fingerprint])
            if settings.evidence
            else data.fingerprint
        )
        self.fingerprint = json_digest(
            [asdict(settings), self._data_fingerprint, self._base_sha256, self._made_from]
        )

    def parts(self, step: int, at_least: int) -> list[Batch]:
        first = step * self._settings.groups_per_step
        places = range(first, min(first + self._settings.groups_per_step, len(self._order)))
        examples = [self._example(place) for place in places]
        parts = (examples[number::at_least] for number in range(at_least))
        return [batch_of(part, device()) for part in parts if part]

    def losses(self, part: Batch) -> Losses:
        return reader_losses(self.model(part.packed), part)

    def quality(self, *, whole: bool) -> Quality:
        development = self._data.development
        if not whole:
            some = first_of_each(development, _QUICK_GROUPS)
        elif self._settings.rank is None:
            some = development
        else:
            some = first_of_each(development, _LOW_RANK_GROUPS)
        reader = ReaderModel(self.model, self._tokenizer)
        found = quality(reader, some, self._data.store, searched=whole)
        return found | evidence_quality(
            reader, self._held_out, count=_EVIDENCE_GROUPS if whole else _QUICK_EVIDENCE
        )

    def tensors(self) -> Mapping[str, Tensor]:
        return self.model.state_dict() if self._settings.rank is None else shipped_names(self.parameters)

    def entry(self, command: str) -> ShippedWeights:
        """What the manifest says of the weights, before they are written and measured."""
        return ShippedWeights(
            file=WEIGHTS_FILE,
            sha256="",
            kind=READER_KIND,
            base_sha256=self._base_sha256,
            licence=LICENCE,
            command=command,
            data=self._data_fingerprint,
            seed=self._settings.seed,
            made_from=self._made_from,
        )

    def _to_learn(self, settings: TrainingSettings, start: Path | None) -> Mapping[str, nn.Parameter]:
        """The parameters to learn, by name, in float32, with their beginnings."""
        if settings.rank is None:
            weights = dict(self.model.named_parameters())
            if start is not None:
                self._begin_with(weights, start)
            return weights
        layers = range(settings.layers_kept, self.model.shape.layers)
        projections = [f"layers.{number}.{name}" for number in layers for name in PROJECTIONS]
        self.model.to(training_dtype())
        with seeded(settings.seed):
            changes = with_low_rank(self.model, projections, rank=settings.rank)
        # an MPNet has not learnt any types
        whole = HEADS if settings.layers_kept else (*HEADS, "types.")
        heads = {name: weight for name, weight in self.model.named_parameters() if name.startswith(whole)}
        for weight in heads.values():
            weight.data = weight.data.float()
            weight.requires_grad_()
        learnt = changes | heads
        if start is not None:
            self._begin_with(learnt, start)
        return learnt

    def _begin_with(self, learnt: Mapping[str, nn.Parameter], start: Path) -> None:
        path, entry = shipped_weights(READER_NAME, READER_KIND, start)
        if entry.base_sha256 != self._base_sha256:
            raise ModelUnusableError(f"{path} was trained on another base model than the one given.")
        self._made_from["start"] = entry.sha256
        begun = load_file(path)
        for name, weight in shipped_names(learnt).items():
            if name not in begun and name.startswith(BROAD):
                continue  # a reader of short answers becomes a broad one
            if name not in begun or begun[name].shape != weight.shape:
                raise ModelUnusableError(
                    f"{path} has no {name} of the shape {tuple(weight.shape)}; give its rank."
                )
            weight.data.copy_(begun[name])

    def _example(self, place: int) -> Example:
        presentation = self._settings.presentation
        rng = Random(f"{self._settings.seed}:{place}")
        shown = self._order[place]
        if isinstance(shown, EvidenceGroup):
            return evidence_example(shown, self._tokenizer, rng)
        group = chosen(shown, presentation, rng).group(self._data.store)
        return example(group, self._tokenizer, presentation, rng)


Shown = GroupRecord | EvidenceGroup


def _order(data: PreparedData, settings: TrainingSettings) -> tuple[list[Shown], list[EvidenceGroup]]:
    """The groups in the order in which they are learnt from, and those with evidence that are held out."""
    groups: dict[str, list[Shown]] = {source.value: [*records] for source, records in data.training().items()}
    if not settings.presentation.unanswerable:
        groups = {
            source: [record for record in records if isinstance(record, GroupRecord) and record.answerable]
            for source, records in groups.items()
        }
    shares: dict[str, float] = {source.value: share for source, share in settings.shares.items()}
    held_out: list[EvidenceGroup] = []
    if settings.evidence:
        weights: dict[str, float] = {}
        for name, records in data.evidence.groups().items():
            apart = [group.is_held_out(share=HELD_OUT_TEXTS) for group in records]
            held_out += [group for group, is_apart in zip(records, apart, strict=True) if is_apart]
            groups[name] = [group for group, is_apart in zip(records, apart, strict=True) if not is_apart]
            weights[name] = SHOWN[name] * len(groups[name])
        shares = _scaled(shares, 1 - settings.evidence) | _scaled(weights, settings.evidence)
    return mixture(groups, shares, total=settings.groups, seed=settings.seed), held_out


def _scaled(shares: Mapping[str, float], total: float) -> dict[str, float]:
    return {name: share * total / sum(shares.values()) for name, share in shares.items()}
