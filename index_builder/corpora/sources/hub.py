"""A data set on the Hugging Face hub, stored as Parquet with ``id``, ``url``, ``title`` and ``text``."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from common.errors import CorpusError
from index_builder.corpora.files.parquet import read_parquet
from index_builder.corpora.types import Item, Source, SourceKind

HUB = "hub:"


class HubCorpus:
    """The documents of ``hub:DATASET[:CONFIG]``: every Parquet file, or those in the folder of this configuration.

    Its terms stand on the hub; ``snapshot`` is the revision that was read.

    Raises:
        CorpusError: when the data set is not here and may not be fetched, cannot be fetched, or has no Parquet file.
    """

    def __init__(self, name: str, *, allow_download: bool) -> None:
        self._name = name.removeprefix(HUB)
        dataset, _, config = self._name.partition(":")
        pattern = f"{config}/*.parquet" if config else "*.parquet"
        self._folder = _fetched(dataset, pattern, allow_download=allow_download)
        self._files = sorted(self._folder.glob(pattern) if config else self._folder.rglob(pattern))
        if not self._files:
            raise CorpusError(
                f"The data set {self._name!r} has no file {pattern}; give one that is stored as Parquet."
            )

    @property
    def source(self) -> Source:
        """The data set's name and revision."""
        return Source(
            self._name,
            SourceKind.PARQUET,
            snapshot=self._folder.name,
            attribution=f"Hugging Face, {self._name}",
        )

    @property
    def ids(self) -> Collection[str]:
        """None are known before the files are read."""
        return ()

    @property
    def folders(self) -> Sequence[Path]:
        """None: it is no single document."""
        return ()

    def __iter__(self) -> Iterator[Item]:
        for path in self._files:
            yield from read_parquet(path, path.relative_to(self._folder).as_posix())


def _fetched(dataset: str, pattern: str, *, allow_download: bool) -> Path:
    """The folder of the data set's files of this pattern."""
    try:
        folder = snapshot_download(
            dataset, repo_type="dataset", allow_patterns=pattern, local_files_only=not allow_download
        )
    except LocalEntryNotFoundError as error:
        raise CorpusError(
            f"The data set {dataset!r} is not on this machine; fetch it from the hub with --allow-download."
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = (str(error).splitlines() or ["no answer"])[0]
        raise CorpusError(
            f"The data set {dataset!r} cannot be fetched from the hub ({reason}); check its name."
        ) from error
    return Path(folder)
