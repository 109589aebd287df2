"""Distant supervision, cleaned: a passage is believed to answer when the reader finds the same answer in it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from app.answering.cross_encoders.reader_model import ReaderModel
from app.answering.text.normalise import normalise_answer
from common.progress import progress
from retriever.store import DocumentStore
from training.data.group import GroupRecord, titled_windows
from training.data.shards import read_shard, shard_path, write_shard

_SHARD = 500
_POSITIVES_READ = 2


def agreed(
    records: Sequence[GroupRecord],
    reader: ReaderModel,
    store: DocumentStore,
    folder: Path,
    console: Console,
    *,
    name: str,
    at_least: int,
) -> list[GroupRecord]:
    """The groups whose best passages the reader agrees on, with those alone as positives; kept in ``folder``.

    ``at_least``: of the records, how many are looked at; whole shards are.

    A passage that holds the answer's words by chance would teach a writer to guess. Groups without positives
    stay. Killed, it goes on after the last whole shard.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept: list[GroupRecord] = []
    records = records[: -(-at_least // _SHARD) * _SHARD]
    with progress(console, f"Reading {name} passages", total=len(records)) as advance:
        for first in range(0, len(records), _SHARD):
            path = shard_path(folder, f"{name}-{first // _SHARD:03}")
            some = records[first : first + _SHARD]
            if not path.is_file():
                write_shard(path, _agreed(some, reader, store))
            kept += read_shard(path)
            advance(len(some))
    return kept


def _agreed(
    records: Sequence[GroupRecord], reader: ReaderModel, store: DocumentStore
) -> Iterator[GroupRecord]:
    for record in records:
        if not record.answerable:
            yield record
            continue
        group = record.group(store)
        positives = [(number, labelled) for number, labelled in enumerate(group.passages) if labelled.answers]
        positives = positives[:_POSITIVES_READ]
        judged = reader.judge(group.question, titled_windows(labelled for _, labelled in positives))
        believed = []
        for (number, labelled), judgement in zip(positives, judged, strict=True):
            window = labelled.passage.window
            answer = normalise_answer(judgement.spans[0][0].of(window)) if judgement.spans else ""
            spans = [span for span in labelled.answers if normalise_answer(span.of(window)) == answer]
            if spans:
                row = record.rows[number][0]
                believed.append((row, tuple((span.start, span.end) for span in spans)))
        if believed:
            negatives = [row for row in record.rows if not row[1]]
            yield replace(record, rows=(*believed, *negatives))
