import sys
import zipfile
from pathlib import Path

import pytest

from extraction.word_numbers import _formatted
from tests.index_builder.corpora.reading import blocks, only_document, only_problem, read, texts

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = {"Title": "Title", "Heading1": "heading 1", "Heading2": "heading 2"}


def paragraph(text: str, style: str = "", numbering: str = "") -> str:
    look = f'<w:pStyle w:val="{style}"/>' if style else ""
    look += f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="{numbering}"/></w:numPr>' if numbering else ""
    return f"<w:p><w:pPr>{look}</w:pPr>{text}</w:p>"


def run(text: str, *, bold: bool = False) -> str:
    return f'<w:r><w:rPr>{"<w:b/>" if bold else ""}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def table(*rows: tuple[str, ...]) -> str:
    cells = [
        "".join(f"<w:tc>{paragraph(run(text, bold=number == 0))}</w:tc>" for text in row)
        for number, row in enumerate(rows)
    ]
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def written(path: Path, body: str, title: str = "") -> Path:
    levels = {"1": "decimal", "2": "bullet"}
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
        for key, name in STYLES.items()
    )
    numbering = "".join(
        f'<w:abstractNum w:abstractNumId="{key}"><w:lvl w:ilvl="0"><w:numFmt w:val="{kind}"/></w:lvl></w:abstractNum>'
        for key, kind in levels.items()
    ) + "".join(f'<w:num w:numId="{key}"><w:abstractNumId w:val="{key}"/></w:num>' for key in levels)
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/word/document.xml" ContentType="{OFFICE}.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}">'
        f'<Relationship Id="r1" Type="{TYPES}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{RELATIONS}">'
        f'<Relationship Id="r1" Type="{TYPES}/styles" Target="styles.xml"/>'
        f'<Relationship Id="r2" Type="{TYPES}/numbering" Target="numbering.xml"/></Relationships>',
        "word/styles.xml": f"<w:styles {NAMESPACES}>{styles}</w:styles>",
        "word/numbering.xml": f"<w:numbering {NAMESPACES}>{numbering}</w:numbering>",
        "word/document.xml": f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>",
    }
    if title:
        parts["docProps/core.xml"] = f"<cp xmlns:dc='x'><dc:title>{title}</dc:title></cp>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


MANUAL = "".join(
    [
        paragraph(run("Boiler manual"), "Title"),
        paragraph(run("It heats the "), "").replace("</w:p>", run("house", bold=True) + run(".") + "</w:p>"),
        paragraph('<w:bookmarkStart w:id="1" w:name="_Toc1"/>' + run("Service"), "Heading2"),
        paragraph(run("Switch it off."), numbering="1"),
        paragraph(run("Let it cool."), numbering="1"),
        paragraph(run("gloves"), numbering="2"),
        table(("Part", "Price"), ("Valve", "12 €")),
        paragraph("<w:r><w:t>One</w:t><w:br/><w:t>two.</w:t></w:r>"),
    ]
)


def test_what_stands_raised_becomes_no_other_number(tmp_path):
    raised = '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>6</w:t></w:r>'
    path = written(tmp_path / "mass.docx", paragraph(run("It is 10") + raised + run(" kg.")))
    assert only_document(path).text == "It is 10⁶ kg."


def test_what_a_reader_sees_is_kept_with_its_sections(tmp_path):
    top, service = ("Boiler manual",), ("Boiler manual", "Service")
    assert blocks(written(tmp_path / "a.docx", MANUAL)) == [
        ("heading", "Boiler manual", (), "section Boiler manual"),
        ("paragraph", "It heats the house.", top, "section Boiler manual"),
        ("heading", "Service", top, "section Service"),
        ("item", "1. Switch it off.", service, "section Service"),
        ("item", "2. Let it cool.", service, "section Service"),
        ("item", "gloves", service, "section Service"),
        ("row", "Part: Valve; Price: 12 €", service, "section Service"),
        ("paragraph", "One\ntwo.", service, "section Service"),
    ]


def test_the_title_is_the_first_heading_or_the_files_own(tmp_path):
    assert only_document(written(tmp_path / "a.docx", MANUAL, "Own")).title == "Boiler manual"
    text = paragraph(run("Text."))
    assert only_document(written(tmp_path / "b.docx", text, "Own &amp; all")).title == "Own & all"
    assert only_document(written(tmp_path / "c.docx", text)).title == "c"
    assert blocks(tmp_path / "c.docx") == [("paragraph", "Text.", (), None)]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"plain text"])
def test_a_broken_package_is_a_sentence(tmp_path, content):
    (tmp_path / "a.docx").write_bytes(content)
    problem = only_problem(tmp_path / "a.docx").problem
    assert problem.startswith("The file is damaged, or no Word document (")
    assert problem.endswith("; open it in Word and save it again.")


@pytest.mark.parametrize("lost", ["word/document.xml", "_rels/.rels", "[Content_Types].xml"])
def test_a_package_without_a_part_or_with_a_broken_one_is_a_sentence(tmp_path, lost):
    path = written(tmp_path / "a.docx", MANUAL)
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    for changed in ({**parts, lost: parts[lost][:40]}, {k: v for k, v in parts.items() if k != lost}):
        with zipfile.ZipFile(path, "w") as package:
            for name, content in changed.items():
                package.writestr(name, content)
        (item,) = read(path)
        assert getattr(item, "problem", "no Word document").count("no Word document") == 1


def test_an_encrypted_or_old_file_is_a_sentence(tmp_path):
    (tmp_path / "a.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    assert only_problem(tmp_path / "a.docx").problem == (
        "The file is encrypted or of an old version of Word; save it as .docx without a password."
    )


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = written(tmp_path / "a.docx", MANUAL)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package, package.open("word/x.xml", "w") as part:
        for _ in range(300):
            part.write(b"\0" * 1_000_000)
    assert path.stat().st_size < 1_000_000
    assert only_problem(path).problem.startswith("The file unpacks to 300,0")


def test_entities_that_grow_without_end_are_refused(tmp_path):
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
        + "]>"
    )
    path = written(tmp_path / "a.docx", paragraph(run("&j;")))
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    parts["word/document.xml"] = bomb + parts["word/document.xml"]
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    assert "no Word document" in only_problem(path).problem


def test_a_missing_package_is_a_sentence_that_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mammoth", None)
    assert only_problem(written(tmp_path / "a.docx", MANUAL)).problem == (
        "Reading it needs the package mammoth, which is not installed; run `pip install 'loccit[documents]'`."
    )


@pytest.mark.parametrize("name", ["word/x.dat", "word/no suffix", "customXml/item1.XML", "x.png.vml"])
def test_a_bomb_is_refused_whatever_its_part_is_called(tmp_path, name):
    path = written(tmp_path / "a.docx", MANUAL)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package, package.open(name, "w") as part:
        for _ in range(60):
            part.write(b"\0" * 1_000_000)
    assert only_problem(path).problem.startswith("The file unpacks to 60,0")


def test_pictures_do_not_count_and_cannot_be_the_text(tmp_path):
    path = written(tmp_path / "a.docx", MANUAL)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package,
        package.open("word/media/image1.png", "w") as part,
    ):
        for _ in range(60):
            part.write(b"\0" * 1_000_000)
    assert only_document(path).title == "Boiler manual"
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist() if "media" not in name}
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            renamed = name.replace("document.xml", "document.png")
            package.writestr(renamed, content.replace(b"document.xml", b"document.png"))
    assert "no Word document" in only_problem(path).problem


def levels(*described: str) -> str:
    """The levels of a list, each of its start, its form and its text."""
    parts = [each.split(" ") for each in described]
    return "".join(
        f'<w:lvl w:ilvl="{index}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>'
        f"{''.join(more)}</w:lvl>"
        for index, (start, form, text, *more) in enumerate(parts)
    )


def lists(*nums: str, **definitions: str) -> str:
    """A ``numbering.xml`` of definitions, and of lists that name one of them, with what they override."""
    abstract = "".join(
        f'<w:abstractNum w:abstractNumId="{name}">{content}</w:abstractNum>'
        for name, content in definitions.items()
    )
    named = [num.partition(" ") for num in nums]
    return abstract + "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="{name}"/>{override}</w:num>'
        for number, (name, _, override) in enumerate(named, start=1)
    )


def numbered(text: str, numbering: str, level: int = 0) -> str:
    return paragraph(run(text), numbering=numbering).replace('ilvl w:val="0"', f'ilvl w:val="{level}"')


def with_parts(path: Path, **changed: str) -> Path:
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    for name, content in changed.items():
        parts[f"word/{name}.xml"] = f"<w:{name} {NAMESPACES}>{content}</w:{name}>"
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


def shown(path: Path, body: str, *nums: str, **definitions: str) -> list[tuple[str, str]]:
    numbering = lists(*nums, **definitions)
    return [(kind, text) for kind, text, *_ in blocks(with_parts(written(path, body), numbering=numbering))]


def test_a_list_counts_on_after_other_paragraphs(tmp_path):
    body = (
        numbered("One.", "1")
        + paragraph(run("A remark."))
        + numbered("Two.", "1")
        + table(("a", "b"), ("c", "d"))
    )
    assert shown(tmp_path / "a.docx", body + numbered("Three.", "1"), "x", x=levels("1 decimal %1.")) == [
        ("item", "1. One."),
        ("paragraph", "A remark."),
        ("item", "2. Two."),
        ("row", "a: c; b: d"),
        ("item", "3. Three."),
    ]


def test_numbers_are_written_as_the_level_says(tmp_path):
    definition = levels(
        "5 lowerLetter %1)",
        "1 decimal %1.%2",
        "9 upperRoman (%3)",
        "1 bullet -",
        "1 decimal %1/%5 <w:isLgl/>",
    )
    steps = [
        (0, "e)"),
        (1, "e.1"),
        (1, "e.2"),
        (2, "(IX)"),
        (2, "(X)"),
        (3, ""),
        (4, "5/1"),
        (0, "f)"),
        (1, "f.1"),
    ]
    body = "".join(numbered("Text", "1", level) for level, _ in steps)
    assert shown(tmp_path / "a.docx", body, "x", x=definition) == [
        ("item", f"{number} Text".strip()) for _, number in steps
    ]


def test_lists_of_one_definition_count_on_unless_one_begins_anew(tmp_path):
    restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    body = "".join(numbered("Text", number) for number in "1233411")
    kept = shown(
        tmp_path / "a.docx",
        body,
        "x",
        "x",
        f"x {restart}",
        "y",
        x=levels("1 decimal %1."),
        y=levels("1 none Art"),
    )
    assert [text.removesuffix(" Text") for _, text in kept] == ["1.", "2.", "7.", "8.", "Art", "9.", "10."]


@pytest.mark.parametrize(("restart", "last"), [("", "2-1"), ('<w:lvlRestart w:val="0"/>', "2-2")])
def test_a_level_begins_anew_below_another_unless_it_says_otherwise(tmp_path, restart, last):
    definition = levels("1 decimal %1", "1 decimal %1-%2 RESTART").replace("RESTART", restart)
    body = "".join(numbered("Text", "1", level) for level in (0, 1, 0, 1))
    assert shown(tmp_path / "a.docx", body, "x", x=definition)[3] == ("item", f"{last} Text")


def test_numbers_come_by_the_style_too_and_headings_keep_theirs(tmp_path):
    style = '<w:style w:type="paragraph" w:styleId="{}"><w:name w:val="{}"/>{}</w:style>'
    by_list = '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    styles = (
        style.format("Heading1", "heading 1", by_list)
        + style.format("Heading2", "heading 2", '<w:basedOn w:val="Heading1"/>' + by_list)
        + style.format("Own", "Own", '<w:basedOn w:val="Heading1"/>')
    )
    definition = levels("1 decimal %1", "1 decimal %1.%2 <w:pStyle/>").replace(
        "<w:pStyle/>", '<w:pStyle w:val="Heading2"/>'
    )
    body = "".join(
        paragraph(run(style), style) for style in ("Heading1", "Heading2", "Heading2", "Own", "Heading2")
    )
    path = with_parts(written(tmp_path / "a.docx", body), styles=styles, numbering=lists("x", x=definition))
    assert texts(path) == ["1 Heading1", "1.1 Heading2", "1.2 Heading2", "2 Own", "2.1 Heading2"]
    assert [kind for kind, *_ in blocks(path)] == ["heading", "heading", "heading", "paragraph", "heading"]


def test_a_text_box_is_counted_once_and_what_has_no_text_shows_no_number(tmp_path):
    box = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>'
        f"{numbered('Box', '1')}</mc:Choice><mc:Fallback>{numbered('Box', '1')}</mc:Fallback></mc:AlternateContent>"
    )
    body = paragraph("", numbering="1") + box + numbered("Last", "1")
    assert [text for _, text in shown(tmp_path / "a.docx", body, "x", x=levels("1 decimal %1."))] == [
        "2. Box",
        "3. Last",
    ]


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("lowerLetter", {1: "a", 26: "z", 27: "aa", 53: "aaa", 600: "600", 0: "0"}),
        ("upperLetter", {28: "BB"}),
        ("lowerRoman", {4: "iv", 1999: "mcmxcix", 4000: "4000"}),
        ("upperRoman", {14: "XIV"}),
        ("decimalZero", {7: "07", 10: "10"}),
        ("ordinalText", {3: "3"}),
    ],
)
def test_numbers_in_letters_and_roman_numerals(form, numbers):
    assert {number: _formatted(number, form) for number in numbers} == numbers
