import bz2
import sys
import tracemalloc

import pytest

from extraction import wikitext
from extraction.table_tags import with_closed_cells
from extraction.wikitext import structure_of
from index_builder.corpora import Malformed, PassedOver, Record, open_corpus
from tests.growth import assert_linear
from tests.index_builder.corpora.reading import read

HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/"><siteinfo><sitename>W</sitename>'
    "<base>https://en.example.org/wiki/Main_Page</base></siteinfo>"
)


def page(title: str, text: str, *, ns: int = 0, more: str = "") -> str:
    revision = f"<revision><id>2</id><text>{text}</text></revision>"
    return f"<page><title>{title}</title><ns>{ns}</ns><id>1</id>{more}{revision}</page>"


@pytest.fixture
def dump(tmp_path):
    def write(*pages: str, end: str = "</mediawiki>"):
        path = tmp_path / "pages.xml.bz2"
        path.write_bytes(bz2.compress((HEAD + "".join(pages) + end).encode()))
        return path

    return write


def test_articles_are_documents_and_the_rest_is_counted(dump):
    path = dump(
        page("Eddystone Lighthouse", "'''It''' stands.\n== History ==\nBuilt in [[1698]]."),
        page("Old", "#REDIRECT [[New]]", more='<redirect title="New" />'),
        page("Talk:X", "Hello.", ns=1),
        page("Nothing", "{{stub}}"),
        page("Older", " #redirect: [[New]]"),
    )
    first, redirect, talk, nothing, unmarked = read(path)
    assert unmarked == redirect
    document = first.document
    assert (document.doc_id, document.title) == ("Eddystone_Lighthouse", "Eddystone Lighthouse")
    assert document.url == "https://en.example.org/wiki/Eddystone_Lighthouse"
    assert document.text == "It stands.\n\nHistory\n\nBuilt in 1698."
    assert [str(block.locator) for block in document.blocks] == ["None", "#History", "#History"]
    assert (redirect, talk) == (PassedOver("redirects"), PassedOver("pages of other namespaces"))
    assert nothing == Malformed("pages.xml.bz2:4", "The page 'Nothing' shows no text; it is left out.")


def test_a_page_that_stumbles_its_parser_costs_no_other(dump, monkeypatch):
    def stumbles(source):
        if source == "bad":
            raise IndexError("out of range")
        return structure_of(source)

    monkeypatch.setattr(wikitext, "structure_of", stumbles)
    first, bad, last = read(dump(page("A", "a"), page("B", "bad"), page("C", "c")))
    assert (first.document.text, last.document.text) == ("a", "c")
    problem = "The page 'B' cannot be read (IndexError: out of range); it is left out."
    assert bad == Malformed("pages.xml.bz2:2", problem)


def test_a_dump_that_is_cut_short_is_read_up_to_there(dump):
    pages = [page(f"P{n}", f"Text {n}.") for n in range(3)]
    *records, malformed = read(dump(*pages, end="<page><title>half"))
    assert [record.document.doc_id for record in records] == ["P0", "P1", "P2"]
    assert malformed.problem.startswith("The dump is damaged or cut short after page 3 (")
    path = dump(*pages)
    path.write_bytes(path.read_bytes()[:-20])
    assert isinstance(read(path)[-1], Malformed)


@pytest.mark.parametrize("text", ["", "not xml", "<html></html>"])
def test_what_is_no_dump_is_a_sentence(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    (malformed,) = read(tmp_path / "a.xml")
    assert malformed.problem.startswith("The dump is damaged or cut short after page 0 (")


def test_memory_is_bounded_however_long_the_dump_is(dump):
    path = dump(*(page(f"P{n}", "word " * 2000) for n in range(400)))  # 4 MB of text
    items = iter(open_corpus(str(path)))
    next(items)
    tracemalloc.start()
    for _ in zip(range(398), items, strict=False):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("'''A''' ''b'' [[c|d]] [[e]]&nbsp;f", ["A b d e f"]),
        ("A.<ref>no</ref> B.<!-- no --> [https://e.org C] [https://e.org]", ["A. B. C"]),
        ("It is {{convert|49|m}} {{lang|fr|haut}}.{{cn}}", ["It is 49 m haut."]),
        ("[[File:x.jpg|thumb|no]]A [[Category:No]]", ["A"]),
        ("One\ntwo.\n\nThree.", ["One two.", "Three."]),
        ("* a\n* b\n# c\n# d\n: e\n;f: g", ["a", "b", "1. c", "2. d", "e", "f: g"]),
        (
            "{|\n! A !! B\n|-\n| 1 || 2\n|-\n| rowspan=2 | 3 || 4\n|-\n| 5\n|}",
            ["A: 1; B: 2", "A: 3; B: 4", "A: 3; B: 5"],
        ),
        ("<pre>\n x\n</pre>", ["x"]),
        ("<pre>&lt;a&gt; <nowiki>''b''</nowiki></pre>", ["<a> ''b''"]),
        ("<nowiki><div> &amp; [[a]]</nowiki>", ["<div> & [[a]]"]),
        ("10<sup>6</sup> in 1998<sup>2</sup>, 19<sup>th</sup>", ["10⁶ in 1998², 19th"]),
        ("# a\n## b\n## c\n# d\n## e", ["1. a", "1. b", "2. c", "2. d", "1. e"]),
        ("# a\n#: b\n#* c\n# d\n*# e\n# f", ["1. a", "b", "c", "2. d", "1. e", "1. f"]),
        ("# a\n\n# b\nText\n# c", ["1. a", "1. b", "Text", "1. c"]),
        ("# a\n<!-- x --> <!-- y -->\n# b<!-- z -->\n# c", ["1. a", "2. b", "3. c"]),
        ("# a <div>b</div> c\n# d:<pre>e</pre>\n# f", ["1. a b c", "2. d:", "e", "3. f"]),
        ("<div>a</div><div>b</div><p>c</p>d<hr>e", ["a", "b", "c", "d", "e"]),
        ("<ul>\n<li>a</li>\n<li>\nb</li></ul>c", ["a", "b", "c"]),
        ("<ol><li>a<ul><li>b</li></ul></li> <li><p>c</p></li></ol>", ["1. a", "b", "2. c"]),
        ("<ul><li>a<li>b</ul></div>c<div>d", ["a", "b", "c", "d"]),
        ("a<span style='display: none'>no</span><div style='display:none'>no</div>b", ["ab"]),
        ("{|\n|+ C\n! A !! B\n|-\n| 1 || 2\n|}", ["C", "A: 1; B: 2"]),
        ("{|\n|+ class='x' | C ''d''\n|-\n! A\n|-\n|+5\n|- style='display:none'\n| 6\n|}", ["C d", "A: +5"]),
        (
            "<table><caption>C</caption><thead><tr><th>A</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>",
            ["C", "A: 1"],
        ),
        ("<div>\n{|\n! A !! B\n|-\n|\n* 1\n* 2\n| <p>3</p><p>4</p>\n|}\n</div>", ["A: 1 2; B: 3 4"]),
        ("<table><tr><th>A<th>B<tr><td>1<td>2<tr><td>3<td>4</table>c", ["A: 1; B: 2", "A: 3; B: 4", "c"]),
        (
            "<TABLE>\n<thead><tr><th>A</th><th>B\n<tbody><tr><td>1</td><td>2\n<tr><td colspan=2>3\n</table>\nc",
            ["A: 1; B: 2", "3", "c"],
        ),
        ("<table><td>1<td>[[a]] {{small|b}}<ul><li>c<li>d</ul></table>", ["1; a b c d"]),
        (
            "<table><tr><td>1<table><tr><td>2<td>3</table><td>4<tr style='display:none'><td>5<td>6<tr><td>7</table>",
            ["1 2; 3; 4", "7"],
        ),
        ("{|\n| <table><tr><td>1<td>2</table> || 3\n|}", ["1; 2; 3"]),
        (
            "<table><tr><td><!-- <tr> --><nowiki><td></nowiki>1</th><td>2</td></td></tr></td><tr><td>3</tbody></table>",
            ["<td>1; 2", "3"],
        ),
        ("<table><tr><td>1\n== A ==\nb", ["1", "A", "b"]),
        (
            "{|\n! A !! B\n|-\n| {{flag|France}} || {{Yes}}\n|-\n| {{sortname|Ann|Lee|x}} || {{no|Never}}\n|-\n"
            "| {{sort|1|One}} || {{val|12|u=kg}}\n|-\n| {{ubl|a|b}} || {{n/a}}{{cn}}\n|}",
            ["A: France; B: Yes", "A: Ann Lee; B: Never", "A: One; B: 12 kg", "A: a, b; B: N/A"],
        ),
        (
            "__NOTOC__\nA __NoIndex__b.\n\n__TOC__\n{{blockquote|C.|d}} snake__case__e",
            ["A b.", "C. snake__case__e"],
        ),
    ],
)
def test_wikitext_is_kept_as_it_is_seen(source, seen):
    structure = structure_of(source)
    assert [block.span.of(structure.text) for block in structure.blocks] == seen


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        ("", "<!--", ""),
        ("", "<nowiki>", ""),
        ("", "{{", "|}"),
        ("", "{{|}", ""),
        ("", "<table>", ""),
        ("<table>", "<tr><td>", ""),
        ("", "<td ", ""),
        ("", "</td>", ""),
        ("", "<math ", ""),
        ("<td", "/", ""),
    ],
)
def test_the_ends_of_cells_are_found_in_time_in_proportion_to_the_text(before, unit, after):
    assert_linear(lambda count: with_closed_cells(before + unit * count + after * count), 100_000)


def test_tables_that_are_closed_stay_as_they_are():
    source = "a<table><tbody><tr><td>1</td><th>2</th></tr></tbody></table>{|\n|<td>\n|}</tr><td>{{b|</td>}}"
    assert with_closed_cells(source) == source


def test_a_missing_package_is_a_sentence_that_names_the_command(dump, monkeypatch):
    monkeypatch.setitem(sys.modules, "extraction.wikitext", None)
    (malformed,) = read(dump(page("A", "Text.")))
    assert malformed.problem.endswith("run `pip install 'loccit[dumps]'`.")


def test_a_page_that_nests_without_end_is_a_text_or_a_sentence(dump):
    (item,) = read(dump(page("A", "[[" * 3000 + "a" + "{{b|" * 3000)))
    assert isinstance(item, Record) or item.problem.endswith(".")


def test_headings_of_one_name_have_anchors_of_their_own_as_mediawiki_gives_them():
    names = ["Early life", "Life", "early life", "Life 2", "Life", "Life"]
    structure = structure_of("\n\n".join(f"== {name} ==\nText." for name in names))
    anchors = [str(block.locator) for block in structure.blocks if block.kind == "heading"]
    assert anchors == ["#Early_life", "#Life", "#early_life_2", "#Life_2", "#Life_3", "#Life_4"]
    assert str(structure.blocks[-1].locator) == "#Life_4"


def revisions(*texts: tuple[str, str | None]) -> str:
    stamps = [(text, f"<timestamp>{time}</timestamp>" if time else "") for text, time in texts]
    inner = "".join(f"<revision>{stamp}<text>{text}</text></revision>" for text, stamp in stamps)
    return f"<page><title>A</title><ns>0</ns>{inner}</page>"


@pytest.mark.parametrize(
    "page_of",
    [
        revisions(("Old.", "2010-01-01T00:00:00Z"), ("New.", "2024-01-01T00:00:00Z")),
        revisions(("New.", "2024-01-01T00:00:00Z"), ("Old.", "2010-01-01T00:00:00Z")),
        revisions(("Old.", "2024-01-01T00:00:00Z"), ("Older.", None), ("New.", None)),
        revisions(("Old.", "2024-01-01T00:00:00Z"), ("New.", "2024-01-01T00:00:00Z")),
    ],
    ids=["oldest first", "latest first", "without times", "of one time"],
)
def test_of_a_whole_history_the_latest_revision_is_read(dump, page_of):
    (record,) = read(dump(page_of))
    assert record.document.text == "New."


def test_a_long_history_does_not_stay_in_memory(dump):
    path = dump(page("First", "Text."), revisions(*((f"{n} " * 2000, f"{2000 + n}") for n in range(400))))
    items = iter(open_corpus(str(path)))
    next(items)
    tracemalloc.start()
    record = next(items)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert record.document.text.startswith("399 399")
    assert peak < 2_000_000
