import pytest

from retriever.document_ids import id_problem


@pytest.mark.parametrize("doc_id", [".", ".."])
def test_an_id_that_is_a_step_between_folders_is_refused(doc_id):
    assert id_problem(doc_id) == (
        f"The id is {doc_id!r}, which an address takes for a folder (RFC 3986, 5.2.4); give another."
    )


def test_an_id_of_1_000_characters_is_the_longest():
    assert id_problem("é" * 1_000) is None
    assert id_problem("é" * 1_001) == (
        "The id has 1,001 characters, but at most 1,000 are accepted; shorten it."
    )


@pytest.mark.parametrize("doc_id", ["a/../b", "...", "/", "./", "\n", "%2e%2e", "😀\0"])
def test_any_other_id_can_be_named(doc_id):
    assert id_problem(doc_id) is None
