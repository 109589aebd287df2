"""What the form of an English question says of the kind of answer, whatever the documents are like."""

import re

from app.answering.answer_kind import AnswerKind

TOLD = 50.0
"""So many times likelier are the kinds that the form tells; docs/decisions/0035-the-reader-says-what-is-asked-for.md"""

_LED_BY = re.compile(r"(?:in|at|on|by|for|of|from|to|since|until|under|with)\s+", re.IGNORECASE)
_FORMS = (
    (
        AnswerKind.EXPLANATION,
        r"why\b|how (?:do|does|did|can|could|should|would|to|is|are|was|were)\b|how come\b",
    ),
    (
        AnswerKind.EXPLANATION,
        r"what (?:is|are) the differences? between\b|what happens\b|what should (?:i|we)\b",
    ),
    # a person or a thing by name alone: who was it, what is it
    (AnswerKind.EXPLANATION, r"who (?:is|was|are|were) (?!the\b)(?:\S+\s*){1,3}$"),
    (
        AnswerKind.YES_NO,
        r"(?:is|are|was|were|do|does|did|can|could|may|might|must|should|shall|will|would|has|have|had|am)(?:n't)?"
        r" (?!not$)\S+ \S",
    ),
    (AnswerKind.LIST, r"what are (?:the|all|some)\b|(?:list|name) (?:the|all|some|every)\b"),
    (
        AnswerKind.SHORT,
        r"how (?:many|much|long|old|tall|high|deep|far|big|large|fast|quickly|often|soon)\b|when\b|where\b|whose\b"
        r"|who(?:m)?\b|which\b|what (?:year|date|day|time|name|number|percentage|colou?r)\b"
        r"|what (?:version|port|command|option)\b",
    ),
)
_PATTERNS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _FORMS]


def kinds_told_by(question: str) -> frozenset[AnswerKind]:
    """The kinds of answer that the question's first words may ask for; none where they leave it open.

    A preposition before them does not count: "in which year". Who asks for a few words may want several things.
    """
    asked = question.strip().rstrip("?! .")
    asked = _LED_BY.sub("", asked, count=1) if _LED_BY.match(asked) else asked
    kind = next((kind for kind, pattern in _PATTERNS if pattern.match(asked)), None)
    if kind is AnswerKind.SHORT:
        return frozenset({kind, AnswerKind.LIST})
    return frozenset() if kind is None else frozenset({kind})
