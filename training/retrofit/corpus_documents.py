"""The documents of a corpus, as often as they are wanted."""

from collections.abc import Iterator
from dataclasses import dataclass

from index_builder.corpora.types import Corpus, Record
from retriever.types import Document


@dataclass(frozen=True, slots=True)
class CorpusDocuments:
    """Each time it is gone through, the corpus is read again; what is no document is passed over."""

    corpus: Corpus

    def __iter__(self) -> Iterator[Document]:
        for item in self.corpus:
            if isinstance(item, Record):
                yield item.document
