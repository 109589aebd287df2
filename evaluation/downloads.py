"""Published question sets, fetched when the user asks for it, their bytes pinned."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from common.errors import LoccitError
from common.files import whole_file
from common.packaged import sha256_of
from common.progress import progress
from evaluation.question_sets import nq_gold

NQ_OPEN = "nq-open"
NQ_GOLD = "nq-gold"

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Source:
    """A published file, and what its ``size`` bytes must be.

    ``questions``, ``passages``: names of the files to use, which are the published one itself or those that
    ``derive`` makes of its bytes (file name -> text). ``terms``: licence and attribution, to be shown.
    """

    url: str
    size: int
    sha256: str
    terms: str
    questions: str
    passages: str | None = None
    derive: Callable[[bytes, str], Mapping[str, str]] | None = None

    @property
    def file(self) -> str:
        """The published file's name."""
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A set that lies in the cache. ``passages``: a corpus to index with others, where the set brings one."""

    name: str
    questions: Path
    passages: Path | None
    terms: str


SOURCES: Mapping[str, Source] = {
    # sha256 as in tensorflow/datasets, url_checksums/natural_questions_open.txt, and in several projects since
    NQ_OPEN: Source(
        url="https://raw.githubusercontent.com/google-research-datasets/natural-questions/"
        "a7d6452c0905c7772e9fbbb9a20b5fcab07c668f/nq_open/NQ-open.dev.jsonl",
        size=391_316,
        sha256="f15567f38099f3615f5b8a685c0aef449c11ad90d3da3735e8d1b98115b40616",
        terms="NQ-open: Google Research Datasets, Natural Questions (Lee et al. 2019), CC BY-SA 3.0",
        questions="NQ-open.dev.jsonl",
    ),
    # sha256 as a replication of the paper measured it on a clone of this commit
    NQ_GOLD: Source(
        url="https://raw.githubusercontent.com/nelson-liu/lost-in-the-middle/"
        "29b8a6d042ce29abccee3db1a73171a107d7e6af/qa_data/nq-open-oracle.jsonl.gz",
        size=900_334,
        sha256="6a7f72b846f663a133ef952244e5a4e43f06bcf190afe34e8fbe687ce0d1653e",
        terms="Lost in the Middle (Liu et al. 2023), MIT; questions of NQ-open, CC BY-SA 3.0; passages by "
        "Wikipedia contributors, CC BY-SA",
        questions=nq_gold.QUESTIONS_FILE,
        passages=nq_gold.PASSAGES_FILE,
        derive=nq_gold.derived_files,
    ),
}


def questions_path(name: str, cache_dir: Path) -> Path:
    """Where the questions of a set lie once it is downloaded; ``name`` is one of ``SOURCES``."""
    return cache_dir / name / SOURCES[name].questions


def download(
    name: str, cache_dir: Path, console: Console, *, transport: httpx.BaseTransport | None = None
) -> QuestionSet:
    """The set of this name, fetched into ``cache_dir`` unless its published file is there already.

    Every file takes its place whole or not at all. ``transport``: what sends the request; the network unless given.

    Raises:
        LoccitError: when there is no such set, its file cannot be had, or what came is not the published file.
    """
    if name not in SOURCES:
        raise LoccitError(f"There is no set {name!r} to download; give {' or '.join(SOURCES)}.")
    source, folder = SOURCES[name], cache_dir / name
    folder.mkdir(parents=True, exist_ok=True)
    published = folder / source.file
    if not published.exists() or sha256_of(published) != source.sha256:
        _fetch(name, source, published, console, transport)
    if source.derive is not None:
        for file, text in source.derive(published.read_bytes(), source.file).items():
            with whole_file(folder / file) as derived:
                derived.write_bytes(text.encode())
    passages = None if source.passages is None else folder / source.passages
    return QuestionSet(name, folder / source.questions, passages, source.terms)


def _fetch(
    name: str, source: Source, path: Path, console: Console, transport: httpx.BaseTransport | None
) -> None:
    by_hand = (
        f"a copy fetched by hand can be put at {path}: then give `loccit evaluate --download {name}` again"
    )
    if path.exists():
        by_hand += f"; what lies there now has not the sha256 {source.sha256}"
    try:
        with (
            whole_file(path) as part,
            part.open("wb") as file,
            progress(console, f"Fetching {source.file} (bytes)", total=source.size) as advance,
        ):
            found = hashlib.sha256()
            for block in _received(source, transport):
                found.update(block)
                file.write(block)
                advance(len(block))
            if found.hexdigest() != source.sha256:
                raise LoccitError(
                    f"What {source.url} gave is not the published file: its sha256 is {found.hexdigest()}, but "
                    f"{source.sha256} is expected; it was not kept. Try later, or {by_hand}."
                )
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        ImportError,
        ValueError,
    ) as error:  # the last two: an unusable proxy
        raise LoccitError(f"{source.url} could not be fetched ({_why(error)}); {by_hand}.") from error


def _received(source: Source, transport: httpx.BaseTransport | None) -> Iterator[bytes]:
    """The blocks of the file, up to the one that makes it longer than it should be."""
    with (
        httpx.Client(transport=transport, timeout=_TIMEOUT_S, follow_redirects=True) as client,
        client.stream("GET", source.url, headers={"Accept-Encoding": "identity"}) as response,
    ):
        response.raise_for_status()
        received = 0
        for block in response.iter_bytes():
            yield block
            received += len(block)
            if received > source.size:
                return


def _why(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"status {error.response.status_code}"
    return str(error) or type(error).__name__
