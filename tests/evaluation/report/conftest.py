"""A run of seven questions by hand, with every verdict in it."""

import pytest

from evaluation.outcome import Outcome
from evaluation.questions import Side
from evaluation.score import Scored, report_of

DESCRIPTION = {
    "settings": {"index": "data/indexes/ships", "top_k": 2, "min_confidence": 0.5},
    "models": {"encoder": "all-MiniLM-L6-v2", "language_model": None, "reader_sha256": "feedbeef"},
    "generation": "20260101T000000-00000000",
    "manifest": {
        "sources": [
            {
                "name": "wiki",
                "licence": "CC BY-SA 4.0",
                "snapshot": None,
                "attribution": "Wikipedia contributors",
            },
            {"name": "notes.txt", "licence": None, "snapshot": None, "attribution": None},
        ]
    },
    "configuration": {"name": "full", "meaning": "the service as it is set", "answer_from": "decision"},
    "questions": {"questions": "ships.jsonl", "side": "test"},
}


def outcome(number, **facts):
    return Outcome(
        **{
            "id": f"q{number}",
            "kind": "answerable",
            "side": Side.TEST,
            "answerable": facts.get("kind", "answerable") == "answerable",
            "quoted": True,
            "answer": "1873",
            "confidence": 0.9,
            "exact_match": False,
            "candidate_exact_match": facts.get("exact_match", False),
            "contains_answer": facts.get("exact_match", False),
            "f1": 0.0,
            "supported": False,
            "quote_has_answer": False,
            "quote_verbatim": True,
            "quote_sentences": 1,
            "gold_cited": None,
            "answer_in_hits": any((facts.get("holds_answer") or ())[:2]),
            "gold_in_hits": None,
            "holds_answer": (False, False, False),
            "is_gold": None,
            "misled": None,
            "timings_ms": {"read": 10.0 * number, "total": 20.0 * number},
            **facts,
        }
    )


def citation(**facts):
    return {
        "quote": "Electric ones came in 1901.",
        "document_id": "trams",
        "title": "Trams",
        "url": "https://example.org/trams",
        "start": 36,
        "end": 63,
        "support": 0.7,
        "further": False,
        "document_sha256": "00",
        "locator": None,
        "before": "In Lisbon a horse tram ran in 1873. ",
        "after": "",
        **facts,
    }


def line(one, *, question=None, answers=("1873",), citations=None, nearest=(), alternatives=()):
    answered = one.answer is not None
    quoted = [citation()] if citations is None and answered else list(citations or ())
    return {
        "id": one.id,
        "question": question or f"question {one.id}",
        "answers": list(answers),
        "kind": one.kind,
        "title": None,
        "gold_document_id": None,
        "long_answer": None,
        "wrong_answers": [],
        "documents": [],
        "ranking": [],
        "trace": {
            "candidates": [],
            "cited": [],
            "timings_ms": one.timings_ms,
            "decision": {
                "answer": one.answer,
                "abstained": not answered,
                "abstain_reason": None if answered else "no_quote",
                "confidence": one.confidence,
                "citations": quoted,
                "alternatives": list(alternatives),
                "nearest": list(nearest),
            },
        },
    }


RIGHT = outcome(
    1,
    exact_match=True,
    f1=1.0,
    supported=True,
    quote_has_answer=True,
    gold_cited=True,
    holds_answer=(False, True, False),
    is_gold=(True, False, False),
)
WRONG = outcome(2, answer="1901", confidence=0.7, holds_answer=(False, False, True))
WOULD_BE_RIGHT = outcome(
    3,
    confidence=0.3,
    exact_match=True,
    f1=1.0,
    supported=True,
    gold_cited=False,
    holds_answer=(True, False, False),
    is_gold=(False, True, False),
)
UNANSWERED = outcome(4, answer=None, confidence=0.0, quote_verbatim=None)
MADE_UP = outcome(5, kind="private", confidence=0.6, holds_answer=None)
RIGHTLY_SILENT = outcome(6, kind="without-gold", confidence=0.2)
SET_ASIDE = outcome(7, kind="without-gold", confidence=0.8, holds_answer=(False, True, False))
OUTCOMES = (RIGHT, WRONG, WOULD_BE_RIGHT, UNANSWERED, MADE_UP, RIGHTLY_SILENT, SET_ASIDE)


@pytest.fixture
def run():
    lines = [line(one, answers=() if one is MADE_UP else ("1873", "in 1873")) for one in OUTCOMES]
    return Scored(DESCRIPTION, lines, OUTCOMES)


@pytest.fixture
def report(run):
    return report_of(run, min_confidence=0.5)


@pytest.fixture
def empty_report():
    """Of a run that answered nothing and timed nothing."""
    silent = outcome(1, kind="private", answer=None, confidence=0.0, quote_verbatim=None, holds_answer=None)
    silent.timings_ms.clear()
    return report_of(Scored(DESCRIPTION, [line(silent)], [silent]), min_confidence=0.5)
