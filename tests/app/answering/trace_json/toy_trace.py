"""A whole trace with every part in it, and the JSON of each part."""

import json
from dataclasses import replace

from app.answering.answer_kind import AnswerKind
from app.answering.types import (
    Alternative,
    BroadReading,
    Candidate,
    CandidateSource,
    Citation,
    CitedAnswer,
    CitedCandidate,
    Opinion,
    Quote,
    Reading,
    ScoredSpan,
    Trace,
)
from retriever.types import Document, Hit, Locator, Passage, Span

DOCUMENT = Document(
    "tower", "Tower", "Here. It rose in 1698. It fell.", "https://t.org", {"kind": "tower"}, source="notes"
)
PASSAGE = Passage(
    7, "tower", "Tower", "It rose in 1698.", Span(6, 22), " It fell.", url="https://t.org", source="notes"
)
HIT = Hit(PASSAGE, 0.75, 1)
KINDS = dict(zip(AnswerKind, (0.4, 0.3, 0.2, 0.1), strict=True))
BROAD = BroadReading(KINDS, 0.7, (ScoredSpan(Span(17, 21), 0.9),))
READING = Reading(HIT, 0.5, (ScoredSpan(Span(17, 21), 0.25),), BROAD)
OPINION = Opinion(logprob=-2.5, tokens=3, right=0.7, null=0.2, pointer=Span(17, 21), pointed=0.6)
CANDIDATE = Candidate(
    "1698", PASSAGE, CandidateSource.READER, -0.5, 1, Span(17, 21), sample=2, opinion=OPINION, attempt=4
)
QUOTE = Quote(DOCUMENT, Span(6, 22))
CITATION = replace(
    Citation.of(QUOTE, support=0.9, further=True), locator=Locator.page(3), document_text=DOCUMENT.text
)
CITED = CitedCandidate(CANDIDATE, (CITATION,), 0.8)
OTHERS = (Alternative("1699", (CITATION,), 0.1), Alternative("1700", (CITATION,), 0.05))
ANSWER = CitedAnswer("It rose in 1698.", "1698", (CITATION,), 0.8, PASSAGE, OTHERS, OTHERS[1])
TRACE = Trace("when?", (HIT,), (READING,), (CANDIDATE,), (CITED,), ANSWER, {"read": 0.01, "cite": 0.002})
PLACE_JSON = {"start": 17, "end": 21}
PASSAGE_JSON = {"row": 7, "document_id": "tower", "source": "notes", "start": 6, "end": 22}
HIT_JSON = {
    **PASSAGE_JSON,
    "title": "Tower",
    "url": "https://t.org",
    "text": "It rose in 1698.",
    "continuation": " It fell.",
    "score": 0.75,
    "rank": 1,
}
READING_JSON = {
    "row": 7,
    "answerability": 0.5,
    "spans": [{**PLACE_JSON, "score": 0.25}],
    "broad": {
        "kinds": {"short": 0.4, "list": 0.3, "yes/no": 0.2, "explanation": 0.1},
        "yes": 0.7,
        "evidence": [{**PLACE_JSON, "score": 0.9}],
    },
}
CANDIDATE_JSON = {
    "answer": "1698",
    "source": "reader",
    "logprob": -0.5,
    "tokens": 1,
    "sample": 2,
    "pointer": PLACE_JSON,
    "opinion": {
        "logprob": -2.5,
        "tokens": 3,
        "right": 0.7,
        "null": 0.2,
        "pointer": PLACE_JSON,
        "pointed": 0.6,
    },
    "passage": PASSAGE_JSON,
}
CITATION_JSON = {
    "quote": "It rose in 1698.",
    "document_id": "tower",
    "title": "Tower",
    "url": "https://t.org",
    "source": "notes",
    "start": 6,
    "end": 22,
    "support": 0.9,
    "further": True,
    "document_sha256": DOCUMENT.sha256,
    "locator": "page 3",
    "before": "Here. ",
    "after": " It fell.",
}
CITED_JSON = {
    "candidate": {**CANDIDATE_JSON, "attempt": 4},
    "citations": [CITATION_JSON],
    "confidence": 0.8,
}
OTHERS_JSON = [
    {"answer": "1699", "confidence": 0.1, "citations": [CITATION_JSON]},
    {"answer": "1700", "confidence": 0.05, "citations": [CITATION_JSON]},
]
DECISION_JSON = {
    "answer": "It rose in 1698.",
    "short_answer": "1698",
    "abstained": False,
    "abstain_reason": None,
    "kind": "short",
    "confidence": 0.8,
    "citations": [CITATION_JSON],
    "alternatives": OTHERS_JSON,
    "conflict": OTHERS_JSON[1],
    "nearest": [],
}
TRACE_JSON = {
    "schema": 1,
    "question": "when?",
    "hits": [HIT_JSON],
    "readings": [READING_JSON],
    "candidates": [{**CANDIDATE_JSON, "attempt": 4}],
    "cited": [CITED_JSON],
    "decision": DECISION_JSON,
    "timings_ms": {"read": 10.0, "cite": 2.0, "total": 12.0},
}


def written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
