import pyarrow as pa
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError
from pyarrow import parquet

from common.errors import CorpusError
from index_builder.corpora import open_corpus
from index_builder.corpora.sources import hub
from tests.index_builder.corpora.reading import documents


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A data set as the hub's cache keeps it, instead of the hub; what was asked for."""
    folder = tmp_path / "snapshots" / "abc123"
    for config in ("en", "de"):
        (folder / config).mkdir(parents=True)
        table = pa.table({"id": [config], "title": ["T"], "text": [f"Text in {config}."]})
        parquet.write_table(table, folder / config / "train-0.parquet")
    asked = []

    def snapshot_download(name, **options):
        asked.append((name, options["allow_patterns"], options["local_files_only"]))
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    return asked


def test_a_configuration_of_a_data_set_is_a_corpus(stored):
    corpus = open_corpus("hub:maker/wiki:en", allow_download=True)
    assert stored == [("maker/wiki", "en/*.parquet", False)]
    assert [document.text for document in documents(corpus)] == ["Text in en."]
    assert (corpus.source.name, corpus.source.snapshot) == ("maker/wiki:en", "abc123")


def test_without_a_configuration_all_is_read_and_nothing_is_fetched_unasked(stored):
    assert [document.doc_id for document in documents(open_corpus("hub:maker/wiki"))] == ["de", "en"]
    assert stored == [("maker/wiki", "*.parquet", True)]


def test_a_data_set_that_is_not_here_says_how_to_fetch_it(monkeypatch):
    def nowhere(*_, **__):
        raise LocalEntryNotFoundError("not here")

    monkeypatch.setattr(hub, "snapshot_download", nowhere)
    with pytest.raises(
        CorpusError, match=r"'maker/wiki' is not on this machine; fetch it .* --allow-download"
    ):
        open_corpus("hub:maker/wiki")


def test_a_data_set_without_such_files_is_refused(stored):
    with pytest.raises(CorpusError, match=r"'maker/wiki:fr' has no file fr/\*\.parquet"):
        open_corpus("hub:maker/wiki:fr")


def test_a_name_that_is_none_is_a_sentence():
    with pytest.raises(CorpusError, match="cannot be fetched from the hub"):
        open_corpus("hub:a/b/c")
