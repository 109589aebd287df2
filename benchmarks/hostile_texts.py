"""Texts that are made to cost more than their length: kinds of them, by name, of any number of characters."""

from collections.abc import Mapping
from itertools import cycle, islice
from types import MappingProxyType

_PATTERNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # name: (what stands once at the beginning, what is repeated)
        "prose": ("", "The key of the shed hangs in the hall. It was cut in 1974 by a smith. "),
        "letters": ("", "c"),
        "digits": ("", "7"),
        "emoji": ("", "😀"),
        "joined emoji": ("", "👩\u200d🚀"),
        "flags": ("", "🇳🇴"),
        "chinese": ("", "鑰"),
        "thai": ("", "กุ"),
        "rare characters": ("", "\U000105c0"),
        "combining marks": ("k", "\u0301"),
        "zero width": ("key", "\u200b"),
        "spaces": ("key", " "),
        "newlines": ("key", "\n"),
        "lines of a letter": ("", "k\n"),
        "short sentences": ("", "K. "),
        "dots": ("key", "."),
        "quotation marks": ("key.", '"'),
        "list": ("", "1) "),
        "table line": ("|", " key | 1 |"),
        "hyphens": ("key", "-key"),
        "special tokens": ("", "<eos>[SEP]"),
        "delimiters": ("", "%<k>%(k)%[k]%"),
    }
)
KINDS = tuple(_PATTERNS)


def hostile(kind: str, characters: int) -> str:
    """A text of this kind with so many characters."""
    beginning, repeated = _PATTERNS[kind]
    return beginning[:characters] + "".join(islice(cycle(repeated), max(0, characters - len(beginning))))
