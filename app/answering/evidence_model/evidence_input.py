"""What an adapted language model sees: question, passages and question again, as tokens that know their characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from app.answering.language_models.few_shot_prompt import asked, one_line
from app.answering.limits import EVIDENCE_TOKENS, QUESTION_TOKENS, TITLE_TOKENS, worth_tokenising
from app.answering.text.token_offsets import characters, touching
from retriever.text.folding import fold
from retriever.text.sentences import splits_character
from retriever.types import Span

NO_ANSWER = "not in the passages"
STOP = "\n"

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EvidenceInput:
    """A prompt up to its ``Answer:``. E counts the tokens of the passages' windows.

    ``titles`` (as shown), ``windows``: of the passages, in order. ``ids``: every token. ``places``: where in
    ``ids`` the evidence stands, (E,). ``passages``: whose window a token is of, (E,). ``offsets``: its
    characters there, (E, 2). ``starts``, ``ends``: whether it begins and ends a word, (E,).
    """

    titles: tuple[str, ...]
    windows: tuple[str, ...]
    ids: tuple[int, ...]
    places: IntArray
    passages: IntArray
    offsets: IntArray
    starts: BoolArray
    ends: BoolArray

    def characters(self, first: int, last: int) -> Span:
        """The characters, of their window, from evidence token ``first`` to ``last``, both of one passage."""
        window = self.windows[int(self.passages[first])]
        return characters(window, self.offsets, first, last)

    def tokens(self, passage: int, span: Span) -> tuple[int, int] | None:
        """The first and last evidence token that touch these characters; None when not all of them were read."""
        (of_passage,) = np.nonzero(self.passages == passage)
        offsets = self.offsets[of_passage]
        touched = touching(offsets, span)
        if touched is None or offsets[:, 1].max() < span.end:
            return None
        return int(of_passage[touched[0]]), int(of_passage[touched[1]])


class EvidenceTokenizer:
    """Builds prompts, piece by piece, with a language model's tokenizer."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        begin: Sequence[int],
        evidence_tokens: int = EVIDENCE_TOKENS,
    ) -> None:
        """``begin``: what the model expects first. ``evidence_tokens``: read of each window, from its beginning."""
        self._tokenizer, self._begin = tokenizer, tuple(begin)
        self._evidence_tokens = evidence_tokens

    def input(
        self, question: str, passages: Sequence[tuple[str, str]], *, quoted: bool = False
    ) -> EvidenceInput:
        """The prompt for these (title, window), in their order; ``quoted``: it asks for ``quoted_answer``."""
        question = self._cut(asked(fold(question).text), QUESTION_TOKENS)
        ids = [*self._begin, *self.ids(f"Question: {question}\n")]
        places: list[int] = []
        owners: list[int] = []
        offsets: list[IntArray] = [np.empty((0, 2), dtype=np.int64)]
        edges: list[tuple[bool, bool]] = []
        for number, (title, window) in enumerate(passages):
            ids += self.ids(f"Passage: {self.title(title)}:")
            folded = fold(window)
            encoded = self._encoded(worth_tokenising(f" {_flat(folded.text)}", self._evidence_tokens))
            kept = [
                (id_, _trimmed(folded.text, start - 1, end - 1))
                for id_, (start, end) in islice(zip(*encoded, strict=True), self._evidence_tokens)
            ]
            spans = [span for _, span in kept]
            places += range(len(ids), len(ids) + len(kept))
            owners += [number] * len(kept)
            offsets.append(folded.stored_offsets(np.array(spans, dtype=np.int64).reshape(-1, 2)))
            edges += _edges(folded.text, spans)
            ids += [*(id_ for id_, _ in kept), *self.ids("\n")]
        ids += self.ids(f"Question: {question}\n{'Answer with a quote' if quoted else 'Answer'}:")
        starts, ends = zip(*edges, strict=True) if edges else ((), ())
        return EvidenceInput(
            windows=tuple(window for _, window in passages),
            ids=tuple(ids),
            places=np.array(places, dtype=np.int64),
            titles=tuple(self.title(title) for title, _ in passages),
            passages=np.array(owners, dtype=np.int64),
            offsets=np.concatenate(offsets),
            starts=np.array(starts, dtype=bool),
            ends=np.array(ends, dtype=bool),
        )

    def answer(self, text: str) -> list[int]:
        """The tokens that an answer adds, the stop included."""
        return self.ids(f" {one_line(text)}{STOP}")

    def quoted_answer(self, text: str, prompt: EvidenceInput, first: int, last: int) -> list[int]:
        """The tokens of an answer in GopherCite's syntax, ``%<Claim>%(Title)%[Quote]%`` (section 2.1).

        The quote is the run of evidence tokens from ``first`` to ``last``, as they stand in the prompt.
        """
        title = prompt.titles[int(prompt.passages[first])]
        quote = [prompt.ids[place] for place in prompt.places[first : last + 1]]
        return [*self.ids(f" %<{one_line(text)}>%({title})%["), *quote, *self.ids(f"]%{STOP}")]

    def title(self, title: str) -> str:
        """A title as prompts show it."""
        return self._cut(one_line(fold(title).text), TITLE_TOKENS)

    def text(self, ids: Sequence[int]) -> str:
        """The text of an answer's tokens; a character of which only some bytes are there is left out."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True)).rstrip("\ufffd")

    def ids(self, text: str) -> list[int]:
        """The tokens of a piece; what looks like a special token is spelt out."""
        return self._encoded(text)[0]

    def _encoded(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        encoded = self._tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
        )
        return encoded["input_ids"], encoded["offset_mapping"]

    def _cut(self, text: str, tokens: int) -> str:
        text = worth_tokenising(text, tokens)
        _, offsets = self._encoded(text)
        return text if len(offsets) <= tokens else text[: offsets[tokens][0]]


def _flat(text: str) -> str:
    """The text with every white space as a plain one: as long as before, but on one line."""
    return "".join(" " if character.isspace() else character for character in text)


def _trimmed(window: str, start: int, end: int) -> tuple[int, int]:
    """The characters without white space at the beginning; an empty run when there is nothing else."""
    start = max(start, 0)
    while start < end and window[start].isspace():
        start += 1
    return start, max(start, end)


def _edges(window: str, spans: Sequence[tuple[int, int]]) -> list[tuple[bool, bool]]:
    """For each token's characters, whether a word begins and whether one ends there.

    An empty run does neither. Of the tokens that spell one character, the first begins it and the last ends it.
    """
    shared = [after[0] < before[1] for before, after in pairwise(spans)]
    return [
        (
            start < end and not goes_on and not _within(window, start),
            start < end and not is_continued and not _within(window, end),
        )
        for (start, end), goes_on, is_continued in zip(
            spans, [False, *shared], [*shared, False], strict=False
        )
    ]


def _within(window: str, place: int) -> bool:
    """Whether the characters on both sides of the place belong to one word or one visible character."""
    joined = 0 < place < len(window) and window[place - 1].isalnum() and window[place].isalnum()
    return joined or splits_character(window, place)
