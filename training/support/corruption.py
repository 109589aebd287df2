"""Edits that change what a text says: another name, number or date, the other polarity, a clause less.

Each gives None where the text offers no place for it. All chance comes from the ``Random`` that is handed in.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from app.answering.text.answer_match import WordIndex, answer_spans
from retriever.types import Span

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_COUNTS = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "fifteen",
    "twenty", "thirty", "forty", "fifty", "sixty",
)  # fmt: skip
_LEAST_SENTENCE = 5
_MONTH = rf"(?:{'|'.join(_MONTHS)})"
_YEAR = r"(?:1\d{3}|20\d\d)s?"
_DATE = rf"(?:\d{{1,2}} )?\b{_MONTH}\b(?: \d{{1,2}}(?:st|nd|rd|th)?\b)?(?:,? {_YEAR}\b)?|\b{_YEAR}\b"
_NUMBER = rf"\d+(?:[.,]\d+)*|\b(?:{'|'.join(_COUNTS)})\b"
_OPENERS = (
    "A|An|The|In|On|At|By|For|From|It|Its|He|She|His|Her|They|Their|We|This|That|These|Those|There|When|While|"
    "After|Before|As|If|Although|Though|However|Some|Many|Most|All|Both|Each|Other|Since|During|With|According|"
    "And|But|Or|Not|One|Such|To|Under|Another|What|Which|Who|I|Between|Around"
)
_CAPITALISED = r"[A-Z][\w'’-]*(?:\.(?= [A-Z]))?"
_NAME = rf"\b(?!(?:{_OPENERS})\b){_CAPITALISED}(?: (?:(?:of|the|de|von|van) )*{_CAPITALISED})*"
_VALUE = re.compile(rf"(?P<date>{_DATE})|(?P<number>{_NUMBER})|(?P<name>{_NAME})")
_AUXILIARY = r"is|are|was|were|has|had|have|can|could|will|would|did|does|do|must|should|may|might"
_POSITIVE = re.compile(rf"\b(?P<verb>{_AUXILIARY})\b(?! not\b)(?!n['’]t)", re.IGNORECASE)
_NEGATIVE = re.compile(rf"\b(?P<verb>{_AUXILIARY}|cannot) (?:not|never) ", re.IGNORECASE)
_PAST = re.compile(r"\b(?:[Hh]e|[Ss]he|[Ii]t|[Tt]hey|[Ww]ho|which|[A-Z]\w+) (?P<verb>[a-z]+ed)\b")
_CLAUSE_END = re.compile(r"[,;:()]| and | but | which | who | that ")
_OPENING = re.compile(
    r"^(?:In|On|At|By|During|After|Since|From|Under|However|Additionally|For) ?[^,]{0,60}, (?=\w)"
)
_WORD = re.compile(r"\w+(?:[-'’.,]\w+)*")
_PARENTHESIS = re.compile(r" \([^()]*\)")
_RELATIVE = re.compile(
    r", (?:which|who|where|whose|including|such as|with|although|while) [^,;]+?(?=[.!?]?$)"
)


class ValueKind(StrEnum):
    """What kind of thing a text names."""

    DATE = "date"
    NUMBER = "number"
    NAME = "name"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Value:
    """A name, number or date, and where it stands."""

    kind: ValueKind
    span: Span
    text: str


def values(text: str) -> list[Value]:
    """The names, numbers and dates of a text, in order. The first word alone of a sentence is no name."""
    found = [
        Value(ValueKind(match.lastgroup or ""), Span(*match.span()), match.group())
        for match in _VALUE.finditer(text)
    ]
    is_sentence = len(text.split()) >= _LEAST_SENTENCE
    return [value for value in found if not (is_sentence and _opens(value))]


def kind_of(answer: str) -> ValueKind:
    """Which kind of value an answer is: that of the first one in it, words where it names none."""
    found = values(answer)
    return found[0].kind if found else ValueKind.WORDS


def same(answer: str, other: str) -> bool:
    """Whether one answer's words are part of the other's: then they may mean the same."""
    first, second = WordIndex.of(answer), WordIndex.of(other)
    return first.contains(second) or second.contains(first) or not first.places or not second.places


def varied(answer: str, rng: Random) -> str | None:
    """The answer with another number, month or year in it, near the one it had; None where it has none."""
    found = [value for value in values(answer) if value.kind in (ValueKind.DATE, ValueKind.NUMBER)]
    if not found:
        return None
    value = rng.choice(found)
    other = _other_date_or_number(value.text, rng)
    return None if other is None else answer[: value.span.start] + other + answer[value.span.end :]


def replaced(text: str, old: str, new: str) -> str | None:
    """The text with every occurrence of ``old``, as whole words, made ``new``; None where it has none."""
    spans = answer_spans(text, [old])
    if not spans:
        return None
    for span in reversed(spans):
        text = text[: span.start] + new + text[span.end :]
    return text


def reversed_polarity(text: str, rng: Random, *, near: Span | None = None) -> str | None:
    """The text with one statement denied, or, where it is a denial, asserted.

    ``near``: the statement is the clause around these characters; any clause of the text unless given.
    """
    edits = [(match.start(), match.end(), f"{match['verb']} ") for match in _NEGATIVE.finditer(text)]
    denied = {start for start, _, _ in edits}
    edits += [
        (match.end(), match.end(), " never" if rng.random() < 0.2 else " not")
        for match in _POSITIVE.finditer(text)
        if match.start() not in denied
        and text[match.end() : match.end() + 1] == " "
        and not text.startswith(" never", match.end())
    ]
    edits += [(match.start("verb"), match.start("verb"), "never ") for match in _PAST.finditer(text)]
    if near is not None:
        edits = [edit for edit in edits if _same_clause(text, edit[0], near)]
        edits.sort(key=lambda edit: min(abs(edit[0] - near.start), abs(edit[0] - near.end)))
        edits = edits[:1]
    if not edits:
        return None
    start, end, new = rng.choice(edits)
    return text[:start] + new.replace("cannot ", "can ") + text[end:]


def shortened(sentence: str, rng: Random) -> str | None:
    """The sentence without an opening phrase, a parenthesis or a closing clause; None where it has none."""
    found = []
    if match := _OPENING.search(sentence):
        rest = sentence[match.end() :]
        found.append(rest[0].upper() + rest[1:])
    found += [
        sentence[: match.start()] + sentence[match.end() :]
        for pattern in (_PARENTHESIS, _RELATIVE)
        if (match := pattern.search(sentence))
    ]
    kept = [sentence for sentence in found if len(sentence.split()) >= 4]
    return rng.choice(kept) if kept else None


def others_of_kind(text: str, answer: str, answers: Sequence[str]) -> list[str]:
    """The text's values of the answer's kind that are not, and are no part of, any of the answers."""
    kind = kind_of(answer)
    found = dict.fromkeys(value.text for value in values(text) if value.kind is kind)
    return [text for text in found if not any(same(text, right) for right in (answer, *answers))]


def _opens(value: Value) -> bool:
    return value.kind is ValueKind.NAME and value.span.start == 0 and " " not in value.text


def other_words(text: str, answers: Sequence[str], rng: Random) -> str | None:
    """A value or a run of one to four words of the text, of whatever kind, that is no part of an answer."""
    words = list(_WORD.finditer(text))
    found = [value.text for value in values(text)]
    for _ in range(len(found) or 1):
        first = rng.randrange(len(words)) if words else 0
        last = min(first + rng.randrange(4), len(words) - 1)
        found += [text[words[first].start() : words[last].end()]] if words else []
    kept = [words for words in found if not any(same(words, right) for right in answers)]
    return rng.choice(kept) if kept else None


def _same_clause(text: str, position: int, near: Span) -> bool:
    between = text[position : near.start] if position < near.start else text[near.end : position]
    return not _CLAUSE_END.search(between)


def _other_date_or_number(text: str, rng: Random) -> str | None:
    """Another one of the same form."""
    if (month := re.search(rf"\b{_MONTH}\b", text)) and rng.random() < 0.4:
        other = rng.choice([name for name in _MONTHS if name != month.group()])
        return text[: month.start()] + other + text[month.end() :]
    numbers = list(re.finditer(r"\d+(?:,\d{3})*", text))
    if numbers:
        number = max(numbers, key=lambda match: len(match.group()))
        other = _other_number(number.group(), rng)
        return text[: number.start()] + other + text[number.end() :]
    if text in _COUNTS:
        return rng.choice([count for count in _COUNTS if count != text])
    return None


def _other_number(digits: str, rng: Random) -> str:
    """A number near this one, as round as it and written alike."""
    number = int(digits.replace(",", ""))
    zeros = len(digits.replace(",", "")) - len(digits.replace(",", "").rstrip("0"))
    is_year = len(digits) == len(str(number)) == 4
    step = 10 ** min(zeros, 1) if is_year else 10 ** max(0, zeros - 1)
    reach = rng.choice((3, 10)) if is_year else max(3, number // step // rng.choice((2, 5)))
    less = min(reach, max(0, (number - 1) // step))
    steps = rng.randrange(-less, reach)  # of which none is no step at all
    other = number + step * (steps if steps < 0 else steps + 1)
    return f"{other:,}" if "," in digits else str(other).zfill(len(digits))
