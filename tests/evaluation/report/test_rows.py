from dataclasses import replace

import pytest

from evaluation.report.rows import Check, Rank, Trait, Verdict, rows
from evaluation.score import Scored
from tests.evaluation.report.conftest import DESCRIPTION, RIGHT, UNANSWERED, WRONG, citation, line


def row_of(outcome, *, min_confidence=0.5, description=DESCRIPTION, **options):
    (row,) = rows(Scored(description, [line(outcome, **options)], [outcome]), min_confidence=min_confidence)
    return row


def test_every_question_has_its_verdict(run):
    shown = rows(run, min_confidence=0.5)
    assert [(row.id, row.verdict) for row in shown] == [
        ("q1", Verdict.RIGHT),
        ("q2", Verdict.WRONG),
        ("q3", Verdict.ABSTAINED),
        ("q4", Verdict.ABSTAINED),
        ("q5", Verdict.SHOULD_HAVE_ABSTAINED),
        ("q6", Verdict.RIGHTLY_ABSTAINED),
        ("q7", Verdict.SET_ASIDE),
    ]
    assert [row.to_abstain for row in shown] == [False] * 4 + [True, True, False]


@pytest.mark.parametrize(
    ("min_confidence", "verdicts"),
    [
        (0.0, ["right", "wrong", "right", "abstained", "should have abstained", "should have abstained"]),
        (0.9, ["right", "abstained", "abstained", "abstained", "rightly abstained", "rightly abstained"]),
        (1.0, ["abstained"] * 4 + ["rightly abstained"] * 2),
    ],
)
def test_verdicts_follow_the_threshold(run, min_confidence, verdicts):
    shown = [row.verdict.value for row in rows(run, min_confidence=min_confidence)]
    assert shown == [*verdicts, "set aside"]


def test_an_answer_that_holds_a_known_one_is_right_though_no_exact_match():
    longer = replace(WRONG, answer="in 1873, it is said", contains_answer=True)
    row = row_of(longer)
    assert (row.verdict, row.checks[0]) == (Verdict.RIGHT, Check("exact match", False))
    assert Trait.RIGHT_UNSUPPORTED in row.traits
    assert Trait.WOULD_BE_RIGHT in row_of(longer, min_confidence=0.8).traits


def test_traits_say_what_is_worth_a_look(run):
    assert {row.id: row.traits for row in rows(run, min_confidence=0.5)} == {
        "q1": (),
        "q2": (Trait.NOT_RETRIEVED, Trait.UNSUPPORTED),
        "q3": (Trait.WOULD_BE_RIGHT,),
        "q4": (Trait.NOT_RETRIEVED,),
        "q5": (),
        "q6": (),
        "q7": (),
    }
    assert row_of(replace(RIGHT, supported=False, gold_cited=False, quote_verbatim=False)).labels == (
        "right",
        Trait.UNSUPPORTED,
        Trait.RIGHT_UNSUPPORTED,
        Trait.OTHER_DOCUMENT,
        Trait.NOT_VERBATIM,
    )
    assert Trait.NOT_RETRIEVED not in row_of(replace(WRONG, answer_in_hits=None)).traits


def test_checks_are_the_facts_of_an_answer():
    assert row_of(RIGHT).checks == (
        Check("exact match", True),
        Check("quote has the answer", True),
        Check("supported", True),
        Check("gold document cited", True),
        Check("verbatim", True),
    )
    assert row_of(replace(WRONG, quote_verbatim=False)).checks == (
        Check("exact match", False),
        Check("quote has the answer", False),
        Check("supported", False),
        Check("verbatim", False),
    )
    assert row_of(UNANSWERED).checks == ()
    assert row_of(replace(WRONG, kind="private", answerable=False)).checks == (Check("verbatim", True),)


def test_a_configuration_without_quotes_shows_none():
    unquoted = {**DESCRIPTION, "configuration": {"name": "closed-book", "answer_from": "candidate"}}
    other = {"answer": "1901", "confidence": 0.1}
    row = row_of(
        replace(RIGHT, quote_verbatim=None, quoted=False), description=unquoted, alternatives=[other]
    )
    assert (row.quotes, row.others) == ((), ())
    assert row.checks == (Check("exact match", True),)


def test_ranks_are_those_of_the_first_passage():
    assert row_of(RIGHT).ranks == (
        Rank("passage with the answer", 2, 3),
        Rank("passage of the gold document", 1, 3),
    )
    assert row_of(UNANSWERED).ranks == (Rank("passage with the answer", None, 3),)
    assert row_of(replace(RIGHT, holds_answer=None, is_gold=None)).ranks == ()


def test_a_quote_is_shown_in_its_context_with_its_place():
    cut = citation(before="Lisbon had a tram. ", after=" They ran on")
    (whole, second) = row_of(RIGHT, citations=[citation(), cut]).quotes
    assert (whole.before, whole.text) == (
        "In Lisbon a horse tram ran in 1873. ",
        "Electric ones came in 1901.",
    )
    assert (whole.after, whole.title, whole.place) == ("", "Trams", "trams [36:63]")
    assert (second.before, second.after) == ("… Lisbon had a tram. ", " They ran on …")
    (ended,) = row_of(RIGHT, citations=[citation(after=" They ran on. ")]).quotes
    assert ended.after == " They ran on. "


@pytest.mark.parametrize(
    ("url", "followed"),
    [
        ("https://example.org/a", True),
        ("HTTP://example.org/a", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>alert(1)</script>", False),
        ("file:///etc/passwd", False),
        ("//example.org", False),
        ("http://[", False),
        ("", False),
        (None, False),
    ],
)
def test_only_addresses_of_the_web_are_followed(url, followed):
    (quote,) = row_of(RIGHT, citations=[citation(url=url)]).quotes
    assert quote.url == (url if followed else None)


def test_where_nothing_was_answered_the_nearest_is_shown_and_why():
    row = row_of(UNANSWERED, nearest=[citation(quote="A horse tram.")])
    assert ([quote.text for quote in row.quotes], row.nearest) == (["A horse tram."], True)
    assert (row.answer, row.given, row.reason) == (None, False, "no_quote")
    answered = row_of(WRONG)
    assert (answered.answer, answered.given, answered.reason, answered.nearest) == ("1901", True, None, False)


def test_other_answers_are_named_with_their_confidence():
    others = [{"answer": "1901", "confidence": 0.256}, {"answer": "1874", "confidence": 0.1}]
    assert row_of(RIGHT, alternatives=others).others == ("1901 (0.26)", "1874 (0.10)")


def test_a_row_keeps_the_question_and_what_was_expected(run):
    first, *_ = rows(run, min_confidence=0.5)
    assert (first.question, first.kind, first.side) == ("question q1", "answerable", "test")
    assert (first.expected, first.answer, first.confidence) == (("1873", "in 1873"), "1873", 0.9)


def test_of_a_long_answer_the_whole_is_shown_and_what_backs_it_comes_first():
    (long,) = [line(RIGHT, citations=[citation(quote="Before.", further=True), citation(further=False)])]
    long["trace"]["decision"] |= {"answer": "Before. It ran in 1873.", "short_answer": "1873"}
    (row,) = rows(Scored(DESCRIPTION, [long], [RIGHT]), min_confidence=0.5)
    assert row.answer == "Before. It ran in 1873."
    assert [quote.text for quote in row.quotes] == ["Electric ones came in 1901.", "Before."]
