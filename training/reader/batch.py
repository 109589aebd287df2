"""Examples packed for the model, with the targets of the loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.answering.answer_kind import AnswerKind
from app.answering.cross_encoders.cross_encoder import Packed
from training.reader.example import Example


@dataclass(frozen=True, slots=True)
class Batch:
    """Axes: T tokens, S sequences, G groups, P target pairs, N sentences. A group's sequences stand together.

    ``allowed``: (T,), which tokens a pointer may choose: those of windows, and [CLS].
    ``group_tokens``: G counts of tokens, sum T. ``pairs``: (P, 2), start and end token of what counts as right.
    ``group_pairs``: G counts of pairs, sum P; 0 where the pointer learns nothing. ``group_sequences``: G counts,
    sum S. ``answerable``: (S,), 1.0 where the sequence answers. ``sentences``: (N, 2), first and last token;
    ``evidence``: (N,), 1.0 where it is; ``sequences``: (N,), the sequence that each stands in. ``group_sentences``:
    G counts, sum N. ``kinds``: (S,), the place of its question's kind in ``AnswerKind``.
    ``said``: indices of the sequences that say yes or no, and ``verdicts``, of as many, 1.0 for yes.
    """

    packed: Packed
    allowed: Tensor
    group_tokens: tuple[int, ...]
    pairs: Tensor
    group_pairs: tuple[int, ...]
    group_sequences: tuple[int, ...]
    answerable: Tensor
    sentences: Tensor
    evidence: Tensor
    sequences: Tensor
    group_sentences: tuple[int, ...]
    kinds: Tensor
    said: Tensor
    verdicts: Tensor

    @property
    def size(self) -> int:
        """G."""
        return len(self.group_tokens)


def batch_of(examples: Sequence[Example], device: str = "cpu") -> Batch:
    """The examples as one batch, in their order."""
    allowed: list[bool] = []
    pairs: list[tuple[int, int]] = []
    group_tokens, group_pairs = [], []
    sentences: list[tuple[int, int]] = []
    evidence: list[float] = []
    sequences: list[int] = []  # of each sentence
    group_sentences = []
    place = number = 0  # of the next token and sequence in the batch
    for example in examples:
        first_place, first_sentence = place, len(sentences)
        answer_pairs, cls_pairs = [], []
        for sequence, answers, labelled in zip(
            example.inputs, example.answers, example.sentences, strict=True
        ):
            window = len(sequence.offsets)
            allowed += [True] + [False] * (sequence.first - 1) + [True] * window
            allowed += [False] * (len(sequence.ids) - sequence.first - window)
            answer_pairs += [(place + first, place + last) for first, last in answers]
            cls_pairs.append((place, place))
            sentences += [(place + first, place + last) for (first, last), _ in labelled]
            evidence += [float(is_evidence) for _, is_evidence in labelled]
            sequences += [number] * len(labelled)
            place += len(sequence.ids)
            number += 1
        targets = (answer_pairs or cls_pairs) if example.pointed else []
        pairs += targets
        group_pairs.append(len(targets))
        group_tokens.append(place - first_place)
        group_sentences.append(len(sentences) - first_sentence)
    answerable = [answers for example in examples for answers in example.answerable]
    verdicts = [example.verdict for example in examples for _ in example.inputs]
    said = [
        at
        for at, (answers, verdict) in enumerate(zip(answerable, verdicts, strict=True))
        if answers and verdict is not None
    ]
    kinds = list(AnswerKind)
    return Batch(
        Packed.of(
            [(sequence.ids, sequence.types) for example in examples for sequence in example.inputs], device
        ),
        torch.tensor(allowed, device=device),
        tuple(group_tokens),
        torch.tensor(pairs, dtype=torch.long, device=device).reshape(-1, 2),
        tuple(group_pairs),
        tuple(len(example.inputs) for example in examples),
        torch.tensor(answerable, dtype=torch.float32, device=device),
        torch.tensor(sentences, dtype=torch.long, device=device).reshape(-1, 2),
        torch.tensor(evidence, dtype=torch.float32, device=device),
        torch.tensor(sequences, dtype=torch.long, device=device),
        tuple(group_sentences),
        torch.tensor(
            [kinds.index(example.kind) for example in examples for _ in example.inputs], device=device
        ),
        torch.tensor(said, dtype=torch.long, device=device),
        torch.tensor([float(bool(verdicts[at])) for at in said], device=device),
    )
