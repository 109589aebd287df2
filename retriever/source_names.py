"""Names of sources in a question: they say where to look, and not what for."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")


class SourceNames:
    """Finds names of sources, as their owner gave them, whatever stands between their words: "My notes", "my-notes"."""

    def __init__(self, names: Iterable[str]) -> None:
        named = sorted(filter(None, map(_WORD.findall, names)), key=len, reverse=True)
        either = "|".join(r"[\W_]{1,3}".join(map(re.escape, words)) for words in named)
        self._pattern = re.compile(rf"(?<!\w)(?:{either})(?:['’]s)?(?!\w)", re.IGNORECASE) if either else None

    def without(self, question: str) -> str:
        """The question without the names that it has; as it is where it has none, or no other word."""
        if self._pattern is None or not self._pattern.search(question):
            return question
        left = " ".join(self._pattern.sub(" ", question).split())
        return left if _WORD.search(left) else question
