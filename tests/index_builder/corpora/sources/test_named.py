import pytest

from index_builder.corpora import open_corpus
from index_builder.corpora.sources.named import NamedCorpus, with_base_urls
from tests.index_builder.corpora.reading import GOOD, written


@pytest.mark.parametrize("name", ["house", "a=b"])
@pytest.mark.parametrize("url", ["https://e.org/?a=b", "https://e.org/?a=b&house=c"])
def test_a_base_address_may_hold_an_equals_sign(tmp_path, name, url):
    corpora = [NamedCorpus(open_corpus(str(written(tmp_path / "a.jsonl", GOOD))), own) for own in (name, "x")]
    named, other = with_base_urls(corpora, [f"{name}={url}"])
    assert (named.source.base_url, other.source.base_url) == (url, None)
    (alone,) = with_base_urls(corpora[:1], [url])
    assert alone.source.base_url == url
