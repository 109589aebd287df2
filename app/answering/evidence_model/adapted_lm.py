"""An adapted language model at work: it reads passages once, then writes answers, scores given ones and points."""

from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from app.answering.cross_encoders.pointing import best_spans
from app.answering.evidence_model.citation_head import CitationHead
from app.answering.evidence_model.evidence_input import NO_ANSWER, STOP, EvidenceInput, EvidenceTokenizer
from app.answering.evidence_model.quote_mask import CLAIM_TOKENS, QUOTE_TOKENS, QuotedTokens, QuoteMask
from app.answering.limits import TOKENS_AT_ONCE
from common.deadline import NO_DEADLINE, Deadline
from common.errors import InvalidRequestError
from retriever.types import Span

_SPANS_OF_A_PASSAGE = 3
_TOKENS_JUDGED = 64
"""Of an answer that somebody else wrote: a long one is judged by its beginning."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """What the citation head makes of an answer: whether it is right, and where it points for it.

    ``right``: 0-1, that it is the answer wanted.
    ``null``: 0-1, that nothing read backs the answer. ``spans``: (passage, characters of its window,
    probability), best first, apart from each other, up to three of each passage; their probabilities and ``null``
    add up to 1 at most.
    """

    right: float
    null: float
    spans: tuple[tuple[int, Span, float], ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An answer under the model. ``logprob``: of its tokens and the stop, by the words that can occur.

    ``tokens``: how many that sums over. ``finished``: False when a limit cut it off.
    """

    text: str
    logprob: float
    tokens: int
    finished: bool
    pointed: Pointed


@dataclass(frozen=True, slots=True)
class QuotedAnswer:
    """An answer in GopherCite's syntax: a claim, and characters of a passage's window that back it.

    ``span`` begins and ends with neither white space nor a part of a character. ``logprob``: of all tokens, the
    title's and the delimiters' too, as if nothing had been masked, by the words that can occur. ``tokens``: how
    many that sums over. ``finished``: False when a limit ended claim or quote.
    """

    claim: str
    passage: int
    span: Span
    logprob: float
    tokens: int
    finished: bool


class AdaptedLM:
    """A causal language model with merged adapter, and the citation head that was trained with it."""

    def __init__(self, model: PreTrainedModel, tokenizer: EvidenceTokenizer, head: CitationHead) -> None:
        self.model, self.tokenizer, self.head = model, tokenizer, head

    @torch.inference_mode()
    def read(
        self,
        question: str,
        passages: Sequence[tuple[str, str]],
        *,
        quoted: bool = False,
        deadline: Deadline = NO_DEADLINE,
    ) -> "PrefilledEvidence":
        """The model after ``Answer:``, given these (title, window); ``quoted``: for ``write_quoted``.

        Raises:
            InvalidRequestError: when that is more than the model can read.
            DeadlineExceededError, GivenUpError: when the deadline is over before all is read.
        """
        prompt = self.tokenizer.input(question, passages, quoted=quoted)
        limit = getattr(self.model.config.get_text_config(), "max_position_embeddings", len(prompt.ids))
        if len(prompt.ids) > limit:
            raise InvalidRequestError(
                f"Question and passages take {len(prompt.ids)} tokens, but the language model reads at most {limit}: "
                "ask a shorter question, or lower evidence_tokens or passages_together."
            )
        cache = DynamicCache()
        states: list[Tensor] = []
        for some in torch.split(torch.tensor([prompt.ids], device=self.model.device), TOKENS_AT_ONCE, 1):
            deadline.check("generate")
            output = self.model.model(input_ids=some, cache=cache, use_cache=True)
            states.append(output.last_hidden_state[0])
        return PrefilledEvidence(self, prompt, cache, torch.cat(states))


class PrefilledEvidence:
    """Passages read; answers build on that without reading them again.

    Answers are made of the tokens of the passages, the question and ``NO_ANSWER`` alone, which spares the
    output layer: its rows are most of a small model's weights. Answers that were scored before serve as drafts of
    the greedy one (speculative decoding, Leviathan et al. 2023): as far as it runs along one of them, it needs no
    further look at the model.
    """

    def __init__(self, lm: AdaptedLM, prompt: EvidenceInput, cache: DynamicCache, states: Tensor) -> None:
        """``states``: the last layer's, (tokens, hidden)."""
        self._lm, self.prompt, self._cache = lm, prompt, cache
        self._last = states[-1:]  # (1, hidden)
        evidence = states[torch.as_tensor(prompt.places, device=states.device)]  # (E, hidden)
        self._keys = lm.head.keys(evidence)
        self._stop = lm.tokenizer.ids(STOP)[0]
        self._words = _Words(lm.model, [*prompt.ids, *lm.tokenizer.answer(NO_ANSWER)])
        self._drafts: list[_Draft] = []

    @torch.inference_mode()
    def write(
        self,
        n: int = 1,
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        deadline: Deadline = NO_DEADLINE,
    ) -> list[Written]:
        """``n`` answers side by side; greedy ones, which are all the same, at temperature 0.

        Each is drawn with a seed of its own, the next after that of the one before.
        """
        rows = [_Row(torch.Generator().manual_seed(seed + number)) for number in range(n)]
        if n == 1 and temperature == 0:
            self._follow_drafts(rows[0], max_tokens)
        self._write(rows, self._words, max_tokens, temperature, deadline)
        return [self._written(row) for row in rows]

    def _follow_drafts(self, row: "_Row", max_tokens: int) -> None:
        """The row as far as the greedy answer runs along a draft, and one token further."""
        while not row.finished and len(row.ids) < max_tokens:
            draft = next((draft for draft in self._drafts if draft.begins(row.ids)), None)
            if draft is None:
                return
            row.state = draft.states[len(row.ids)] if row.ids else None
            self._words.append([row], draft.states[len(row.ids)][None], 0.0, self._stop)

    def _write(
        self,
        rows: Sequence["_Row"],
        words: "_Words",
        max_tokens: int,
        temperature: float,
        deadline: Deadline,
    ) -> None:
        """Tokens for every row, until all are finished or a limit is reached; all begin with as many."""
        cache = self._copied(len(rows)) if not all(row.finished for row in rows) else None
        unread = [list(row.ids) for row in rows]  # tokens that the cache lacks
        written = len(rows[0].ids)
        while cache is not None and written < max_tokens and not all(row.finished for row in rows):
            if written and deadline.over:
                return
            states = self._last.expand(len(rows), -1)  # (rows, hidden)
            if unread[0]:
                ids = torch.tensor(unread, device=states.device)
                output = self._lm.model.model(input_ids=ids, cache=cache, use_cache=True)
                states = output.last_hidden_state[:, -1]
                for row, state in zip(rows, states, strict=True):
                    row.state = row.state if row.finished else state
            words.append(rows, states, temperature, self._stop)
            unread = [row.ids[-1:] for row in rows]
            written += 1

    @torch.inference_mode()
    def write_quoted(
        self,
        *,
        claim_tokens: int = CLAIM_TOKENS,
        quote_tokens: int = QUOTE_TOKENS,
        deadline: Deadline = NO_DEADLINE,
    ) -> QuotedAnswer | None:
        """The greedy answer under a mask that lets it only quote verbatim (GopherCite, section 2.1).

        None when no passage has a quote within ``quote_tokens``, or the deadline passed. A claim that needs more
        than ``claim_tokens`` is cut off. To be asked of evidence that was read with ``quoted``.
        """
        mask = QuoteMask(
            self._lm.tokenizer, self.prompt, claim_tokens=claim_tokens, quote_tokens=quote_tokens
        )
        phase = mask.start()
        words = self._words.with_also(sorted(mask.ids))
        cache = self._copied(1)
        states, ids = [self._last], list[int]()  # before each token: (fresh tokens, hidden)
        while phase is not None:
            if deadline.over:
                return None
            fresh = [words.best(states[-1][-1:], phase.allowed)]
            reached = phase.after(fresh[0])
            while not isinstance(reached, QuotedTokens) and len(reached.allowed) == 1:
                fresh += reached.allowed  # what is forced needs no look at the model
                reached = reached.after(fresh[-1])
            ids += fresh
            output = self._lm.model.model(
                input_ids=torch.tensor([fresh], device=self._last.device),
                cache=cache,
                use_cache=True,
            )
            states.append(output.last_hidden_state[0])
            if isinstance(reached, QuotedTokens):
                return self._quoted(reached, words.logprob(torch.cat(states)[: len(ids)], ids), len(ids))
            phase = reached
        return None

    @torch.inference_mode()
    def write_unmasked(self, *, max_tokens: int, deadline: Deadline = NO_DEADLINE) -> str:
        """The greedy answer by the same words as ``write_quoted`` with nothing forbidden, up to the line's end.

        To see how often the model keeps to the syntax, and quotes verbatim, on its own: see ``parse_quoted``.
        """
        words = self._words.with_also(sorted(QuoteMask(self._lm.tokenizer, self.prompt).ids))
        row = _Row(torch.Generator())
        self._write([row], words, max_tokens, 0.0, deadline)
        return self._lm.tokenizer.text(row.ids).partition(STOP)[0]

    @torch.inference_mode()
    def score(self, answers: Sequence[str], *, deadline: Deadline = NO_DEADLINE) -> list[Written]:
        """Given answers as if they had been written; the first of them when the deadline comes before all are.

        Of a long answer the first 63 tokens count.
        """
        if not answers:
            return []
        tokens = [self._judged(answer) for answer in answers]
        words = self._words.with_also([id_ for ids in tokens for id_ in ids])
        longest = max(map(len, tokens))
        rows = torch.tensor([ids + [ids[-1]] * (longest - len(ids)) for ids in tokens])[:, :-1]
        drafts: list[_Draft] = []
        for some in torch.split(rows.to(self._last.device), max(1, TOKENS_AT_ONCE // longest)):
            if deadline.over:
                break
            output = self._lm.model.model(input_ids=some, cache=self._copied(len(some)), use_cache=True)
            states = torch.cat([self._last.expand(len(some), 1, -1), output.last_hidden_state], dim=1)
            drafts += map(_Draft, tokens[len(drafts) :], states)
        self._drafts += drafts
        return [
            Written(
                text=answer,
                logprob=words.logprob(draft.states[: len(draft.ids)], draft.ids),
                tokens=len(draft.ids),
                finished=True,
                pointed=self._pointed(draft.states[len(draft.ids) - 1]),
            )
            for answer, draft in zip(answers, drafts, strict=False)
        ]

    def _judged(self, answer: str) -> list[int]:
        """The tokens that an answer is judged by, the stop last."""
        ids = self._lm.tokenizer.answer(answer)
        return ids if len(ids) <= _TOKENS_JUDGED else [*ids[: _TOKENS_JUDGED - 1], self._stop]

    def _quoted(self, found: QuotedTokens, logprob: float, tokens: int) -> QuotedAnswer:
        passage = int(self.prompt.passages[found.first])
        span = self.prompt.characters(found.first, found.last)
        quote = span.of(self.prompt.windows[passage])
        return QuotedAnswer(
            claim=found.claim,
            passage=passage,
            span=Span(span.start, span.start + len(quote.rstrip())),
            logprob=logprob,
            tokens=tokens,
            finished=not found.cut,
        )

    def _copied(self, rows: int) -> DynamicCache:
        """The cache for so many rows, to be written into."""
        cache = deepcopy(self._cache)
        if rows > 1:
            cache.batch_repeat_interleave(rows)
        return cache

    def _written(self, row: "_Row") -> Written:
        ids = row.ids[:-1] if row.finished else row.ids
        text = self._lm.tokenizer.text(ids)
        state = self._last[0] if row.state is None else row.state
        return Written(text.strip(), row.logprob, len(row.ids), row.finished, self._pointed(state))

    def _pointed(self, state: Tensor) -> Pointed:
        logits = self._lm.head.point(state[None], self._keys)
        right = float(logits.right.sigmoid())
        if not len(self.prompt.places):
            return Pointed(right, 1.0, ())
        both = torch.stack([logits.start[0], logits.end[0]])  # (2, E)
        normed = torch.cat([both, logits.null.T], dim=1).log_softmax(-1).cpu().numpy()  # (2, E + 1)
        start, end = normed[:, :-1]
        prompt = self.prompt
        spans: list[tuple[int, Span, float]] = []
        for number in range(len(prompt.windows)):
            (of,) = np.nonzero(prompt.passages == number)
            found = best_spans(
                start[of], end[of], starts=prompt.starts[of], ends=prompt.ends[of], k=_SPANS_OF_A_PASSAGE
            )
            spans += [
                (number, prompt.characters(int(of[first]), int(of[last])), float(np.exp(score)))
                for first, last, score in found
            ]
        spans.sort(key=lambda span: -span[2])
        return Pointed(right, float(np.exp(normed[:, -1].sum())), tuple(spans))


@dataclass(frozen=True, slots=True)
class _Draft:
    """An answer's tokens, the stop last. ``states``: before each of them, (tokens or more, hidden)."""

    ids: list[int]
    states: Tensor

    def begins(self, ids: Sequence[int]) -> bool:
        """Whether it begins so, and goes on."""
        return len(ids) < len(self.ids) and self.ids[: len(ids)] == list(ids)


@dataclass(slots=True)
class _Row:
    """An answer being written. ``state``: after its newest token, None before the first."""

    random: torch.Generator
    ids: list[int]
    state: Tensor | None
    logprob: float
    finished: bool

    def __init__(self, random: torch.Generator) -> None:
        self.random, self.ids, self.state, self.logprob, self.finished = random, [], None, 0.0, False


class _Words:
    """The output layer's rows of the tokens that can occur."""

    def __init__(self, model: PreTrainedModel, ids: Sequence[int]) -> None:
        self._model = model
        self._ids = sorted(set(ids))
        self._places = {id_: place for place, id_ in enumerate(self._ids)}
        layer = model.lm_head.weight
        self._weight = layer[torch.tensor(self._ids, device=layer.device)]  # (words, hidden)

    def with_also(self, ids: Sequence[int]) -> "_Words":
        """These tokens too."""
        return self if self._places.keys() >= set(ids) else _Words(self._model, [*self._ids, *ids])

    def logprobs(self, states: Tensor) -> Tensor:
        """(rows, hidden) to (rows, words), float32."""
        return F.linear(states, self._weight).float().log_softmax(-1)

    def logprob(self, states: Tensor, ids: Sequence[int]) -> float:
        """Of these tokens in turn; ``states``: before each of them, (tokens, hidden)."""
        places = torch.tensor([self._places[id_] for id_ in ids], device=states.device)
        return float(self.logprobs(states).gather(1, places[:, None]).sum())

    def best(self, states: Tensor, among: Collection[int]) -> int:
        """The likeliest of these tokens, the lowest of equally likely ones; ``states``: (1, hidden)."""
        ids = sorted(among)
        found = self.logprobs(states)[0].cpu()
        return ids[int(found[[self._places[id_] for id_ in ids]].argmax())]

    def append(self, rows: Sequence[_Row], states: Tensor, temperature: float, stop: int) -> None:
        """One token for every unfinished row."""
        logprobs = self.logprobs(states).cpu()
        for row, found in zip(rows, logprobs, strict=True):
            if row.finished:
                continue
            if temperature > 0:
                drawn = torch.multinomial((found / temperature).softmax(-1), 1, generator=row.random)
                place = int(drawn)
            else:
                place = int(found.argmax())
            row.ids.append(self._ids[place])
            row.logprob += float(found[place])
            row.finished = self._ids[place] == stop
