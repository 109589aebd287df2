import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.text import PlainText
from index_builder.corpora import Malformed, open_corpus
from tests.index_builder.corpora.reading import blocks, only_document, only_problem


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_text_file_is_kept_character_for_character(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("verbatim") / "a.txt"
    path.write_bytes(text.encode())
    (item,) = open_corpus(str(path))
    kept = text.removeprefix("\ufeff")
    assert item.document.text == kept if kept.strip() else isinstance(item, Malformed)


@given(st.text("ab \t\n\r\x0b\u2028\u3000"))
def test_every_paragraph_is_a_block_with_its_line(text):
    plain = PlainText(text)
    seen = [(block.span.of(text), int(block.locator.value)) for block in plain.blocks]
    assert "".join("".join(part.split()) for part, _ in seen) == "".join(text.split())
    ends = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert all(part.split()[0] in ends[line - 1].split() for part, line in seen)


def test_paragraphs_are_runs_of_lines(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"One\r\n two\r\n\r\n \r\nThree\n")
    assert blocks(path) == [("paragraph", "One\r\n two", (), "line 1"), ("paragraph", "Three", (), "line 5")]


def test_line_ends_are_kept_and_a_byte_order_mark_is_dropped(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfOne\r\nTwo\rThree\n")
    assert only_document(path).text == "One\r\nTwo\rThree\n"


def test_the_title_of_plain_text_is_its_name_without_the_ending(tmp_path):
    path = tmp_path / "log.2020.txt"
    path.write_bytes(b"# no heading")
    assert only_document(path).title == "log.2020"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_mark_tells_the_encoding(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("café".encode(encoding))
    assert only_document(path).text == "café"


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (
            "Some text.".encode("utf-16-le"),
            1,
            "The file seems to be UTF-16 without its mark; save it as UTF-8.",
        ),
        (
            "Some text.".encode("utf-16-be"),
            1,
            "The file seems to be UTF-16 without its mark; save it as UTF-8.",
        ),
        (
            b"\x7fELF\x02\0 many words of a program" * 9,
            1,
            "The file seems to be no text: it has zero bytes; save it as UTF-8.",
        ),
        (b"one\ntwo \xe9", 2, "The file has the byte 0xe9 here, which is not UTF-8; save it as UTF-8."),
        (b"\xff\xfea", 1, "The file has the byte 0x61 here, which is not UTF-16; save it as UTF-8."),
        (
            b"\xff\xfeOnly its first bytes are those of a mark.!",
            1,
            "The file begins like UTF-16, but the rest is none; save it as UTF-8.",
        ),
        (
            b"\xff\xfe" + bytes(range(1, 200)) * 10,
            1,
            "The file begins like UTF-16, but the rest is none; save it as UTF-8.",
        ),
        (b" \n\t\n", 1, "The file holds no text; leave it out, or put text into it."),
    ],
)
def test_what_is_no_text_is_a_sentence(tmp_path, content, line, problem):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    assert only_problem(path) == Malformed(f"a.txt:{line}", problem)


@pytest.mark.parametrize(
    "text", ["日本語の文書です。\n二行目。", "中文没有空格也没有换行", "A name, and more."]
)
def test_text_in_utf_16_is_taken_for_what_it_is(tmp_path, text):
    path = tmp_path / "a.txt"
    for encoding in ("utf-16", "utf-16-be"):
        path.write_bytes((b"\xfe\xff" if encoding.endswith("be") else b"") + text.encode(encoding))
        assert only_document(path).text == text


@pytest.mark.parametrize("end", "\v\f\x1c\x1d\x1e\x85\u2028\u2029", ids=ascii)
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.rst"])
def test_lines_are_what_editors_count(tmp_path, end, name):
    path = tmp_path / name
    path.write_text(f"One{end}{end}one.\n\nTwo.\r\n\r\nThree.\r\rFour.", encoding="utf-8", newline="")
    assert [locator for *_, locator in blocks(path)] == ["line 1", "line 3", "line 5", "line 7"]
