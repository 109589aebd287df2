"""Blocks outside of memory: read from the JSON that people write, and packed for the document store."""

import json
import zlib
from collections.abc import Sequence
from reprlib import repr as shortened

from retriever.types import Block, BlockKind, Locator, Span

_KINDS = tuple(BlockKind)
_KEYS = frozenset({"kind", "start", "end", "path", "locator"})


def block_of_json(value: object) -> Block:
    """The block that a JSON value describes; ``path`` and ``locator`` may be left out.

    Raises:
        ValueError: with a sentence, when it describes none.
    """
    if not isinstance(value, dict) or not {"kind", "start", "end"} <= value.keys() <= _KEYS:
        raise ValueError(
            f"The block is {shortened(value)}; give an object with kind, start, end, and path and locator as needed."
        )
    if value["kind"] not in _KINDS:
        raise ValueError(f"The block's kind is {value['kind']!r}; give one of {', '.join(_KINDS)}.")
    if not all(type(value[key]) is int for key in ("start", "end")):
        raise ValueError(f"The block's start and end are no whole numbers: {shortened(value)}.")
    path, locator = value.get("path", []), value.get("locator")
    if not isinstance(path, list) or not all(isinstance(text, str) for text in path):
        raise ValueError(f"The block's path is {shortened(path)}; give a list of the headings above it.")
    if locator is not None and not isinstance(locator, str):
        raise ValueError(f"The block's locator is {shortened(locator)}; give a text such as 'page 12'.")
    return Block(
        BlockKind(value["kind"]),
        Span(value["start"], value["end"]),
        tuple(path),
        None if locator is None else Locator.parse(locator),
    )


def packed(blocks: Sequence[Block]) -> bytes:
    """The blocks as compressed JSON: each path once, and spans by the distance from the block before."""
    paths: dict[tuple[str, ...], int] = {}
    ends = [0, *(block.span.end for block in blocks)]
    rows = [
        [
            _KINDS.index(block.kind),
            block.span.start - end,
            len(block.span),
            paths.setdefault(block.path, len(paths)),
            None if block.locator is None else str(block.locator),
        ]
        for end, block in zip(ends, blocks, strict=False)
    ]
    return zlib.compress(json.dumps([list(paths), rows], ensure_ascii=False, separators=(",", ":")).encode())


def unpacked(data: bytes) -> tuple[Block, ...]:
    """The blocks that ``packed`` was given."""
    paths, rows = json.loads(zlib.decompress(data))
    paths = [tuple(path) for path in paths]
    locators = {text: Locator.parse(text) for *_, text in rows if text is not None}  # many blocks share one
    blocks, end = [], 0
    for kind, gap, length, path, locator in rows:
        span = Span(end + gap, end + gap + length)
        blocks.append(Block(_KINDS[kind], span, paths[path], locators.get(locator)))
        end = span.end
    return tuple(blocks)
