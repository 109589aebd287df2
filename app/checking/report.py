"""What a run of `loccit check` found: the response to each answer, and which findings fail it."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from app.checking.failure import Failure
from app.service.check import AnswerPlace, CheckedClaimResponse, CheckedQuote, CheckResponse
from quote_check.check import Verdict

MEANINGS = {
    Failure.FABRICATED: "A quote stands nowhere, and nothing is nearly like it.",
    Failure.NEARLY: "A quote is nearly, but not word for word, what stands in a document.",
    Failure.FROM_ANOTHER_DOCUMENT: "A quote stands in another document than the one cited.",
    Failure.TOO_SHORT: "What stands between quotation marks is too short to be checked.",
    Failure.MISPLACED: "A quote does not stand at the offsets that were claimed.",
    Failure.UNSUPPORTED: "A claim is not backed by its quote or by what it cites.",
    Failure.UNRESOLVED: "A mark names no document.",
    Failure.NO_QUOTES: "An answer has no quotes.",
}
_OF_VERDICT = {
    Verdict.FABRICATED: Failure.FABRICATED,
    Verdict.NEARLY: Failure.NEARLY,
    Verdict.FROM_ANOTHER_DOCUMENT: Failure.FROM_ANOTHER_DOCUMENT,
    Verdict.TOO_SHORT: Failure.TOO_SHORT,
}


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """An answer of a file with what became of it. ``id``: of one of a file's answers; None where it is the file."""

    file: str
    id: str | None
    response: CheckResponse

    @property
    def name(self) -> str:
        """What it is called: its file, and its id where the file has several."""
        return self.file if self.id is None else f"{self.file}, {self.id}"


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that is not as it should be. ``what``: the quote, claim or mark; None of an answer as a whole."""

    entry: CheckedEntry
    failure: Failure
    sentence: str
    what: str
    place: AnswerPlace | None
    quote: CheckedQuote | None = None
    claim: CheckedClaimResponse | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run. ``fail_on``: what fails it."""

    entries: Sequence[CheckedEntry]
    fail_on: Collection[Failure]

    def issues(self) -> Iterator[Issue]:
        """Whatever is not as it should be, in the order of the answers, whether or not it fails the run."""
        for entry in self.entries:
            yield from _issues(entry)

    @property
    def fails(self) -> bool:
        """Whether there is an issue that fails it."""
        return any(issue.failure in self.fail_on for issue in self.issues())

    @property
    def verdicts(self) -> Counter[Verdict]:
        """How many quotes have each verdict."""
        return Counter(quote.verdict for entry in self.entries for quote in entry.response.quotes)


def _issues(entry: CheckedEntry) -> Iterator[Issue]:
    response = entry.response
    for quote in response.quotes:
        if (failure := _OF_VERDICT.get(quote.verdict)) is not None:
            yield Issue(entry, failure, f"{_said(failure)}: {quote.reason}.", quote.quote, quote.place, quote)
        if quote.offsets_match is False and quote.verdict is Verdict.VERBATIM:
            yield Issue(
                entry, Failure.MISPLACED, f"misplaced: {quote.reason}.", quote.quote, quote.place, quote
            )
    for claim in response.claims:
        if claim.supported is False:
            sentence = f"unsupported: what it cites backs it by {claim.support:.2f} of 1."
            yield Issue(entry, Failure.UNSUPPORTED, sentence, claim.claim, claim.place, claim=claim)
    for unresolved in response.unresolved_marks:
        sentence = f"unresolved: the mark {unresolved.mark} names no document."
        yield Issue(entry, Failure.UNRESOLVED, sentence, unresolved.mark, unresolved.place)
    if not response.quotes:
        yield Issue(entry, Failure.NO_QUOTES, "no quotes: there is nothing to check.", "", None)


def _said(failure: Failure) -> str:
    return failure.value.replace("_", " ")
