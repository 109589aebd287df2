import pytest

from app.answering.shipped_weights import WEIGHTS_FOLDER, shipped_weights
from app.service.check import Checker, checker_of, rounded_down
from app.service.claim_support import ClaimScorer, lazy_claim_scorer
from common.deadline import Deadline
from common.errors import DeadlineExceededError, InvalidRequestError
from quote_check.check import QuoteToCheck, Verdict
from quote_check.check_answer import AnswerToCheck, GivenClaim
from retriever.types import Document
from tests.app.http.conftest import DOCUMENTS, service_over

TOWER = Document(
    "tower",
    "The tower",
    "The tower was built in 1698. It fell into the sea in 1703. Nobody was hurt. "
    + "Other things were said. " * 80,
)
LEDGER = Document(
    "ledger", "The ledger", "The keeper was paid ten pounds a year. " + "Coal came by boat. " * 80
)


class Words:
    """A scorer that counts: the share of the claim's words that the quote has."""

    def __init__(self):
        self.claims = []

    def score(self, claims):
        self.claims += claims
        return [
            sum(word in claim.quote.lower() for word in claim.answer.lower().split())
            / len(claim.answer.split())
            for claim in claims
        ]


@pytest.fixture
def words():
    return Words()


@pytest.fixture
def checker(words):
    measured = {"all": {"accuracy": 0.75, "auroc": 0.8, "claims": 8}, "true": {"accuracy": 0.5, "claims": 4}}
    scorer = ClaimScorer("words", words, "f" * 64, measured)
    return Checker(scorer=lambda: scorer)


def asked(text="", **given):
    return AnswerToCheck(text=text, documents=(TOWER, LEDGER), **given)


def test_a_claim_is_judged_by_the_sentence_that_its_quote_stands_in(checker, words):
    response = checker.check(asked('It says "fell into the sea" [1].', question="what happened?"))
    (claim,) = response.claims
    (seen,) = words.claims
    assert (seen.question, seen.title, seen.quote) == (
        "what happened?",
        "The tower",
        "It fell into the sea in 1703.",
    )
    assert seen.answer == 'It says "fell into the sea".'
    (span,) = claim.evidence.spans
    assert TOWER.text[span.start : span.end] == span.text == "It fell into the sea in 1703."
    assert (claim.quotes, claim.document_ids, claim.marks) == ([1], ["tower"], ["[1]"])


def test_a_claim_without_a_quote_is_judged_by_the_passage_cited_that_backs_it_best(checker, words):
    response = checker.check(asked("The keeper was paid ten pounds [2]. Keeper paid ten pounds [1]."))
    backed, unbacked = response.claims
    assert (backed.support, backed.supported) == (0.8333, True)  # all but "pounds." with its full stop
    assert backed.evidence.spans[0].text.startswith("The keeper was paid ten pounds a year.")
    assert (unbacked.supported, unbacked.evidence) == (None, None)  # the cited document has none of its words


def test_a_claim_whose_quote_is_made_up_is_judged_by_what_it_cites(checker, words):
    response = checker.check(asked('Nobody was hurt, since "bananas orbit the far moon" [1].'))
    assert response.quotes[0].verdict is Verdict.FABRICATED
    assert "Nobody was hurt." in response.claims[0].evidence.spans[0].text
    assert response.claims[0].supported is False


def test_what_was_measured_of_the_scorer_is_said(checker):
    scorer = checker.check(asked("It fell [1].")).scorer
    assert (scorer.name, scorer.sha256, scorer.measured.accuracy, scorer.measured.claims) == (
        "words",
        "f" * 64,
        0.75,
        8,
    )
    assert {name: figures.accuracy for name, figures in scorer.by_kind.items()} == {"true": 0.5}


def test_the_trained_scorers_figures_are_those_of_its_manifest():
    loaded = []
    lazy = lazy_claim_scorer((WEIGHTS_FOLDER,), lambda **given: loaded.append(given) or Words())
    assert loaded == []
    scorer = lazy()
    assert lazy() is scorer
    assert len(loaded) == 1
    _, entry = shipped_weights("support", "support")
    assert (scorer.sha256, scorer.measured) == (entry.sha256, entry.quality)
    assert 0.5 < scorer.measured["all"]["accuracy"] < 1


def test_without_weights_there_is_no_trained_scorer(tmp_path):
    assert lazy_claim_scorer((tmp_path,), lambda **given: Words()) is None


def test_without_a_scorer_claims_have_evidence_and_no_support():
    response = Checker().check(asked('It says "fell into the sea" [1].'))
    assert response.scorer is None
    assert (response.claims[0].support, response.claims[0].supported) == (None, None)
    assert response.claims[0].evidence.document_id == "tower"


def test_claims_and_quotes_of_fields_are_checked_like_those_of_the_text(checker):
    response = checker.check(
        asked(
            'It says "the tower was built in 1698" [1].',
            quotes=(QuoteToCheck("Coal came by boat."),),
            claims=(GivenClaim("Coal came", (QuoteToCheck("coal came by boat"),), ("ledger",)),),
        )
    )
    assert [quote.number for quote in response.quotes] == [1, 2, 3]
    assert [quote.verdict for quote in response.quotes] == [Verdict.VERBATIM] * 3
    assert [quote.place is None for quote in response.quotes] == [False, True, True]
    assert response.quotes[2].document_ids == ["ledger"]
    assert (response.claims[1].quotes, response.claims[1].supported) == ([3], True)
    assert response.verdicts[Verdict.VERBATIM] == 3


def test_places_are_lines_and_columns_in_code_points():
    text = 'One 😀.\r\nIt says "fell into\nthe sea" here.'
    (quote,) = Checker().check(asked(text)).quotes
    place = quote.place
    assert text[place.start : place.end] == "fell into\nthe sea"
    assert (place.line, place.column, place.end_line, place.end_column) == (2, 10, 3, 8)


def test_a_line_ends_where_editors_and_code_hosts_end_it():
    text = 'One\u2028two\x0cthree\x85four.\rIt says "fell into the sea" here.'
    (quote,) = Checker().check(asked(text)).quotes
    assert (quote.place.line, quote.place.column) == (2, 10)


def test_too_many_quotes_are_refused_with_a_sentence(checker):
    text = '"one two three four" ' * 5
    with pytest.raises(
        InvalidRequestError, match=r"^The answer has 5 quotes, but at most 4 are checked at once"
    ):
        checker.check(asked(text), most=4)
    assert len(checker.check(asked(text), most=5).quotes) == 5


def test_the_time_allowed_ends_a_check(checker):
    with pytest.raises(DeadlineExceededError, match="the stage 'read'"):
        checker.check(asked('It says "fell into the sea" [1].'), deadline=Deadline(0.0))


def test_a_service_checks_against_its_index_with_its_own_scorer_where_no_weights_are():
    service = service_over()
    response = checker_of(service).check(
        AnswerToCheck(
            text='It "stands on a reef south of Plymouth" [1].', sources={"1": "lighthouses/eddystone"}
        )
    )
    (quote,) = response.quotes
    assert (quote.verdict, quote.found.document_id) == (Verdict.VERBATIM, "lighthouses/eddystone")
    (span,) = quote.found.spans
    assert DOCUMENTS[2].text[span.start : span.end] == span.text
    assert (response.scorer.name, response.scorer.measured) == ("LexicalSupport", None)
    assert response.searched.model_dump() == {"documents": 3, "index": True, "complete": False}
    assert response.claims[0].support > 0


def test_a_likeness_is_never_rounded_up():
    assert rounded_down(0.99999) == 0.9999
    assert rounded_down(1.0) == 1.0
