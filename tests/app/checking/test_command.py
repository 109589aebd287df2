import gzip
import json
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from app.checking.failure import Failure

REAL = "Henry Winstanley built the first Eddystone tower in 1698."
ANSWER = f"""# Towers

One source says "{REAL}" [1]. Another says "a storm took the tower of 1703" [1], and a third:

> Bananas orbit the fourth moon of Pluto every second spring

A horse tram [2] and 😀 "a horse tram ran in Lisbon in 1874" [2] [9].
"""


@pytest.fixture
def answer(tmp_path):
    def written(text=ANSWER, name="answer.md"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return written


def check(loccit, *arguments):
    status, out, err = loccit("check", *arguments)
    return status, " ".join(out.split()), err


def test_an_answer_is_checked_against_documents_and_a_made_up_quote_fails(loccit, answer, notes):
    status, out, err = check(loccit, answer(), "--documents", notes)
    assert (status, err) == (1, "")
    assert "4 quotes of 1 answer" in out
    assert "verbatim 1 25.0%" in out
    assert "nearly 1 25.0%" in out
    assert "fabricated 2 50.0%" in out
    assert "answer.md:5:3, quote 3: fabricated: nothing is as near as 90%." in out
    assert "answer.md:7:25, quote 4: nearly: some words differ, a number among them." in out
    assert "nearest “A horse tram ran in Lisbon in 1873.”" in out
    assert "answer.md:7:65: unresolved: the mark [9] names no document." in out
    assert "\x1b" not in out


def test_an_answer_is_checked_against_an_index(loccit, answer, notes_index):
    status, out, _err = check(loccit, answer(f'It says "{REAL}"\n'), "--index", notes_index)
    assert (status, "verbatim 1 100.0%" in out) == (0, True)


def test_that_a_quote_stands_nowhere_in_an_index_is_a_fact(loccit, answer, notes_index):
    text = answer('It says "enry Winstanley built the firs" and "Winstanley built the first"\n')
    _status, out, err = loccit("check", text, "--index", notes_index, "--format", "json")
    (checked,) = json.loads(out)["answers"]
    assert [quote["verdict"] for quote in checked["quotes"]] == ["nearly", "verbatim"]
    assert checked["searched"] == {"documents": 2, "index": True, "complete": True}
    assert "Reading documents" in err


@pytest.mark.parametrize(
    ("fail_on", "status"),
    [
        ("none", 0),
        ("fabricated", 1),
        ("nearly", 1),
        ("misplaced,too_short", 0),
        ("unresolved", 1),
        ("no_quotes", 0),
    ],
)
def test_what_fails_a_run_is_chosen(loccit, answer, notes, fail_on, status):
    assert loccit("check", answer(), "--documents", notes, "--fail-on", fail_on)[0] == status


def test_an_answer_without_quotes_fails_only_where_that_is_asked(loccit, answer, notes):
    arguments = ("check", answer("Nothing is quoted."), "--documents", notes)
    assert loccit(*arguments)[0] == 0
    status, out, _ = loccit(*arguments, "--fail-on", "no_quotes")
    assert (status, "0 quotes of 1 answer, 1 of them without any" in out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.md"], "The answer 'missing.md' cannot be read (No such file or directory)"),
        (["answer.md", "--fail-on", "lies"], "--fail-on is given 'lies', but takes fabricated, nearly"),
        (["answer.md", "--fail-on", ","], "--fail-on is given nothing; it takes fabricated"),
        (
            ["answer.md", "--out", "answer.md"],
            "answer.md is a file that is checked; give another file to --out.",
        ),
        (["answer.md", "--documents", "nowhere"], "There is no corpus 'nowhere'"),
        (["answer.md", "--index", "nowhere"], "There is no index in nowhere"),
        (["latin.md"], "latin.md: the byte 0xe9 at position 4 is not UTF-8"),
    ],
)
def test_a_check_that_cannot_be_made_ends_with_2_and_a_sentence(
    loccit, answer, tmp_path, monkeypatch, arguments, sentence
):
    answer()
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    monkeypatch.chdir(tmp_path)
    status, out, err = loccit("check", *arguments)
    assert (status, out) == (2, "")
    assert sentence in err


def test_answers_of_json_lines_bring_documents_of_their_own(loccit, tmp_path, notes):
    lines = [
        {
            "id": "a",
            "answer": '"the tower fell into the sea" [1]',
            "documents": [{"text": "The tower fell into the sea."}],
        },
        {"id": "b", "quotes": [{"quote": REAL, "document_id": "towers.md", "start": 0, "end": 57}]},
        {"id": "c", "quotes": [{"quote": REAL, "document_id": "trams.txt"}]},
    ]
    with gzip.open(tmp_path / "answers.jsonl.gz", "wt") as written:
        written.writelines(json.dumps(line) + "\n" for line in lines)
    out = tmp_path / "report.json"
    kinds = "from_another_document,misplaced"
    status, shown, _ = loccit(
        "check",
        tmp_path / "answers.jsonl.gz",
        "--documents",
        notes,
        "--format",
        "json",
        "--out",
        out,
        "--fail-on",
        kinds,
    )
    report = json.loads(out.read_text())
    assert (status, shown, report["fails"]) == (1, "", True)
    assert [answer["id"] for answer in report["answers"]] == ["a", "b", "c"]
    assert [answer["quotes"][0]["verdict"] for answer in report["answers"]] == [
        "verbatim",
        "verbatim",
        "from_another_document",
    ]
    assert [(issue["id"], issue["kind"]) for issue in report["issues"]] == [
        ("b", "misplaced"),
        ("c", "from_another_document"),
    ]
    (span,) = report["answers"][1]["quotes"][0]["found"]["spans"]
    assert (span["start"], span["text"]) == (8, REAL)


def test_sarif_has_every_issue_at_its_line_and_column(loccit, answer, notes):
    status, out, _ = loccit("check", answer(), "--documents", notes, "--format", "sarif")
    log = json.loads(out)
    check_sarif(log)
    (run,) = log["runs"]
    places = [
        (result["ruleId"], result["level"], *list(region_of(result).values())[:4])
        for result in run["results"]
    ]
    assert status == 1
    assert places == [
        ("fabricated", "error", 3, 96, 3, 126),
        ("fabricated", "error", 5, 3, 5, 61),
        ("nearly", "note", 7, 25, 7, 59),
        ("unresolved", "note", 7, 65, 7, 68),
    ]
    for result in run["results"]:
        region = region_of(result)
        text = ANSWER[region["charOffset"] :][: region["charLength"]]
        assert text in result["message"]["text"]
    assert "“A horse tram ran in Lisbon in 1873.” (trams.txt, 0 on)" in run["results"][2]["message"]["text"]


def region_of(result):
    return result["locations"][0]["physicalLocation"]["region"]


SARIF = {  # what the standard (3.13 to 3.54) calls the properties that are written; *: it has to be there
    "log": {"$schema", "version*", "runs*"},
    "run": {"tool*", "columnKind", "newlineSequences", "results"},
    "tool": {"driver*"},
    "driver": {"name*", "version", "rules"},
    "rule": {"id*", "shortDescription"},
    "text": {"text*"},
    "result": {"ruleId", "ruleIndex", "level", "message*", "locations"},
    "location": {"physicalLocation", "logicalLocations"},
    "physical": {"artifactLocation*", "region"},
    "artifact": {"uri*"},
    "logical": {"name*"},
    "region": {"startLine*", "startColumn", "endLine", "endColumn", "charOffset", "charLength"},
}


def named(kind, value):
    """The object, with all the properties that such a one has to have, and none that the standard does not know."""
    known = {name.rstrip("*") for name in SARIF[kind]}
    required = {name.rstrip("*") for name in SARIF[kind] if name.endswith("*")}
    assert required <= value.keys() <= known, kind
    return value


def check_sarif(log):
    """What SARIF 2.1.0 demands of the parts that are written."""
    assert named("log", log)["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    for run in log["runs"]:
        assert named("run", run)["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
        assert run["newlineSequences"] == ["\r\n", "\n", "\r"]
        driver = named("driver", named("tool", run["tool"])["driver"])
        assert all(isinstance(driver[name], str) and driver[name] for name in ("name", "version"))
        ids = [named("rule", rule)["id"] for rule in driver["rules"]]
        assert len(set(ids)) == len(ids)
        assert all(named("text", rule["shortDescription"])["text"] for rule in driver["rules"])
        for result in run["results"]:
            assert ids[named("result", result)["ruleIndex"]] == result["ruleId"]
            assert result["level"] in ("none", "note", "warning", "error")
            assert named("text", result["message"])["text"]
            for location in result["locations"]:
                check_sarif_location(named("location", location))


def check_sarif_location(location):
    physical = named("physical", location["physicalLocation"])
    uri = named("artifact", physical["artifactLocation"])["uri"]
    assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri)  # a reference of RFC 3986
    assert all(
        isinstance(named("logical", each)["name"], str) for each in location.get("logicalLocations", [])
    )
    if "region" in physical:
        region = named("region", physical["region"])
        assert all(type(number) is int for number in region.values())
        assert min(region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]) >= 1
        assert min(region["charOffset"], region["charLength"]) >= 0
        assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])


def test_an_answer_of_json_lines_is_named_in_sarif(loccit, tmp_path, notes):
    (tmp_path / "an swers.jsonl").write_text(json.dumps({"id": "q7", "answer": '"a made up quote here"'}))
    _, out, _ = loccit("check", tmp_path / "an swers.jsonl", "--documents", notes, "--format", "sarif")
    log = json.loads(out)
    check_sarif(log)
    (location,) = log["runs"][0]["results"][0]["locations"]
    assert location["logicalLocations"] == [{"name": "q7"}]
    assert location["physicalLocation"]["artifactLocation"]["uri"].endswith("an%20swers.jsonl")
    assert "region" not in location["physicalLocation"]


def check_junit(root):
    """What the schemas of JUnit's XML that CI systems read have in common: what has to be there, and nothing else."""
    counts = {"tests", "failures", "errors"}
    assert (root.tag, set(root.attrib)) == ("testsuites", {"name", *counts})
    for suite in root:
        assert (suite.tag, set(suite.attrib)) == ("testsuite", {"name", *counts})
        for case in suite:
            assert (case.tag, set(case.attrib)) == ("testcase", {"classname", "name"})
            assert all(case.attrib.values())
            assert len(case.findall("failure")) <= 1
            for told in case:
                assert set(told.attrib) == {"failure": {"type", "message"}, "system-out": set()}[told.tag]
                assert len(told) == 0
        failed = [case for case in suite if case.find("failure") is not None]
        assert [suite.get(each) for each in ("tests", "failures", "errors")] == [
            str(len(suite)),
            str(len(failed)),
            "0",
        ]
    for count in counts:
        assert root.get(count) == str(sum(int(suite.get(count)) for suite in root))


def test_a_lone_carriage_return_ends_a_line_in_sarif_too(loccit, answer, notes):
    _, out, _ = loccit(
        "check", answer('So it is.\r"a made up quote here"\r'), "--documents", notes, "--format", "sarif"
    )
    log = json.loads(out)
    check_sarif(log)
    assert region_of(log["runs"][0]["results"][0])["startLine"] == 2


def test_junit_has_a_case_for_each_quote_claim_and_mark(loccit, answer, notes):
    _, out, _ = loccit(
        "check", answer(ANSWER + '\n"bad \x00 sign in here"\n'), "--documents", notes, "--format", "junit"
    )
    root = ET.fromstring(out)
    check_junit(root)
    (suite,) = root
    cases = list(suite)
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert root.tag == "testsuites"
    assert [root.get(count) for count in ("tests", "failures", "errors")] == [str(len(cases)), "3", "0"]
    assert [suite.get(count) for count in ("tests", "failures", "errors")] == [str(len(cases)), "3", "0"]
    assert [name.split(":")[0] for name in failed] == ["quote 2", "quote 3", "quote 5"]
    assert cases[1].find("failure").get("message").startswith("line 3, column 96: fabricated")
    assert "A horse tram ran in Lisbon in 1873." in cases[3].find("system-out").text
    assert cases[-1].get("name") == "unresolved [9]"


def test_every_failure_can_be_asked_for(loccit, answer, notes):
    kinds = ",".join(kind for kind in Failure if kind is not Failure.UNSUPPORTED)
    assert loccit("check", answer(), "--documents", notes, "--fail-on", kinds)[0] == 1


def test_quotes_are_checked_without_loading_a_model():
    program = (
        "import sys, app.checking.command, app.checking.run, app.checking.table;"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
