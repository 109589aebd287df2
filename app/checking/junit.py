"""A report as JUnit XML: a suite for each answer, a case for each quote, claim and mark."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from app.checking.failure import Failure
from app.checking.report import CheckedEntry, Issue, Report

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHOWN = 80


def as_junit(report: Report) -> str:
    """The document. What fails the run is a failure; other issues are in a case's output."""
    root = ET.Element("testsuites", name="loccit check")
    issues = list(report.issues())
    for entry in report.entries:
        of_entry = [issue for issue in issues if issue.entry is entry]
        root.append(_suite(entry, of_entry, report))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(entry: CheckedEntry, issues: Iterable[Issue], report: Report) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(entry.name))
    response, issues = entry.response, list(issues)
    for quote in response.quotes:
        name = f"quote {quote.number}: {_shortened(quote.quote)}"
        _case(suite, name, [issue for issue in issues if issue.quote is quote], report)
    for claim in response.claims:
        name = f"claim {claim.number}: {_shortened(claim.claim)}"
        _case(suite, name, [issue for issue in issues if issue.claim is claim], report)
    for issue in issues:
        if issue.quote is None and issue.claim is None:
            number = "" if issue.failure is Failure.NO_QUOTES else f" {issue.what}"
            _case(suite, f"{issue.failure.value}{number}", [issue], report)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    return suite


def _case(suite: ET.Element, name: str, issues: Iterable[Issue], report: Report) -> None:
    case = ET.SubElement(suite, "testcase", classname=suite.get("name", ""), name=_clean(name))
    for issue in issues:
        where = "" if issue.place is None else f"line {issue.place.line}, column {issue.place.column}: "
        if issue.failure in report.fail_on:
            failure = ET.SubElement(
                case, "failure", type=issue.failure.value, message=_clean(where + issue.sentence)
            )
            failure.text = _clean(_detail(issue))
        else:
            ET.SubElement(case, "system-out").text = _clean(f"{where}{issue.sentence}\n{_detail(issue)}")


def _detail(issue: Issue) -> str:
    lines = [issue.what]
    found = None if issue.quote is None else issue.quote.found
    if found is not None:
        lines.append(f"nearest: {' [...] '.join(span.text for span in found.spans)} ({found.document_id})")
    return "\n".join(lines)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
