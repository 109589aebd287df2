"""The sets with evidence as shards of their own: prepared before the other data, or alone."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from common.digest import json_digest
from common.errors import LoccitError
from common.files import records, whole_file
from common.packaged import sha256_of
from common.progress import progress
from common.terminal_text import plain
from common.wording import counted
from training.data.evidence import (
    EVIDENCE_FOLDER,
    EVIDENCE_FORMAT,
    MANUALS,
    SETS,
    EvidenceGroup,
    evidence_groups,
)
from training.data.held_out import KeptOut
from training.data.manuals import ManualQuestions
from training.data.shards import MANIFEST_FILE, begin, shard_path, write_shard


class PreparedEvidence:
    """The groups with evidence, opened. ``fingerprint``: of them all."""

    def __init__(self, folder: Path) -> None:
        """``folder``: of the prepared data. Raises LoccitError when it holds no finished evidence."""
        self._folder = folder / EVIDENCE_FOLDER
        manifest = self._folder / MANIFEST_FILE
        if not manifest.is_file():
            raise LoccitError(
                f"{folder} holds no finished evidence; make it with `loccit train data DIR --evidence-only`."
            )
        self._shards: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))["shards"]
        self.fingerprint = json_digest(self._shards)

    def groups(self) -> dict[str, list[EvidenceGroup]]:
        """All of them, by their set."""
        return {
            name.split(".")[0]: [EvidenceGroup.of_json(record) for record in records(self._folder / name)]
            for name in self._shards
        }


def prepare_evidence_alone(
    data_folder: Path,
    out_folder: Path,
    console: Console,
    *,
    keep_out: Sequence[Path] = (),
    manuals: ManualQuestions | None = None,
) -> None:
    """Make the shards of evidence without any other data. ``keep_out``, ``manuals``: as of ``prepare``.

    Raises:
        LoccitError: when there is no set, or a file is damaged.
    """
    if not _sets(data_folder):
        raise LoccitError(
            f"{data_folder / EVIDENCE_FOLDER} holds no set with evidence; give a folder that has one of these there, "
            f"each as NAME.jsonl.gz: {', '.join(SETS)}."
        )
    prepare_evidence(data_folder, out_folder, KeptOut.of(data_folder, keep_out), console, manuals=manuals)


def prepare_evidence(
    data_folder: Path,
    out_folder: Path,
    kept_out: KeptOut,
    console: Console,
    *,
    manuals: ManualQuestions | None = None,
) -> None:
    """Make a shard of each of ``SETS`` that ``data_folder`` has, and one of the ``manuals``, in ``out_folder``.

    See ``training.data.evidence``. Killed, it goes on when called again.

    Raises:
        LoccitError: when a file is damaged.
    """
    folder = out_folder / EVIDENCE_FOLDER
    there = _sets(data_folder)
    description = {
        "format": EVIDENCE_FORMAT,
        "kept_out": kept_out.files,
        "files": {path.name: sha256_of(path) for path in there.values()},
        **({} if manuals is None else {"manuals": manuals.description()}),
    }
    begin(folder, json_digest(description))
    sets: dict[str, Iterable[EvidenceGroup]] = {
        name: evidence_groups(path, name, kept_out.questions) for name, path in there.items()
    }
    if manuals is not None:
        sets[MANUALS] = manuals
    made = {}
    with progress(console, "Splitting evidence", total=len(sets)) as advance:
        for name, groups in sets.items():
            shard = shard_path(folder, name)
            if not shard.is_file():
                write_shard(shard, groups)
            made[shard.name] = sha256_of(shard)
            advance()
    with whole_file(folder / MANIFEST_FILE) as unfinished:
        unfinished.write_text(json.dumps({**description, "shards": made}, indent=1) + "\n")
    console.print(plain(f"Evidence of {len(made)} sets in {folder}"))
    if manuals is not None and manuals.lost:
        console.print(
            plain(
                f"Not in the manuals as they are here: {counted(len(manuals.lost), 'question')} of {MANUALS}."
            )
        )


def _sets(data_folder: Path) -> dict[str, Path]:
    """The files of the sets that are there, by name."""
    files = {name: data_folder / EVIDENCE_FOLDER / f"{name}.jsonl.gz" for name in sorted(SETS)}
    return {name: path for name, path in files.items() if path.is_file()}
