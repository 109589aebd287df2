"""Directives of Sphinx and MyST: what a reader sees of those that only their own build knows."""

import re
from dataclasses import dataclass

from extraction.markup.object_names import object_name
from extraction.raised import raised
from extraction.structure import names

_VERSIONS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "versionremoved": "Removed in version",
    "deprecated": "Deprecated since version",
    "versiondeprecated": "Deprecated since version",
}
"""These may be written with a hyphen: ``version-added``."""
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
    "testcode testoutput graphviz digraph graph mermaid ipython console click:example click:run"
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
_PROSE = re.compile(
    r"(?!\w{1,3}[.)][ \t]|```)(?:[\w(\"'`“‘]|\*\S|:[\w:.+-]+:`)"
)  # no list, no field, no directive
_OPTIONS_FENCE = "---"
_CARDS = names("card grid-item-card")
_CARD_RULE = re.compile(r"(?:\^{3,}|\+{3,})\s*$")  # below the head of a card, and above its foot
_OPTION = re.compile(r"\s*:[\w-]+:(\s.*)?$")
_SHOWN_OPTION = re.compile(r"\s*:(?:type|default|value):\s")  # of an object
_TITLED_ROLE = re.compile(r"(.*\S)\s*<[^<>]*>", re.DOTALL)
_ESCAPED = re.compile(r"\\([^\w\s])")
_PREFIXES = {"pep": "PEP ", "rfc": "RFC ", "issue": "#"}
_RAISING_ROLES = frozenset({"sup", "superscript"})
_ICONS = names(
    "octicon fa fab far fas material-regular material-outlined material-round material-sharp material-twotone"
)
_LITERAL_ROLES = names(
    "abbr code command dfn file guilabel kbd literal mailheader makevar manpage math menuselection mimetype program "
    "regexp samp"
)
"""The text of these names no object: a dot or a ``~`` before it is its own."""


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
    name: str, argument: str, lines: list[str], *, is_rst: bool = False, fenced_options: bool = False
) -> Directive | None:
    """The directive of this name with these lines below its first; None where a reader sees nothing of it.

    Options stand above the content. ``is_rst``: the argument may go on in lines below its first, up to a blank one; how
    an object is written goes on only after a backslash, and its type and its default become fields of the content.
    ``fenced_options``: options may also stand between two lines of ``---``, as in MyST.
    """
    if name in _UNSEEN:
        return None
    at, kind = 0, name.rpartition(":")[2]
    while is_rst and argument.endswith("\\") and at < len(lines):
        argument, at = argument[:-1] + lines[at].strip(), at + 1
    after_argument = at
    if is_rst and argument and name not in _ARGUED_FOR_THE_BUILD and kind not in _OBJECTS:
        while at < len(lines) and lines[at].strip() and not _OPTION.match(lines[at]):
            at += 1
    argument = " ".join([argument, *map(str.strip, lines[after_argument:at])])
    if not argument:
        at = _past_blank(lines, at)
    after_fence = _past_fence(lines, at) if fenced_options else at
    first_option = at
    at = _past_blank(lines, after_fence if after_fence > at else _past_options(lines, at))
    content = lines[at:]
    if name in _CARDS:
        content = ["" if _CARD_RULE.match(line) else line for line in content]
    if is_rst and kind in _OBJECTS and (fields := _fields(lines[first_option:at])):
        content, at = [*fields, *content], first_option
    if told := _VERSIONS.get(name.replace("-", "")):
        version, _, change = argument.partition(" ")
        argument = f"{told} {version}{':' if change or content else ''} {change}".rstrip()
        if not change and content and _PROSE.match(content[0]):
            argument, content = "", [f"{argument} {content[0]}", *content[1:]]
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


def _fields(options: list[str]) -> list[str]:
    """The lines of an object's options, those that nobody sees made blank; nothing where nobody sees any."""
    fields, is_shown = [], False
    for line in options:
        if _OPTION.match(line):
            is_shown = bool(_SHOWN_OPTION.match(line))
        fields.append(line if is_shown else "")
    return fields if any(fields) else []


def role_text(role: str, text: str) -> str:
    """What a reader sees of a role: the title in ``title <target>``, else the text, with PEP and the like; no icon."""
    name = role.rpartition(":")[2]
    if name in _RAISING_ROLES:
        return raised(text)
    if name in _ICONS:
        return ""
    if titled := _TITLED_ROLE.fullmatch(text):
        return _ESCAPED.sub(r"\1", titled[1])
    return _PREFIXES.get(name, "") + (
        text if name in _LITERAL_ROLES else _ESCAPED.sub(r"\1", object_name(text))
    )
