"""Opening a corpus by name or path."""

import os
import re
import stat
from pathlib import Path

from common.errors import CorpusError
from index_builder.corpora.formats import FORMATS, format_of, suffixes_in_folders
from index_builder.corpora.sources.file import FileCorpus
from index_builder.corpora.sources.folder import FolderCorpus
from index_builder.corpora.sources.hub import HUB, HubCorpus
from index_builder.corpora.sources.named import NamedCorpus
from index_builder.corpora.sources.vital_articles import NAME as VITAL_ARTICLES
from index_builder.corpora.sources.vital_articles import VitalArticles
from index_builder.corpora.types import Corpus

ACCEPTED = (
    f"give {VITAL_ARTICLES}, {HUB}DATASET, a folder with {suffixes_in_folders()} files, "
    f"or a file whose name ends in {' or '.join(', '.join(FORMATS).rsplit(', ', 1))}"
)


def open_corpus(name_or_path: str, *, follow_links: bool = False, allow_download: bool = False) -> Corpus:
    """The corpus of this name, or the one stored in this file or folder; its documents are not read yet.

    ``NAME=PATH`` gives it a name of its own. ``hub:DATASET[:CONFIG]`` is one on the Hugging Face hub, in Parquet; it
    has to be here already, unless ``allow_download``. ``follow_links``: whether links out of a folder are followed.

    Raises:
        CorpusError: when there is no such corpus, its kind is unknown, its folder holds nothing to read, or
            the package it comes in is not installed.
    """
    if name_or_path == VITAL_ARTICLES:
        return VitalArticles()
    if name_or_path.startswith(HUB):
        return HubCorpus(name_or_path, allow_download=allow_download)
    path = Path(name_or_path)
    named = _NAMED.fullmatch(name_or_path)
    if named and not os.path.lexists(path):
        return NamedCorpus(
            open_corpus(named[2], follow_links=follow_links, allow_download=allow_download), named[1]
        )
    if _is_folder(path, name_or_path):
        return FolderCorpus(path, follow_links=follow_links)
    form = format_of(path.name)
    if form is None:
        raise CorpusError(f"The file {name_or_path!r} is of no kind that can be read: {ACCEPTED}.")
    return FileCorpus(path, form)


def path_of(name_or_path: str) -> Path | None:
    """Where the corpus of this name lies, a file or a folder; None for one that comes in a package or from the hub."""
    if name_or_path == VITAL_ARTICLES or name_or_path.startswith(HUB):
        return None
    named = _NAMED.fullmatch(name_or_path)
    return path_of(named[2]) if named and not os.path.lexists(name_or_path) else Path(name_or_path)


_NAMED = re.compile(r"([\w.-]+)=(.+)")


def _is_folder(path: Path, given: str) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise CorpusError(f"There is no corpus {given!r}: {ACCEPTED}.") from error
    except OSError as error:
        raise CorpusError(f"The corpus {given!r} cannot be opened ({error.strerror}): {ACCEPTED}.") from error
