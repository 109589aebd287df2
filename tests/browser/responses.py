"""A response as the service gives it, for the page's own modules."""

CITATION = {
    "quote": "q",
    "title": "t",
    "url": None,
    "source": "s",
    "start": 0,
    "end": 1,
    "before": "",
    "after": "",
}


def response_of(**given: object) -> dict[str, object]:
    return {
        "answer": "Perth",
        "short_answer": "Perth",
        "abstained": False,
        "confidence": 0.8,
        "calibration": None,
        "citations": [{**CITATION, "document_id": "a"}],
        "conflict": None,
        "nearest": [],
        "attribution": [],
        "generation": "g",
        "timings_ms": {"total": 1},
        **given,
    }
