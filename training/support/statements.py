"""A question and its answer as one statement, as claims stand in prose."""

import re

_SUBJECT = r"(?:who|what|which (?:\w+ ){0,3}?\w+|what (?:\w+ ){0,3}?\w+)"
_BE = r"(?:is|are|was|were)"
_THING = r"(?:the|a|an|his|her|their|its|this|that|one|some|[A-Z]\w*)"
_DONE = r"(?:\w+ed|born|built|made|written|known|found|given|held|taken|chosen|sent|won|lost|begun|put|set)"
_DETERMINED = re.compile(rf"^(?i:what|who) (?P<be>{_BE}) (?P<thing>{_THING}\b.*)$")
_DONE_TO = re.compile(rf"^(?i:{_SUBJECT}) (?P<rest>{_BE} {_DONE}\b.*)$")
_DID = re.compile(
    r"^(?i:who|what|which (?:\w+ ){1,2}?|what (?:\w+ ){1,2}?|how (?:many|much) (?:\w+ ){1,2}?|when|where|in what \w+)"
    r" ?\b(?P<aux>did|do|does|can|could|will|would) (?P<subject>.*)$"
)
_WHEN = re.compile(
    rf"^(?i:when|where|in (?:what|which) \w+|what year) (?P<be>{_BE}) (?P<subject>.+?) (?P<rest>{_DONE}\b.*)$"
)
_ACTIVE = re.compile(
    r"^(?i:who) (?P<rest>(?!(?:is|are|was|were|did|do|does|can|could|will|would)\b)[a-z]+ .*)$"
)
_OF_A_KIND = re.compile(r"^(?i:what|which) [a-z]+ (?P<rest>(?:has|have|had|[a-z]+ed) .*)$")
_BARE_YEAR = re.compile(r"(?:1\d{3}|20\d\d)s?")


def statement(question: str, answer: str) -> str | None:
    """The answer put into the question's place, with a full stop; None for a question of another form.

    The grammar is that of a hurried writer: "Dover did build the harbour in 1803."
    """
    asked = question.strip().rstrip("? ")
    said = _stated(asked, answer.strip())
    if said is None:
        return None
    return f"{said[0].upper()}{said[1:].rstrip('.')}."


def _stated(asked: str, answer: str) -> str | None:
    if match := _DONE_TO.match(asked):
        return f"{answer} {match['rest']}"
    if match := _DETERMINED.match(asked):
        return f"{match['thing']} {match['be']} {answer}"
    if match := _WHEN.match(asked):
        return f"{match['subject']} {match['be']} {match['rest']} {_placed(answer)}"
    if match := _DID.match(asked):
        return f"{match['subject']} {_placed(answer)}"
    if match := _ACTIVE.match(asked) or _OF_A_KIND.match(asked):
        return f"{answer} {match['rest']}"
    return None


def _placed(answer: str) -> str:
    return f"in {answer}" if _BARE_YEAR.fullmatch(answer) else answer
