"""What documents can be filtered by, and what each filter lets through."""

import pytest

from common.errors import InvalidRequestError
from retriever.fields import DocumentFields
from retriever.filters import Filter
from retriever.manifest import SourceRecord
from retriever.store import DocumentStore
from retriever.text.passages import PassageSettings, split
from retriever.types import Document


def record(name: str, licence: str | None = None) -> SourceRecord:
    return SourceRecord(
        name=name, kind="file", licence=licence, snapshot=None, attribution=None, documents=1, malformed=0
    )


def stored(*documents: Document, source: str | None = None) -> DocumentStore:
    store = DocumentStore.create()
    store._source = source
    for document in documents:
        store.add(document, list(split(document, PassageSettings(words=3))), location="x")
    return store


def of_values(*values: object) -> DocumentFields:
    """Documents ``0``, ``1``, ... with these values of the field ``v``."""
    documents = [Document(str(n), "t", "one two", metadata={"v": value}) for n, value in enumerate(values)]
    return DocumentFields(stored(*documents))


def matching(fields: DocumentFields, wanted: object, count: int) -> list[int]:
    selection = fields.selection(Filter.of(wanted))
    held = [place for place in range(count) if selection.holds(str(place))]
    assert selection.documents == len(held)
    return held


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (1, [0, 1, 8]),
        (1.0, [0, 1, 8]),
        (True, [2]),
        ("1", [3]),
        ("true", []),
        (0, []),
        (False, [4]),
        ("", [5]),
        ("a", [6]),
        ("A", [7]),
        (["a", "A", "never seen"], [6, 7]),
        ("b", [8]),
        ("e\u0301", []),
        ("\u00e9", [9]),
        ("x", []),
        ("\u0430", []),
        (2**64 + 1, [11]),
        (2**64, []),
        (float(2**64), []),
    ],
)
def test_values_are_compared_strictly_and_a_list_matches_by_an_item(wanted, expected):
    values = [
        1,
        1.0,
        True,
        "1",
        False,
        "",
        "a",
        "A",
        [1, "b", None, {"x": "x"}, ["x"]],
        "\u00e9",
        {"v": "x"},
        2**64 + 1,
    ]
    assert matching(of_values(*values), {"v": wanted}, len(values)) == expected


def test_fields_are_anded_and_a_document_without_one_does_not_match():
    fields = DocumentFields(
        stored(
            Document("0", "", "one", metadata={"team": "a", "year": 2024}),
            Document("1", "", "one", metadata={"team": "a", "year": 2023}),
            Document("2", "", "one", metadata={"team": ["b", "a", "a"]}),
            Document("3", "", "one", metadata={"year": 2024}),
        )
    )
    assert matching(fields, {"team": "a"}, 4) == [0, 1, 2]
    assert matching(fields, {"team": "a", "year": 2024}, 4) == [0]
    assert matching(fields, {"team": ["a", "b"], "year": [2023, 2024]}, 4) == [0, 1]
    assert fields.counts() == {"document_id": 4, "team": 3, "year": 3}
    both = Filter.of({"team": "b"}) & Filter.of({"team": "a"})
    assert [place for place in range(4) if fields.selection(both).holds(str(place))] == [2]


def test_the_rows_of_a_selection_are_those_of_its_documents_passages():
    documents = [
        Document(name, "", "one two three four. five six seven.\n\nEight nine.", metadata={"kind": name[0]})
        for name in ("a1", "b1", "a2", "b2")
    ]
    store = stored(*documents)
    rows = DocumentFields(store).selection(Filter.of({"kind": "b"})).rows.tolist()
    assert rows == [passage.row for passage in store.each_passage() if passage.doc_id in {"b1", "b2"}]
    assert len(rows) > 2


def test_source_licence_and_id_are_a_documents_own_and_metadata_does_not_stand_for_them():
    fields = DocumentFields(
        stored(
            Document(
                "0", "", "one", metadata={"source": "b", "licence": "l", "document_id": "1"}, source="a"
            ),
            Document("1", "", "one", source="b"),
        ),
        [record("a"), record("b", "CC0-1.0")],
    )
    assert matching(fields, {"source": "b"}, 2) == [1]
    assert matching(fields, {"licence": ["l", "CC0-1.0"]}, 2) == [1]
    assert matching(fields, {"document_id": ["1", 0, "2"]}, 2) == [1]
    assert fields.counts() == {"document_id": 2, "source": 2, "licence": 1}


def test_an_index_of_one_source_knows_it_of_documents_that_do_not_record_it():
    fields = DocumentFields(stored(Document("0", "", "one"), source="a"), [record("a", "CC0-1.0")])
    assert matching(fields, {"source": "a", "licence": "CC0-1.0"}, 1) == [0]


@pytest.mark.parametrize("field", ["source", "licence"])
def test_where_sources_are_not_recorded_a_filter_by_them_is_refused(field):
    fields = DocumentFields(
        stored(Document("0", "", "one", metadata={field: "a"})), [record("a", "a"), record("b", "a")]
    )
    with pytest.raises(InvalidRequestError) as caught:
        fields.selected(Filter.of({field: "a"}))
    assert str(caught.value) == (
        f"The filter's field '{field}' cannot be used, because this index does not record which source each document "
        "is of; build it again."
    )
    assert matching(fields, {field: "a"}, 1) == []


@pytest.mark.parametrize("name", ["Team", "team ", "t\u0435am", "", "nothing", "inner", "metadata.team"])
def test_a_field_that_no_document_has_is_refused_by_its_name(name):
    metadata = {"team": "a", "nothing": None, "inner": {"team": "a"}, "z": []}
    fields = DocumentFields(stored(Document("0", "", "one", metadata=metadata)))
    with pytest.raises(InvalidRequestError) as caught:
        fields.selected(Filter.of({name: "a"}))
    assert str(caught.value) == f"The filter's field {name!a} is not known; known are 'document_id', 'team'."


def test_the_sentence_stays_short_whatever_fields_there_are():
    metadata = {f"field \u202e {number:02} " + "x" * 1000: 1 for number in range(30)}
    fields = DocumentFields(stored(Document("0", "", "one", metadata=metadata)))
    with pytest.raises(InvalidRequestError) as caught:
        fields.check(Filter.of({"y" * 1000: 1}))
    assert str(caught.value).endswith(" and 25 more.")
    assert len(str(caught.value)) < 400
    assert str(caught.value).isascii()


def test_of_documents_that_are_not_allowed_not_even_the_fields_are_told():
    fields = DocumentFields(
        stored(
            Document("0", "", "one", metadata={"team": "a", "open": 1}),
            Document("1", "", "one", metadata={"team": "b", "secret": 1}),
        )
    )
    allowed = Filter.of({"team": "a"})
    with pytest.raises(InvalidRequestError) as caught:
        fields.selected(Filter.of({"secret": 1}), allowed=allowed)
    assert str(caught.value).endswith("is not known; known are 'document_id', 'open', 'team'.")
    assert fields.counts(allowed) == {"document_id": 1, "open": 1, "team": 1}
    selection = fields.selected(Filter.of({"team": ["a", "b"]}), allowed=allowed)
    assert (selection.holds("0"), selection.holds("1"), selection.holds("2")) == (True, False, False)


def test_what_is_allowed_by_a_field_that_no_document_has_is_nothing():
    fields = DocumentFields(stored(Document("0", "", "one")))
    selection = fields.selected(None, allowed=Filter.of({"team": "a"}))
    assert (selection.documents, selection.rows.tolist(), selection.holds("0")) == (0, [], False)


def test_without_a_filter_nothing_is_selected_and_nothing_read():
    store = stored(Document("0", "", "one"))
    store.close()
    assert DocumentFields(store).selected(None) is None


def test_an_empty_store_has_no_fields():
    fields = DocumentFields(stored())
    assert fields.counts() == {}
    assert fields.selection(Filter.of({"document_id": "0"})).rows.tolist() == []
