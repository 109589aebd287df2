"""The page that the tests hold to its word: docs/integrations.md, its documents and its examples."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "integrations.md"
ASKED = "who built the first Eddystone tower"
QUOTE = "Henry Winstanley built the first tower in 1698."
UNANSWERED = "what is the price of saffron in 1850"


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, a key that it takes, and the texts of its documents by id."""

    url: str
    key: str
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of Python of the page, and what the page says that it prints."""

    code: str
    printed: str


def blocks_of_page(language: str, *, heading: str) -> list[str]:
    """The fenced blocks of this language under a heading of the page."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    assert section, heading
    return re.findall(rf"^```{language}\n(.*?)^```$", section[1], re.M | re.S)


def examples_of_page(heading: str) -> list[Example]:
    """Its examples: each Python is followed by what it prints."""
    codes, printed = blocks_of_page("python", heading=heading), blocks_of_page("text", heading=heading)
    return [Example(code, told) for code, told in zip(codes, printed, strict=True)]
