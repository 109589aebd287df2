"""Training a language model's adapter (LoRA, Hu et al. 2021) together with its citation head."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from statistics import fmean
from types import MappingProxyType

import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor, nn

from app.answering.adapter import ADAPTER_KIND, CITATION_PREFIX, PROJECTIONS
from app.answering.answer_score import exact_match, f1
from app.answering.citation_head import CitationHead
from app.answering.evidence_generator import PASSAGES_TOGETHER
from app.answering.evidence_input import NO_ANSWER, EvidenceTokenizer
from app.answering.evidence_lm import EvidenceLM, Written
from app.answering.generator import PASSAGES_EXTRACTED
from app.answering.reader_model import ReaderModel, load_reader_model
from app.answering.shipped_weights import ShippedWeights, name_of, shipped_weights
from app.answering.transformers_lm import LoadedModel
from retriever.errors import LoccitError
from training.agreement import agreed
from training.evidence_batch import (
    EvidenceBatch,
    EvidenceLosses,
    evidence_losses,
    evidence_parts,
    require_packable,
)
from training.evidence_example import EvidenceExample, EvidenceSettings, best_answers, evidence_example
from training.group import Group, GroupRecord
from training.low_rank import seeded, shipped_names, with_low_rank
from training.order import mixture
from training.prepared import PreparedData, first_of_each
from training.question import Source
from training.run import Pace, Quality, Run, device, digest, training_dtype

SHARES: Mapping[Source, float] = MappingProxyType({Source.SQUAD: 0.5, Source.NQ: 0.3, Source.TRIVIAQA: 0.2})
WEIGHTS_FILE = "adapter.safetensors"
AGREED_FOLDER = "agreed"
RATE_GOING_ON = 3e-4
"""The peak rate for what has learnt before."""
_QUICK_GROUPS = 12
_WHOLE_GROUPS = 120
_ANSWER_TOKENS = 32
_DISTANT_LOOKED_AT = 1.6


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """What the weights depend on, beside data and base model.

    ``examples``: shown in all, which fixes the schedule. ``rate``: its peak. ``rank``: of the adapter.
    """

    examples: int = 12_000
    examples_per_step: int = 8
    seed: int = 0
    rate: float = 5e-4
    rank: int = 16
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
    are made when serving. ``start``: a folder with an adapter of the same rank to begin with. ``fused``: let torch's
    compiler fuse each layer's element-wise work, which takes a minute to begin with. Computes on a GPU where there
    is one.

    Raises:
        LoccitError: when there is no data, model or ``start`` does not fit, or the checkpoint is of another run.
    """
    settings = settings or AdapterSettings()
    require_packable(base.model)
    beginning = None if start is None else _beginning(start, base)
    data = PreparedData(data_folder)
    reader = reader or load_reader_model()
    groups = _groups(data, settings, reader, out_folder, console)
    task = _AdapterTask(data, settings, base, groups, reader, answers_of or reader, beginning)
    if fused:
        task.fuse()
    name = base.name.replace("/", "--")
    entry = ShippedWeights(
        file=f"{name}/{WEIGHTS_FILE}",
        sha256="",
        kind=ADAPTER_KIND,
        base_sha256=base.sha256,
        licence=licence,
        command=command,
        data=data.fingerprint,
        seed=settings.seed,
        made_from={
            "reader": reader.sha256,
            **({} if beginning is None else {"start": beginning.sha256}),
            **({} if answers_of is None else {"answers_of": answers_of.sha256}),
        },
    )
    return Run(task, out_folder, console, pace or Pace()).finish(f"adapter-{name}", entry)


def _groups(
    data: PreparedData, settings: AdapterSettings, reader: ReaderModel, out_folder: Path, console: Console
) -> dict[Source, list[GroupRecord]]:
    """The groups to learn from, the distantly supervised ones as far as the reader agrees."""
    groups = data.training()
    for source in (Source.NQ, Source.TRIVIAQA):
        wanted = round(settings.examples * settings.shares.get(source, 0) * _DISTANT_LOOKED_AT)
        folder = out_folder / AGREED_FOLDER / digest([reader.sha256, data.fingerprint])[:12]
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
        self._reader, self._answers_of = reader, answers_of
        self._order = mixture(groups, settings.shares, total=settings.examples, seed=settings.seed)
        self._model = base.model
        with seeded(settings.seed):
            learnt = with_low_rank(self._model, PROJECTIONS, rank=settings.rank)
            self._head = CitationHead(base.model.config.hidden_size).to(device())
        self._model.to(device(), training_dtype())  # type: ignore[arg-type]
        self._tokenizer = EvidenceTokenizer(
            base.tokenizer, begin=base.begin, evidence_tokens=settings.shown.evidence_tokens
        )
        head = {f"{CITATION_PREFIX}{name}": one for name, one in self._head.named_parameters()}
        self.parameters: Mapping[str, nn.Parameter] = {**learnt, **head}
        if beginning is not None:
            beginning.give(self.parameters)
        self.examples, self.examples_per_step = settings.examples, settings.examples_per_step
        self.rate = settings.rate
        sources = {source.value: [record.id for record in records] for source, records in groups.items()}
        self.fingerprint = digest(
            [
                asdict(settings),
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
        lm = EvidenceLM(self._model, self._tokenizer, self._head)
        records = first_of_each(self._data.development, _WHOLE_GROUPS if whole else _QUICK_GROUPS)
        with torch.compiler.set_stance("force_eager"):  # writing has other shapes than learning
            return quality(lm, self._reader, [record.group(self._data.store) for record in records])

    def tensors(self) -> dict[str, Tensor]:
        """What is shipped: the adapter's matrices and the citation head."""
        return shipped_names(self.parameters)

    def _example(self, place: int) -> EvidenceExample:
        rng = Random(f"{self._settings.seed}:{place}")
        return evidence_example(
            self._order[place], self._data.store, self._tokenizer, self._settings.shown, self._answers_of, rng
        )


@dataclass(frozen=True, slots=True)
class _Beginning:
    """An adapter that a training begins with."""

    path: Path
    sha256: str

    def give(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Give the parameters its values.

        What it lacks stays as it is: an adapter from before there was a judgement of answers has none.
        """
        tensors = load_file(self.path)
        for name, one in shipped_names(parameters).items():
            if name in tensors:
                if one.shape != tensors[name].shape:
                    raise LoccitError(
                        f"{self.path} has {name} of shape {tuple(tensors[name].shape)}, but {tuple(one.shape)} is to "
                        "be trained: begin with an adapter of the same rank."
                    )
                one.data.copy_(tensors[name])


def _beginning(folder: Path, base: LoadedModel) -> _Beginning:
    name = name_of(ADAPTER_KIND, base.sha256, folder)
    if name is None:
        raise LoccitError(
            f"{folder} holds no adapter for {base.name}; give the folder of weights that a training left, such as "
            "runs/adapter/weights."
        )
    path, entry = shipped_weights(name, ADAPTER_KIND, folder)
    return _Beginning(path, entry.sha256)


def quality(lm: EvidenceLM, reader: ReaderModel, groups: Sequence[Group]) -> Quality:
    """By source, over its groups with an answer (0-1, higher is better):

    ``em_given``, ``f1_given``: of what is written when only the first passage that answers is read;
    ``cited_given``: exact match of where the citation head points for it; ``em``: of what is written when the
    reader ranks all passages, by its own judgement alone, and the best two are read; ``em_reader``, ``em_chosen``:
    of its answers from the best five, the likeliest and the one that the citation head holds most likely right;
    ``refused``: how often it says so when shown a passage that does not answer.
    """
    by_source: dict[str, list[dict[str, float]]] = {}
    for group in groups:
        by_source.setdefault(group.source.value, []).append(_outcome(lm, reader, group))
    return {
        source: {"groups": len(found)}
        | {name: round(fmean(one[name] for one in found if name in one), 4) for name in _names(found)}
        for source, found in sorted(by_source.items())
    }


def _names(found: Sequence[Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for one in found for name in one))


def _outcome(lm: EvidenceLM, reader: ReaderModel, group: Group) -> dict[str, float]:
    given = _windows(group, [n for n, one in enumerate(group.passages) if one.answers][:1])
    without = _windows(group, [n for n, one in enumerate(group.passages) if not one.answers][:1])
    (alone,) = lm.read(group.question, given).write(max_tokens=_ANSWER_TOKENS)
    windows = [(one.passage.title, one.passage.window) for one in group.passages]
    judgements = reader.judge(group.question, windows)
    # of equal ones the last first: a group begins with the passages that answer
    ranked = sorted(range(len(windows)), key=lambda place: (-judgements[place].answerability, -place))
    evidence = lm.read(group.question, _windows(group, ranked[:PASSAGES_TOGETHER]))
    (among,) = evidence.write(max_tokens=_ANSWER_TOKENS)
    best = ranked[:PASSAGES_EXTRACTED]
    extracted = best_answers([judgements[place] for place in best], [windows[place] for place in best])
    chosen = max(evidence.score(extracted), key=lambda one: one.pointed.right, default=None)
    found = {
        "em_given": float(exact_match(alone.text, group.answers)),
        "f1_given": f1(alone.text, group.answers),
        "cited_given": float(exact_match(_pointed(alone, given), group.answers)),
        "em": float(exact_match(among.text, group.answers)),
        "em_reader": float(exact_match(extracted[0] if extracted else "", group.answers)),
        "em_chosen": float(exact_match("" if chosen is None else chosen.text, group.answers)),
    }
    if without:
        (silent,) = lm.read(group.question, without).write(max_tokens=_ANSWER_TOKENS)
        found["refused"] = float(silent.text == NO_ANSWER)
    return found


def _windows(group: Group, places: Sequence[int]) -> list[tuple[str, str]]:
    passages = [group.passages[place].passage for place in places]
    return [(one.title, one.window if len(passages) == 1 else one.text) for one in passages]


def _pointed(written: Written, windows: Sequence[tuple[str, str]]) -> str:
    if not written.pointed.spans:
        return ""
    passage, span, _ = written.pointed.spans[0]
    return span.of(windows[passage][1])
