from hypothesis import given
from hypothesis import strategies as st

from index_builder.corpora import open_corpus
from tests.index_builder.corpora.reading import documents


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_file_is_kept_character_for_character(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("verbatim") / "a.txt"
    path.write_bytes(text.encode())
    (document,) = documents(open_corpus(str(path)))
    assert document.text == text.removeprefix("\ufeff")


def test_line_ends_are_kept_and_a_byte_order_mark_is_dropped(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfOne\r\nTwo\rThree\n")
    assert [document.text for document in documents(open_corpus(str(path)))] == ["One\r\nTwo\rThree\n"]


def test_the_title_of_plain_text_is_its_name_without_the_ending(tmp_path):
    path = tmp_path / "log.2020.txt"
    path.write_bytes(b"# no heading")
    assert [document.title for document in documents(open_corpus(str(path)))] == ["log.2020"]
