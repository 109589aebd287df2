"""The trained reader's model at work: from a question and windows to judgements and spans of characters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from app.answering.answer_kind import AnswerKind
from app.answering.cross_encoders.cross_encoder import BroadScores, CrossEncoder, Packed, Scores
from app.answering.cross_encoders.pointing import LONGEST_CHARACTERS, FloatArray, best_spans
from app.answering.cross_encoders.reader_input import MAX_TOKENS, ReaderInput, ReaderTokenizer
from app.answering.cross_encoders.reader_weights import (
    PACKAGED_BASES,
    READER_KIND,
    READER_NAME,
    BaseFolders,
    reader_base,
    reader_encoder,
)
from app.answering.shipped_weights import WEIGHTS_FOLDER, shipped_weights
from common.deadline import NO_DEADLINE, Deadline
from common.int8_linear import use_int8
from common.torch_runtime import native_dtype
from retriever.types import Span

_PACKED_TOGETHER = 4
_SPANS_KEPT = 3


@dataclass(frozen=True, slots=True)
class BroadJudgement:
    """What a broad model makes of one window beyond short answers.

    ``kinds``: how likely each kind of answer is asked for; they sum to 1. ``yes``: 0-1, whether the window says yes,
    if yes or no is asked for.
    """

    kinds: Mapping[AnswerKind, float]
    yes: float
    _sequence: ReaderInput
    _evidence: FloatArray
    """Of the window's tokens, as logits."""

    @property
    def kind(self) -> AnswerKind:
        """The likeliest."""
        return max(self.kinds, key=self.kinds.__getitem__)

    def evidence(self, span: Span) -> float:
        """0-1, how likely these characters of the window, a sentence or a row, are among what answers.

        0 where the sequence ends before them.
        """
        tokens = self._sequence.tokens(span)
        if tokens is None:
            return 0.0
        return _sigmoid(float(self._evidence[tokens[0] : tokens[1] + 1].mean()))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the model makes of one window.

    ``answerability``: 0-1, whether it answers. ``spans``: (characters of the window, probability) of the best
    answers in it, best first, apart from each other. The probabilities are shared between all windows of the
    question and the event that none answers, so they compare across windows. ``broad``: None where the model has
    only learnt short answers.
    """

    answerability: float
    spans: tuple[tuple[Span, float], ...]
    broad: BroadJudgement | None = None


class ReaderModel:
    """A cross-encoder with the tokenizer it was trained with. ``sha256``: of its weights."""

    def __init__(self, model: CrossEncoder, tokenizer: ReaderTokenizer, *, sha256: str = "") -> None:
        self._model, self._tokenizer, self.sha256 = model, tokenizer, sha256

    def use_int8(self) -> None:
        """Compute in 8-bit integers from now on; ModelUnusableError when the CPU has no fast products of them."""
        use_int8(self._model.layers)

    def judge(
        self,
        question: str,
        passages: Sequence[tuple[str, str]],
        *,
        whole: Sequence[int] = (),
        deadline: Deadline = NO_DEADLINE,
    ) -> list[Judgement]:
        """One judgement for each (title, window), in their order.

        ``whole``: how many characters of each window are read, however many tokens they take (see ``LONGEST``).

        Raises:
            DeadlineExceededError, GivenUpError: when the deadline is over before all are judged.
        """
        if not passages:
            return []
        inputs = self._tokenizer.inputs(question, passages, whole=whole)
        starts: list[FloatArray] = []
        ends: list[FloatArray] = []
        logits: list[float] = []
        broad: list[BroadJudgement | None] = []
        for at in range(0, len(inputs), _PACKED_TOGETHER):
            deadline.check("read")
            some = inputs[at : at + _PACKED_TOGETHER]
            scores = self._scores(some)
            lengths = np.cumsum([len(sequence.ids) for sequence in some])[:-1]
            starts += np.split(scores.start.numpy(), lengths)
            ends += np.split(scores.end.numpy(), lengths)
            logits += scores.answerability.tolist()
            broad += [None] * len(some) if scores.broad is None else _broad(some, scores.broad, lengths)
        start_total = _total([_candidates(*pair) for pair in zip(inputs, starts, strict=True)])
        end_total = _total([_candidates(*pair) for pair in zip(inputs, ends, strict=True)])
        return [
            _judgement(sequence, logit, start - start_total, end - end_total, more)
            for sequence, logit, start, end, more in zip(inputs, logits, starts, ends, broad, strict=True)
        ]

    def _scores(self, inputs: Sequence[ReaderInput]) -> Scores:
        """The logits, on the CPU."""
        device = self._model.words.device
        with torch.inference_mode():
            scores: Scores = self._model(
                Packed.of([(sequence.ids, sequence.types) for sequence in inputs], device=str(device))
            )
        broad = scores.broad
        return Scores(
            scores.start.cpu(),
            scores.end.cpu(),
            scores.answerability.cpu(),
            None if broad is None else BroadScores(*(logits.cpu() for logits in broad)),
        )


def load_reader_model(
    name: str = READER_NAME, folder: Path = WEIGHTS_FOLDER, *, bases: BaseFolders = PACKAGED_BASES
) -> ReaderModel:
    """The shipped reader, its weights and those of its base model checked, in the machine's best number format.

    Raises:
        ModelUnusableError: when either is missing, damaged, or the two do not belong together.
    """
    path, entry = shipped_weights(name, READER_KIND, folder)
    return reader_model(path, reader_base(name, entry, bases), sha256=entry.sha256)


def reader_model(
    weights: Path,
    base: Path,
    *,
    sha256: str = "",
    max_tokens: int = MAX_TOKENS,
    dtype: torch.dtype | None = None,
) -> ReaderModel:
    """The reader of this file over the base model in this folder: all its weights, or low-rank changes to the base's.

    Raises:
        ModelUnusableError: when the file does not hold a reader of the base model's shape.
    """
    model = reader_encoder(weights, base).to(dtype or native_dtype()).eval().requires_grad_(False)
    return ReaderModel(model, ReaderTokenizer(base, max_tokens=max_tokens), sha256=sha256)


def _candidates(sequence: ReaderInput, logits: FloatArray) -> FloatArray:
    """The logits that share one normalisation: those of the window's tokens, and [CLS] for "no answer here"."""
    return np.concatenate([logits[:1], logits[sequence.first : sequence.first + len(sequence.offsets)]])


def _total(logits: Sequence[FloatArray]) -> float:
    """The logarithm of the sum of their exponentials, over all windows (Clark & Gardner 2018, section 3.2)."""
    return float(np.logaddexp.reduce(np.concatenate(logits).astype(np.float64)))


def _broad(
    inputs: Sequence[ReaderInput], scores: BroadScores, lengths: npt.NDArray[np.int64]
) -> list[BroadJudgement]:
    """``lengths``: where each sequence but the last ends among the tokens of all."""
    evidence = np.split(scores.evidence.numpy(), lengths)
    return [
        BroadJudgement(
            dict(zip(AnswerKind, kinds, strict=True)),
            _sigmoid(verdict),
            sequence,
            tokens[sequence.first : sequence.first + len(sequence.offsets)],
        )
        for sequence, tokens, kinds, verdict in zip(
            inputs, evidence, scores.kind.softmax(-1).tolist(), scores.verdict.tolist(), strict=True
        )
    ]


def _sigmoid(logit: float) -> float:
    return 1 / (1 + float(np.exp(-np.float64(logit))))


def _judgement(
    sequence: ReaderInput, logit: float, start: FloatArray, end: FloatArray, broad: BroadJudgement | None
) -> Judgement:
    """``start``, ``end``: log-probabilities of all tokens of the sequence."""
    window = slice(sequence.first, sequence.first + len(sequence.offsets))
    spans = best_spans(
        start[window],
        end[window],
        starts=sequence.starts,
        ends=sequence.ends,
        sentences=sequence.sentences,
        k=_SPANS_KEPT,
    )
    in_characters = [(sequence.characters(first, last), float(np.exp(score))) for first, last, score in spans]
    return Judgement(
        answerability=_sigmoid(logit),
        spans=tuple(span for span in in_characters if len(span[0]) <= LONGEST_CHARACTERS),
        broad=broad,
    )
