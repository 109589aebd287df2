r"""GopherCite's syntax under a mask: which tokens may come next, so that every answer parses and its quote is verbatim.

    %<Claim>%(Title)%[Quote]%          GopherCite, section 2.1

Whatever the model would rather write, the title is one of the prompt's and the quote is a run of evidence tokens
of one passage with that title. No tensors here: a caller offers ``allowed`` tokens and says which one was taken.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from app.answering.evidence_model.evidence_input import STOP, EvidenceInput, EvidenceTokenizer

CLAIM_TOKENS = 32
QUOTE_TOKENS = 64
OPENING, TITLE, QUOTE, CLOSING = "%<", ">%(", ")%[", "]%"
_CLOSER = re.compile(r"(?P<claim>[^<>\n\ufffd]*)(?<!\s)(?P<title>>(?:%\(?)?)")


class ParsedQuote(NamedTuple):
    """The three parts of ``%<Claim>%(Title)%[Quote]%``, without white space around them."""

    claim: str
    title: str
    quote: str


def parse_quoted(text: str) -> ParsedQuote | None:
    """Claim, title and quote of a text in GopherCite's syntax; None for any other text.

    The claim ends at the first ``>%(``, the title at the first ``)%[`` after that, the quote at the text's end.
    """
    text = text.strip()
    if not (text.startswith(OPENING) and text.endswith(CLOSING)):
        return None
    claim, titled, rest = text[len(OPENING) :].partition(TITLE)
    title, quoted, rest = rest.partition(QUOTE)
    if not (titled and quoted and rest.endswith(CLOSING)):
        return None
    parsed = ParsedQuote(claim.strip(), title.strip(), rest.removesuffix(CLOSING).strip())
    return parsed if parsed.claim and parsed.quote else None


@dataclass(frozen=True, slots=True)
class QuotedTokens:
    """What was written. ``first``, ``last``: the quote's evidence tokens. ``cut``: a limit ended claim or quote."""

    claim: str
    first: int
    last: int
    cut: bool


class Phase(Protocol):
    """A place in the syntax. ``allowed``, never empty: the tokens that may come next."""

    @property
    def allowed(self) -> frozenset[int]: ...

    def after(self, id_: int) -> "Phase | QuotedTokens":
        """Where one of the allowed tokens leads; what was written when that was the stop."""


class QuoteMask:
    """The syntax for one prompt, whose pieces are tokenised as ``EvidenceTokenizer.quoted_answer`` does.

    There the claim, the title and what stands around them are one piece, so that the tokenizer may join a
    claim's last character to the ``>`` after it (``.>``). Such a token may be taken whenever some word of the
    prompt would end in it; what is left of the piece is then spelt out. A claim holds no ``>`` of its own, and
    its first character stays apart from the ``<``: training does otherwise about one time in a hundred.

    The quote is followed by the set of all places in the evidence where the tokens so far may have ended. That
    is right by definition, also where texts repeat or overlap, and costs no more than one look at every evidence
    token, of which there are some hundreds: a suffix automaton would be quicker where nothing is slow. It begins
    and ends with a whole word and a whole character.

    A title that holds ``)%[`` would make an answer ambiguous, so passages under it are not quoted.
    """

    def __init__(
        self,
        tokenizer: EvidenceTokenizer,
        prompt: EvidenceInput,
        *,
        claim_tokens: int = CLAIM_TOKENS,
        quote_tokens: int = QUOTE_TOKENS,
    ) -> None:
        """``claim_tokens``, ``quote_tokens``: of a claim and of a quote at most, 1 at least."""
        if min(claim_tokens, quote_tokens) < 1:
            raise ValueError(
                f"Claim and quote need at least one token each, but {claim_tokens} and {quote_tokens} are allowed."
            )
        self._tokenizer = tokenizer
        self._opening = tuple(tokenizer.ids(f" {OPENING}"))
        self.places = _QuotablePlaces(prompt, tuple(tokenizer.ids(f"{CLOSING}{STOP}")), quote_tokens)
        self.words = _ClaimWords(tokenizer, prompt, claim_tokens)
        titles = {
            title: tuple(
                place for place in self.places.opening if prompt.titles[int(prompt.passages[place])] == title
            )
            for title in prompt.titles
            if QUOTE not in title
        }
        self._titles = {title: places for title, places in titles.items() if places}
        self._spelt = {
            (begun, title): tuple(tokenizer.ids(f"{TITLE}{title}{QUOTE}"[len(begun) :]))
            for begun in set(self.words.closers.values())
            for title in self._titles
        }

    @property
    def ids(self) -> frozenset[int]:
        """Every token that may ever be allowed."""
        spelt = (id_ for ids in self._spelt.values() for id_ in ids)
        return frozenset(
            [
                *self._opening,
                *self.words.all,
                *self.words.closers,
                *spelt,
                *self.places.ids,
                *self.places.closing,
            ]
        )

    def start(self) -> Phase | None:
        """The beginning of an answer; None when no passage has a quote that fits into the limit."""
        return _Spelling(((self._opening, _Claim(self)),)) if self._titles else None

    def titled(self, begun: str, claim: str, *, cut: bool) -> Phase:
        """What follows a claim and so much of ``>%(``."""
        return _Spelling(
            tuple(
                (self._spelt[begun, title], _Quote(self.places, claim, cut, going=places))
                for title, places in self._titles.items()
            )
        )


class _ClaimWords:
    """The tokens that claims are made of, and those that end one.

    They are the prompt's, and what the prompt's words become right after ``%<`` and right before ``>%(``.
    ``closers``: how much of ``>%(`` a token holds that ends a claim.
    """

    def __init__(self, tokenizer: EvidenceTokenizer, prompt: EvidenceInput, limit: int) -> None:
        self._tokenizer, self.limit = tokenizer, limit
        words = sorted(set(tokenizer.text(prompt.ids).split()))
        # a title's first character may be joined to what stands before it, unless it is a letter
        after = sorted({"", *(title[:1] for title in prompt.titles if not title[:1].isalnum())})
        framed = "".join(f" {OPENING}{word} {word}{TITLE}{title}" for title in after for word in words)
        texts = self._texts({*prompt.ids, *tokenizer.ids(framed), *tokenizer.ids(TITLE)})
        found = {id_: match for id_, text in texts.items() if (match := _CLOSER.fullmatch(text))}
        self.closers: Mapping[int, str] = {id_: match["title"] for id_, match in found.items()}
        self.all = frozenset(id_ for id_, text in texts.items() if ">" not in text and STOP not in text)
        self._shown = frozenset(id_ for id_ in self.all if _shown(texts[id_]))
        self._lone = frozenset(id_ for id_, match in found.items() if not match["claim"])

    def text(self, ids: Sequence[int]) -> str:
        """The claim that they spell, up to the ``>``; characters of which some bytes are missing are left out."""
        return _shown(self._tokenizer.text(ids).partition(">")[0])

    def allowed(self, ids: Sequence[int]) -> frozenset[int]:
        """What may follow these: a claim has ``limit`` tokens at most and something in it that can be seen."""
        room = self.limit - len(ids)
        if not room:
            return self._lone
        closers = self.closers.keys() if self.text(ids) else self.closers.keys() - self._lone
        return frozenset(closers | (self.all if room > 1 else self._shown))

    def _texts(self, ids: Iterable[int]) -> dict[int, str]:
        """By token; bytes that are no character alone are U+FFFD, and tokens that stand for no text are left out."""
        end = self._tokenizer.ids(">")  # without it the bytes would be left out too
        texts = {id_: self._tokenizer.text([id_, *end])[:-1] for id_ in ids}
        return {id_: text for id_, text in texts.items() if text}


def _shown(text: str) -> str:
    """What can be seen of it: no outer white space, and nothing of characters whose bytes are not all there."""
    return text.replace("\ufffd", "").strip()


class _QuotablePlaces:
    """The evidence as places where a quote may begin, go on and end.

    ``opening``: where one may begin. ``closing``: the tokens that end one, the stop last.
    """

    def __init__(self, prompt: EvidenceInput, closing: tuple[int, ...], limit: int) -> None:
        self.closing, self._limit = closing, limit
        self.ids = tuple(prompt.ids[place] for place in prompt.places)
        self._passages: list[int] = prompt.passages.tolist()
        self._ends: list[bool] = prompt.ends.tolist()
        self._least = self._tokens_to_an_end()
        self.opening = tuple(int(place) for place in prompt.starts.nonzero()[0] if self.fits(int(place), 1))

    def fits(self, place: int, tokens: int) -> bool:
        """Whether a quote whose token number ``tokens`` stands at ``place`` can still end within the limit."""
        return tokens + self._least[place] - 1 <= self._limit

    def ends(self, place: int) -> bool:
        """Whether a quote may end with this token."""
        return self._ends[place]

    def goes_on(self, place: int) -> bool:
        """Whether the passage has another token after this one."""
        return place + 1 < len(self.ids) and self._passages[place] == self._passages[place + 1]

    def cut(self, first: int, last: int) -> bool:
        """Whether the limit forbade that a quote from ``first`` to ``last`` went on to a further end."""
        return (
            self.goes_on(last)
            and self._least[last + 1] < math.inf
            and not self.fits(last + 1, last - first + 2)
        )

    def _tokens_to_an_end(self) -> list[float]:
        """How many tokens a quote has at least from each place on; infinity where no end follows."""
        least = [math.inf] * len(self.ids)
        for place in reversed(range(len(self.ids))):
            if self._ends[place]:
                least[place] = 1
            elif self.goes_on(place):
                least[place] = least[place + 1] + 1
        return least


@dataclass(frozen=True, slots=True)
class _Spelling:
    """Tokens that leave no choice but between ``paths``: (tokens, where they lead). No path begins another."""

    paths: tuple[tuple[tuple[int, ...], Phase], ...]
    at: int = 0

    @property
    def allowed(self) -> frozenset[int]:
        return frozenset(ids[self.at] for ids, _ in self.paths)

    def after(self, id_: int) -> Phase:
        paths = tuple((ids, phase) for ids, phase in self.paths if ids[self.at] == id_)
        through = [phase for ids, phase in paths if len(ids) == self.at + 1]
        return through[0] if through else _Spelling(paths, self.at + 1)


@dataclass(frozen=True, slots=True)
class _Claim:
    """Inside the claim, after ``ids``."""

    mask: QuoteMask
    ids: tuple[int, ...] = ()

    @property
    def allowed(self) -> frozenset[int]:
        return self.mask.words.allowed(self.ids)

    def after(self, id_: int) -> Phase:
        words, ids = self.mask.words, (*self.ids, id_)
        if id_ not in words.closers:
            return _Claim(self.mask, ids)
        return self.mask.titled(words.closers[id_], words.text(ids), cut=len(ids) > words.limit)


@dataclass(frozen=True, slots=True)
class _Quote:
    """Inside the quote, or past it: both at once where the evidence itself goes on with ``]%``.

    ``going``: where the next evidence token may stand. ``ending``: quotes that may be over, as (first, last,
    how many of the closing tokens are written). ``taken``: evidence tokens of those that are still going.
    """

    places: _QuotablePlaces
    claim: str
    claim_cut: bool
    going: tuple[int, ...]
    ending: tuple[tuple[int, int, int], ...] = ()
    taken: int = 0

    @property
    def allowed(self) -> frozenset[int]:
        places = self.places
        return frozenset(
            [
                *(places.ids[at] for at in self.going),
                *(places.closing[written] for *_, written in self.ending),
            ]
        )

    def after(self, id_: int) -> "Phase | QuotedTokens":
        places, taken = self.places, self.taken + 1
        ending = [
            (first, last, written + 1)
            for first, last, written in self.ending
            if places.closing[written] == id_
        ]
        for first, last, written in ending:
            if written == len(places.closing):
                return QuotedTokens(self.claim, first, last, self.claim_cut or places.cut(first, last))
        here = [at for at in self.going if places.ids[at] == id_]
        ending += [(at - taken + 1, at, 0) for at in here if places.ends(at)]
        going = tuple(at + 1 for at in here if places.goes_on(at) and places.fits(at + 1, taken + 1))
        return _Quote(places, self.claim, self.claim_cut, going, tuple(ending), taken)
