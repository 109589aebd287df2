import time

import pytest

from index_builder.corpora import Malformed, Record, open_corpus
from tests.growth import assert_linear
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
        ("<title>T</title><header><h1>My Site</h1></header><p>Text", "T"),
        ("<title>T</title><h1 hidden>no</h1><h1>One</h1>", "One"),
        ("<title>T</title><main><h1>One</h1></main><h1>beside</h1>", "One"),
        ("<h1>IDLE<a class=headerlink href='#idle' title='Link to this heading'>¶</a></h1>", "IDLE"),
        ("<h1>Query string<span><a class=mark href='#q' id=q>#</a></span></h1>", "Query string"),
    ],
)
def test_the_title_is_the_only_first_heading_or_the_pages(page, body, title):
    assert only_document(page(body)).title == title


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("<article>Most of it.</article><p>beside</p>", ["Most of it."]),
        ("<article>Teaser</article><p>Most of it.</p>", ["Teaser", "Most of it."]),
        ("<article>Kept<article>too</article></article><article hidden>no</article>", ["Kept", "too"]),
        ("<p>Most.</p><aside><article>Much that is beside it.</article></aside>", ["Most."]),
        ("<main hidden>no</main><main>Shown</main><p>beside</p>", ["Shown"]),
        ("<div style='display:none'><main>no</main></div><div role=main>Shown</div>", ["Shown"]),
        ("<main>One</main><p>beside</p><main>Two<div role=main>Three</div></main>", ["One", "Two", "Three"]),
        ("<main><img></main><p>Text", ["Text"]),
        ("<body style='visibility:hidden'><p>Shown by a script", ["Shown by a script"]),
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
        ("<ol reversed><li>x<li>y</ol>", ["2. x", "1. y"]),
        ("<ol type=i start=3><li>x<li>y</ol><ol type=I start=49><li>z</ol>", ["iii. x", "iv. y", "XLIX. z"]),
        ("<p>10<span style='vertical-align: super'>6</span>", ["10⁶"]),
        (
            "<table><tr><th colspan=2>Ulm<tr><td colspan=2><img><tr><th>Area<td>119 km<sup>2</sup></table>",
            ["Ulm", "Area: 119 km²"],
        ),
        ("<button>no</button><select><option>no</select><p>Text", ["Text"]),
        ("<h2><button>When?</button><button>Copy</button></h2><p>May.", ["When?", "May."]),
        ("<h2>Struct File<button>Copy path</button></h2>", ["Struct File"]),
        ("<h2>1. <button aria-expanded=true>When?</button></h2>", ["1. When?"]),
        ("a<button aria-expanded=false>When?</button>b<div>May.</div>", ["a When? b", "May."]),
        ("<h2><div>One</div><div>two</div></h2>", ["One two"]),
        ("<dl><dt><h3>When?</h3></dt><dd>May.</dl>", ["When?", "May."]),
        ("<dl><dt><p>Term</p></dt><dd><p>Text</p></dd></dl>", ["Term: Text"]),
        ("<p>8.1 × 10<sup>6</sup>, in 1998<sup>2</sup>", ["8.1 × 10⁶, in 1998²"]),
        ("<p>m<sup><i>3</i></sup>, 19<sup>th</sup>, so<sup class=reference>[1]</sup>", ["m³, 19th, so[1]"]),
        (
            "<h2>10<sup>6</sup></h2><pre>x<sup>2</sup></pre><table><tr><td>m<sup>2</sup><td>b</table>",
            ["10⁶", "x²", "m²; b"],
        ),
        ("<pre>a<br>b<span hidden>no</span><button>Copy</button><div>c</div>d</pre>", ["a\nb\nc\nd"]),
        (
            "<pre><code><span class=boring>fn main() {\n</span>go();\n<span class=boring>}</span></code></pre>",
            ["go();"],
        ),
        ("<p class=boring>Terms apply.</p>", ["Terms apply."]),
        ("<div><pre>go();</pre><a class=test-arrow href='/play'>Run</a></div>", ["go();"]),
        (
            "<p>a<sup>1</sup></p><div><sup>1</sup>\n<p>Note.</p><p>Of it.</p></div>",
            ["a¹", "¹ Note.", "Of it."],
        ),
        ("<p><sup>2</sup>/<sub>3</sub></p><p>of it</p><sup>1</sup><h2>T</h2>", ["²/3", "of it", "¹", "T"]),
        ("<div class=navheader>Prev</div><main>a<ul class=breadcrumb><li>Home</ul></main>", ["a"]),
        ("<p>a</p><div id=footer>Imprint</div>", ["a"]),
        ("<article>a<div id=footer>b</div></article>", ["a", "b"]),
        ("<p><math><mi>x</mi><annotation>\\x</annotation></math>", ["x"]),
        ("<table role='presentation'><tr><td>a</td><td>b</td></tr></table>", ["a", "b"]),
        ("<table><tr><td><h2>a</h2></td><td><p>b</td></tr></table>", ["a", "b"]),
        ("<table><tr><td>a</td><td>b</td></tr></table>", ["a; b"]),
        ("<table><tr><td>a<td><pre>b</pre><tr><td><h3>c</h3><td>d</table>", ["a; b", "c; d"]),
        ("<table><tr><td><h3>c</h3><tr><td>d<td>e</table>", ["c", "d", "e"]),
        ("<table><tr><th>A<th>B<tr><td>a<td><pre>b</pre></table>", ["A: a; B: b"]),
        ("<table><tr><th>A<td><table><tr><td>b<td>c</table></table>", ["A: b c"]),
        ("<table><tr><td><table><tr><td>a<td>b</table><td>c</table>", ["a; b", "c"]),
        (
            "<table><tr><th>A<th>B<tr style='display:none'><td>n<td>o<tr><td>a<td hidden>no<td>b</table>",
            ["A: a; B: b"],
        ),
        (
            "<table><tbody hidden><tr><td>n<td>o<tbody><tr style='visibility:collapse'><td>p<tr><td>a<td>b</table>",
            ["a; b"],
        ),
        ("<table><caption hidden>no</caption><caption>C</caption><tr><td>a<td>b</table>", ["C", "a; b"]),
        (
            "<table><tr><th>A<th>B<tr><td>a<td>b<tr><th colspan=2>Group<tr><td>c<td>d</table>",
            ["A: a; B: b", "Group", "A: c; B: d"],
        ),
        (
            "<table><tr><th colspan=2>Size<th rowspan=2>A<tr><th>W<th>H<tr><td>1<td>2<td>x</table>",
            ["Size W: 1; Size H: 2; A: x"],
        ),
        ("<table><tr><th>A</th><th>B</th></tr></table>", ["A; B"]),
        ("<table><tr><td><th>A<th>B<tr><th>5<td>Net<td>100</table>", ["5; A: Net; B: 100"]),
        ("<table><tr><td><th>A<tr><td>5<td>6<tr><td><th>B</table>", ["5; A: 6", "A: B"]),
        (
            "<table><tr><td><b>a</b><td><b>b</b><tr><td><td><b>c</b><tr><td>d<td>e</table>",
            ["b: c", "a: d; b: e"],
        ),
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


def test_the_label_of_a_box_or_tab_heads_its_content_alone(page):
    body = (
        "<main><h1>Guide</h1><p>Intro.</p>"
        '<div class="admonition tip"><p class="admonition-title">Mind <b>this</b></p><p>A.</p></div>'
        "<details><summary>Why?</summary>Because.<details><summary>Really?</summary><p>Yes.</p></details></details>"
        '<div><input type="radio"><label class="sd-tab-label x">Windows</label><div><p>B.</p></div>'
        '<input type="radio"><label class="sd-tab-label">Linux</label><div><p>C.</p></div></div>'
        "<details><summary><h2>Own heading</h2></summary><p>D.</p></details>"
        "<details><summary></summary><p>E.</p></details>"
        "<p>After. <label>One</label><label>Two</label></p></main>"
    )
    guide = ("Guide",)
    assert [block[:3] for block in blocks(page(body))] == [
        ("heading", "Guide", ()),
        ("paragraph", "Intro.", guide),
        ("heading", "Mind this", guide),
        ("paragraph", "A.", (*guide, "Mind this")),
        ("heading", "Why?", guide),
        ("paragraph", "Because.", (*guide, "Why?")),
        ("heading", "Really?", (*guide, "Why?")),
        ("paragraph", "Yes.", (*guide, "Why?", "Really?")),
        ("heading", "Windows", guide),
        ("paragraph", "B.", (*guide, "Windows")),
        ("heading", "Linux", guide),
        ("paragraph", "C.", (*guide, "Linux")),
        ("heading", "Own heading", guide),
        ("paragraph", "D.", (*guide, "Own heading")),
        ("paragraph", "E.", (*guide, "Own heading")),
        ("paragraph", "After. One Two", (*guide, "Own heading")),
    ]


def test_nesting_without_end_is_refused_at_once(page):
    path = page("<div>" * 100_000 + "deep")
    started = time.process_time()
    assert only_problem(path) == Malformed(
        "the-page.html:1",
        "The page nests more than 1,000 elements in each other; close them, or leave it out.",
    )
    assert time.process_time() - started < 5  # measured: 0.1 at most; the parser itself takes two minutes
    assert texts(page("<div>" * 900 + "deep")) == ["deep"]
    assert texts(page("<p>a" * 3000))[-1] == "a"  # these close themselves


@pytest.mark.parametrize(
    ("body", "size"),
    [
        (lambda n: "<!--" * n, 300_000),
        (lambda n: "<script>" * n, 200_000),
        (lambda n: "<a " * n, 300_000),
        (lambda n: "<p>" * n, 50_000),
        (lambda n: "".join(f"<font color={n}>" for n in range(900)) + "<p>x" * n, 50_000),
        (lambda n: "<b>x</b>" * n, 50_000),
        (lambda n: "<b>" + "<i> </i>" * n + "<i>x</i>" * n, 20_000),
        (lambda n: "<b><table>" + "<tr><th>" * (n // 2) + "<table><tr><th>x" * n, 150),
        (lambda n: "<b>" + "<h1>" + "<button>1</button><a href='#'>+</a>" * n, 20_000),
        (lambda n: "<b>" + "<span class=switch><span hidden>" * 400 + "<b>x</b>" * n, 5_000),
        (lambda n: "<b>" + "<div>" * 300 + "<a id=x href='#x'>x</a><h2>x</h2>" * n, 5_000),
        (lambda n: "<b>" + "<a id=x></a>" * n + "<h2>a</h2>" + "<a id=x></a>" * n, 20_000),
    ],
    ids=[
        "comments",
        "scripts",
        "tags",
        "paragraphs",
        "formatting",
        "closed",
        "blanks",
        "tables",
        "controls",
        "alternatives",
        "contents",
        "anchors",
    ],
)
def test_any_page_takes_time_in_proportion_to_its_length(page, body, size):
    def read(size: int) -> None:
        (item,) = open_corpus(str(page(body(size))))
        assert isinstance(item, Record) == body(size).startswith("<b>")

    assert_linear(read, size)


def test_a_page_without_text_is_a_sentence(page):
    assert only_problem(page("<title>T</title><img src=x.png>")).problem.startswith("The file holds no text;")


def test_a_span_of_a_billion_columns_is_cut(page):
    cells = "<td colspan=999999999>a</td>" * 3
    assert texts(page(f"<table><tr>{cells}</tr><tr><td rowspan=999999999>b<td>c</table>")) == [
        "a; a; a",
        "b; c",
    ]


def test_no_cell_of_a_wide_table_is_lost(page):
    cells = [str(number) for number in range(1000)]
    body = "".join(f"<tr><{tag}>{f'<{tag}>'.join(cells)}</tr>" for tag in ("th", "td"))
    assert texts(page(f"<table>{body}</table>")) == ["; ".join(f"{cell}: {cell}" for cell in cells)]


def test_long_names_of_columns_are_not_repeated_in_many_rows(page):
    name = "word " * 2_000
    table = f"<table><tr><th>{name}<th>B" + "<tr><td>a<td>b" * 1_000 + "</table>"
    seen = texts(page(table))
    assert (seen[0], seen[1], len(seen)) == (f"{name.strip()}; B", "a; b", 1_001)


@pytest.mark.parametrize(
    ("heading", "seen"),
    [
        ("Use<a class=headerlink href='#use'>¶</a>", "Use"),
        ("Use <a href='#use'>#</a>", "Use"),
        ("<a href='#use'>\U0001f517</a> Use", "Use"),
        ("<a class='anchor' href='/page#use'>§</a>Use", "Use"),
        ("<a href='#use'>Use</a>", "Use"),
        ("<a class=anchor href='#use'>Use it</a>", "Use it"),
        ("<a href='#plus'>+</a>", "+"),
        ("C<a href='/plus'>++</a>", "C++"),
        ("History<span class='mw-editsection'>[<a href='/edit'>edit</a>]</span>", "History"),
    ],
)
def test_a_sign_that_leads_to_its_own_heading_is_left_out(page, heading, seen):
    assert texts(page(f"<h2>{heading}</h2>")) == [seen]


def test_a_sign_beside_a_term_is_left_out(page):
    body = "<dl><dt id=open>open(file)<a class=headerlink href='#open'>¶</a></dt><dd>Opens it."
    assert blocks(page(body)) == [("field", "open(file): Opens it.", (), "#open")]


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("<div id=all><div class=mw-heading><h2 id=h>H</h2></div><p>a</p></div>", {"H": "#h", "a": "#h"}),
        ("<h2><a name=h>H</a></h2><p>a", {"H": "#h", "a": "#h"}),
        ("<h2 id=h><a id=no></a>H</h2><p>a", {"H": "#h", "a": "#h"}),
        ("<h2>H<a class=mark id=h href='#h'>#</a></h2><p>a", {"H": "#h", "a": "#h"}),
        ("<h2><a id=h aria-hidden=true></a>H</h2><p>a", {"H": "#h", "a": "#h"}),
        ("<div id=h>\n<h2>H</h2>\n</div><p>a", {"H": "#h", "a": "#h"}),
        ("<div><h2>H</h2><a id=h href='#h'><svg></svg></a></div><p>a", {"H": "#h", "a": "#h"}),
        ("<a name=h><h2>H</h2></a><p>a", {"H": "#h", "a": "#h"}),
        ("<p>z<p><a name=h></a><h2>H</h2><p>a", {"H": "#h", "a": "#h"}),
        ("<p><a name=n>z</a><h2>H</h2><p>a", {"z": "#n", "H": None, "a": None}),
        ("<a id=n></a><table><tr><td>z<td>y</table><div><h2>H</h2>a</div>", {"z; y": "#n", "a": "#n"}),
        (
            "<p>z</p><a name=h></a> <h2>H</h2><p>a</p><h2>I</h2><p>b",
            {"z": None, "H": "#h", "a": "#h", "I": None, "b": None},
        ),
        ("<h2 id=h>H</h2><p id=p>a</p><div id=d><p>b</p></div><p>c", {"a": "#p", "b": "#d", "c": "#h"}),
        (
            "<h1 id=t>T</h1><h2 id=h>H</h2><h3>I</h3><p>a</p><h2>J</h2><p>b",
            {"I": "#h", "a": "#h", "J": "#t", "b": "#t"},
        ),
        ("<section id=s><h2 id=h>H</h2><p>a</p></section><p>b", {"H": "#h", "a": "#h", "b": None}),
        ("<section><h2 id=h>H</h2></section><p>b", {"H": "#h", "b": "#h"}),
        ("<section id=s><h2>H</h2><p>a</p></section><p>b", {"H": "#s", "a": "#s", "b": None}),
        ("<dl><dt id=f>f</dt><dd><p>a</p><h4>I</h4><p>b</p></dd></dl>", {"f: a": "#f", "I": "#f", "b": "#f"}),
    ],
)
def test_a_text_stands_at_the_anchor_of_its_heading_or_of_what_is_nearer(page, body, places):
    found = {text: place for _, text, _, place in blocks(page(body))}
    assert {text: found[text] for text in places} == places


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
