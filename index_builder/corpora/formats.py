"""The table of formats: how a file is read, by the suffix of its name.

A new format is one file, in ``extraction`` or in ``files``, and one row of the table.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.errors import LoccitError
from extraction.html import extract_html
from extraction.markup.markdown import extract_markdown, extract_mdx
from extraction.markup.rst import extract_rst
from extraction.markup.rst_in_text import extract_text_or_rst
from extraction.pdf.document import extract_pdf
from extraction.structure import names
from extraction.word import extract_word
from index_builder.corpora.files.jsonl import read_jsonl
from index_builder.corpora.files.mediawiki import read_mediawiki
from index_builder.corpora.files.one_document import one_document
from index_builder.corpora.files.parquet import read_parquet
from index_builder.corpora.names import printable
from index_builder.corpora.types import FileReader, Item, Malformed, SourceKind

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Format:
    """One format of files.

    ``read`` gives a file's records. ``kind`` is what the manifest calls such a source. ``in_folders`` says whether a
    folder's files of this format are read: so where a file is one document, whose id is then the file's path.
    """

    read: FileReader
    kind: SourceKind
    in_folders: bool

    def items(self, path: Path, name: str) -> Iterator[Item]:
        """What ``read`` gives. An error that it did not foresee costs the rest of this file, and no other.

        Extractors are given whatever an owner has; each of them fails in ways of its own.
        """
        number = 0
        try:
            for item in self.read(path, name):
                number += 1
                yield item
        except LoccitError:
            raise
        except Exception as error:
            _LOG.debug("%s cannot be read", path, exc_info=error)
            yield Malformed(
                f"{printable(name)}:{number + 1}",
                f"The file cannot be read any further ({type(error).__name__}: {str(error)[:200]}); mend it or take it "
                "out.",
            )


FORMATS: dict[str, Format] = {
    ".jsonl": Format(read_jsonl, SourceKind.JSONL, in_folders=False),
    ".jsonl.gz": Format(read_jsonl, SourceKind.JSONL, in_folders=False),
    ".jsonl.xz": Format(read_jsonl, SourceKind.JSONL, in_folders=False),
    ".parquet": Format(read_parquet, SourceKind.PARQUET, in_folders=False),
    ".xml.bz2": Format(read_mediawiki, SourceKind.MEDIAWIKI, in_folders=False),
    ".xml.gz": Format(read_mediawiki, SourceKind.MEDIAWIKI, in_folders=False),
    ".xml": Format(read_mediawiki, SourceKind.MEDIAWIKI, in_folders=False),
    ".txt": Format(one_document(extract_text_or_rst), SourceKind.TEXT_FILES, in_folders=True),
    ".md": Format(one_document(extract_markdown), SourceKind.TEXT_FILES, in_folders=True),
    ".markdown": Format(one_document(extract_markdown), SourceKind.TEXT_FILES, in_folders=True),
    ".mdx": Format(one_document(extract_mdx), SourceKind.TEXT_FILES, in_folders=True),
    ".rst": Format(one_document(extract_rst), SourceKind.TEXT_FILES, in_folders=True),
    ".html": Format(one_document(extract_html), SourceKind.TEXT_FILES, in_folders=True),
    ".htm": Format(one_document(extract_html), SourceKind.TEXT_FILES, in_folders=True),
    ".pdf": Format(one_document(extract_pdf), SourceKind.TEXT_FILES, in_folders=True),
    ".docx": Format(one_document(extract_word), SourceKind.TEXT_FILES, in_folders=True),
}


_BARE = names(
    "readme license licence copying notice authors contributors changelog changes history news todo install "
    "contributing"
)


def format_of(file_name: str) -> Format | None:
    """The format of a file of this name, upper or lower case; None when it is none that can be read.

    Plain text may go by a name alone: README, LICENSE and the like.
    """
    name = file_name.lower()
    if name in _BARE:
        return FORMATS[".txt"]
    return next((form for suffix, form in FORMATS.items() if name.endswith(suffix)), None)


def suffixes_in_folders() -> str:
    """The suffixes of the files that a folder is read for, as they are told to people."""
    return " or ".join(
        ", ".join(suffix for suffix, form in FORMATS.items() if form.in_folders).rsplit(", ", 1)
    )
