"""Metadata of documents: what of it an index keeps, so that every stored document can be handed back."""

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 32
"""Lists and objects of metadata that may stand one within the other, the metadata itself among them."""


def nests_too_deeply(metadata: Mapping[Any, Any]) -> bool:
    """Whether more than ``MAX_DEPTH`` lists and objects stand one within the other."""
    return _is_deeper(metadata, MAX_DEPTH)


def _is_deeper(value: object, most: int) -> bool:
    if not isinstance(value, (Mapping, list)):
        return False
    entries = value.values() if isinstance(value, Mapping) else value
    return most == 0 or any(_is_deeper(entry, most - 1) for entry in entries)
