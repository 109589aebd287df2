"""A causal language model of the transformers library, completing batches after a shared prefix."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DynamicCache,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from app.answering.language_models.few_rows_linear import use_few_rows
from app.answering.language_models.gguf_conversion import converted
from app.answering.language_models.protocol import Completion
from app.answering.limits import TOKENS_AT_ONCE, worth_tokenising
from common.deadline import NO_DEADLINE, Deadline
from common.errors import InvalidRequestError, ModelUnusableError
from common.hub import model_folder, weights_sha256
from common.packaged import LANGUAGE_MODELS, sha256_of
from common.torch_runtime import has_amx, native_dtype, no_progress_bar

KEPT_PREFIXES = 4
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class _Prefix:
    """A prefix's tokens with its keys and values by layer, each (1, heads, tokens, dimension)."""

    ids: tuple[int, ...]
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]


@dataclass(slots=True)
class _Row:
    """What has been written after one prompt so far."""

    random: torch.Generator | None
    ids: list[int] = field(default_factory=list)
    text: str = ""
    logprob: float = 0.0
    finished: bool = False

    def completion(self) -> Completion:
        """The row as its caller gets it; a character of which only some bytes were written is left out."""
        return Completion(self.text.rstrip("\ufffd"), self.logprob, len(self.ids), self.finished)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with its tokenizer. ``sha256``: of the weights."""

    name: str
    sha256: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def begin(self) -> list[int]:
        """The tokens that the tokenizer puts before every text."""
        return _begin_ids(self.tokenizer)


class TransformersLM:
    """Follows ``LanguageModel``. Calls from several threads take turns."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, name: str, sha256: str
    ) -> None:
        self.name = name
        self.identity = sha256
        self._model = model.eval()  # type: ignore[no-untyped-call]
        self._tokenizer = tokenizer
        self._begin = _begin_ids(tokenizer)
        self._end = _end_ids(model, tokenizer)
        self._prefixes: OrderedDict[str, _Prefix] = OrderedDict()
        self._turn = threading.Lock()

    @classmethod
    def of(cls, loaded: LoadedModel) -> "TransformersLM":
        """The model as it was loaded."""
        if has_amx():
            use_few_rows(loaded.model)
        return cls(loaded.model, loaded.tokenizer, name=loaded.name, sha256=loaded.sha256)

    def head(self, text: str, *, max_tokens: int) -> str:
        """The longest beginning of ``text``, but for runs of one sign, that is at most ``max_tokens`` tokens."""
        text = worth_tokenising(text, max_tokens)
        with self._turn:
            encoded = self._tokenizer(
                text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
            )
        offsets = encoded["offset_mapping"]
        return text if len(offsets) <= max_tokens else text[: offsets[max_tokens][0]]

    @torch.inference_mode()
    def complete(
        self,
        prefix: str,
        prompts: Sequence[str],
        *,
        max_tokens: int,
        stop: str = "\n",
        temperature: float = 0.0,
        seed: int = 0,
        deadline: Deadline = NO_DEADLINE,
    ) -> list[Completion]:
        """One completion of ``prefix + prompt`` per prompt, in order, decoded as one batch."""
        rows = [_Row(_random(seed, place) if temperature > 0 else None) for place in range(len(prompts))]
        if rows and self._turn.acquire(timeout=min(deadline.remaining_s, threading.TIMEOUT_MAX)):
            try:
                self._decode(rows, prefix, prompts, max_tokens, stop, temperature, deadline)
            finally:
                self._turn.release()
        return [row.completion() for row in rows]

    def _decode(
        self,
        rows: Sequence[_Row],
        prefix: str,
        prompts: Sequence[str],
        max_tokens: int,
        stop: str,
        temperature: float,
        deadline: Deadline,
    ) -> None:
        batch = None
        for _ in range(max_tokens):
            if deadline.over or all(row.finished for row in rows):
                return
            if batch is None:
                batch = self._batch(prefix, prompts, max_tokens)
                logits = batch.prefill(deadline)
            else:
                logits = batch.step([row.ids[-1] for row in rows])
            if logits is None:
                return
            self._write(rows, logits, stop, temperature)

    def _batch(self, prefix: str, prompts: Sequence[str], max_tokens: int) -> "_Batch":
        start = self._prefix(prefix)
        suffixes = [self._ids(prompt) for prompt in prompts]
        longest = len(start.ids) + max(map(len, suffixes)) + max_tokens
        limit = getattr(self._model.config.get_text_config(), "max_position_embeddings", longest)
        if longest > limit:
            raise InvalidRequestError(
                f"Prompt and answer would take {longest} tokens, but {self.name} reads at most {limit}: "
                "give it a shorter passage or question."
            )
        return _Batch(self._model, start, suffixes)

    def _prefix(self, text: str) -> _Prefix:
        """The prefix's keys and values: kept from an earlier call, or computed by itself, one row."""
        if text not in self._prefixes:
            ids = [*self._begin, *self._ids(text)]
            cache = DynamicCache()
            if ids:
                self._model(input_ids=torch.tensor([ids]), cache=cache, use_cache=True, logits_to_keep=1)
            self._prefixes[text] = _Prefix(tuple(ids), self._states(cache))
            if len(self._prefixes) > KEPT_PREFIXES:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(text)
        return self._prefixes[text]

    def _states(self, cache: DynamicCache) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
        states = [(getattr(layer, "keys", None), getattr(layer, "values", None)) for layer in cache.layers]
        whole = tuple((keys, values) for keys, values in states if keys is not None and values is not None)
        if len(whole) < len(states):
            raise ModelUnusableError(
                f"{self.name} remembers a text by more than keys and values: use one with plain attention."
            )
        return whole

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)[
            "input_ids"
        ]
        return ids

    def _write(self, rows: Sequence[_Row], logits: torch.Tensor, stop: str, temperature: float) -> None:
        """Append one token to every unfinished row. ``logits``: (rows, vocabulary)."""
        logits = logits.float()
        totals = logits.logsumexp(-1)
        best = logits.argmax(-1).tolist()
        for place, row in enumerate(rows):
            if row.finished:
                continue
            chosen = best[place] if row.random is None else _draw(logits[place] / temperature, row.random)
            row.ids.append(chosen)
            row.logprob += float(logits[place, chosen] - totals[place])
            text = str(self._tokenizer.decode(row.ids, skip_special_tokens=True))
            row.text, found, _ = text.partition(stop) if stop else (text, "", "")
            row.finished = bool(found) or chosen in self._end


class _Batch:
    """Rows of tokens, padded on the far left: every row's own tokens lie side by side, up to the last column.

    So a sliding window, which counts columns, covers the same tokens as without a batch. A shorter row starts
    further right; it takes over that many fewer of the prefix's cached tokens and reads the rest anew, in the
    columns where padding would have stood.
    """

    def __init__(self, model: PreTrainedModel, prefix: _Prefix, suffixes: Sequence[Sequence[int]]) -> None:
        longest = max(map(len, suffixes))
        pads = [longest - len(suffix) for suffix in suffixes]
        total = len(prefix.ids) + longest
        self._cached = total - max(longest, 1)  # something must be read anew to have logits
        rows = [[0] * pad + [*prefix.ids, *suffix] for pad, suffix in zip(pads, suffixes, strict=True)]
        self._model = model
        self._ids = torch.tensor(rows)  # (rows, columns)
        self._mask = (torch.arange(total) >= torch.tensor(pads)[:, None]).long()  # (rows, columns)
        self._positions = (self._mask.cumsum(-1) - 1).clamp(min=0)  # (rows, columns)
        self._cache = DynamicCache()
        for layer, (keys, values) in enumerate(prefix.layers if self._cached else ()):
            self._cache.update(
                _shifted(keys, pads, self._cached), _shifted(values, pads, self._cached), layer
            )

    def prefill(self, deadline: Deadline) -> torch.Tensor | None:
        """Logits of the first token to write: (rows, vocabulary); None when the deadline comes before them."""
        rows, total = self._ids.shape
        logits = None
        for at in range(self._cached, total, max(1, TOKENS_AT_ONCE // rows)):
            if deadline.over:
                return None
            columns = slice(at, min(at + max(1, TOKENS_AT_ONCE // rows), total))
            logits = self._logits(
                self._ids[:, columns], self._positions[:, columns], self._mask[:, : columns.stop]
            )
        return logits

    def step(self, ids: Sequence[int]) -> torch.Tensor:
        """Logits of the next token after each row's newest one: (rows, vocabulary)."""
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(ids), 1)], dim=-1)
        self._positions = self._positions[:, -1:] + 1
        return self._logits(torch.tensor(ids)[:, None], self._positions, self._mask)

    def _logits(self, ids: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        output = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            cache=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: torch.Tensor = output.logits[:, -1]
        return logits


def _shifted(states: torch.Tensor, pads: Sequence[int], columns: int) -> torch.Tensor:
    """The prefix's states once per row, moved right by its padding: (rows, heads, columns, dimension)."""
    _, heads, _, dimension = states.shape
    moved = states.new_zeros(len(pads), heads, columns, dimension)
    for row, pad in enumerate(pads):
        if pad < columns:
            moved[row, :, pad:] = states[0, :, : columns - pad]
    return moved


def load_model(name_or_path: str, *, cache_dir: Path, offline: bool, dtype: str | None) -> LoadedModel:
    """A packaged model ("gemma-3-270m", "smollm2-135m"), a local folder, a ``.gguf`` file or a hub name.

    ``cache_dir``: where a GGUF is kept once converted. ``offline``: a hub name must be in the hub's cache.
    ``dtype``: "float32" or "bfloat16"; without it, bfloat16 where the CPU computes in it.

    Raises:
        ModelUnusableError: when it is not installed, not there, or has another sha256.
    """
    kind = _dtype(dtype)
    sha256 = model_sha256(name_or_path, offline=offline)
    if packaged := LANGUAGE_MODELS.get(name_or_path):
        folder = converted(packaged.paths(), sha256, cache_dir)
    elif _is_gguf(name_or_path):
        folder = converted([Path(name_or_path)], sha256, cache_dir)
    else:
        folder = _folder(name_or_path, offline=offline)
    try:
        with no_progress_bar():
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=kind, local_files_only=True, trust_remote_code=False, use_safetensors=True
            )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as problem:
        raise ModelUnusableError(
            f"The language model {name_or_path} cannot be loaded: {problem}"
        ) from problem
    return LoadedModel(name_or_path, sha256, model, tokenizer)


def model_sha256(name_or_path: str, *, offline: bool) -> str:
    """The digest of the weights that ``load_model`` loads, without loading them; raises as it does."""
    if packaged := LANGUAGE_MODELS.get(name_or_path):
        return packaged.sha256
    if _is_gguf(name_or_path):
        return sha256_of(Path(name_or_path))
    return weights_sha256(_folder(name_or_path, offline=offline))


def _is_gguf(name_or_path: str) -> bool:
    path = Path(name_or_path)
    return path.is_file() and path.suffix == ".gguf"


def _dtype(name: str | None) -> torch.dtype:
    if name is None:
        return native_dtype()
    if name not in DTYPES:
        raise ModelUnusableError(
            f"A language model runs in {' or '.join(DTYPES)}, but {name!r} was asked for."
        )
    return DTYPES[name]


def _folder(name_or_path: str, *, offline: bool) -> Path:
    try:
        return model_folder(name_or_path, allow_download=not offline)
    except ModelUnusableError as error:
        raise ModelUnusableError(
            f"{error} (Packaged language models: {', '.join(LANGUAGE_MODELS)}.)"
        ) from error


def _begin_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that the tokenizer puts before every text."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    ids: list[int] = tokenizer("a")["input_ids"]
    return ids[: ids.index(plain[0])]


def _end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The tokens that end a text, by any of the three places that may name them."""
    settings = (model.generation_config, model.config, tokenizer)
    named = [getattr(place, "eos_token_id", None) for place in settings]
    return frozenset(
        id_ for ids in named for id_ in (ids if isinstance(ids, list) else [ids]) if id_ is not None
    )


def _random(seed: int, place: int) -> torch.Generator:
    """A row's own source of randomness, whatever other rows there are."""
    digest = hashlib.sha256(f"{seed}:{place}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


def _draw(logits: torch.Tensor, random: torch.Generator) -> int:
    """One token by its probability. ``logits``: (vocabulary,)."""
    return int(torch.multinomial(logits.softmax(-1), 1, generator=random))
