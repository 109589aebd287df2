"""Examples packed for the model, with the targets of the loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.answering.cross_encoders.cross_encoder import Packed
from training.reader.example import Example


@dataclass(frozen=True, slots=True)
class Batch:
    """Axes: T tokens, S sequences, G groups, P target pairs. A group's sequences stand together.

    ``allowed``: (T,), which tokens a pointer may choose: those of windows, and [CLS].
    ``group_tokens``: G counts of tokens, sum T. ``pairs``: (P, 2), start and end token of what counts as right.
    ``group_pairs``: G counts of pairs, sum P, none 0. ``group_sequences``: G counts, sum S.
    ``answerable``: (S,), 1.0 where the sequence shows an answer.
    """

    packed: Packed
    allowed: Tensor
    group_tokens: tuple[int, ...]
    pairs: Tensor
    group_pairs: tuple[int, ...]
    group_sequences: tuple[int, ...]
    answerable: Tensor

    @property
    def size(self) -> int:
        """G."""
        return len(self.group_tokens)


def batch_of(examples: Sequence[Example], device: str = "cpu") -> Batch:
    """The examples as one batch, in their order."""
    allowed: list[bool] = []
    pairs: list[tuple[int, int]] = []
    group_tokens, group_pairs = [], []
    place = 0  # of the next token in the batch
    for example in examples:
        first_place = place
        answer_pairs, cls_pairs = [], []
        for sequence, answers in zip(example.inputs, example.answers, strict=True):
            window = len(sequence.offsets)
            allowed += [True] + [False] * (sequence.first - 1) + [True] * window
            allowed += [False] * (len(sequence.ids) - sequence.first - window)
            answer_pairs += [(place + first, place + last) for first, last in answers]
            cls_pairs.append((place, place))
            place += len(sequence.ids)
        targets = answer_pairs or cls_pairs
        pairs += targets
        group_pairs.append(len(targets))
        group_tokens.append(place - first_place)
    return Batch(
        Packed.of(
            [(sequence.ids, sequence.types) for example in examples for sequence in example.inputs], device
        ),
        torch.tensor(allowed, device=device),
        tuple(group_tokens),
        torch.tensor(pairs, device=device),
        tuple(group_pairs),
        tuple(len(example.inputs) for example in examples),
        torch.tensor(
            [float(bool(answers)) for example in examples for answers in example.answers], device=device
        ),
    )
