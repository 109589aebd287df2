"""The claims in what a language model wrote: in JSON, alone or amid other text, whole or cut off."""

import json
import math
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
# in JSON a backslash stands before these alone; before a mark, as in \' and \$, many a model writes one all the same
_ESCAPE = re.compile(r"""\\(?:(?P<known>["\\/bfnrt]|u[0-9a-fA-F]{4})|(?P<mark>[^\w\s]|_)|)""")


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
    within JSON such a mark is text. Of JSON that breaks off the claims that are whole count, and of JSON in other JSON
    those within. A number may be a claim, and a claim with several quotes counts with each. One without words, with
    broken characters, or too long to be a claim is left out.
    """
    claims: dict[WrittenClaim, None] = {}  # in order, each once
    values = _values(_ESCAPE.sub(_known_escape, text))
    for claim in chain.from_iterable(map(_claims, chain.from_iterable(map(_records, values)))):
        claims[claim] = None
        if len(claims) == MOST_CLAIMS:
            break
    return list(claims)


def _known_escape(escape: re.Match[str]) -> str:
    """The same as JSON has it: without a backslash before a mark that needs none; elsewhere the backslash is text."""
    return escape["mark"] or (escape[0] if escape["known"] else "\\\\")


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
    """Each object that has a claim, in order, however deep it is in others."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict) and "claim" in each:
            yield each
        elif isinstance(each, dict | list):
            waiting += reversed(list(each.values()) if isinstance(each, dict) else each)


def _claims(record: dict[str, object]) -> Iterator[WrittenClaim]:
    """The claim with each of its quotes."""
    claim, quotes = record["claim"], record.get("quote", record.get("quotes"))
    if isinstance(claim, int | float) and not isinstance(claim, bool) and math.isfinite(claim):
        claim = str(claim)
    if not isinstance(claim, str):
        return
    claim = " ".join(claim.replace(BREAK, "").split())
    if len(claim) > MOST_CLAIM_CHARACTERS or not claim.isprintable() or not has_words(claim):
        return
    for quote in quotes if isinstance(quotes, list) else [quotes]:
        if isinstance(quote, str) and _fits(claim, quote):
            yield WrittenClaim(claim, quote, _number(record.get("passage")))


def _fits(claim: str, quote: str) -> bool:
    return len(quote) <= MOST_QUOTE_CHARACTERS and lone_surrogate(claim + quote) is None


def _number(value: object) -> int | None:
    """1, "1" or "[1]"; what else there may be names no passage."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    found = _NUMBER.search(str(value)[:20])
    return int(found[0]) if found else None
