"""A language model's tokenizer as chunks need it: plain tokens of a text, and the text of tokens."""

from collections.abc import Sequence
from hashlib import sha256

from transformers import PreTrainedTokenizerBase


class RetroTokenizer:
    """``sha256``: of the vocabulary and the rules, so that another tokenizer's chunks are not taken for its own."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self.sha256 = sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()

    def ids(self, text: str) -> list[int]:
        """The tokens of a text; what looks like a special token in it is text."""
        found: list[int] = self._tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, verbose=False
        )["input_ids"]
        return found

    def texts(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """The text of each run of tokens; a character of which only some bytes are there is left out."""
        return [
            str(self._tokenizer.decode(list(run), skip_special_tokens=False)).replace("\ufffd", "")
            for run in ids
        ]

    def ids_and_bytes(self, text: str) -> tuple[list[int], list[int]]:
        """The tokens of a text, and how many bytes of UTF-8 each adds to those before it; the sum is the text's."""
        found = self._tokenizer(
            text,
            add_special_tokens=False,
            split_special_tokens=True,
            return_offsets_mapping=True,
            verbose=False,
        )
        before = [0]
        for character in text:
            before.append(before[-1] + len(character.encode("utf-8", "surrogatepass")))
        reached, added = 0, []
        for _, end in found["offset_mapping"]:
            added.append(max(0, before[end] - reached))
            reached = max(reached, before[end])
        if added:
            added[-1] += before[-1] - reached
        return found["input_ids"], added
