"""What tests of several packages share."""

from collections.abc import Sequence
from io import StringIO

import hypothesis
import pytest
from rich.console import Console

from retriever.encoder import HashingEncoder
from retriever.index import PassageIndex
from retriever.index_writer import index_in_memory
from retriever.text.passages import PassageSettings
from retriever.types import Document

pytest_plugins = ["tests.commands", "tests.small_run"]

hypothesis.settings.register_profile("loccit", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("loccit")

LIGHTHOUSES = (
    Document(
        "lighthouses/eddystone",
        "Eddystone Lighthouse",
        "The Eddystone Lighthouse stands on a reef south of Plymouth. 😀 Henry Winstanley built the first tower "
        "in 1698. A great storm destroyed it in 1703, and its builder died with it. John Smeaton's tower of "
        "1759 used dovetailed granite blocks.",
        "https://example.org/eddystone",
    ),
    Document(
        "lighthouses/pharos",
        "Pharos of Alexandria",
        "The Pharos of Alexandria was built under Ptolemy II in the third century BC. Sostratus of Cnidus is "
        "named as its architect.\r\n\r\nEarthquakes ruined it between 956 and 1323. Divers found its stones in "
        "the harbour in 1994.",
    ),
    Document(
        "trams/lisbon",
        "Trams in Lisbon",
        "Line 28 of the Lisbon trams climbs to the castle. The first horse tram ran there in 1873. Electric "
        "trams followed in 1901; a cafe\u0301 on wheels came later.",
        metadata={"kind": "transport"},
    ),
)


@pytest.fixture
def documents() -> Sequence[Document]:
    """Three short documents with emoji, combining marks and Windows line ends."""
    return LIGHTHOUSES


@pytest.fixture
def encoder() -> HashingEncoder:
    """The encoder that needs no weights."""
    return HashingEncoder()


@pytest.fixture
def index(documents: Sequence[Document], encoder: HashingEncoder) -> PassageIndex:
    """The three documents indexed in memory, about one sentence a passage."""
    return index_in_memory(documents, encoder, PassageSettings(words=14, continuation_words=20))


@pytest.fixture
def quiet() -> Console:
    """A console that writes to a string, as a job without a terminal would to a file."""
    return Console(file=StringIO(), width=200)
