"""The key file: no key in it, whole or as it was, and nothing passed over."""

import json
import stat
import threading

import pytest

from app.service.api_keys import KeyFileError, KeyRing, add_key, parsed_rate, remove_key
from common.errors import InvalidRequestError
from retriever.filters import Filter


@pytest.fixture
def path(tmp_path):
    return tmp_path / "below" / "keys.json"


def test_a_key_is_known_again_and_stands_nowhere(path):
    alice = add_key(path, "alice", per_minute=60)
    root = add_key(path, "root", admin=True)
    assert alice.startswith("loccit_")
    assert len(alice) == len("loccit_") + 43  # 256 bits
    assert alice != root
    ring = KeyRing.load(path)
    found = ring.owner_of(alice)
    assert (found.name, found.admin, found.per_minute) == ("alice", False, 60)
    assert ring.owner_of(root).admin is True
    for other in ("", "loccit_", alice[:-1], alice + "a", alice.swapcase(), found.sha256, "\ud800"):
        assert ring.owner_of(other) is None
    for secret in (alice, root):
        assert secret.removeprefix("loccit_") not in path.read_text()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"filter": {}}, "the filter names no field"),
        ({"filter": {"team": []}}, "has an empty list"),
        ({"filter": {"team": [None]}}, "keys.0.filter.team.0"),
        ({"filter": {"team": [["a"]]}}, "keys.0.filter.team.0"),
        ({"filter": {"team": "a"}}, "keys.0.filter.team"),
        ({"filter": []}, "keys.0.filter"),
        ({"filter": {"team": ["a"]}, "admin": True}, "an admin's key cannot be limited by a filter"),
    ],
)
def test_a_filter_that_cannot_be_read_makes_the_file_unreadable(path, given, told):
    add_key(path, "alice", allowed=Filter.of({"team": ["a", 1, True]}))
    assert KeyRing.load(path).keys[0].allowed == Filter.of({"team": ["a", 1, True]})
    written = json.loads(path.read_text())
    written["keys"][0] |= given
    path.write_text(json.dumps(written))
    with pytest.raises(KeyFileError) as caught:
        KeyRing.load(path)
    assert told in str(caught.value)


def test_the_file_is_its_owners_alone(path):
    add_key(path, "alice")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    add_key(path, "bob")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_removed_key_is_known_no_more(path):
    alice, bob = add_key(path, "alice"), add_key(path, "bob")
    remove_key(path, "alice")
    ring = KeyRing.load(path)
    assert ring.owner_of(alice) is None
    assert ring.owner_of(bob).name == "bob"


def test_a_failed_change_leaves_the_file_as_it_was(path, monkeypatch):
    add_key(path, "alice")
    before = path.read_bytes()

    def fail(self, target):
        raise OSError("no")

    monkeypatch.setattr(type(path), "replace", fail)
    with pytest.raises(OSError, match="no"):
        add_key(path, "bob")
    assert path.read_bytes() == before
    assert sorted(one.name for one in path.parent.iterdir()) == ["keys.json", "keys.json.lock"]


def test_keys_that_are_made_at_once_are_all_kept(path):
    path.parent.mkdir()
    making = [threading.Thread(target=add_key, args=(path, f"key-{n}")) for n in range(8)]
    for thread in making:
        thread.start()
    for thread in making:
        thread.join()
    assert {key.name for key in KeyRing.load(path).keys} == {f"key-{n}" for n in range(8)}


@pytest.mark.parametrize("name", ["", " a", "a b", "-a", "é", "a" * 65, "a\n", "\x1b[2J"])
def test_an_unfit_name_is_refused(path, name):
    with pytest.raises(InvalidRequestError, match=r"must be 1 to 64 letters, digits, dots, dashes"):
        add_key(path, name)
    assert not path.exists()


def test_a_name_is_taken_once(path):
    add_key(path, "alice")
    with pytest.raises(InvalidRequestError, match="There is a key of the name 'alice' already"):
        add_key(path, "alice")


def test_removing_who_is_not_there_names_who_is(path):
    add_key(path, "alice")
    with pytest.raises(InvalidRequestError, match="There is no key of the name 'bob'; there are: alice"):
        remove_key(path, "bob")
    with pytest.raises(KeyFileError, match="There is no key file"):
        remove_key(path.with_name("none"), "bob")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.update(schema=2), r"schema: input should be 1"),
        (lambda file: file["keys"][0].update(documents="public/*"), r"keys\.0\.documents: extra inputs"),
        (lambda file: file["keys"][0].update(sha256="abc"), r"keys\.0\.sha256"),
        (lambda file: file["keys"][0].update(per_minute=0), r"keys\.0\.per_minute"),
        (lambda file: file["keys"][0].update(admin="yes"), r"keys\.0\.admin"),
        (lambda file: file["keys"].append(file["keys"][0]), "two keys of one name"),
    ],
)
def test_whatever_this_version_does_not_know_makes_the_file_unreadable(path, change, said):
    add_key(path, "alice")
    file = json.loads(path.read_text())
    change(file)
    path.write_text(json.dumps(file))
    with pytest.raises(KeyFileError, match=said):
        KeyRing.load(path)
    with pytest.raises(KeyFileError):
        add_key(path, "bob")


@pytest.mark.parametrize("content", ["", "{", "[]", "\xff"])
def test_a_file_of_something_else_is_one_sentence(path, content):
    path.parent.mkdir()
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(KeyFileError, match=r"^The key file .* is not one of this version: ") as caught:
        KeyRing.load(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_rate_is_a_whole_number_a_minute():
    assert parsed_rate("60/minute") == 60
    for wrong in ("60", "0/minute", "-1/minute", "1.5/minute", "60/hour", "٣/minute", "60/minute "):
        with pytest.raises(InvalidRequestError, match="must be a whole number a minute, such as 60/minute"):
            parsed_rate(wrong)
