"""The claims in what a language model wrote: in JSON, alone or amid other text, whole or cut off."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from app.answering.checked_input import lone_surrogate
from app.answering.language_models.claims_prompt import BREAK
from app.answering.text.words import has_words

MOST_CLAIMS = 16
MOST_CLAIM_CHARACTERS = 1_000
MOST_QUOTE_CHARACTERS = 4_000
_MOST_CHARACTERS = 100_000  # of a text that are looked at, beside thoughts that are marked as such
_MOST_OBJECTS = 256  # beginnings of JSON that are tried, again after each thought
_THOUGHT_ENDS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
# the beginning of an object or of a list of some; or the mark of a thought's beginning or, with a slash, of its end
_NEXT = re.compile(r'\{\s*"|\[\s*\{|<(?P<ends>/?)think(?:ing)?>', re.IGNORECASE)
_BREAKS_OFF = "Unterminated string"  # what the decoder says where the text ends within one
_NUMBER = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True)
class WrittenClaim:
    """A claim with the quote that is said to show it. Nothing vouches for either.

    ``passage``: the number that was named, from 1; None where there was none.
    """

    claim: str
    quote: str
    passage: int | None


def written_claims(text: str) -> list[WrittenClaim]:
    """The claims in a text, in order, 16 at most; none where it holds no JSON with some.

    What a model thought aloud before is passed over, also where the mark of its beginning or of its end is missing;
    within JSON such a mark is text. Of JSON that breaks off the claims that are whole count. One without words, with
    broken characters, or too long to be a claim is left out.
    """
    claims: dict[WrittenClaim, None] = {}  # in order, each once
    for record in chain.from_iterable(map(_records, _values(text))):
        claim = _claim(record)
        if claim is not None:
            claims[claim] = None
        if len(claims) == MOST_CLAIMS:
            break
    return list(claims)


def _values(text: str) -> list[object]:
    """Each JSON object or list that is whole, the outermost first; what is inside one is not given again.

    Those before the end of a thought are part of it, whether its beginning is marked or not.
    """
    decoder = json.JSONDecoder(strict=False)  # a line end within a string is let pass
    values: list[object] = []
    at, end, tried = 0, _MOST_CHARACTERS, 0
    while (found := _NEXT.search(text, at, end)) is not None:
        start, at = found.span()
        if found["ends"] == "/":
            values, tried = [], 0
        elif found["ends"] == "":
            thought_ends = _THOUGHT_ENDS.search(text, at)
            if thought_ends is None:
                break
            at = thought_ends.end()
            end += at - start
        elif tried < _MOST_OBJECTS:
            tried += 1
            try:
                value, length = decoder.raw_decode(text[start:end])
            except (ValueError, RecursionError) as error:
                at = start + 1
                if isinstance(error, json.JSONDecodeError) and error.msg.startswith(_BREAKS_OFF):
                    end = start + error.pos  # what follows is within a string
            else:
                values.append(value)
                at = start + length
    return values


def _records(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
    elif isinstance(value, dict):
        listed = value.get("claims")
        yield from _records(listed) if isinstance(listed, list) else [value]


def _claim(record: dict[str, object]) -> WrittenClaim | None:
    claim, quote = record.get("claim"), record.get("quote")
    if not isinstance(claim, str) or not isinstance(quote, str):
        return None
    claim = " ".join(claim.replace(BREAK, "").split())
    fits = len(claim) <= MOST_CLAIM_CHARACTERS and len(quote) <= MOST_QUOTE_CHARACTERS
    if not fits or not claim.isprintable() or lone_surrogate(claim + quote) is not None:
        return None
    return WrittenClaim(claim, quote, _number(record.get("passage"))) if has_words(claim) else None


def _number(value: object) -> int | None:
    """1, "1" or "[1]"; what else there may be names no passage."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    found = _NUMBER.search(str(value)[:20])
    return int(found[0]) if found else None
