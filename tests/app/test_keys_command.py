"""`loccit keys`, and asking a server that wants a key."""

import json

import httpx
import pytest

from app.http import client
from app.http.described import examples
from app.service.api_keys import KeyRing
from retriever.filters import Filter


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys.json"


def test_a_key_is_made_listed_and_removed(loccit, file):
    status, out, said = loccit("keys", "add", "alice", "--rate", "60/minute", "--key-file", file)
    assert status == 0, said
    assert KeyRing.load(file).owner_of(out.strip()).name == "alice"
    assert out.strip() not in said
    loccit("keys", "add", "root", "--admin", "--key-file", file)
    _, out, _ = loccit("keys", "list", "--key-file", file)
    heading, alice, root = (line.split() for line in out.splitlines())
    assert heading == ["name", "admin", "requests", "a", "minute", "documents", "made"]
    assert alice[:3] == ["alice", "no", "60"]
    assert root[:3] == ["root", "yes", "any"]
    assert loccit("keys", "remove", "alice", "--key-file", file)[0] == 0
    assert [key.name for key in KeyRing.load(file).keys] == ["root"]


def test_a_key_may_be_limited_to_some_documents(loccit, file):
    only = ("--filter", "team=sales", "--filter", "year=2024", "--filter", 'year="2024"')
    assert loccit("keys", "add", "alice", *only, "--key-file", file)[0] == 0
    [alice] = KeyRing.load(file).keys
    assert alice.allowed == Filter.of({"team": "sales", "year": [2024, "2024"]})
    assert '{"team": ["sales"], "year": [2024, "2024"]}' in loccit("keys", "list", "--key-file", file)[1]


def test_the_file_may_be_named_by_the_environment_and_has_to_be_named(loccit, file, monkeypatch):
    status, _, said = loccit("keys", "list")
    assert (status, said) == (
        1,
        "No key file is named; give one with --key-file, or set LOCCIT_KEY_FILE.\n",
    )
    monkeypatch.setenv("LOCCIT_KEY_FILE", str(file))
    assert loccit("keys", "add", "alice")[0] == 0
    assert file.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "a b"), "The name 'a b' must be 1 to 64 letters"),
        (("add", "a", "--rate", "5"), "The rate '5' must be a whole number a minute"),
        (
            ("add", "a", "--filter", "team"),
            "The filter 'team' must be a field and a value, such as source=handbook.",
        ),
        (("add", "a", "--admin", "--filter", "b=c"), "An admin's key cannot be limited by a filter"),
        (("remove", "a"), "There is no key file"),
        (("list",), "There is no key file"),
    ],
)
def test_what_is_wrong_is_one_sentence(loccit, file, arguments, sentence):
    status, out, said = loccit("keys", *arguments, "--key-file", file)
    assert (status, out) == (1, "")
    assert said.startswith(sentence)
    assert len(said.splitlines()) == 1


def test_a_server_with_a_key_file_that_is_not_there_does_not_start(loccit, file, notes_index):
    status, _, said = loccit(
        "serve", "--index", notes_index, "--generator", "reader", "--port", 0, "--key-file", file
    )
    assert status == 1
    assert said == f"There is no key file {file}; make one with `loccit keys add NAME --key-file {file}`.\n"


def test_asking_a_server_sends_the_key_of_the_environment(loccit, monkeypatch):
    sent = []

    def post(url, *, json, headers, timeout):
        sent.append(headers)
        return httpx.Response(200, json=examples.ANSWER)

    monkeypatch.setattr(client.httpx, "post", post)
    asked = ("ask", "x", "--server", "http://127.0.0.1:1", "--json")
    assert json.loads(loccit(*asked)[1]) == examples.ANSWER
    monkeypatch.setenv("LOCCIT_API_KEY", "loccit_secret")
    loccit(*asked)
    assert sent == [{}, {"Authorization": "Bearer loccit_secret"}]
    monkeypatch.setenv("LOCCIT_API_KEY", "é\n")
    status, _, said = loccit(*asked)
    assert (status, said) == (
        1,
        "The key in LOCCIT_API_KEY holds characters that no API key has; copy it again.\n",
    )
    assert len(sent) == 2


def test_a_server_that_wants_a_key_says_so(loccit, monkeypatch):
    monkeypatch.setattr(
        client.httpx, "post", lambda *_, **__: httpx.Response(401, json=examples.PROBLEMS[401])
    )
    status, _, said = loccit("ask", "x", "--server", "http://127.0.0.1:1")
    assert (status, said) == (1, f"{examples.PROBLEMS[401]['detail']}\n")
