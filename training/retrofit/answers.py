"""Training a retrofitted language model to answer: low-rank changes, with its evidence where a mode has it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional

from app.answering.evidence_model.adapter import PROJECTIONS
from app.answering.evidence_model.evidence_input import NO_ANSWER, EvidenceTokenizer
from app.answering.generators.written_answers import ANSWER_TOKENS
from app.answering.language_models.transformers_lm import LoadedModel
from app.answering.limits import EVIDENCE_TOKENS
from app.answering.retro.asking import Asked, Asker, RetroAnswers, SoftPrefix, prefix_of
from app.answering.retro.evidence_mode import EvidenceMode
from app.answering.retro.files import WEIGHTS_FILE, load_settings, load_weights
from app.answering.retro.generation import STATE, padded, with_prefix
from app.answering.retro.model import RetroModel, as_tensor
from app.answering.retro.modules import RetroModules
from app.answering.retro.passage_neighbours import PassageNeighbours
from app.answering.shipped_weights import ShippedWeights
from app.answering.text.answer_match import WordIndex
from app.answering.text.answer_score import exact_match, f1
from common.digest import json_digest
from common.packaged import sha256_of
from retriever.chunk_database import NO_TOKEN
from retriever.encoder import Encoder
from training.data.group import GroupRecord, GroupRow, drawn_rows
from training.data.mixture import mixture
from training.data.prepared import PreparedData, first_of_each
from training.data.question import Source
from training.loop.low_rank import seeded, shipped_names, with_low_rank
from training.loop.optimiser import Schedule, cosine
from training.loop.run import Pace, Quality, Run, device, training_dtype
from training.retrofit.losses import TokenLosses

ANSWERS_KIND = "retrofit-answers"
ANSWERS_FILE = "retrofit-answers.safetensors"
RETRO_PREFIX, SOFT_PREFIX = "retro.", "prefix."
SHARES: Mapping[Source, float] = {Source.SQUAD: 0.5, Source.NQ: 0.35, Source.TRIVIAQA: 0.15}
_QUICK_GROUPS = 8


@dataclass(frozen=True, slots=True)
class AnswersSettings:
    """``passages``: shown in training, of which one answers, but in the share ``unanswerable`` of the questions.

    ``passages_held_out``: shown when it is measured. ``held_out``: questions of each source it is measured on.
    """

    mode: EvidenceMode
    examples: int = 3_000
    examples_per_step: int = 4
    passages: int = 4
    passages_held_out: int = 20
    held_out: int = 100
    unanswerable: float = 0.1
    rank: int = 16
    rate: float = 5e-4
    """The peak of the learning rate."""
    seed: int = 0
    shares: Mapping[Source, float] = field(default_factory=lambda: dict(SHARES))


@dataclass(frozen=True, slots=True)
class AnswerExample:
    """A question asked, and the tokens of its answer."""

    asked: Asked
    answer: tuple[int, ...]

    @property
    def size(self) -> int:
        return 1


def train_answers(
    data_folder: Path,
    out_folder: Path,
    base: LoadedModel,
    retrofit: Path,
    encoder: Encoder | None,
    console: Console,
    *,
    settings: AnswersSettings,
    pace: Pace | None = None,
    licence: str,
    command: str,
) -> Quality | None:
    """Train in ``out_folder`` on groups that `loccit train data` made, from where a run was stopped.

    ``retrofit``: the folder of the retrofit begun with. ``encoder``: of a soft prefix's vectors. Ends with the low-rank
    changes, the retrofit and the prefix in one file, and hands back exact match on groups held out; None when ``pace``
    stopped it before.

    Raises:
        LoccitError: when there is no data or retrofit, or the checkpoint is of another run.
    """
    task = AnswersTask(data_folder, base, retrofit, encoder, settings)
    name = f"retrofit-answers-{settings.mode}-{base.name.replace('/', '--')}"
    entry = ShippedWeights(
        file=f"{name}/{ANSWERS_FILE}",
        sha256="",
        kind=ANSWERS_KIND,
        base_sha256=base.sha256,
        licence=licence,
        command=command,
        data=task.data.fingerprint,
        seed=settings.seed,
        made_from={"retrofit": sha256_of(retrofit / WEIGHTS_FILE)},
    )
    return Run(task, out_folder, console, pace or Pace()).finish(name, entry)


class AnswersTask:
    """Follows ``Task``."""

    def __init__(
        self,
        folder: Path,
        base: LoadedModel,
        retrofit: Path,
        encoder: Encoder | None,
        settings: AnswersSettings,
    ) -> None:
        self.data, self._settings = PreparedData(folder), settings
        shape = load_settings(retrofit, base)
        with seeded(settings.seed):
            learnt = with_low_rank(base.model, PROJECTIONS, rank=settings.rank)
            modules = load_weights(RetroModules(shape), retrofit).float()
            self._prefix = _prefix(base, encoder) if settings.mode is EvidenceMode.PREFIX else None
        base.model.to(device(), training_dtype())  # type: ignore[arg-type]
        self.model = RetroModel(base.model, modules.to(device()))
        tokenizer = EvidenceTokenizer(base.tokenizer, begin=base.begin, evidence_tokens=EVIDENCE_TOKENS)
        self._asker = Asker(
            tokenizer,
            settings.mode,
            value=shape.value,
            neighbours=settings.passages_held_out,
            encoder=encoder,
        )
        self.parameters: Mapping[str, nn.Parameter] = {**learnt, **self._beside()}
        self._order = mixture(
            self.data.training(), settings.shares, total=settings.examples, seed=settings.seed
        )
        self.examples, self.examples_per_step = settings.examples, settings.examples_per_step
        self.unit, self.rate = "examples", settings.rate
        self.schedule: Schedule = cosine
        self.fingerprint = json_digest(
            [
                asdict(settings),
                asdict(shape),
                self.data.fingerprint,
                base.sha256,
                sha256_of(retrofit / WEIGHTS_FILE),
            ]
        )

    def parts(self, step: int, at_least: int) -> list[AnswerExample]:  # noqa: ARG002 - an example is a part
        first = step * self.examples_per_step
        return [
            self._example(place) for place in range(first, min(first + self.examples_per_step, self.examples))
        ]

    def losses(self, part: AnswerExample) -> TokenLosses:
        model, asked = self.model, part.asked
        states = [] if self._prefix is None else [prefix_of(self._prefix, asked)]
        prompt = padded([[STATE] * sum(map(len, states)) + list(asked.prompt)], model.settings.chunk)
        ids = np.concatenate([prompt, np.array([part.answer[:-1]], dtype=np.int64)], axis=1)
        where = model.base.device
        mask = as_tensor((ids != NO_TOKEN).astype(np.int64), where)
        tokens = as_tensor(np.maximum(ids, 0), where)
        inputs: dict[str, Any] = (
            {"inputs_embeds": with_prefix(model, tokens, ids, states)} if states else {"input_ids": tokens}
        )
        output = model(
            **inputs,
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            neighbours=self._neighbours(asked, ids.shape[1], prompt.shape[1]),
            use_cache=False,
            logits_to_keep=len(part.answer),
        )
        wanted = torch.tensor(part.answer, device=where)
        return TokenLosses(functional.cross_entropy(output.logits[0].float(), wanted))

    def quality(self, *, whole: bool) -> Quality:
        """Of answers to groups with an answer, by source: exact match and F1; exact match that stands in a passage that
        answers; tokens of evidence, and milliseconds.

        ``given``: with the passage that answers alone. ``among``: with the group's other passages, the one that answers
        being one of the first two, as in training: as if a reader had ranked them.
        """
        answers = RetroAnswers(self.model, self._asker, self._prefix)
        found: dict[str, list[dict[str, float]]] = {}
        held_out = self._settings.held_out
        for record in first_of_each(
            self.data.development, held_out if whole else min(_QUICK_GROUPS, held_out)
        ):
            found.setdefault(record.source.value, []).append(self._outcome(answers, record))
        return {
            source: {
                "groups": float(len(outcomes)),
                **{name: round(fmean(one[name] for one in outcomes), 4) for name in outcomes[0]},
            }
            for source, outcomes in sorted(found.items())
        }

    def tensors(self) -> dict[str, Tensor]:
        """What is shipped: the low-rank changes, the retrofit, the prefix."""
        return {name: weight.detach() for name, weight in shipped_names(self.parameters).items()}

    def _outcome(self, answers: RetroAnswers, record: GroupRecord) -> dict[str, float]:
        passages = record.group(self.data.store).passages
        first = next(place for place, (_, spans) in enumerate(record.rows) if spans)
        order = [passages[first], *(one for place, one in enumerate(passages) if place != first)]
        ranked = list(order)
        if Random(record.id).random() < 0.5:
            ranked[:2] = ranked[1::-1]
        outcome: dict[str, float] = {}
        for name, shown in (("given", order[:1]), ("among", ranked)):
            titled = [(one.passage.title, one.passage.text) for one in shown]
            began = time.perf_counter()
            answer = answers.answer(record.question, titled, max_tokens=ANSWER_TOKENS)
            milliseconds = 1000 * (time.perf_counter() - began)
            right = exact_match(answer, record.answers)
            wanted = WordIndex.of(answer)
            there = right and any(
                WordIndex.of(one.passage.text).contains(wanted) for one in shown if one.answers
            )
            outcome |= {
                f"em_{name}": float(right),
                f"em_supported_{name}": float(there),
                f"f1_{name}": f1(answer, record.answers),
                f"evidence_tokens_{name}": float(self._asker.evidence_tokens(record.question, titled)),
                f"ms_{name}": milliseconds,
            }
        return outcome

    def _neighbours(self, asked: Asked, columns: int, prompt: int) -> Tensor | None:
        """The passages, for the prompt's last chunk and for those that the answer finishes."""
        if not self._settings.mode.attended:
            return None
        shape = self.model.settings
        chunks = columns // shape.chunk - prompt // shape.chunk + 1
        source = PassageNeighbours([asked.neighbours], value=shape.value)
        finished = np.zeros((1, chunks, shape.chunk), dtype=np.int64)  # whatever they say
        return as_tensor(source.neighbours(finished), self.model.base.device)

    def _example(self, place: int) -> AnswerExample:
        settings, record = self._settings, self._order[place]
        rng = Random(f"{settings.seed}:{place}")
        rows = _drawn(record, settings, rng)
        labelled = GroupRecord(record.id, record.source, record.question, record.answers, tuple(rows)).group(
            self.data.store
        )
        passages = [one.without_continuation for one in labelled.passages]
        standing = [one.answers[0].of(one.passage.text) for one in passages if one.answers]
        asked = self._asker.ask(record.question, [(one.passage.title, one.passage.text) for one in passages])
        return AnswerExample(asked, tuple(self._asker.answer(standing[0] if standing else NO_ANSWER)))

    def _beside(self) -> dict[str, nn.Parameter]:
        """What is learnt beside the low-rank changes: only what the mode uses."""
        found: dict[str, nn.Parameter] = {}
        if self._settings.mode.attended:
            found |= {
                f"{RETRO_PREFIX}{name}": weight for name, weight in self.model.modules.named_parameters()
            }
        if self._prefix is not None:
            found |= {f"{SOFT_PREFIX}{name}": weight for name, weight in self._prefix.named_parameters()}
        return found


def _drawn(record: GroupRecord, settings: AnswersSettings, rng: Random) -> Sequence[GroupRow]:
    """Rows of passages: one that answers, unless it is to be unanswerable, among those that do not."""
    positives = [row for row in record.rows if row[1]]
    negatives = [row for row in record.rows if not row[1]]
    shown = drawn_rows(positives, negatives, settings.passages, unanswerable=settings.unanswerable, rng=rng)
    rng.shuffle(shown)
    if settings.mode.in_prompt:
        # the prompt holds the best passages, as when the reader has ranked them
        shown.sort(key=lambda row: not row[1])
        head = shown[:2]
        rng.shuffle(head)
        shown[:2] = head
    return shown


def _prefix(base: LoadedModel, encoder: Encoder | None) -> SoftPrefix:
    if encoder is None:
        raise ValueError("A soft prefix is made of passages' vectors, so it needs an encoder.")
    embedding = base.model.get_input_embeddings()
    assert isinstance(embedding, nn.Embedding)
    scale = float(embedding.weight.float().pow(2).mean().sqrt())
    return SoftPrefix(encoder.dimension, base.model.config.get_text_config().hidden_size, scale=scale)
