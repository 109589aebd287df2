"""The app over a small index, in its lifespan, with a client that needs no socket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import httpx
import pytest

from app.answering.cite import SentenceCiter
from app.answering.composing.sentence_composer import SentenceComposer
from app.answering.confidence.scorers import ScoreConfidence
from app.answering.generators.protocol import Generator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.options import AnswerOptions
from app.answering.pipeline import Pipeline
from app.answering.reader import LexicalReader
from app.answering.support import LexicalSupport
from app.answering.text.overlap import Overlap
from app.http.server import create_app
from app.service.assembly import AnswerService, ModelNames
from app.service.settings import GeneratorKind, Settings
from retriever.encoder import HashingEncoder
from retriever.index import PassageIndex
from retriever.index_writer import index_in_memory
from retriever.retriever import IndexRetriever
from retriever.text.passages import PassageSettings
from retriever.types import Document

Call = Callable[..., httpx.Response]

DOCUMENTS = (
    Document(
        "towers/eiffel tower",
        "Eiffel Tower",
        "The Eiffel Tower is a lattice tower in Paris. It was designed by engineers of the company of Gustave "
        "Eiffel. 🗼 Painters give it sixty tonnes of paint every seven years.",
        "https://example.org/eiffel",
        {"kind": "tower"},
    ),
    Document(
        "100%/why?/naïve café\u0301#1",
        "Cafés",
        "The first café of Vienna opened in 1685.\r\nJohannes Diodato, an Armenian, ran it.\r\n\r\nCe cafe\u0301 est "
        "bon. 👩‍👩‍👧 Families came on Sundays.",
    ),
    Document(
        "lighthouses/eddystone",
        "Eddystone Lighthouse",
        "The Eddystone Lighthouse stands on a reef south of Plymouth. Henry Winstanley built the first tower in "
        "1698. A great storm destroyed it in 1703.",
    ),
)


def service_over(
    documents: tuple[Document, ...] = DOCUMENTS, generator: Generator | None = None
) -> AnswerService:
    """A whole service over these documents, without weights."""
    encoder = HashingEncoder()
    index = index_in_memory(documents, encoder, PassageSettings(words=20, continuation_words=20))
    return service_of(index, encoder, generator)


def service_of(
    index: PassageIndex, encoder: HashingEncoder, generator: Generator | None = None
) -> AnswerService:
    overlap, generator = Overlap(index.lexical), generator or ReaderGenerator()
    pipeline = Pipeline(
        retriever=IndexRetriever(index, encoder),
        reader=LexicalReader(overlap, encoder),
        generator=generator,
        citer=SentenceCiter(overlap),
        support=LexicalSupport(overlap, encoder),
        confidence=ScoreConfidence(),
        composer=SentenceComposer(encoder),
        options=AnswerOptions(min_confidence=0.2),
    )
    models = ModelNames("hashing", "lexical", None, None, None, None, "LexicalSupport")
    return AnswerService(Settings(), pipeline, index, encoder, models, lambda _: generator)


@asynccontextmanager
async def serving(
    open_service: Callable[[Settings], AnswerService],
    *,
    ready: bool = True,
    on_failure: Callable[[Exception], None] = lambda error: None,
    **given: object,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app whose service this function opens; ``ready``: wait until it is."""
    settings = Settings.of(generator=GeneratorKind.READER, **given)
    app = create_app(settings, open_service=open_service, on_failure=on_failure)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://loccit") as client,
    ):
        if ready:
            await until_ready(client)
        yield client


@contextmanager
def called(open_service: Callable[[Settings], AnswerService], **given: object) -> Iterator[Call]:
    """The same for tests that are no coroutines: a function that sends a request and waits for its response."""
    serving_it = serving(open_service, **given)
    with asyncio.Runner() as runner:
        client = runner.run(serving_it.__aenter__())
        yield lambda method, address, **options: runner.run(client.request(method, address, **options))
        runner.run(serving_it.__aexit__(None, None, None))


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while (await client.get("/health/ready")).status_code != 200:
            await asyncio.sleep(0.01)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a ready service over ``DOCUMENTS``."""
    async with serving(lambda _: service_over()) as client:
        yield client


Serving = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
