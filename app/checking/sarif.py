"""A report as SARIF 2.1.0, which code hosts show beside the lines of an answer."""

from importlib.metadata import version
from typing import Any
from urllib.parse import quote as percent_encoded

from app.checking.failure import Failure
from app.checking.report import MEANINGS, Issue, Report
from app.service.check import AnswerPlace

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES = list(Failure)


def as_sarif(report: Report) -> dict[str, Any]:
    """The log of one run. What fails the run is an error, the rest is a note."""
    rules = [{"id": rule.value, "shortDescription": {"text": MEANINGS[rule]}} for rule in _RULES]
    driver = {"name": "loccit check", "version": version("loccit"), "rules": rules}
    results = [_result(issue, fails=issue.failure in report.fail_on) for issue in report.issues()]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],  # unless told, no lone carriage return ends a line
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(issue: Issue, *, fails: bool) -> dict[str, Any]:
    shown = f"“{issue.what}” is {issue.sentence}" if issue.what else f"There are {issue.sentence}"
    found = None if issue.quote is None else issue.quote.found
    if found is not None:
        texts = " [...] ".join(span.text for span in found.spans)
        shown += f" The nearest real text is “{texts}” ({found.document_id}, {found.spans[0].start} on)."
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": percent_encoded(issue.entry.file, safe="/-._~")}}
    }
    if issue.place is not None and issue.entry.id is None:
        location["physicalLocation"]["region"] = _region(issue.place)
    if issue.entry.id is not None:
        location["logicalLocations"] = [{"name": issue.entry.id}]
    return {
        "ruleId": issue.failure.value,
        "ruleIndex": _RULES.index(issue.failure),
        "level": "error" if fails else "note",
        "message": {"text": shown},
        "locations": [location],
    }


def _region(place: AnswerPlace) -> dict[str, int]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "charOffset": place.start,
        "charLength": place.end - place.start,
    }
