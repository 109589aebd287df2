"""Text files: each ``.txt`` or ``.md`` file is one document, kept character for character."""

import os
from collections.abc import Iterator
from pathlib import Path

from common.errors import CorpusError
from index_builder.corpora.markdown import first_heading
from index_builder.corpora.names import printable
from index_builder.corpora.terms import with_terms
from index_builder.corpora.types import Malformed, Record, Source, SourceKind
from retriever.types import Document

TEXT_SUFFIXES = (".txt", ".md")


class TextFileCorpus:
    """One text file as a corpus of one document, whose id is the file's name."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def source(self) -> Source:
        """The file's name, and the terms that lie beside it."""
        return with_terms(Source(printable(self._path.name), SourceKind.TEXT_FILES), self._path)

    def __iter__(self) -> Iterator[Record | Malformed]:
        yield _read_file(self._path, self._path.name)


class TextFolderCorpus:
    """Every text file below a folder, in the order of their paths; a document's id is its path from there.

    Files and folders whose name starts with a dot are passed over. Links to folders are not followed, so a
    circle of links is harmless; links to files are read.

    Raises:
        CorpusError: when there is no text file below the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths, self._unlisted = _text_files(folder)
        if not self._paths:
            raise CorpusError(_empty_folder(folder, self._unlisted))

    @property
    def source(self) -> Source:
        """The folder's name, and the terms that lie beside it."""
        source = Source(printable(self._folder.resolve().name or "files"), SourceKind.TEXT_FILES)
        return with_terms(source, self._folder)

    def __iter__(self) -> Iterator[Record | Malformed]:
        yield from self._unlisted
        for path in self._paths:
            yield _read_file(path, path.relative_to(self._folder).as_posix())


def _text_files(folder: Path) -> tuple[list[Path], list[Malformed]]:
    """The text files below ``folder``, sorted, and the folders that could not be listed."""
    paths: list[Path] = []
    errors: list[OSError] = []
    for directory, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(directory, name) for name in files if _is_text_file(name)]
    return (
        sorted(paths, key=lambda path: path.relative_to(folder).as_posix()),
        sorted((_unlisted(error, folder) for error in errors), key=lambda item: item.location),
    )


def _is_text_file(name: str) -> bool:
    return name.lower().endswith(TEXT_SUFFIXES) and not name.startswith(".")


def _unlisted(error: OSError, folder: Path) -> Malformed:
    name = Path(error.filename).relative_to(folder).as_posix()
    return Malformed(
        f"{printable(name)}:1",
        f"The folder cannot be listed ({error.strerror}); make it readable or move it.",
    )


def _empty_folder(folder: Path, unlisted: list[Malformed]) -> str:
    problem = f" {unlisted[0].location}: {unlisted[0].problem}" if unlisted else ""
    return (
        f"The folder {printable(folder.name or str(folder))!r} holds no {' or '.join(TEXT_SUFFIXES)} file; put "
        f"some there, or give a JSONL file by its own path.{problem}"
    )


def _read_file(path: Path, name: str) -> Record | Malformed:
    """The file as a document called ``name``, or why it cannot be one."""
    location = f"{printable(name)}:1"
    if printable(name) != name:
        return Malformed(location, "The file's name is not UTF-8, so it cannot be an id; rename the file.")
    try:
        if path.exists() and not path.is_file():
            return Malformed(location, "This is not a regular file; put a text file in its place.")
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        return Malformed(
            location, f"The file cannot be read ({error.strerror}); make it readable or remove it."
        )
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Malformed(
            f"{name}:{line}",
            f"The file has the byte 0x{content[error.start]:02x} here, which is not UTF-8; save it as UTF-8.",
        )
    return Record(Document(name, _title(path, text), text), location)


def _title(path: Path, text: str) -> str:
    heading = first_heading(text) if path.suffix.lower() == ".md" else None
    return heading or path.stem
