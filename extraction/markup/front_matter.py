"""Front matter: the settings at the top of a text file, in YAML or TOML."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from extraction.lines import lines_of

_FENCES = {"---": ("---", "..."), "+++": ("+++",)}
_LONGEST = 50_000  # characters
_LONGEST_VALUE = 2_000
_LARGEST = 1 << 63


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The settings at the top of a text, and how many lines they take; none: no settings, 0."""

    values: Mapping[str, Any] = field(default_factory=dict)
    lines: int = 0

    @property
    def title(self) -> str | None:
        """The title that they give."""
        title = self.values.get("title")
        return " ".join(str(title).split()) or None if title is not None else None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The other settings, as far as they are plain values or lists of such."""
        return {key: value for key, value in self.values.items() if key != "title"}


def front_matter(text: str) -> FrontMatter:
    """What stands between ``---`` and another ``---`` or ``...`` (or two ``+++``) at the top of the text.

    Settings that cannot be parsed are passed over, but are no text either.
    """
    lines = lines_of(text[:_LONGEST])
    ends = _FENCES.get(lines[0].rstrip() if lines else "")
    if ends is None:
        return FrontMatter()
    last = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() in ends), None)
    if last is None:
        return FrontMatter()
    return FrontMatter(_plain(_parsed("\n".join(lines[1:last]), toml=ends == ("+++",))), last + 1)


def _parsed(text: str, *, toml: bool) -> object:
    try:
        return tomllib.loads(text) if toml else yaml.safe_load(text)
    except Exception:  # yaml's constructors raise whatever a value made them stumble over
        return None


def _plain(settings: object) -> dict[str, Any]:
    if not isinstance(settings, dict):
        return {}
    return {str(key): _written(value) for key, value in settings.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= 100 and all(_is_plain(entry) and not isinstance(entry, list) for entry in value)
    if isinstance(value, int):
        return abs(value) < _LARGEST
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, (str, date)) and len(str(value)) <= _LONGEST_VALUE


def _written(value: object) -> object:
    if isinstance(value, list):
        return [_written(entry) for entry in value]
    return value.isoformat() if isinstance(value, date) else value
