"""A folder as a corpus: every file below it whose format is one document."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from common.errors import CorpusError
from index_builder.corpora.formats import Format, format_of, suffixes_in_folders
from index_builder.corpora.names import printable
from index_builder.corpora.terms import with_terms
from index_builder.corpora.types import Item, Malformed, Source, SourceKind

_HIDDEN = "hidden"
_LINKED = "behind a link"
_NO_SUFFIX = "without suffix"
_KINDS_SHOWN = 10


class FolderCorpus:
    """Every file below a folder that can be read, in the order of their paths; its path from there is its id.

    Files and folders whose name starts with a dot are passed over. So are links to folders, and links to files outside
    of the folder, which may be anybody's. ``follow_links`` reads them; a folder is then read once, under its own path
    where it has one below the folder, so a circle of links is harmless. What is passed over is counted in the source.

    Raises:
        CorpusError: when there is no file to read below the folder.
    """

    def __init__(self, folder: Path, *, follow_links: bool = False) -> None:
        self._folder, self._follow = folder, follow_links
        self._inside = os.path.realpath(folder)
        self._seen = {self._inside}  # folders, by where they really are
        self._files: list[tuple[str, Format]] = []  # paths from the folder on
        self._passed_over: Counter[str] = Counter()
        errors: list[OSError] = []
        waiting = [folder]
        while waiting:
            links: list[Path] = []  # to folders: followed when all that stands at its own place is known
            for root in waiting:
                for directory, folders, names in os.walk(root, onerror=errors.append):
                    links += self._choose(Path(directory), folders, names)
            waiting = [link for link in sorted(links) if self._may_enter(link)]
            self._pass_over(_LINKED, len(links) - len(waiting))
        self._files.sort(key=lambda file: file[0])
        self._unlisted = sorted(
            (_unlisted(error, folder) for error in errors), key=lambda item: item.location
        )
        if not self._files:
            raise CorpusError(self._nothing_to_read())

    @property
    def source(self) -> Source:
        """The folder's name, the terms that lie beside it, and what is passed over."""
        name = printable(self._folder.resolve().name or "files")
        return with_terms(Source(name, SourceKind.TEXT_FILES, passed_over=self._passed_over), self._folder)

    @property
    def ids(self) -> Collection[str]:
        """The paths of the files from the folder on."""
        return {name for name, _ in self._files}

    @property
    def folders(self) -> Sequence[Path]:
        """The folder and those around it."""
        folder = self._folder.resolve()
        return (folder, *folder.parents)[:-1]

    def __iter__(self) -> Iterator[Item]:
        yield from self._unlisted
        for name, form in self._files:
            yield from form.items(self._folder / name, name)

    def _choose(self, directory: Path, folders: list[str], names: list[str]) -> list[Path]:
        """Keep the files of one folder that can be read, and count what is passed over; its links to folders."""
        seen_folders = [directory / name for name in folders if not name.startswith(".")]
        seen_names = [name for name in names if not name.startswith(".")]
        self._pass_over(_HIDDEN, len(folders) + len(names) - len(seen_folders) - len(seen_names))
        links = [folder for folder in seen_folders if folder.is_symlink()]
        own = [folder for folder in seen_folders if not folder.is_symlink()]
        folders[:] = [folder.name for folder in own if self._may_enter(folder)]
        inside = [name for name in seen_names if not self._leaves(directory / name)]
        self._pass_over(_LINKED, len(own) - len(folders) + len(seen_names) - len(inside))
        for name in inside:
            form = format_of(name)
            if form is not None and form.in_folders:
                self._files.append(((directory / name).relative_to(self._folder).as_posix(), form))
            else:
                self._passed_over[printable(Path(name).suffix.lower()) or _NO_SUFFIX] += 1
        return links

    def _pass_over(self, kind: str, count: int) -> None:
        if count:
            self._passed_over[kind] += count

    def _may_enter(self, folder: Path) -> bool:
        """Whether a folder is to be read: one that is no link, or, where they are followed, was not read yet."""
        if not self._follow:
            return not folder.is_symlink()
        real = os.path.realpath(folder)
        new = real not in self._seen
        self._seen.add(real)
        return new

    def _leaves(self, file: Path) -> bool:
        """Whether this is a link out of the folder that is not to be followed."""
        if self._follow or not file.is_symlink():
            return False
        return not Path(os.path.realpath(file)).is_relative_to(self._inside)

    def _nothing_to_read(self) -> str:
        name = printable(self._folder.name or str(self._folder))
        there = f" It holds {counted_kinds(self._passed_over)}." if self._passed_over else ""
        problem = f" {self._unlisted[0].location}: {self._unlisted[0].problem}" if self._unlisted else ""
        return (
            f"The folder {name!r} holds no {suffixes_in_folders()} file; put some there, or give a JSONL file by its "
            f"own path.{there}{problem}"
        )


def counted_kinds(passed_over: Mapping[str, int]) -> str:
    """``3 .pdf, 1 .docx, 2 without suffix``: the commonest kinds first, a long list cut short."""
    kinds = sorted(passed_over.items(), key=lambda kind: (-kind[1], kind[0]))
    shown = [f"{count:,} {kind}" for kind, count in kinds[:_KINDS_SHOWN]]
    others = sum(count for _, count in kinds[_KINDS_SHOWN:])
    return ", ".join([*shown, *([f"{others:,} others"] if others else [])])


def _unlisted(error: OSError, folder: Path) -> Malformed:
    name = Path(error.filename).relative_to(folder).as_posix()
    return Malformed(
        f"{printable(name)}:1",
        f"The folder cannot be listed ({error.strerror}); make it readable or move it.",
    )
