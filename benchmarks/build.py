"""Passages per second while building an index, against plain SentenceTransformer.encode, in one run.

Both embed the same passages of the vital articles, by turns, so that a noisy machine is noisy for both.

    python -m benchmarks.build --passages 1024 --rounds 3
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Sequence

from sentence_transformers import SentenceTransformer

from common.packaged import minilm_folder
from index_builder.corpora import Record, open_corpus
from index_builder.embedding import sorted_batches
from retriever.encoder import load_encoder, passage_input
from retriever.passages import PassageSettings, split


def passage_inputs(count: int) -> list[str]:
    """The first ``count`` passage inputs, in corpus order."""
    inputs = (
        passage_input(item.document.title, draft.span.of(item.document.text))
        for item in open_corpus("vital-articles")
        if isinstance(item, Record)
        for draft in split(item.document, PassageSettings())
    )
    return list(itertools.islice(inputs, count))


def rate(work: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    inputs = passage_inputs(arguments.passages)
    plain, ours = SentenceTransformer(str(minilm_folder()), device="cpu"), load_encoder()

    def ours_sorted() -> None:
        for batch in sorted_batches(inputs):
            ours.encode_passages(batch)

    ways: Sequence[tuple[str, Callable[[], object]]] = (
        ("plain SentenceTransformer.encode", lambda: plain.encode(inputs)),
        (f"loccit index build ({ours.precision})", ours_sorted),
    )
    rates: dict[str, list[float]] = {name: [] for name, _ in ways}
    for _ in range(arguments.rounds):
        for name, work in ways:
            rates[name].append(rate(work, len(inputs)))
    medians = [statistics.median(values) for values in rates.values()]
    for name, median in zip(rates, medians, strict=True):
        print(f"{name:40s} {median:7.1f} passages/s")
    print(f"ratio {medians[1] / medians[0]:.2f}")


if __name__ == "__main__":
    main()
