"""Directives of Sphinx and MyST: what a reader sees of those that only their own build knows."""

import re
from dataclasses import dataclass

from extraction.raised import raised
from extraction.structure import names

_VERSIONS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "versionremoved": "Removed in version",
    "deprecated": "Deprecated since version",
}
_UNSEEN = names(
    "toctree include literalinclude index highlight contents meta raw image title role default-role rst-class "
    "cssclass unicode replace date sectnum section-numbering currentmodule module py:module py:currentmodule program "
    "default-domain sectionauthor moduleauthor codeauthor tabularcolumns testsetup testcleanup bibliography"
)
_ARGUED_FOR_THE_BUILD = names(
    "figure code code-block code-cell code-tab sourcecode parsed-literal prompt only ifconfig container grid"
)
"""The argument of these is a language, a path, a condition: it is not shown."""
_CODE = names(
    "code code-block code-cell code-tab sourcecode parsed-literal prompt math csv-table productionlist doctest "
    "testcode testoutput graphviz digraph graph mermaid ipython"
)
_ADMONITIONS = names(
    "admonition attention caution danger error hint important note seealso sidebar tip todo topic warning "
    "rubric centered"
)
_LABELLED = names(
    "admonition tab tab-item group-tab dropdown details collapse card grid-item-card topic sidebar"
)
"""The argument of these is the label of the content."""
_OBJECTS = names(
    "function method staticmethod classmethod decorator class attribute property data exception variable constant "
    "option cmdoption envvar confval setting command macro type struct union enum enumerator member var directive role "
    "describe object"
)
"""These tell what a program has: the argument is how it is written."""
_TARGETS = names("setting command")
"""Of these, those that without content only mark what links lead to, mostly the heading below that says the same."""
_SENTENCE_ENDS = (".", "!", "?", ":")
_OPTIONS_FENCE = "---"
_OPTION = re.compile(r"\s*:[\w-]+:(\s.*)?$")
_TITLED_ROLE = re.compile(r"(.*\S)\s*<[^<>]*>", re.DOTALL)
_PREFIXES = {"pep": "PEP ", "rfc": "RFC ", "issue": "#"}
_RAISING_ROLES = frozenset({"sup", "superscript"})


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive's argument as a reader sees it, and its content, which begins ``skipped`` lines below it.

    ``is_code``: whether the content is shown as it is written. ``is_labelled``: whether the argument is its label.
    """

    argument: str
    content: list[str]
    skipped: int
    is_code: bool
    is_labelled: bool


def directive(
    name: str, argument: str, lines: list[str], *, goes_on: bool = False, fenced_options: bool = False
) -> Directive | None:
    """The directive of this name with these lines below its first; None where a reader sees nothing of it.

    Options stand above the content. ``goes_on``: the argument may go on in lines below its first, up to a blank one;
    how an object is written goes on only after a backslash. ``fenced_options``: options may also stand between two
    lines of ``---``, as in MyST.
    """
    if name in _UNSEEN:
        return None
    at, kind = 0, name.rpartition(":")[2]
    while goes_on and argument.endswith("\\") and at < len(lines):
        argument, at = argument[:-1] + lines[at].strip(), at + 1
    after_argument = at
    if goes_on and argument and name not in _ARGUED_FOR_THE_BUILD and kind not in _OBJECTS:
        while at < len(lines) and lines[at].strip() and not _OPTION.match(lines[at]):
            at += 1
    argument = " ".join([argument, *map(str.strip, lines[after_argument:at])])
    if not argument:
        at = _past_blank(lines, at)
    after_fence = _past_fence(lines, at) if fenced_options else at
    at = _past_blank(lines, after_fence if after_fence > at else _past_options(lines, at))
    content = lines[at:]
    if name in _VERSIONS:
        version, _, change = argument.partition(" ")
        argument = f"{_VERSIONS[name]} {version}{':' if change or content else ''} {change}".rstrip()
    elif name in _ARGUED_FOR_THE_BUILD or not (content or _is_shown(kind, argument)):
        argument = ""
    if not argument and not content:
        return None
    is_labelled = name in _LABELLED and bool(argument and content)
    return Directive(argument, content, at + 1, name in _CODE, is_labelled)


def _is_shown(kind: str, argument: str) -> bool:
    """Whether a reader sees an argument without content: not where it tells the build what to put there."""
    told = kind in _ADMONITIONS or kind in _CODE or kind in _OBJECTS - _TARGETS
    return told or argument.endswith(_SENTENCE_ENDS)


def _past_blank(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _past_fence(lines: list[str], at: int) -> int:
    """The line after the two fences that begin here and what stands between them; the same where there are none."""
    if at == len(lines) or not lines[at].startswith(_OPTIONS_FENCE):
        return at
    below = range(at + 1, len(lines))
    return next((line + 1 for line in below if lines[line].startswith(_OPTIONS_FENCE)), at)


def _past_options(lines: list[str], at: int) -> int:
    """The line after the options that begin here; the value of one may go on in lines that are indented."""
    first = at
    while at < len(lines) and lines[at].strip():
        if not _OPTION.match(lines[at]) and not (at > first and lines[at][0].isspace()):
            break
        at += 1
    return at


def role_text(role: str, text: str) -> str:
    """What a reader sees of a role: the title in ``title <target>``, else the text, with PEP and the like."""
    name = role.rpartition(":")[2]
    if name in _RAISING_ROLES:
        return raised(text)
    if titled := _TITLED_ROLE.fullmatch(text):
        return titled[1]
    return _PREFIXES.get(name, "") + text.removeprefix("~").removeprefix("!")
