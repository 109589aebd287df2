"""Superlatives: who asks for the largest is hardly told by the fourth-largest."""

import re
from itertools import islice

_ORDINAL = (
    r"(?:next|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|(?!1st)\d+(?:st|nd|rd|th))"
    r"[-\u2010\u2011\u2013\s]{1,2}"
)
_SUPERLATIVE = r"(?:most[-\u2010\u2011\s](?!of\b)\w{1,40}|\w{3,40}est|best|worst)"
_FOUND = re.compile(rf"\b({_ORDINAL})?({_SUPERLATIVE})\b", re.IGNORECASE)
_OTHER_WORD = re.compile(
    "armrest|arrest|backrest|budapest|bucharest|conquest|contest|digest|earnest|everest|footrest|forest|harvest|headrest|honest|interest|invest|latest|"
    "manifest|midwest|modest|northwest|pinterest|priest|protest|request|southwest|suggest|tempest|unrest"
)
_ALIKE = (
    frozenset({"largest", "biggest", "greatest", "longest", "most populous"}),
    frozenset({"tallest", "highest"}),
)
_RANK = re.compile(r"\brank\w*\b|\b(?:what|which) (?:place|position)\b", re.IGNORECASE)
_MOST = 4


def superlatives(question: str) -> frozenset[str]:
    """The superlatives that a question asks for, four at most, in lower case.

    None where one of them follows an ordinal ("second largest"), or the question asks for a rank.
    """
    found = [(bool(match[1]), _plain(match[2])) for match in islice(_FOUND.finditer(question), _MOST)]
    if _RANK.search(question) or any(ordinal for ordinal, _ in found):
        return frozenset()
    return frozenset(word for _, word in found if not _OTHER_WORD.fullmatch(word))


def tells_lower_ranks_alone(asked: frozenset[str], text: str) -> bool:
    """Whether the text has one of these superlatives, or one that means about the same, after ordinals alone."""
    if not asked:
        return False
    after_ordinals: dict[str, bool] = {}
    for match in _FOUND.finditer(text):
        word = _plain(match[2])
        after_ordinals[word] = bool(match[1]) and after_ordinals.get(word, True)
    for superlative in asked:
        alike = next((words for words in _ALIKE if superlative in words), {superlative})
        found = [after_ordinals[word] for word in alike if word in after_ordinals]
        if found and all(found):
            return True
    return False


def _plain(superlative: str) -> str:
    return re.sub(r"[-\u2010\u2011\s]", " ", superlative.lower())
