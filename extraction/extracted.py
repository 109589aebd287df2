"""What is extracted from a file's bytes, or why nothing is: what all formats share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from retriever.types import Block


class UnreadableError(Exception):
    """A file cannot be a document; the message is a sentence on why, and on what would be right.

    ``line``: where in the file that shows.
    """

    def __init__(self, problem: str, *, line: int = 1) -> None:
        super().__init__(problem)
        self.line = line


class Text(Protocol):
    """A text with its blocks, as ``Document`` takes them."""

    @property
    def text(self) -> str: ...

    @property
    def blocks(self) -> tuple[Block, ...]: ...


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a file holds: its text with the blocks, its title where it says one, and what else it says of itself."""

    structure: Text
    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
