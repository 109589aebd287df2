import time

import pytest

from index_builder.corpora import Malformed, Record, open_corpus
from tests.index_builder.corpora.reading import blocks, only_document, only_problem, texts


@pytest.fixture
def page(tmp_path):
    def write(body: str | bytes, name: str = "the-page.html"):
        path = tmp_path / name
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
        return path

    return write


SITE = """<!doctype html><html><head><title>House - Example</title><script>var x = "<p>no</p>";</script></head><body>
<header><p>Site name</p></header><nav><ul><li>Home</li></ul></nav>
<div hidden>hidden</div><p style="display: none">hidden</p><p aria-hidden="true">hidden</p>
<main>
<h1>House   rules</h1>
<p>All <b>must</b> <a href="x">obey</a>,<br>always.<script>no()</script></p>
<section id="boiler"><h2>Boiler</h2>
<ol start="3"><li>Switch it off.</li><li id="wait"><p>Wait.</p><pre>
  sleep 60

  echo done</pre><p>Go on.</p><ul><li>slowly</li></ul></li></ol>
<h3 id="parts">Parts</h3>
<table><caption>Prices</caption><thead><tr><th>Part</th><th>Price</th></tr></thead>
<tbody><tr><td>Valve</td><td>12 €</td></tr><tr id="pump"><td>Pump</td><td></td></tr></tbody></table>
</section>
<p>After.</p>
<dl><dt>Term</dt><dd>What it means.</dd><dt>Other</dt><dt>Another</dt><dd><ul><li>One</li></ul></dd></dl>
</main>
<aside>Related</aside><footer>Imprint</footer></body></html>"""


def test_what_a_reader_sees_of_a_page_is_kept_with_its_anchors(page):
    top, boiler, parts = ("House rules",), ("House rules", "Boiler"), ("House rules", "Boiler", "Parts")
    assert blocks(page(SITE)) == [
        ("heading", "House rules", (), None),
        ("paragraph", "All must obey,\nalways.", top, None),
        ("heading", "Boiler", top, "#boiler"),
        ("item", "3. Switch it off.", boiler, "#boiler"),
        ("item", "4. Wait.", boiler, "#wait"),
        ("code", "sleep 60\n\n  echo done", boiler, "#wait"),
        ("paragraph", "Go on.", boiler, "#wait"),
        ("item", "slowly", boiler, "#wait"),
        ("heading", "Parts", boiler, "#parts"),
        ("paragraph", "Prices", parts, "#parts"),
        ("row", "Part: Valve; Price: 12 €", parts, "#parts"),
        ("row", "Part: Pump", parts, "#pump"),
        ("paragraph", "After.", parts, None),
        ("field", "Term: What it means.", parts, None),
        ("paragraph", "Other\nAnother", parts, None),
        ("item", "One", parts, None),
    ]


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("<title>T</title><h1>One</h1>", "One"),
        ("<title> T \n t</title><h1>One</h1><h1>Two</h1>", "T t"),
        ("<title>T</title><h1></h1>Text", "T"),
        ("<p>Text", "the-page"),
    ],
)
def test_the_title_is_the_only_first_heading_or_the_pages(page, body, title):
    assert only_document(page(body)).title == title


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("<article>Kept</article><p>beside</p>", ["Kept"]),
        ("<article>One</article><article>Two</article>", ["One", "Two"]),
        ("<header>site</header><article><header>of the article</header></article>", ["of the article"]),
        ("<header>site</header><p>Text</p><footer>foot</footer>", ["Text"]),
        ("<div role='navigation'>no</div><p>Text<noscript>no</noscript>", ["Text"]),
        ("one<div>two<div>three</div>four</div>five", ["one", "two", "three", "four", "five"]),
        ("<p>a<span>b</span> <i>c</i>&nbsp;d</p>", ["ab c d"]),
        ("<p>He said <q>yes</q>.", ["He said “yes”."]),
        ("<details><summary>More</summary>Text</details>", ["More", "Text"]),
        ("<ol type='a'><li>x<li>y</ol>", ["a. x", "b. y"]),
        ("<ol><li value='7'>x<li>y</ol>", ["7. x", "8. y"]),
        ("<button>no</button><select><option>no</select><p>Text", ["Text"]),
        ("<table role='presentation'><tr><td>a</td><td>b</td></tr></table>", ["a", "b"]),
        ("<table><tr><td><h2>a</h2></td><td><p>b</td></tr></table>", ["a", "b"]),
        ("<table><tr><td>a</td><td>b</td></tr></table>", ["a; b"]),
        ("<table><tr><th>A</th><th>B</th></tr></table>", ["A; B"]),
        (
            "<table><tr><td><b>K</b></td><td>v</td></tr><tr><th>L:</th><td>w</td></tr></table>",
            ["K: v", "L: w"],
        ),
        (
            "<table><tr><th>A<th>B<th>C<tr><td rowspan=2>x<td>1<td>2<tr><td colspan=2>3</table>",
            ["A: x; B: 1; C: 2", "A: x; B: 3"],
        ),
        (
            "<table><tr><th rowspan=2>A<th colspan=2>Size<tr><th>W<th>H<tr><td>x<td>1<td>2</table>",
            ["A: x; Size W: 1; Size H: 2"],
        ),
        ("<p>&#xD800; \u00adso\u200bft</p>", ["\ufffd soft"]),
    ],
)
def test_structure_is_read_as_browsers_show_it(page, body, seen):
    assert texts(page(body)) == seen


@pytest.mark.parametrize(
    "content",
    [
        "<p>café".encode(),
        "<meta charset=iso-8859-1><p>café".encode("latin-1"),
        "<p>café".encode("cp1252"),
        "<p>café".encode("utf-16"),
        "<meta charset=nonsense><p>café".encode(),
    ],
)
def test_the_encoding_is_what_browsers_take_it_for(page, content):
    assert texts(page(content)) == ["café"]


def test_nesting_without_end_is_refused_at_once(page):
    path = page("<div>" * 100_000 + "deep")
    started = time.process_time()
    assert only_problem(path) == Malformed(
        "the-page.html:1",
        "The page nests more than 1,000 elements in each other; close them, or leave it out.",
    )
    assert time.process_time() - started < 5
    assert texts(page("<div>" * 900 + "deep")) == ["deep"]
    assert texts(page("<p>a" * 3000))[-1] == "a"  # these close themselves


@pytest.mark.parametrize(
    "body",
    [
        "<!--" * 300_000,
        "<script>" * 200_000,
        "<a " * 300_000,
        "<p>" * 100_000,
        "".join(f"<font color={n}>" for n in range(900)) + "<p>x" * 50_000,
        "<b>x</b>" * 100_000,
    ],
    ids=["comments", "scripts", "tags", "paragraphs", "formatting", "closed"],
)
def test_no_page_takes_long(page, body):
    started = time.process_time()
    (item,) = open_corpus(str(page(body)))
    assert time.process_time() - started < 8
    assert isinstance(item, Record) == (body.startswith("<b>"))


def test_a_page_without_text_is_a_sentence(page):
    assert only_problem(page("<title>T</title><img src=x.png>")).problem.startswith("The file holds no text;")


def test_a_span_of_a_billion_columns_is_cut(page):
    cells = "<td colspan=999999999>a</td>" * 3
    assert texts(page(f"<table><tr>{cells}</tr><tr><td rowspan=999999999>b<td>c</table>")) == ["a", "b; c"]


def test_the_id_of_code_or_of_a_table_ends_with_it(tmp_path):
    page = "<main id=a><pre id=c>code</pre><p>After.</p><table id=t><tr id=' '><td>x<td>y</table><p>Last.</p></main>"
    (tmp_path / "a.html").write_text(page)
    document = only_document(tmp_path / "a.html")
    found = {block.span.of(document.text): str(block.locator) for block in document.blocks}
    assert found["code"] == "#c"
    assert (found["After."], found["Last."]) == ("#a", "#a")


def test_a_cell_that_spans_rows_is_repeated_only_while_it_stays_small(tmp_path):
    cell = "word " * 4_000
    rows = "".join(f"<tr><td>{number}</td></tr>" for number in range(1_000))
    page = f"<main><table><tr><td rowspan=999>{cell}</td><td>0</td></tr>{rows}</table></main>"
    (tmp_path / "a.html").write_text(page)
    assert len(only_document(tmp_path / "a.html").text) < 300_000


@pytest.mark.parametrize(
    "declared",
    [
        "<meta charset=latin1>",
        "<meta charset=US-ASCII>",
        "<meta http-equiv=content-type content='text/html; charset=iso-8859-1'>",
        "<?xml version='1.0' encoding='ISO-8859-1'?>",
    ],
)
def test_latin_1_is_read_as_windows_1252(page, declared):
    assert texts(page(declared.encode() + b"<p>\x93caf\xe9\x94 \x80")) == ["“café” €"]


@pytest.mark.parametrize("declared", ["undefined", "rot13", "unicode_escape", "utf-16", "nonsense", "idna"])
def test_a_declared_encoding_that_pages_cannot_have_is_passed_over(page, declared):
    meta = f"<meta charset={declared}>".encode()
    assert texts(page(meta + "<p>café \\n".encode())) == ["café \\n"]
    assert texts(page(meta + "<p>café".encode("cp1252"))) == ["café"]
