"""Front matter: the settings at the top of a text file, in YAML or TOML."""

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from common.lines import lines_of
from extraction.structure import one_line, visible

_FENCES = {"---": ("---", "..."), "+++": ("+++",)}
_KEYS = {
    False: re.compile(r"([\w.$-]+)[ \t]*:(?:[ \t]+(.*)|$)"),
    True: re.compile(r"[\w.-]+[ \t]*=|\[.*\][ \t]*$"),
}
"""What a line of settings looks like in YAML, and in TOML."""
_GOES_ON = re.compile(r"[ \t]|-[ \t]|[\]}]")
_MORE_BELOW = ("|", ">", "|-", ">-")
_STRUCTURE = "[]{}|>&*!%"  # marks of YAML
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
        return one_line(str(title)) or None if title is not None else None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The other settings, as far as they are plain values or lists of such."""
        return {key: value for key, value in self.values.items() if key != "title"}


def front_matter(text: str) -> FrontMatter:
    """What stands between ``---`` and another ``---`` or ``...`` (or two ``+++``) at the top of the text.

    It is settings if it parses as such, or if its lines look like them; else it is text, after a rule. Of settings that
    do not parse, those that stand in a line of their own are read.
    """
    lines = lines_of(text[:_LONGEST])
    ends = _FENCES.get(lines[0].rstrip() if lines else "")
    if ends is None:
        return FrontMatter()
    last = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() in ends), None)
    if last is None:
        return FrontMatter()
    toml, settings = ends == ("+++",), lines[1:last]
    parsed = _parsed("\n".join(settings), toml=toml)
    if not isinstance(parsed, dict):
        if not _look_like_settings(settings, _KEYS[toml]):
            return FrontMatter()
        parsed = _read_singly(settings, toml=toml)
    return FrontMatter(_plain(parsed), last + 1)


def _parsed(text: str, *, toml: bool) -> object:
    try:
        return tomllib.loads(text) if toml else _parsed_yaml(text)
    except Exception:  # yaml's constructors raise whatever a value made them stumble over
        return None


class _Settings(yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which a value without quotes is true, false or a number where JSON has it so, as in filters.

    PyYAML's own YAML 1.1 takes ``no`` for false, ``12:30`` for 750 and ``0123`` for 83.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's, which it declares so
        first: [
            (tag, pattern) for tag, pattern in known if tag.rpartition(":")[2] not in ("bool", "int", "float")
        ]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_NUMBER = r"-?(?:0|[1-9][0-9]*)"
for _tag, _pattern in {
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": _NUMBER,
    "float": rf"{_NUMBER}(?:\.[0-9]+(?:[eE][-+]?[0-9]{{1,2}})?|[eE][-+]?[0-9]{{1,2}})",
}.items():
    _Settings.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(rf"(?:{_pattern})$"),
        list("tTfF" if _tag == "bool" else "-0123456789"),
    )


def _parsed_yaml(text: str) -> object:
    """The YAML's value; of a title that would be a number or a date, the text that stands there."""
    found = yaml.load(text, _Settings)  # noqa: S506 - a safe loader
    if isinstance(found, dict) and isinstance(found.get("title"), (int, float, date)):
        found["title"] = yaml.load(text, yaml.BaseLoader)["title"]  # noqa: S506 - gives texts alone
    return found


def _look_like_settings(lines: Sequence[str], key: re.Pattern[str]) -> bool:
    """Whether the first line names a setting, and each further one too, or goes on with one."""
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    return all(key.match(line) or (number and _GOES_ON.match(line)) for number, line in enumerate(lines))


def _read_singly(lines: Sequence[str], *, toml: bool) -> dict[str, object]:
    """The settings that stand in one line each; a value that is no YAML is the text that stands there."""
    found: dict[str, object] = {}
    for line in lines:
        if (named := _KEYS[toml].match(line)) is None or line.endswith(_MORE_BELOW):
            continue
        parsed = _parsed(line, toml=toml)
        if isinstance(parsed, dict):
            found |= parsed
        elif not toml and (value := (named[2] or "").strip()) and value[0] not in _STRUCTURE:
            found[named[1]] = value
    return found


def _plain(settings: dict[Any, object]) -> dict[str, Any]:
    return {visible(str(key)): _written(value) for key, value in settings.items() if _is_plain(value)}


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
    if isinstance(value, str):
        return visible(value)
    return value.isoformat() if isinstance(value, date) else value
