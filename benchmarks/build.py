"""Passages per second while building an index, against plain SentenceTransformer.encode, in one run.

All embed the same passages of the vital articles, by turns, so that a noisy machine is noisy for all. The whole build
reads, splits and indexes them, too. Rates are by the clock and by processor time; on one thread of a shared machine the
latter counts. The floor is what a passage's operations would take at the rate of products alone.

taskset -c 0 python -m benchmarks.build --threads 1
python -m benchmarks.build --passages 1024 --rounds 3
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from rich.console import Console
from sentence_transformers import SentenceTransformer

from benchmarks.gemm_rate import gemm_rate
from common.int8_linear import computes_in_int8
from common.packaged import minilm_folder
from common.torch_runtime import native_dtype, use_threads
from index_builder.build import build_index
from index_builder.corpora import Record, open_corpus
from index_builder.embedding import sorted_batches
from retriever.encoder import INT8, Encoder, in_precision, load_encoder, passage_input
from retriever.text.passages import PassageSettings, split
from retriever.types import Document

_WIDTH, _INNER, _LAYERS = 384, 1536, 6  # of all-MiniLM-L6-v2


def documents_with(passages: int) -> tuple[list[Document], list[str]]:
    """The first documents that have about so many passages, and what is embedded of them."""
    documents: list[Document] = []
    inputs: list[str] = []
    for item in open_corpus("vital-articles"):
        if isinstance(item, Record) and len(inputs) < passages:
            document = item.document
            documents.append(document)
            inputs += [
                passage_input(document.title, draft.span.of(document.text))
                for draft in split(document, PassageSettings())
            ]
    return documents, inputs


def operations(tokens: int) -> float:
    """Multiplications and additions that all-MiniLM-L6-v2 takes for a passage of so many tokens."""
    products = 2 * tokens * (4 * _WIDTH * _WIDTH + 2 * _WIDTH * _INNER)
    attention = 4 * tokens * tokens * _WIDTH
    return _LAYERS * (products + attention)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    started, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - spent


def whole_build(documents: Sequence[Document], encoder: Encoder) -> None:
    """Build an index of these documents in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "documents.jsonl"
        with source.open("w", encoding="utf-8", newline="") as file:
            for document in documents:
                file.write(
                    json.dumps({"id": document.doc_id, "title": document.title, "text": document.text}) + "\n"
                )
        build_index(
            [open_corpus(str(source))],
            Path(folder) / "index",
            encoder=encoder,
            settings=PassageSettings(),
            strict=True,
            console=Console(quiet=True),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="unless given, as many as torch takes")
    arguments = parser.parse_args()
    if arguments.threads:
        use_threads(arguments.threads)

    documents, inputs = documents_with(arguments.passages)
    plain, ours = SentenceTransformer(str(minilm_folder()), device="cpu"), load_encoder()
    encoders = [ours, *([in_precision(ours, INT8)] if computes_in_int8() else [])]

    def embedding(encoder: Encoder) -> None:
        for batch in sorted_batches(inputs):
            encoder.encode_passages(batch)

    ways: dict[str, Callable[[], object]] = {"plain SentenceTransformer.encode": lambda: plain.encode(inputs)}
    for encoder in encoders:
        ways[f"embedding, {encoder.precision}"] = lambda encoder=encoder: embedding(encoder)
    for encoder in encoders:
        ways[f"loccit index build, {encoder.precision}"] = lambda encoder=encoder: whole_build(
            documents, encoder
        )
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _, (name, work) in itertools.product(range(arguments.rounds), ways.items()):
        clock, processor = timed(work)
        rates[name].append((len(inputs) / clock, len(inputs) / processor))

    tokens = ours.count_tokens(inputs)
    work_each = statistics.fmean(operations(count + 2) for count in tokens)  # with the two special tokens
    print(
        f"{len(inputs)} passages of {statistics.fmean(tokens) + 2:.1f} tokens, {work_each / 1e9:.2f} GFLOP each"
    )
    print(f"{torch.get_num_threads()} threads; passages a second of the clock, of the processor, ratio")
    first = 0.0
    for name, measured in rates.items():
        clock, processor = (statistics.median(values) for values in zip(*measured, strict=True))
        counted = processor if torch.get_num_threads() == 1 else clock
        first = first or counted
        print(f"{name:40s} {clock:7.1f} {processor:7.1f} {counted / first:6.2f}")
    for name, dtype in (
        ("float32", torch.float32),
        (str(native_dtype()), native_dtype()),
        (INT8, torch.uint8),
    ):
        if dtype is not torch.uint8 or computes_in_int8():
            rate = gemm_rate(dtype)
            print(
                f"products in {name}: {rate:.0f} GFLOP/s, so {rate * 1e9 / work_each:.0f} passages/s at the most"
            )


if __name__ == "__main__":
    main()
