from pathlib import Path

import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table, TableStyle

from index_builder.corpora import Malformed
from tests.index_builder.corpora.reading import blocks, only_document, only_problem, read, texts

STYLES = getSampleStyleSheet()
RULED = TableStyle(
    [("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold")]
)
LONG = (
    "The boiler heats the house and the water, and it has done so for as long as anybody who lives here can "
    "remember, which is a very long time indeed for a boiler of this kind. It is serviced every May."
)


def furnished(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.drawString(72, 810, "The boiler manual, 3rd edition")
    canvas.drawString(280, 30, f"Page {canvas.getPageNumber()}")


@pytest.fixture
def manual(tmp_path) -> Path:
    text = STYLES["Normal"]
    story = [
        Paragraph("Boiler manual", STYLES["Title"]),
        Paragraph(LONG, text),
        Paragraph("Service", STYLES["Heading2"]),
        Paragraph("1. Switch it off.", text),
        Paragraph("2. Let it cool.", text),
        Paragraph("• gloves", text),
        PageBreak(),
        Paragraph("Parts", STYLES["Heading2"]),
        Table(
            [["Part", "Price"], ["Valve, the\nlarge one", "12 €"], ["Pump", "80 €"]], [100, 60], style=RULED
        ),
        PageBreak(),
        Table([["Lid", "9 €"], ["Tap", "3 €"]], [100, 60], style=TableStyle(RULED.getCommands()[:1])),
        Paragraph("The end.", text),
    ]
    path = tmp_path / "manual.pdf"
    SimpleDocTemplate(str(path), pagesize=A4, title="Microsoft Word - manual.doc").build(
        story, onFirstPage=furnished, onLaterPages=furnished
    )
    return path


def test_what_a_reader_sees_is_kept_with_its_pages(manual):
    top, service, parts = ("Boiler manual",), ("Boiler manual", "Service"), ("Boiler manual", "Parts")
    assert blocks(manual) == [
        ("heading", "Boiler manual", (), "page 1"),
        ("paragraph", LONG, top, "page 1"),
        ("heading", "Service", top, "page 1"),
        ("item", "1. Switch it off.", service, "page 1"),
        ("item", "2. Let it cool.", service, "page 1"),
        ("item", "gloves", service, "page 1"),
        ("heading", "Parts", top, "page 2"),
        ("row", "Part: Valve, the large one; Price: 12 €", parts, "page 2"),
        ("row", "Part: Pump; Price: 80 €", parts, "page 2"),
        ("row", "Part: Lid; Price: 9 €", parts, "page 3"),
        ("row", "Part: Tap; Price: 3 €", parts, "page 3"),
        ("paragraph", "The end.", parts, "page 3"),
    ]


def test_the_title_is_the_files_own_unless_that_is_a_files_name(manual, tmp_path):
    assert only_document(manual).title == "Boiler manual"
    path = tmp_path / "x.pdf"
    SimpleDocTemplate(str(path), title="A title").build([Paragraph("Text.", STYLES["Normal"])])
    assert only_document(path).title == "A title"


def drawn(path: Path, *pages: list[str], **options: object) -> Path:
    """A file whose pages have these lines, one below the other."""
    canvas = Canvas(str(path), pagesize=A4, **options)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(72, 700 - 14 * number, line)
        canvas.showPage()
    canvas.save()
    return path


FULL = "Many words that fill the whole of a line of the page so that it goes on and"


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ([f"{FULL} exam-", "ple of it. An example is here."], f"{FULL} example of it. An example is here."),
        ([f"{FULL} well-", "known thing. It is well-known."], f"{FULL} well-known thing. It is well-known."),
        ([f"{FULL} unsu-", "re of it, once."], f"{FULL} unsu-re of it, once."),
        ([f"{FULL} goes", "on here."], f"{FULL} goes on here."),
    ],
)
def test_a_hyphen_at_a_lines_end_goes_only_where_that_is_certain(tmp_path, lines, seen):
    assert texts(drawn(tmp_path / "a.pdf", lines)) == [seen]


def test_a_short_line_ends_a_paragraph_and_a_page_does_not(tmp_path):
    path = drawn(
        tmp_path / "a.pdf", [f"{FULL} one", "ends here.", f"{FULL} another", "goes on"], ["to the next page."]
    )
    assert texts(path) == [f"{FULL} one ends here.", f"{FULL} another goes on to the next page."]


def test_the_lines_of_a_table_of_contents_are_no_headings(tmp_path):
    lines = [f"Chapter {n} .......... {n}0" for n in range(1, 6)]
    assert {kind for kind, *_ in blocks(drawn(tmp_path / "a.pdf", lines, ["Text."]))} == {"item", "paragraph"}


def test_pages_without_text_are_named(tmp_path):
    document = only_document(drawn(tmp_path / "a.pdf", ["Text."], [], ["More."]))
    assert document.metadata == {"pages_without_text": [2]}


def test_a_scanned_file_says_what_to_do(tmp_path):
    assert only_problem(drawn(tmp_path / "a.pdf", [], [])) == Malformed(
        "a.pdf:1",
        "The file has no text, only pictures of pages, or nothing; run text recognition (OCR) on it first.",
    )


def test_an_encrypted_file_is_a_sentence(tmp_path):
    path = drawn(tmp_path / "a.pdf", ["Secret."], encrypt=StandardEncryption("word", canPrint=0))
    assert only_problem(path).problem == "The file is encrypted; save it without a password."


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\nnothing", b"\0" * 1000])
def test_a_damaged_file_is_a_sentence(tmp_path, content):
    (tmp_path / "a.pdf").write_bytes(content)
    assert only_problem(tmp_path / "a.pdf").problem.startswith("The file is damaged, or no PDF (")


def test_a_file_that_was_cut_short_is_read_as_far_as_it_goes_or_a_sentence(manual):
    whole = manual.read_bytes()
    for length in range(0, len(whole), 500):
        manual.write_bytes(whole[:length])
        (item,) = read(manual)
        assert not isinstance(item, Malformed) or item.problem.endswith(".")


def test_a_missing_package_is_a_sentence_that_names_the_command(manual, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pypdfium2", None)
    assert only_problem(manual).problem == (
        "Reading it needs the package pypdfium2, which is not installed; run `pip install 'loccit[documents]'`."
    )
