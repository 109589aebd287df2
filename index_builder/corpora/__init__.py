"""Corpora: streams of documents to index, each with what the manifest must say about its origin."""

from index_builder.corpora.opening import open_corpus
from index_builder.corpora.types import Corpus, Item, Malformed, PassedOver, Record, Source, SourceKind

__all__ = ["Corpus", "Item", "Malformed", "PassedOver", "Record", "Source", "SourceKind", "open_corpus"]
