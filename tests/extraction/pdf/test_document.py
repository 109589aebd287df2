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


CHAPTERS = ("Scope", "Safety at work", "Tools", "Cleaning the boiler, and what is needed for it", "Parts")


def contents(*lines):
    """A page of these lines, and one more for each chapter."""
    return [
        [(72, 700 - 20 * row, 12, line) for row, line in enumerate(lines)],
        *(
            [(72, 700, 20, chapter), (72, 650, 12, f"This is said of chapter {number}.")]
            for number, chapter in enumerate(CHAPTERS, start=1)
        ),
    ]


def test_a_table_of_contents_goes_and_its_pages_are_named(tmp_path):
    pages = contents(
        "Contents",
        "SCOPE ........ 2",
        "Safety at work 3",
        "Tools 4",
        "Cleaning the boiler, and what is",
        "needed for it 5",
        "Parts 6",
        "This manual is for boilers.",
    )
    document = only_document(placed(tmp_path / "a.pdf", *pages))
    first, *others = document.text.split("\n\n")
    assert first == "This manual is for boilers."
    assert others[:2] == ["Scope", "This is said of chapter 1."]
    assert document.metadata == {"contents_left_out_on_pages": [1]}


def test_lines_with_numbers_that_no_later_page_repeats_stay(tmp_path):
    pages = contents("Prices", "Valves 2", "Pumps 3", "Lids 4", "Taps 5", "Scope 6")
    document = only_document(placed(tmp_path / "a.pdf", *pages))
    assert "Valves 2" in document.text
    assert "Taps 5" in document.text
    assert document.metadata == {}


def test_numbers_that_become_smaller_are_no_contents(tmp_path):
    document = only_document(
        placed(tmp_path / "a.pdf", *contents("Scope 6", "Safety at work 2", "Tools 4", "Parts 3"))
    )
    assert "Scope 6" in document.text


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


def placed(path: Path, *pages: list[tuple[float, float, float, str]]) -> Path:
    """A file whose pages have these texts: each with its place from the left and from below, and its size."""
    canvas = Canvas(str(path), pagesize=A4)
    for page in pages:
        for left, bottom, size, text in page:
            canvas.setFont("Helvetica", size)
            canvas.drawString(left, bottom, text)
        canvas.showPage()
    canvas.save()
    return path


@pytest.mark.parametrize(
    "tops",
    [
        [
            ["Invoice 2021-17", "Total 120.50"],
            ["Invoice 2021-18", "Total 99.00"],
            ["Invoice 2021-19", "Total 45.10"],
        ],
        [["Section 1"], ["Section 2"], ["Section 3"], ["Section 4"]],
        [["Step 1:"], ["Step 2:"], ["Step 3:"]],
        [["2019"], ["2020"], ["2021"]],
        [["12", "7"], ["15", "9"], ["18", "4"]],
        [
            ["Month Price", "May 3", "June 4"],
            ["Month Price", "July 5", "March 9"],
            ["Month Price", "May 7", "June 8"],
        ],
    ],
)
def test_lines_at_a_pages_edge_that_differ_are_text(tmp_path, tops):
    pages = [[(72, 815 - 14 * n, 12, line) for n, line in enumerate(lines)] for lines in tops]
    path = placed(tmp_path / "a.pdf", *[[*page, (72, 500, 12, "Text.")] for page in pages])
    assert texts(path) == [line for lines in tops for line in [*lines, "Text."]]


def test_titles_of_slides_that_differ_in_a_number_are_headings(tmp_path):
    pages = [
        [
            (72, 790, 28, f"Page {n} of the plan"),
            (72, 500, 12, f"We earn {n} million, which is more than it was."),
        ]
        for n in (1, 2, 3)
    ]
    assert [kind for kind, *_ in blocks(placed(tmp_path / "a.pdf", *pages))] == ["heading", "paragraph"] * 3


@pytest.mark.parametrize(
    "running",
    [
        lambda n: [(280, 30, 12, str(n))],
        lambda n: [(280, 30, 12, str(n + 116))],
        lambda n: [(280, 30, 16, f"– {n} –")],
        lambda n: [(280, 30, 12, ["i", "ii", "iii", "iv"][n - 1])],
        lambda n: [(280, 30, 12, f"Page {n} of 4")],
        lambda n: [(72, 30, 12, f"The manual | {n}")],
        lambda n: [(72, 30, 12, f"{n} | The manual")],
        lambda n: [(72, 30, 12, f"The manual, page {n}")],
        lambda n: [(72, 810, 12, "The manual, 3rd edition"), (500, 810, 12, str(n))],
        lambda n: [(72, 810, 12, "The manual"), (72, 796, 12, "3rd edition")],
    ],
)
def test_running_heads_and_feet_go(tmp_path, running):
    pages = [[*running(n), (72, 500, 12, f"Text {n}.")] for n in (1, 2, 3, 4)]
    assert texts(placed(tmp_path / "a.pdf", *pages)) == ["Text 1.", "Text 2.", "Text 3.", "Text 4."]


def test_a_line_that_stands_at_other_heights_is_no_running_head(tmp_path):
    pages = [[(72, height, 12, "Draft"), (72, 500, 12, "Text.")] for height in (830, 810, 790)]
    assert texts(placed(tmp_path / "a.pdf", *pages)) == ["Draft", "Text."] * 3


def test_what_stands_raised_or_lowered_becomes_no_other_number_and_ends_no_line(tmp_path):
    text = (
        "Founded in 1998<super>2</super>. Its mass is 10<super>6</super> kg of H<sub>2</sub>O, said"
        " Kadatch<super>1,2</super> on the 4<super>th</super> of May. "
    )
    path = tmp_path / "a.pdf"
    story = [
        Paragraph(text * 4, STYLES["Normal"]),
        Table([["Part", "Mass"], ["Lid", Paragraph("10<super>6</super> kg", STYLES["Normal"])]], style=RULED),
    ]
    SimpleDocTemplate(str(path)).build(story)
    seen = "Founded in 1998². Its mass is 10⁶ kg of H2O, said Kadatch¹,² on the 4th of May. "
    assert texts(path) == [(seen * 4).strip(), "Part: Lid; Mass: 10⁶ kg"]


def test_a_wrapped_line_may_begin_like_an_item(tmp_path):
    lines = [
        "The house by the lake was drawn up for the owners in the nineties by the architect",
        "J. Smith in 1990 and was built by the firm of his brother in the town of Ulm in part",
        "12. The roof was done in 2019, and that took rather longer than they had wanted it to",
        "– or so they said – because of rain. It was then painted.",
    ]
    assert texts(drawn(tmp_path / "a.pdf", lines)) == [" ".join(lines)]


@pytest.mark.parametrize(
    ("lines", "items"),
    [
        ([(72, "You need:"), (72, "– a lid"), (72, "– a tap")], ["a lid", "a tap"]),
        ([(72, FULL), (72, f"• {FULL}"), (84, "12. So."), (72, f"• {FULL}")], [f"{FULL} 12. So.", FULL]),
        ([(72, f"1. {FULL}"), (72, f"2. {FULL}"), (72, "3. Go.")], [f"1. {FULL}", f"2. {FULL}", "3. Go."]),
        ([(72, f"{FULL}"), (90, f"– {FULL}"), (98, "so."), (90, "– a tap")], [f"{FULL} so.", "a tap"]),
        (
            [(72, f"1. {FULL}"), (72, "15. May it is."), (72, "2. Go.")],
            [f"1. {FULL} 15. May it is.", "2. Go."],
        ),
    ],
)
def test_items_begin_at_their_markers(tmp_path, lines, items):
    path = placed(
        tmp_path / "a.pdf", [(left, 700 - 14 * n, 11, line) for n, (left, line) in enumerate(lines)]
    )
    assert [text for kind, text, *_ in blocks(path) if kind == "item"] == items


def test_columns_are_read_by_their_own_margins(tmp_path):
    lines = [
        "In the spring of 1998 the town council of",
        "Ulm met with Professor Hans Meyer of the",
        "University of Heidelberg to discuss the",
        "1853 bridge over the Danube, which the",
    ]
    left = [(60, 700 - 14 * n, 11, line) for n, line in enumerate(lines)]
    right = [(310, 700 - 14 * n, 11, line) for n, line in enumerate(["engineers built.", *lines])]
    assert texts(placed(tmp_path / "a.pdf", [*left, *right])) == [
        f"{' '.join(lines)} engineers built.",
        " ".join(lines),
    ]


def test_lines_of_different_pages_are_one_only_amid_a_sentence(tmp_path):
    path = drawn(
        tmp_path / "a.pdf", ["Tenant of flat one is J"], ["Tenant of flat two is Kay"], ["who lives here."]
    )
    assert [(text, page) for _, text, _, page in blocks(path)] == [
        ("Tenant of flat one is J", "page 1"),
        ("Tenant of flat two is Kay who lives here.", "page 2"),
    ]


def test_the_first_line_of_a_page_does_not_stand_below_the_last_of_the_one_before(tmp_path):
    assert texts(drawn(tmp_path / "a.pdf", [FULL], ["", FULL])) == [FULL, FULL]


def test_bold_words_that_fill_a_line_end_no_sentence(tmp_path):
    bold = "must be serviced by the firm of Meyer in Ulm every May and never later than in June of the same year or"
    text = f"The boiler heats the house and the water of those who live here, and is old: it <b>{bold}</b> it breaks."
    path = tmp_path / "a.pdf"
    SimpleDocTemplate(str(path), pagesize=A4).build([Paragraph(text, STYLES["Normal"])])
    assert texts(path) == [text.replace("<b>", "").replace("</b>", "")]


def test_a_merged_cell_is_read_whole(tmp_path):
    ruled = TableStyle([*RULED.getCommands(), ("SPAN", (0, 1), (1, 1)), ("SPAN", (1, 3), (2, 3))])
    rows = [
        ["Region", "2019", "2020"],
        ["North and South together", "", "12"],
        ["East", "5", "6"],
        ["West", "7", ""],
    ]
    path = tmp_path / "a.pdf"
    SimpleDocTemplate(str(path)).build([Table(rows, [70, 60, 60], style=ruled)])
    assert texts(path) == [
        "Region: North and South together; 2020: 12",
        "Region: East; 2019: 5; 2020: 6",
        "Region: West; 2019: 7",
    ]


def test_a_rule_between_two_cells_parts_them_however_near_their_words_are(tmp_path):
    near = TableStyle(
        [
            *RULED.getCommands(),
            ("ALIGN", (0, 0), (0, -1), "RIGHT"),
            *((f"{side}PADDING", (0, 0), (-1, -1), 1) for side in ("LEFT", "RIGHT")),
        ]
    )
    path = tmp_path / "a.pdf"
    SimpleDocTemplate(str(path)).build([Table([["Part", "Price"], ["Lid", "9"]], [60, 60], style=near)])
    assert texts(path) == ["Part: Lid; Price: 9"]


def test_a_table_whose_upright_rules_stop_below_its_head_keeps_its_columns(tmp_path):
    ruled = TableStyle(
        [
            ("GRID", (0, 0), (-1, 0), 0.5, colors.black),
            ("BOX", (0, 0), (-1, -1), 0.5, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.5, colors.black),
            ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
        ]
    )
    rows = [["Part", "Price"], ["Valve", "12"], ["Lid", "9"]]
    path = tmp_path / "a.pdf"
    SimpleDocTemplate(str(path)).build([Table(rows, [60, 60], [40, 18, 18], style=ruled)])
    assert texts(path) == ["Part: Valve; Price: 12", "Part: Lid; Price: 9"]


@pytest.mark.parametrize(
    "title",
    [
        "(anonymous)",
        "untitled",
        "Untitled-1",
        "Untitled document",
        "(unspecified)",
        "Microsoft Word - a",
        "a.docx",
    ],
)
def test_a_title_that_is_no_name_is_none(tmp_path, title):
    path = tmp_path / "x.pdf"
    SimpleDocTemplate(str(path), title=title).build([Paragraph("Boilers", STYLES["Title"])])
    assert only_document(path).title == "Boilers"


def test_a_title_with_such_a_word_is_one(tmp_path):
    path = tmp_path / "x.pdf"
    SimpleDocTemplate(str(path), title="Anonymous letters").build([Paragraph("Boilers", STYLES["Title"])])
    assert only_document(path).title == "Anonymous letters"


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
