import time

import pytest

from index_builder.corpora import open_corpus
from index_builder.corpora.markdown import first_heading
from tests.index_builder.corpora.reading import documents


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The tower\n", "The tower"),
        ("intro\n\n## A lamp ##\r\ntext", "A lamp"),
        ("#hashtag\n# C#", "C#"),
        ("# \n# Second", "Second"),
        ("The tower\n====\n", "The tower"),
        ("The lamp\n---\n", "The lamp"),
        ("--\n---\n", None),
        ("```sh\n# a comment\n```\n# Real", "Real"),
        ("~~~~\n```\n# no\n~~~~\n# Real", "Real"),
        ("---\r\n# settings\r\ntitle: x\r\n---\r\n# Real", "Real"),
        ("---\n# After a rule that nothing closes", "After a rule that nothing closes"),
        ("no heading\n\n---\n", None),
        ("    # code", None),
        ("> # quoted\n\n- # listed\n\n# Real", "Real"),
        ("# ***\n# *Real*  and   `more`", "*Real* and `more`"),
        ("The tower\nof Cordouan\n====\n", "The tower of Cordouan"),
        ("---\ntitle: x\n...\n# Real", "Real"),
        ("", None),
    ],
)
def test_the_title_of_markdown_is_its_first_heading(tmp_path, text, title):
    assert first_heading(text) == title
    path = tmp_path / "the-file.md"
    path.write_bytes(text.encode())
    assert [document.title for document in documents(open_corpus(str(path)))] == [title or "the-file"]


def test_a_heading_of_millions_of_spaces_is_read_in_no_time():
    assert first_heading("# a" + " " * 5_000_000 + "#") == "a"


def test_a_long_file_costs_no_more_than_its_beginning():
    started = time.process_time()
    assert first_heading("- an item\n" * 500_000 + "# Far below") is None
    assert time.process_time() - started < 10  # measured: about 1; all of it takes a minute


def test_a_heading_is_never_cut_where_the_searched_beginning_ends():
    before = "x " * 49_990 + "\n\n"  # the beginning that is searched ends inside the heading
    assert first_heading(before + "# A heading that is long") is None
    assert first_heading("\n" * 99_000 + "# A heading that is long") == "A heading that is long"
