"""What is followed tells of a change once it has settled."""

import os
from pathlib import Path

import pytest

from index_builder.watch import changes


class Steps:
    """What happens in each second that passes; when nothing more does, the time is over."""

    def __init__(self, *steps) -> None:
        self._steps = list(steps)

    def __call__(self, _: float) -> None:
        if not self._steps:
            raise TimeoutError
        self._steps.pop(0)()


def nothing() -> None:
    pass


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "notes" / "deep").mkdir(parents=True)
    (tmp_path / "notes" / "deep" / "a.md").write_text("A.")
    return tmp_path / "notes"


def told(path: Path, *steps, follow_links: bool = False) -> int:
    """How many changes are told of while this happens, a step a second."""
    count = 0
    try:
        for _ in changes([path], without=path / "index", follow_links=follow_links, sleep=Steps(*steps)):
            count += 1
    except TimeoutError:
        return count
    raise AssertionError


def test_nothing_is_told_while_nothing_changes(folder):
    assert told(folder, nothing, nothing, nothing) == 0


def test_a_change_is_told_once_it_has_stayed_for_a_look(folder):
    def write() -> None:
        (folder / "deep" / "b.md").write_text("B.")

    assert told(folder, write) == 0
    (folder / "deep" / "b.md").unlink()
    assert told(folder, write, nothing, nothing, nothing) == 1


def test_while_files_keep_changing_nothing_is_told(folder):
    def grow() -> None:
        with (folder / "b.md").open("a") as file:
            file.write("B.")

    assert told(folder, grow, grow, grow, nothing, nothing, grow, nothing) == 2


@pytest.mark.parametrize("change", ["unlink", "rename", "same size", "terms"])
def test_every_kind_of_change_is_seen(folder, change):
    file = folder / "deep" / "a.md"

    def happen() -> None:
        if change == "unlink":
            file.unlink()
        elif change == "rename":
            file.rename(folder / "b.md")
        elif change == "terms":
            folder.with_name("notes.terms.json").write_text("{}")
        else:
            file.write_text("B.")
            os.utime(file, ns=(1, 1))

    assert told(folder, happen, nothing) == 1


def test_hidden_files_are_not_looked_at(folder):
    assert told(folder, lambda: (folder / ".b.md.swp").write_text("B."), nothing, nothing) == 0


def test_an_index_that_lies_within_is_not_looked_at(folder):
    def build() -> None:
        (folder / "index").mkdir()
        (folder / "index" / "CURRENT").write_text("a")

    assert told(folder, build, nothing, nothing) == 0


def test_a_single_file_is_followed_and_may_be_gone_for_a_while(folder):
    file = folder / "deep" / "a.md"
    steps = (file.unlink, nothing, lambda: file.write_text("New."), nothing)
    assert told(file, *steps) == 2


def test_a_change_that_is_taken_back_before_it_settles_is_none(folder):
    moved = folder / "deep" / "b.md"
    file = folder / "deep" / "a.md"
    assert told(folder, lambda: file.rename(moved), lambda: moved.rename(file), nothing, nothing) == 0


@pytest.mark.parametrize("follow_links", [True, False])
def test_each_folder_is_entered_once_however_many_links_lead_back_up(folder, monkeypatch, follow_links):
    for name in ("up", "again"):
        (folder / "deep" / name).symlink_to(folder)
    entered, walk = [], os.walk

    def walked(*arguments, **options):
        for found in walk(*arguments, **options):
            entered.append(found[0])
            assert len(entered) <= 6, "it goes round and round"  # two folders, three looks
            yield found

    monkeypatch.setattr(os, "walk", walked)

    def write() -> None:
        (folder / "deep" / "b.md").write_text("B.")

    assert told(folder, write, nothing, follow_links=follow_links) == 1
    assert entered == [str(folder), str(folder / "deep")] * 3


@pytest.mark.parametrize(("follow_links", "count"), [(True, 1), (False, 0)])
def test_what_lies_behind_a_link_is_followed_where_links_are(folder, follow_links, count):
    outside = folder.with_name("outside")
    outside.mkdir()
    (folder / "linked").symlink_to(outside)
    assert told(folder, (outside / "b.md").touch, nothing, follow_links=follow_links) == count


def test_a_link_that_is_not_followed_hides_nothing_from_view(folder):
    for name in ("a", "z"):
        (folder / name).symlink_to(folder / "deep")
    assert told(folder, (folder / "deep" / "b.md").touch, nothing) == 1
