import fcntl
import gc
import math
import os
import shutil
import stat
import tempfile

import pytest

from common.errors import IndexUnusableError
from retriever.lexical import LexicalIndex
from retriever.types import ScoredRow

PASSAGES = [
    (4, "Lighthouse", "The tower was rebuilt after the storm."),
    (2, "Tram", "A tram climbs to the castle."),
    (9, "Castle", "The castle has seven towers and a café."),
]


@pytest.fixture
def lexical() -> LexicalIndex:
    index = LexicalIndex()
    index.add(PASSAGES)
    return index


def rows_for(index: LexicalIndex, question: str, k: int = 10) -> list[int]:
    return [row for row, _ in index.search(question, k=k)]


def bm25(tf: int, length: int, mean: float, total: int, containing: int) -> float:
    idf = math.log(1 + (total - containing + 0.5) / (containing + 0.5))
    return idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / mean))


def test_scores_are_bm25_over_the_analysed_words(lexical):
    # "storm" stands once in one text of three; texts have 7, 6 and 8 words
    assert lexical.search("storms", k=5) == [ScoredRow(4, pytest.approx(bm25(1, 7, 7.0, 3, 1), rel=1e-5))]


def test_title_and_text_add_up(lexical):
    (castle, *_) = lexical.search("castle", k=5)
    text, title = bm25(1, 8, 7.0, 3, 2), bm25(1, 1, 1.0, 3, 1)
    assert castle == ScoredRow(9, pytest.approx(text + title, rel=1e-5))


def test_words_match_whatever_their_ending_case_or_accent(lexical):
    assert rows_for(lexical, "TOWERS") == rows_for(lexical, "tower")
    assert rows_for(lexical, "cafe") == rows_for(lexical, "café") == [9]


def test_query_syntax_in_a_question_is_only_words(lexical):
    assert rows_for(lexical, 'text:tram AND NOT "castle" ^2 *') == rows_for(
        lexical, "text tram AND NOT castle 2"
    )


def test_a_question_without_a_known_word_finds_nothing(lexical):
    assert rows_for(lexical, "zebra") == rows_for(lexical, "?!") == rows_for(lexical, "") == []


def test_ties_are_broken_by_row():
    index = LexicalIndex()
    index.add([(row, "", "same words") for row in (5, 3, 8, 1)])
    assert rows_for(index, "same", k=2) == [1, 3]


def test_an_index_on_disk_opens_from_a_read_only_folder_and_nothing_is_written_there(tmp_path):
    folder = tmp_path / "lexical"
    folder.mkdir()
    LexicalIndex(folder).add(PASSAGES)
    for lock in folder.glob("*.lock"):
        lock.unlink()
    before = sorted(folder.iterdir())
    folder.chmod(stat.S_IREAD | stat.S_IEXEC)
    try:
        assert rows_for(LexicalIndex.open(folder), "castle") == [9, 2]
        assert sorted(folder.iterdir()) == before
    finally:
        folder.chmod(stat.S_IRWXU)


def test_once_an_index_is_open_nothing_of_it_lies_in_the_temporary_folder(tmp_path, monkeypatch):
    folder, temporary = tmp_path / "lexical", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    many = LexicalIndex(folder)
    for start in range(0, 3000, 500):  # several segments
        many.add((start + n, f"Title {n}", f"tower number {start + n} words{n % 7}") for n in range(500))
    opened = LexicalIndex.open(folder)
    assert list(temporary.iterdir()) == []
    gc.collect()
    assert opened.rows().tolist() == list(range(3000))
    assert rows_for(opened, "tower", k=3) == rows_for(many, "tower", k=3)
    assert opened.idf("tower") == pytest.approx(many.idf("tower"))
    assert [row for row, _ in opened.search("words3 2999", k=1)] == [2999]


def test_a_folder_that_is_no_index_leaves_nothing_in_the_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "lexical").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(IndexUnusableError):
        LexicalIndex.open(tmp_path / "lexical")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_without_a_place_for_temporary_files_the_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(IndexUnusableError, match=r"takes a folder for temporary files.*; set TMPDIR to one"):
        LexicalIndex.open(tmp_path)


def test_rows_and_length_tell_what_is_held(lexical):
    assert lexical.rows().tolist() == [2, 4, 9]
    assert len(lexical) == 3


def test_idf_is_bm25s(lexical):
    assert lexical.idf("castl") == pytest.approx(math.log(1 + (3 - 2 + 0.5) / (2 + 0.5)))
    assert lexical.terms("The Castles") == ["the", "castl"]


def test_a_folder_that_is_no_index_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "meta.json").write_text("{")
    with pytest.raises(IndexUnusableError, match="is not a readable lexical index; build it again"):
        LexicalIndex.open(tmp_path)


def test_a_lock_file_that_comes_while_the_links_are_removed_goes_with_them(tmp_path, monkeypatch):
    folder, temporary = tmp_path / "lexical", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    LexicalIndex(folder).add([(1, "", "castle")])
    remove, removed = shutil.rmtree, []

    def too_early(links, **options):
        if not removed:
            (links / ".tantivy-meta.lock").touch()
        else:
            remove(links, **options)
        removed.append(links)

    monkeypatch.setattr(shutil, "rmtree", too_early)
    assert rows_for(LexicalIndex.open(folder), "castle") == [1]
    assert len(removed) == 2
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_of_opening_an_index_goes_and_what_is_in_use_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    abandoned, held, young = (tmp_path / f"loccit-lexical-{name}" for name in ("abandoned", "held", "young"))
    for folder in (abandoned, held, young):
        folder.mkdir()
        (folder / "meta.json").symlink_to("/nowhere")
    for folder in (abandoned, held):
        os.utime(folder, (0, 0))
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    (tmp_path / "lexical").mkdir()
    LexicalIndex(tmp_path / "lexical").add(PASSAGES)
    assert rows_for(LexicalIndex.open(tmp_path / "lexical"), "storm") == [4]
    os.close(descriptor)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lexical", held.name, young.name]


def test_words_are_those_of_the_folded_text():
    index = LexicalIndex()
    index.add([(1, "O\ufb03ce", "The com\u00adpany of Hen-\nrik"), (2, "", "com")])
    assert rows_for(index, "company") == rows_for(index, "office") == rows_for(index, "henrik") == [1]
    assert rows_for(index, "o\ufb03ce com\u00adpany") == [1]
