"""Embedding the passages of an index: what is new goes through the encoder, and everything is in the cache then."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from rich.console import Console

from common.errors import ChangeRefusedError
from common.progress import progress
from index_builder.vector_cache import VectorCache, cache_key
from retriever.encoder import Encoder

EMBEDDED_TOGETHER = 512
"""Passages handed to the encoder, and kept in the cache, at a time."""

_SORTED_TOGETHER = 65_536  # passages whose texts are in memory at a time


def embed_passages(
    inputs: Callable[[], Iterator[str]],
    cache: VectorCache,
    encoder: Encoder,
    console: Console,
    *,
    together: int = EMBEDDED_TOGETHER,
) -> tuple[list[bytes], int]:
    """Have the vector of every passage in the cache: its key there, by row, and how many had to be embedded.

    ``inputs``: what is embedded of every passage, ascending by row; the same each time. ``together``: how many are
    handed to the encoder at a time.

    Raises:
        ChangeRefusedError: when there is no passage.
    """
    keys = [cache_key(text) for text in inputs()]
    if not keys:
        raise ChangeRefusedError("The index would hold no text; give a document with words in it.")
    missing = set(keys)
    missing.difference_update(cache.held())
    embedded = len(missing)
    with progress(console, "Embedding passages", total=embedded) as advance:
        waiting = _each_once(inputs(), missing)
        while texts := dict(islice(waiting, _SORTED_TOGETHER)):
            for batch in sorted_batches(list(texts), together):
                vectors = encoder.encode_passages(batch)
                cache.put([texts[text] for text in batch], vectors)
                advance(len(batch))
    return keys, embedded


def _each_once(inputs: Iterable[str], missing: set[bytes]) -> Iterator[tuple[str, bytes]]:
    """The inputs whose key is missing, with it; the keys are taken out."""
    for text in inputs:
        if not missing:
            return
        if (key := cache_key(text)) in missing:
            missing.remove(key)
            yield text, key


def sorted_batches(texts: Sequence[str], together: int = EMBEDDED_TOGETHER) -> Iterator[list[str]]:
    """The texts in batches of like length, so that little is padded.

    Longest first: the time left is never underestimated, and memory runs out at once if at all.
    """
    longest_first = sorted(texts, key=lambda text: -len(text))
    for start in range(0, len(longest_first), together):
        yield longest_first[start : start + together]
