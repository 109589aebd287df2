"""Documents become an index: split, stored, and written into the lexical and the vector index."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from common.deadline import NO_DEADLINE, Check, Deadline, go_on
from common.errors import InvalidRequestError
from common.progress import Advance
from retriever.encoder import Encoder, FloatArray, encode_in_turn, passage_input
from retriever.index import LEXICAL_FOLDER, STORE_FILE, VECTORS_FILE, PassageIndex
from retriever.lexical import LexicalIndex
from retriever.store import DocumentStore, DuplicateDocumentError
from retriever.text.passages import PassageSettings, split
from retriever.types import Document
from retriever.vectors.engines import DEFAULT_ENGINE, new_vectors
from retriever.vectors.protocol import Argument, VectorIndex


class IndexWriter:
    """Writes the parts of an index: first documents, then the words and the vectors of their passages.

    ``settings``: how documents are split. ``folder``: where the files go that ``open_index`` reads; None keeps
    everything in memory. ``encoder``: no passage is longer than it reads; None: words alone limit them. ``store``: what
    was added so far.
    """

    def __init__(
        self, settings: PassageSettings, folder: Path | None = None, *, encoder: Encoder | None = None
    ) -> None:
        self._settings, self._folder, self._encoder = settings, folder, encoder
        self.store = DocumentStore.create(None if folder is None else folder / STORE_FILE)

    def add(self, document: Document, *, location: str, check: Check = go_on) -> None:
        """Split the document and store it with its passages; ``location`` says where it came from.

        ``check`` is asked while it is split, and raises where that has to end.

        Raises:
            DuplicateDocumentError: when a document of this id is stored already.
        """
        drafts = list(split(document, self._settings, self._encoder, check=check))
        self.store.add(document, drafts, location=location)

    def passage_inputs(self) -> Iterator[str]:
        """What an encoder embeds of every stored passage, ascending by row."""
        return passage_inputs(self.store)

    def write_lexical(self, advance: Advance | None = None) -> LexicalIndex:
        """Index the words of every passage stored so far; ``advance`` is told of each."""
        folder = None if self._folder is None else self._folder / LEXICAL_FOLDER
        if folder is not None:
            folder.mkdir()
        lexical = LexicalIndex(folder)
        lexical.add(self._triples(advance))
        if folder is not None:
            for lock in folder.glob("*.lock"):
                lock.unlink()
        return lexical

    def write_vectors(
        self,
        vectors: FloatArray,
        *,
        engine: str = DEFAULT_ENGINE,
        arguments: Mapping[str, Argument] | None = None,
    ) -> VectorIndex:
        """Index the vectors of every passage stored so far, shape (passages, dimension), ascending by row.

        ``arguments``: as ``new_vectors`` takes them.
        """
        index = new_vectors(vectors.shape[1], engine=engine, arguments=arguments)
        index.add(self.store.rows(), vectors)
        if self._folder is not None:
            index.save(self._folder / VECTORS_FILE)
        return index

    def close(self) -> None:
        """Give the store's file back."""
        self.store.close()

    def _triples(self, advance: Advance | None) -> Iterator[tuple[int, str, str]]:
        for passage in self.store.each_passage():
            yield passage.row, passage.heading, passage.text
            if advance is not None:
                advance()


def passage_inputs(store: DocumentStore) -> Iterator[str]:
    """What an encoder embeds of every passage of this store, ascending by row."""
    for passage in store.each_passage():
        yield passage_input(passage.heading, passage.text)


def index_in_memory(
    documents: Iterable[Document],
    encoder: Encoder,
    settings: PassageSettings,
    *,
    deadline: Deadline = NO_DEADLINE,
) -> PassageIndex:
    """An index of a few documents that leaves nothing on disk: GopherCite's single-document mode.

    Raises:
        InvalidRequestError: when two documents have the same id.
        DeadlineExceededError, GivenUpError: when the deadline is over before it is made.
    """

    def check(_: int = 1) -> None:
        deadline.check("index")

    writer = IndexWriter(settings, encoder=encoder)
    for document in documents:
        check()
        try:
            writer.add(document, location="request", check=check)
        except DuplicateDocumentError as error:
            raise InvalidRequestError(
                f"Two documents have the id {document.doc_id!r}; give each its own id."
            ) from error
    vectors = encode_in_turn(encoder, list(writer.passage_inputs()), check)
    return PassageIndex(writer.store, writer.write_vectors(vectors), writer.write_lexical(check), settings)
