"""Superlatives: who asks for the largest is not told by the fourth-largest."""

import re

_ORDINAL = (
    r"(?:second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\d+(?:st|nd|rd|th))"
    r"[-\u2010\u2011 \u00a0]"
)
_SUPERLATIVE = r"(?:most \w+|\w{3,}est)"
_OTHER_WORD = re.compile(
    "arrest|breast|budapest|bucharest|chest|conquest|contest|crest|digest|everest|forest|guest|harvest|honest|interest|"
    "invest|latest|manifest|midwest|modest|nest|northeast|northwest|pest|priest|protest|quest|request|rest|southeast|"
    "southwest|suggest|test|trieste|vest|west"
)
_ALIKE = (frozenset({"largest", "biggest", "greatest"}), frozenset({"tallest", "highest"}))
_ASKED = re.compile(rf"\b({_ORDINAL})?({_SUPERLATIVE})\b", re.IGNORECASE)
_RANK = re.compile(r"\b(?:rank\w*|place|position)\b", re.IGNORECASE)


def superlatives(question: str) -> frozenset[str]:
    """The superlatives that a question asks for, in lower case; none where it names an ordinal or asks for a rank."""
    found = [(match[1], match[2].lower()) for match in _ASKED.finditer(question)]
    asked = {word for _, word in found if not _OTHER_WORD.fullmatch(word)}
    return frozenset() if _RANK.search(question) or any(ordinal for ordinal, _ in found) else frozenset(asked)


def tells_lower_ranks_alone(superlative: str, text: str) -> bool:
    """Whether the text has the superlative, or one that means the same, after ordinals and nowhere else."""
    alike = next((words for words in _ALIKE if superlative in words), {superlative})
    pattern = re.compile(rf"\b({_ORDINAL})?(?:{'|'.join(map(re.escape, sorted(alike)))})\b", re.IGNORECASE)
    found = [bool(match[1]) for match in pattern.finditer(text)]
    return bool(found) and all(found)
