"""What the reader's model sees of a passage: question, title and window as tokens that know their characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from app.answering.limits import QUESTION_TOKENS, TITLE_TOKENS, worth_tokenising
from app.answering.text.token_offsets import characters, touching
from app.answering.text.whole_tokens import whole_tokens
from common.errors import ModelUnusableError
from retriever.text.folding import Folded, fold
from retriever.text.sentences import sentence_spans
from retriever.types import Span

MAX_TOKENS = 192
LONGEST = 512
"""Tokens of a sequence that grows to hold a whole passage: as many as the base models have positions for."""


@dataclass(frozen=True, slots=True)
class ReaderInput:
    """One sequence: ``[CLS] question [SEP] title [SEP] window [SEP]``, or with <s> and </s> as the model has them.

    ``ids``, ``types``: of its tokens (types: 0 up to the first [SEP], then 1).
    ``first``: the index of the first token of the window. ``offsets``: characters of the window,
    (window tokens, 2). ``starts``, ``ends``: which window tokens an answer may begin and end with, (window tokens,):
    those at a word's edge that is not within what an answer holds whole (see ``whole_tokens``).
    ``sentences``: the number of the sentence that each window token begins in, (window tokens,).
    ``read``: the window's characters up to here are in the sequence.
    """

    window: str
    ids: tuple[int, ...]
    types: tuple[int, ...]
    first: int
    offsets: npt.NDArray[np.int64]
    starts: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.bool_]
    sentences: npt.NDArray[np.int64]
    read: int

    def characters(self, start: int, end: int) -> Span:
        """The characters of the window from window token ``start`` to window token ``end``, both included."""
        return characters(self.window, self.offsets, start, end)

    def tokens(self, span: Span) -> tuple[int, int] | None:
        """The first and last window token that touch these characters; None when the sequence ends before them."""
        return touching(self.offsets, span) if span.end <= self.read else None


class ReaderTokenizer:
    """Tokens of questions and passages. ``max_tokens``: of a sequence; what does not fit of the window is left out.

    A sequence is longer, up to ``LONGEST``, where what must be read whole needs it.
    """

    def __init__(self, folder: Path, *, max_tokens: int = MAX_TOKENS) -> None:
        """``folder``: of the base model, with its ``tokenizer.json``."""
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.max_tokens = max_tokens
        self._cls, self._sep = special_tokens(self._tokenizer)

    def inputs(
        self, question: str, passages: Sequence[tuple[str, str]], *, whole: Sequence[int] = ()
    ) -> list[ReaderInput]:
        """A sequence for each (title, window), read folded (see ``fold``): offsets are of the window as it stands.

        ``whole``: how many characters of each window must be read; none of them: as many as fit.
        The question mark at the question's end is left out: not everybody types one.
        """
        if not passages:
            return []
        encode = self._tokenizer.encode_batch
        question = worth_tokenising(fold(question.rstrip("? ")).text, QUESTION_TOKENS)
        asked = encode([question], add_special_tokens=False)[0].ids[:QUESTION_TOKENS]
        titles = encode(
            [worth_tokenising(fold(title).text, TITLE_TOKENS) for title, _ in passages],
            add_special_tokens=False,
        )
        folded = [fold(window) for _, window in passages]
        windows = encode(
            [worth_tokenising(window.text, LONGEST) for window in folded], add_special_tokens=False
        )
        return [
            self._input(asked, title.ids[:TITLE_TOKENS], window, must, read, encoding)
            for title, (_, window), must, read, encoding in zip(
                titles, passages, whole or [0] * len(passages), folded, windows, strict=True
            )
        ]

    def _input(
        self, asked: list[int], title: list[int], window: str, whole: int, folded: Folded, encoding: Encoding
    ) -> ReaderInput:
        before = [self._cls, *asked, self._sep]
        head = [*before, *title, self._sep] if title else before
        words = np.asarray(encoding.word_ids, dtype=np.int64)
        changes = words[1:] != words[:-1]
        offsets = folded.stored_offsets(np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2))
        needed = min(LONGEST, len(head) + 1 + int((offsets[:, 0] < whole).sum()))
        kept = max(0, max(self.max_tokens, needed) - len(head) - 1)
        edge = np.ones(min(1, len(words)), dtype=bool)
        within = _within_whole_tokens(window)
        complete = len(words) <= kept and worth_tokenising(folded.text, LONGEST) == folded.text
        ids = (*head, *encoding.ids[:kept], self._sep)
        return ReaderInput(
            window=window,
            ids=ids,
            types=(0,) * len(before) + (1,) * (len(ids) - len(before)),
            first=len(head),
            offsets=offsets[:kept],
            starts=(np.concatenate([edge, changes]) & ~within[offsets[:, 0]])[:kept],
            ends=(np.concatenate([changes, edge]) & ~within[offsets[:, 1]])[:kept],
            sentences=_sentences(window, offsets[:kept, 0]),
            read=len(window) if complete else int(offsets[:kept, 1].max(initial=0)),
        )


def _within_whole_tokens(window: str) -> npt.NDArray[np.bool_]:
    """For each place between characters of the window, (characters + 1,), whether it parts what is held whole."""
    within = np.zeros(len(window) + 1, dtype=bool)
    for span in whole_tokens(window):
        within[span.start + 1 : span.end] = True
    return within


def _sentences(window: str, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each of these places, how many sentences of the window begin there or before."""
    starts = [sentence.start for sentence in sentence_spans(window)]
    return np.searchsorted(np.array(starts, dtype=np.int64), places, side="right").astype(np.int64)


def special_tokens(tokenizer: Tokenizer) -> tuple[int, int]:
    """The ids of what begins a sequence and of what separates its parts: <s> and </s>, or [CLS] and [SEP].

    MPNet's vocabulary has BERT's tokens too, which it never learnt: its own come first.
    """
    return _first_known(tokenizer, "<s>", "[CLS]"), _first_known(tokenizer, "</s>", "[SEP]")


def _first_known(tokenizer: Tokenizer, *tokens: str) -> int:
    for token in tokens:
        token_id = tokenizer.token_to_id(token)
        if token_id is not None:
            return token_id
    raise ModelUnusableError(
        f"The base model's tokenizer has neither {' nor '.join(tokens)}, which a cross-encoder needs."
    )
