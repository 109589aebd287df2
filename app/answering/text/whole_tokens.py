"""Runs of a text that a short answer holds whole or not at all: amounts, paths, flags, versions, addresses, names.

A tokenizer parts them at their marks; ``5`` of ``-5 °C``, ``app`` of ``/etc/app/settings.yaml`` or ``C`` of ``C++``
would be another answer.
"""

import re

from retriever.types import Span

_TOKEN = re.compile(
    r"""
      (?<!\w)[A-Za-z][\w+.-]{0,20}://[^\s<>"'()\[\]{}|`]*[\w/]                   # address
    | \w[\w.+-]{0,63}@\w[\w-]{0,62}(?:\.\w[\w-]{0,62})+                              # mail
    | (?<![\w/.~])(?:[~.]{0,2}/|[A-Za-z]:\\|\\\\)[\w@%+~-]*(?:[./\\=][\w@%+~-]+)*/?   # path
    | (?<![\w-])--?[A-Za-z][\w-]*(?:[.=/:][\w-]+)*                  # flag
    | (?<![\w.])v?\d+(?:\.\d+)+-(?:rc|alpha|beta|dev|pre|post)[\w.]*\b         # version before a release
    | (?<![\w.,])[+\-−±]?(?:[$€£¥]\s?)?[+\-−±]?\.?\d+(?:[.,:/]\d+)*(?:\s?[%°‰](?:\s?[CFK]\b)?|\w+)?   # amount
    | (?<!\w)\w+(?:(?:::|[._])\w+)+(?:\(\))?                               # file name, member, abbreviation
    | \b\w(?:\+\+|\#)(?!\w)                                         # C++, C#
    | (?<![\w.])\.\w+                                               # .NET, .md
    """,
    re.VERBOSE,
)


def whole_tokens(text: str) -> list[Span]:
    """The runs, in order and disjoint, each of at least two characters."""
    return [Span(*match.span()) for match in _TOKEN.finditer(text) if len(match.group()) > 1]
