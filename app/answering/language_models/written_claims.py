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
_MOST_CHARACTERS = 100_000  # of a text that are looked at
_MOST_OBJECTS = 256  # beginnings of JSON that are tried
_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
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

    What a model thought aloud before is passed over, and of JSON that breaks off the claims that are whole count. One
    without words, with broken characters, or too long to be a claim is left out.
    """
    text = _THOUGHT.sub("", text)[:_MOST_CHARACTERS]
    claims: dict[WrittenClaim, None] = {}  # in order, each once
    for record in chain.from_iterable(map(_records, _values(text))):
        claim = _claim(record)
        if claim is not None:
            claims[claim] = None
        if len(claims) == MOST_CLAIMS:
            break
    return list(claims)


def _values(text: str) -> Iterator[object]:
    """Each JSON object or list that is whole, the outermost first; what is inside one is not given again."""
    decoder, at = json.JSONDecoder(strict=False), 0  # a line end within a string is let pass
    for _ in range(_MOST_OBJECTS):
        starts = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
        if not starts:
            return
        at = min(starts)
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            yield value


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
