import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from evaluation.report.html import page
from evaluation.report.plots import plots
from evaluation.report.tables import tables, thresholds
from evaluation.score import Scored, report_of
from tests.evaluation.report.conftest import DESCRIPTION, RIGHT, citation, line, outcome

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Page(HTMLParser):
    """Elements in order, each with its attributes and its text; fails on tags that do not nest."""

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs), [])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, texts in self._open:
            texts.append(data)

    def all(self, tag, **wanted):
        return [
            (attributes, "".join(texts))
            for name, attributes, texts in self.elements
            if name == tag and all(attributes.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]

    def texts(self, tag, **wanted):
        return [" ".join(text.split()) for _, text in self.all(tag, **wanted)]

    def rows(self):
        return self.all("div", class_="row")


def read(run, *, min_confidence=0.5, title="Ships"):
    return Page(page(run, report_of(run, min_confidence=min_confidence), title=title))


def one(description=DESCRIPTION, *, about=RIGHT, **options):
    return Scored(description, [line(about, **options)], [about])


HOSTILE = (
    "<script>alert(1)</script>",
    'x" onmouseover="alert(1)',
    "</mark></div><!-- & &amp; {{ 7 * 7 }} {% raw %}",
    "line\u2028separator",
    "\u202eשלום עולם",
    "\U0001f600 👩\u200d🚀 e\u0301",
    "</script><script>alert(1)</script>",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_is_shown_as_it_is_and_nothing_of_it_runs(text):
    hostile = citation(quote=text, before=text + " ", after=text + ".", title=text, document_id=text, start=0)
    about = replace(RIGHT, id=text, kind=text, answer=text)
    description = {
        **DESCRIPTION,
        "settings": {"index": text, "top_k": 2},
        "manifest": {"sources": [{"name": text, "licence": text, "attribution": text}]},
        "configuration": {"name": text, "meaning": text, "answer_from": "decision"},
    }
    run = one(description, about=about, question=text, answers=[text], citations=[hostile])
    shown = read(run, title=text)
    plain = read(one())
    assert [name for name, _, _ in shown.elements if name in {"script", "mark"}] == ["mark", "script"]
    assert shown.all("script") == plain.all("script")
    assert [text_ for _, text_ in shown.all("mark")] == [text]
    assert [text_ for _, text_ in shown.all("blockquote")] == [f"{text} {text}{text}."]
    assert [text_ for _, text_ in shown.all("div", role="cell", class_="question")] == [text]
    assert [text_ for _, text_ in shown.all("h1")] == [text_ for _, text_ in shown.all("title")] == [text]
    assert shown.rows()[0][0]["data-kind"] == text
    known = {name for _, attributes, _ in plain.elements for name in attributes}
    assert {name for _, attributes, _ in shown.elements for name in attributes} <= known


def test_the_page_reaches_nothing_and_says_so(run, report):
    text = page(run, report, title="Ships")
    shown = Page(text)
    (policy,) = (
        a["content"] for a, _ in shown.all("meta") if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.split("; ")[:4] == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline'",
        "img-src data:",
    ]
    assert not [name for name, _, _ in shown.elements if name in {"link", "img", "iframe", "object", "base"}]
    for _, attributes, _ in shown.elements:
        assert "src" not in attributes
        assert not [
            name for name in attributes if name.startswith("on") or (name == "style" and "url(h" in name)
        ]
    assert not re.search(r"@import|url\(['\"]?(?!#)", text)
    addresses = {address for _, attributes, _ in shown.elements if (address := attributes.get("href"))}
    assert {address for address in addresses if not address.startswith("#")} == {"https://example.org/trams"}


def test_on_top_stands_the_headline_then_plots_then_tables(run, report):
    shown = read(run)
    (headline,) = shown.texts("p", class_="headline")
    assert headline.startswith("7 questions of the test half were asked, 4 of them answerable")
    names = [
        (name, attributes.get("class") or attributes.get("id")) for name, attributes, _ in shown.elements
    ]
    places = [
        names.index(one) for one in (("p", "headline"), ("svg", None), ("table", "figures"), ("div", "rows"))
    ]
    assert places == sorted(places)


def test_each_plot_is_a_figure_with_a_caption_and_a_name(run, report):
    shown, expected = read(run), plots(report)
    assert len(shown.all("figure")) == 4
    assert [text for _, text in shown.all("figcaption")] == [plot.caption for plot in expected]
    assert [a["aria-label"] for a, _ in shown.all("svg", role="img")] == [
        f"{plot.title}. {plot.caption}" for plot in expected
    ]


def test_a_plot_without_data_leaves_its_sentence():
    silent = outcome(1, kind="private", answer=None, confidence=0.0, quote_verbatim=None, holds_answer=None)
    shown = read(one(about=silent, answers=()))
    assert [text.split(".")[0] for text in shown.texts("figcaption")][:3] == [
        "No question has its answer in the index, so there is no risk to draw",
        "No question was answered, so there is no confidence to check",
        "There is no ranking to judge: the questions bring their documents, or the index is gone",
    ]
    assert len(shown.all("svg")) == 1


def test_every_table_is_there_cell_by_cell(run, report):
    shown = read(run)
    drawn = shown.all("table", class_="figures")
    expected = [*tables(report), *thresholds(report)]
    assert len(drawn) == len(expected) == len(shown.all("div", class_="scroll"))
    for (_, text), table in zip(drawn, expected, strict=True):
        cells = [cell for row in (table.columns, *table.rows) for cell in row]
        assert text.replace("\n", "") == "".join(cells)


def test_every_question_is_a_row_that_filters_can_find(run):
    found = [attributes for attributes, _ in read(run).rows()]
    assert [row["data-is"].split("|") for row in found] == [
        ["right"],
        ["wrong", "no answer in the passages read", "answered, quote does not support it"],
        ["abstained", "abstained, would have been right"],
        ["abstained", "no answer in the passages read"],
        ["should have abstained"],
        ["rightly abstained"],
        ["set aside"],
    ]
    assert [float(row["data-confidence"]) for row in found] == [0.9, 0.7, 0.3, 0.0, 0.6, 0.2, 0.8]
    assert {row["data-side"] for row in found} == {"test"}
    assert [row["data-kind"] for row in found[3:6]] == ["answerable", "private", "without-gold"]


def test_a_filter_offers_what_there_is_with_its_count(run):
    shown = read(run)
    offered = [(a["value"], text) for a, text in shown.all("option") if a["value"]]
    assert ("abstained", "abstained (2)") in offered
    assert ("no answer in the passages read", "no answer in the passages read (2)") in offered
    assert ("a quote is not verbatim", "a quote is not verbatim (0)") not in offered
    assert ("answerable", "answerable (4)") in offered
    assert ("test", "test (7)") in offered
    values = {value for value, _ in offered}
    assert {label for a, _ in shown.rows() for label in a["data-is"].split("|")} <= values
    ((filters, _),) = shown.all("div", id="filters")
    assert "hidden" in filters  # useless without JavaScript


def test_a_row_tells_question_answers_verdict_and_ranks(run):
    first, _, third, fourth, fifth, sixth, _ = (" ".join(text.split()) for _, text in read(run).rows())
    assert first.startswith(
        "question q1 1873; in 1873 1873 0.900 right✓ exact match: yes✓ quote has the answer: yes"
    )
    assert "First passage with the answer: rank 2 among 3." in first
    assert "First passage of the gold document: rank 1 among 3." in first
    assert "answerable, test half, q1" in first
    assert "abstained✓ exact match: yes✗ quote has the answer: no" in third
    assert "nothing: no quote 0.000 abstained No quote" in fourth
    assert "First passage with the answer: not among 3." in fourth
    assert fifth.startswith("question q5 to abstain 1873 0.600 should have abstained")
    assert sixth.startswith(
        "question q6 to abstain, known elsewhere: 1873; in 1873 1873 0.200 rightly abstained"
    )


def test_an_answer_below_the_threshold_is_told_from_one_that_was_given(run):
    said = [a for a, _ in read(run).all("div") if a.get("class", "").startswith("said")]
    assert [("withheld" in a["class"], a["data-label"]) for a in said[:3]] == [
        (False, "Said"),
        (False, "Said"),
        (True, "Would have said"),
    ]


def test_a_title_is_a_link_only_where_a_browser_may_follow_it():
    shown = read(
        one(citations=[citation(), citation(url="javascript:alert(1)", title="Bad"), citation(url=None)])
    )
    assert [(a["href"], text) for a, text in shown.all("a") if "rel" in a] == [
        ("https://example.org/trams", "Trams")
    ]
    assert shown.texts("cite") == ["Bad", "Trams"]
    assert shown.texts("mark") == ["Electric ones came in 1901."] * 3


def test_what_came_nearest_is_not_called_the_quote():
    silent = outcome(1, answer=None, confidence=0.0)
    shown = read(one(about=silent, nearest=[citation()]))
    (summary,) = [text for text in shown.texts("summary") if "Electric" in text]
    assert summary == "Nearest: Electric ones came in 1901.What came nearest, in its document"


def test_licence_and_attribution_of_every_source_are_shown(run):
    listed = read(run).texts("li")
    assert listed == [
        "wiki: Wikipedia contributors; CC BY-SA 4.0",
        "notes.txt: the index records neither licence nor attribution.",
    ]


def test_documents_that_came_with_the_questions_are_not_credited_to_the_index(run):
    own = "Documents that came with the questions, on the terms of the question set."
    document = {"text": "x", "document_id": None, "title": "", "url": None}
    mixed = replace(run, lines=[{**run.lines[0], "documents": [document]}, *run.lines[1:]])
    assert read(mixed).texts("li")[0] == own
    assert len(read(mixed).texts("li")) == 3
    alone = replace(run, lines=[{**line, "documents": [document]} for line in run.lines])
    assert read(alone).texts("li") == [own]


def test_a_published_question_set_is_attributed_and_a_run_may_have_no_index():
    downloaded = {**DESCRIPTION, "manifest": None, "questions": {"questions": "nq-open"}}
    assert read(one(downloaded)).texts("li") == [
        "NQ-open: Google Research Datasets, Natural Questions (Lee et al. 2019), CC BY-SA 3.0"
    ]
    assert read(one({**DESCRIPTION, "manifest": None})).texts("li") == ["The run records no source."]


def test_settings_models_and_manifest_stand_at_the_end(run):
    shown = read(run)
    names = [text for text in shown.texts("h3") if text in DESCRIPTION]
    assert names == list(DESCRIPTION)
    assert any('"reader_sha256": "feedbeef"' in text for _, text in shown.all("pre"))
    assert shown.texts("dd") == [
        "full: the service as it is set",
        "ships.jsonl",
        "all-MiniLM-L6-v2",
        "data/indexes/ships",
    ]


def test_the_same_run_makes_the_same_page(run, report):
    assert page(run, report, title="Ships") == page(run, report, title="Ships")


def test_importing_the_other_modules_loads_no_matplotlib():
    modules = "evaluation.report.tables, evaluation.report.rows, evaluation.report.headline, evaluation.score"
    code = f"import sys, {modules}; print('matplotlib' in sys.modules, 'jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
