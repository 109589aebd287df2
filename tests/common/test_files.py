import gzip
import lzma
import os
from pathlib import Path

import pytest

from common import files
from common.errors import LoccitError
from common.files import numbered_records, records, remove_unfinished, whole_file, whole_folder


@pytest.fixture
def flushed(monkeypatch):
    """What was flushed so far, in order, each with the names that its folder listed then."""
    seen = []
    flush = files.flush

    def noted(path: Path) -> None:
        seen.append((path.name, sorted(entry.name for entry in path.parent.iterdir())))
        flush(path)

    monkeypatch.setattr(files, "flush", noted)
    return seen


def test_a_whole_file_takes_its_place_when_the_block_ends_well(tmp_path, flushed):
    path = tmp_path / "folder" / "a.json"
    path.parent.mkdir()
    path.write_text("old")
    with whole_file(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]
    (part, beside), (folder, _) = flushed
    assert part.startswith("a.json.")
    assert len(beside) == 2  # the file was on disk before it took the place of the old one
    assert folder == "folder"


def test_a_file_that_fails_leaves_the_old_one_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), whole_file(path) as unfinished:
        unfinished.write_text("half" + "\ud800", encoding="utf-8")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_whole_folder_is_flushed_to_its_last_file_before_it_takes_its_name(tmp_path, flushed):
    path = tmp_path / "place" / "model"
    path.parent.mkdir()
    with whole_folder(path) as unfinished:
        (unfinished / "inner").mkdir()
        (unfinished / "inner" / "a").write_text("a")
        (unfinished / "b").write_text("b")
        assert not path.exists()
    assert (path / "inner" / "a").read_text() == "a"
    assert list(path.parent.iterdir()) == [path]
    *inside, (last, _) = flushed
    assert {name for name, _ in inside} == {"inner", "a", "b", unfinished.name}
    assert dict(inside)[unfinished.name] == [unfinished.name]  # not renamed yet
    assert last == "place"


def test_a_folder_that_fails_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "model") as unfinished:
        (unfinished / "nowhere" / "a").write_text("a")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_take_its_place_is_gone_and_what_lies_there_stays(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").write_text("old")
    with pytest.raises(OSError, match="not empty"), whole_folder(tmp_path / "model") as unfinished:
        (unfinished / "a").write_text("a")
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "old"]


def test_what_killed_processes_left_is_removed_by_name_or_all_of_it(tmp_path):
    for name in (".unfinished-a.12", ".unfinished-ab.12", ".unfinished-b.12", "a", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    remove_unfinished(tmp_path, "a")
    assert {path.name for path in tmp_path.iterdir()} == {
        ".unfinished-ab.12",
        ".unfinished-b.12",
        "a",
        "other",
    }
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "other"}


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", lambda content: content), (".gz", gzip.compress), (".xz", lzma.compress)]
)
def test_records_are_the_objects_in_order_with_the_numbers_of_their_lines(tmp_path, suffix, pack):
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack('{"a": "x\u2028y"}\r\n\n{"b": 2}'.encode()))
    assert list(records(path)) == [{"a": "x\u2028y"}, {"b": 2}]
    assert [number for number, _ in numbered_records(path)] == [1, 3]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{", r"a\.jsonl:2 is not JSON \(Expecting .*\); write one whole object a line\."),
        (b"[1]", r"a\.jsonl:2 is \[1\], but it must be a JSON object\."),
        (
            b'{"n": ' + b"9" * 5000 + b"}",
            r"a\.jsonl:2 cannot be read as JSON \(Exceeds the limit .*\); write a",
        ),
        (
            b'{"n": ' + b"[" * 99999 + b"}",
            r"a\.jsonl:2 cannot be read as JSON \(maximum recursion .*\); write a",
        ),
        (
            b'"\xff"',
            r"a\.jsonl holds the byte 0xff after line \d, which is not UTF-8; save the file as UTF-8\.",
        ),
    ],
)
def test_a_line_that_is_no_object_is_one_sentence_that_names_it(tmp_path, line, sentence):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b"\n")
    with pytest.raises(LoccitError, match=sentence):
        list(records(path))


def read_into(read: list[dict[str, str]], path: Path) -> None:
    for record in records(path):
        read.append(record)


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("xz", lzma.compress)])
def test_a_file_cut_short_is_one_sentence_after_the_lines_that_could_be_read(tmp_path, suffix, pack):
    path = tmp_path / f"a.jsonl.{suffix}"
    packed = pack(b"".join(b'{"a": "%s"}\n' % os.urandom(200).hex().encode() for _ in range(2000)))
    path.write_bytes(packed[: len(packed) // 2])
    read: list[dict[str, str]] = []
    with pytest.raises(
        LoccitError, match=r"is damaged or cut short after line \d+ \(.*\); copy it again"
    ) as caught:
        read_into(read, path)
    assert len(read) > 100
    assert f" after line {len(read)} " in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_one_sentence(tmp_path):
    with pytest.raises(
        LoccitError, match=r"^There is no file .*a\.jsonl; give a JSONL file that is there\.$"
    ):
        list(records(tmp_path / "a.jsonl"))
    with pytest.raises(LoccitError, match=r"cannot be read beyond line 0 \(Is a directory\)"):
        list(records(tmp_path))
