"""What the form of an English question says of the kind of answer, whatever the documents are like."""

import re

from app.answering.answer_kind import AnswerKind

TOLD = 50.0
"""So many times likelier are the kinds that the form tells; docs/decisions/0035-the-reader-says-what-is-asked-for.md"""

_LEADS = re.compile(
    r"(?:please )?(?:(?:can|could|would|will) you (?:please )?"
    r"(?=(?:tell|show|give) me |(?:explain|describe|list|name|say) )|do you know |(?:tell|show) me |say )*"
    r"(?:(?:in|at|on|by|for|of|from|to|since|until|under|with) )?",
    re.IGNORECASE,
)
_WORDS_READ = 24
_PARTICIPLE = r"\w{2,}[^\We]ed\b"  # and not "speed"
_PRONOUN = r"(?:it|its|this|that|these|those|there|he|she|they|you|your|my|our|his|her|their)"
_NO_NAME = (
    rf"(?!\w*fred\b)(?:{_PARTICIPLE}|\w+[ai]ble\b|(?:{_PRONOUN}|the|an?|i|in|on|at|by|for|from|of|to|under|with|behind|not"
    r"|next|first|last|president|king|queen|present|absent|exempt|given|hidden|known|taken|left|due)\b)"
)
_FORMS = (
    (
        AnswerKind.EXPLANATION,
        r"why\b|how (?:do|does|did|can|could|should|would|to|is|are|was|were)\b|how come\b|(?:explain|describe)\b",
    ),
    (
        AnswerKind.EXPLANATION,
        r"what (?:is|are) the differences? between\b|what happens\b|what should (?:i|we)\b",
    ),
    # a person by name alone, not "who is responsible"
    (AnswerKind.EXPLANATION, rf"who (?:is|was) (?!{_NO_NAME})[^\W\d][\w.-]*(?: [^\W\d][\w.-]*)?$"),
    (
        AnswerKind.YES_NO,
        # "will smith was born in which year" begins with a name
        r"(?!.* or )(?!(?:will|may) .*\b(?:who|what|which|when|where|how)\b)"
        r"(?:is|are|was|were|do|does|did|can|could|may|might|must|should|shall|will|would|has|have|had|am)"
        r"(?:n't)? (?!not$|\d)\S+ \S",
    ),
    (AnswerKind.LIST, r"what are (?:the|all|some)\b|list \S|name (?:all|some|every)\b"),
    (
        AnswerKind.SHORT,
        r"how (?:many|much|long|old|tall|high|deep|far|big|large|fast|quickly|often|soon)\b|when\b|where\b|whose\b"
        r"|who(?:m)?\b|which\b|what (?:year|date|day|time|name|number|percentage|colou?r)\b"
        r"|what (?:version|port|command|option)\b|what(?:'s| is| was) the (?:\w+ )?name\b|name the\b",
    ),
)
_EXPLAINED = re.compile(
    r"why\b|how come\b|(?:explain|describe)\b"
    r"|how (?:do|does|did|can|could|should|would|to|is|are|was|were)\b"
    r"(?!.*\b(?:say|said|called|named|spell|spelled|spelt|pronounced?|translated?|written)\b)"
    # a thing by name alone: "what is photosynthesis"
    rf"|what (?:is|are) (?!{_PARTICIPLE})(?:an? )?(?!{_PRONOUN}$)[^\W\d][\w.-]*$",
    re.IGNORECASE,
)
_PATTERNS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _FORMS]


def kinds_told_by(question: str) -> frozenset[AnswerKind]:
    """The kinds of answer that the question's first words may ask for; none where they leave it open.

    Polite words and a preposition before them do not count: "can you tell me in which year". Who asks for a few words
    may want several things. A choice ("this or that") is no question for yes or no.
    """
    asked = _first_words(question)
    kind = next((kind for kind, pattern in _PATTERNS if pattern.match(asked)), None)
    if kind is AnswerKind.SHORT:
        return frozenset({kind, AnswerKind.LIST})
    return frozenset() if kind is None else frozenset({kind})


def asks_to_explain(question: str) -> bool:
    """Whether a few words can be no good answer: "why", "how do I", "explain", and "what is" with a single word.

    Who asks how something is called or said wants a few words.
    """
    return _EXPLAINED.match(_first_words(question)) is not None


def _first_words(question: str) -> str:
    asked = " ".join(question.split()[:_WORDS_READ]).rstrip("?! .")
    return _LEADS.sub("", asked, count=1)
