"""Directives of Sphinx and MyST: what a reader sees of those that only their own build knows."""

import re
from dataclasses import dataclass

_VERSIONS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "versionremoved": "Removed in version",
    "deprecated": "Deprecated since version",
}
_UNSEEN = frozenset(
    {"toctree", "include", "literalinclude", "index", "highlight", "contents", "meta", "raw", "image"}
)
_OPTION = re.compile(r"\s*:[\w-]+:(\s.*)?$")
_TITLED_ROLE = re.compile(r"(.*\S)\s*<[^<>]*>", re.DOTALL)
_PREFIXES = {"pep": "PEP ", "rfc": "RFC ", "issue": "#"}


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive's argument as a reader sees it, and its content, which begins ``skipped`` lines below it."""

    argument: str
    content: list[str]
    skipped: int


def directive(name: str, argument: str, lines: list[str]) -> Directive | None:
    """The directive of this name with these lines below its first; None where a reader sees nothing of it."""
    if name in _UNSEEN:
        return None
    skipped = 0
    while skipped < len(lines) and (_OPTION.match(lines[skipped]) or not lines[skipped].strip()):
        skipped += 1
    content = lines[skipped:]
    if name in _VERSIONS:
        return Directive(f"{_VERSIONS[name]} {argument}{':' if content else ''}", content, skipped + 1)
    return Directive(argument, content, skipped + 1) if content else None


def role_text(role: str, text: str) -> str:
    """What a reader sees of a role: the title in ``title <target>``, else the text, with PEP and the like."""
    if titled := _TITLED_ROLE.fullmatch(text):
        return titled[1]
    return _PREFIXES.get(role.rpartition(":")[2], "") + text.removeprefix("~").removeprefix("!")
