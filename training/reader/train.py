"""Training the reader: from prepared groups to the file that is shipped."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from types import MappingProxyType

from rich.console import Console
from torch import Tensor, nn

from app.answering.cross_encoders.cross_encoder import base_model
from app.answering.cross_encoders.reader_input import MAX_TOKENS, ReaderTokenizer
from app.answering.cross_encoders.reader_model import READER_KIND, ReaderModel
from app.answering.shipped_weights import ShippedWeights
from common.packaged import minilm_folder, sha256_of
from training.data.mixture import mixture
from training.data.prepared import PreparedData, first_of_each
from training.data.question import Source
from training.loop.optimiser import LEARNING_RATE
from training.loop.run import Pace, Quality, Run, device, digest, training_dtype
from training.reader.ablation import Ablation
from training.reader.batch import Batch, batch_of
from training.reader.example import Example, PresentationSettings, chosen, example
from training.reader.loss import Losses, reader_losses
from training.reader.quality import quality

READER_NAME = "reader"
WEIGHTS_FILE = "reader.safetensors"
LICENCE = "Apache-2.0"
SHARES: Mapping[Source, float] = MappingProxyType(
    {Source.SQUAD: 0.85, Source.NQ: 0.07, Source.TRIVIAQA: 0.08}
)
_QUICK_GROUPS = 50


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What the weights depend on, beside the data and the base model.

    ``groups``: shown in all, which fixes the number of steps and so the schedule. ``rate``: the peak.
    ``shares``: of the groups, by source.
    """

    groups: int = 140_000
    groups_per_step: int = 16
    seed: int = 0
    rate: float = LEARNING_RATE
    max_tokens: int = MAX_TOKENS
    presentation: PresentationSettings = field(default_factory=PresentationSettings)
    shares: Mapping[Source, float] = field(default_factory=lambda: dict(SHARES))

    def without(self, part: Ablation) -> "TrainingSettings":
        """The same training with this part of the data left out, to see what it gives."""
        if part is Ablation.DISTANT:
            return replace(self, shares={Source.SQUAD: 1.0})
        alone = PresentationSettings(squad_passages=1, distant_passages=1, unanswerable=0.0)
        return replace(self, presentation=alone)


def train(
    data_folder: Path,
    out_folder: Path,
    console: Console,
    *,
    settings: TrainingSettings | None = None,
    pace: Pace | None = None,
    base: Path | None = None,
    command: str = "loccit train reader",
) -> Quality | None:
    """Train in ``out_folder`` on data that ``prepare`` made, from where a run with these settings was stopped.

    Ends with the file to ship, and its manifest, in ``out_folder/weights``, and hands back its quality on the
    development groups; None when ``pace`` stopped it before. ``base``: folder of the base model,
    all-MiniLM-L6-v2 unless given. Computes on a GPU where there is one.

    Raises:
        LoccitError: when there is no data, or the checkpoint belongs to another run.
    """
    task = _ReaderTask(PreparedData(data_folder), settings or TrainingSettings(), base or minilm_folder())
    return Run(task, out_folder, console, pace or Pace()).finish(READER_NAME, task.entry(command))


class _ReaderTask:
    """Follows ``Task``."""

    def __init__(self, data: PreparedData, settings: TrainingSettings, base: Path) -> None:
        self._data, self._settings = data, settings
        groups = data.training()
        if not settings.presentation.unanswerable:
            groups = {source: [one for one in some if one.answerable] for source, some in groups.items()}
        self._order = mixture(groups, settings.shares, total=settings.groups, seed=settings.seed)
        self._tokenizer = ReaderTokenizer(base, max_tokens=settings.max_tokens)
        self._base_sha256 = sha256_of(base / "model.safetensors")
        self.model = base_model(base, seed=settings.seed).to(device())
        self.model.words = self.model.words.to(training_dtype())
        self.parameters: Mapping[str, nn.Parameter] = dict(self.model.named_parameters())
        self.examples, self.examples_per_step = settings.groups, settings.groups_per_step
        self.rate = settings.rate
        self.fingerprint = digest([asdict(settings), data.fingerprint, self._base_sha256])

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
        some = development if whole else first_of_each(development, _QUICK_GROUPS)
        return quality(ReaderModel(self.model, self._tokenizer), some, self._data.store)

    def tensors(self) -> Mapping[str, Tensor]:
        return self.model.state_dict()

    def entry(self, command: str) -> ShippedWeights:
        """What the manifest says of the weights, before they are written and measured."""
        return ShippedWeights(
            file=WEIGHTS_FILE,
            sha256="",
            kind=READER_KIND,
            base_sha256=self._base_sha256,
            licence=LICENCE,
            command=command,
            data=self._data.fingerprint,
            seed=self._settings.seed,
        )

    def _example(self, place: int) -> Example:
        presentation = self._settings.presentation
        rng = Random(f"{self._settings.seed}:{place}")
        group = chosen(self._order[place], presentation, rng).group(self._data.store)
        return example(group, self._tokenizer, presentation, rng)
