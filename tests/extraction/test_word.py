import sys
import zipfile
from pathlib import Path

import pytest

from tests.index_builder.corpora.reading import blocks, only_document, only_problem, read

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
