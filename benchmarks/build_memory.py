"""Memory, time and disk that building an index takes, by the number of passages; embedding costs next to nothing.

The texts are made up: sentences of invented words, each a passage, twenty a document.

python -m benchmarks.build_memory --passages 12000 61000 300000
python -m benchmarks.build_memory --engine ivf-sq8
python -m benchmarks.build_memory --checkout ../before    # another checkout
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import build_process
from benchmarks.answer_process import HERE

_WORDS_IN_VOCABULARY = 30_000
_WORDS_IN_SENTENCE = 12  # and in a passage: short ones, so that measuring takes minutes
_SENTENCES_IN_PASSAGE = 1
_PASSAGES_IN_DOCUMENT = 20
_SYLLABLES = (
    "ba",
    "co",
    "di",
    "fu",
    "ge",
    "hal",
    "in",
    "jo",
    "kar",
    "le",
    "mon",
    "no",
    "pra",
    "qui",
    "ros",
    "ter",
)


def write_corpus(path: Path, *, passages: int) -> None:
    """A JSONL file of documents that are split into about so many passages; always the same ones."""
    chosen = random.Random(0)
    vocabulary = ["".join(chosen.choices(_SYLLABLES, k=3)) for _ in range(_WORDS_IN_VOCABULARY)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(passages // _PASSAGES_IN_DOCUMENT):
            sentences = (
                " ".join(chosen.choices(vocabulary, k=_WORDS_IN_SENTENCE)).capitalize() + "."
                for _ in range(_SENTENCES_IN_PASSAGE * _PASSAGES_IN_DOCUMENT)
            )
            document = {"id": str(number), "title": chosen.choice(vocabulary), "text": " ".join(sentences)}
            file.write(json.dumps(document) + "\n")


def built(checkout: Path, source: Path, directory: Path, engine: str | None) -> dict[str, Any]:
    """What ``build_process`` told of building this file with that checkout."""
    outcome = subprocess.run(
        [
            sys.executable,
            build_process.__file__,
            str(source),
            str(directory),
            *([] if engine is None else [engine]),
        ],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout.resolve())},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(outcome.stdout)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, nargs="+", default=[12_000, 61_000, 300_000])
    parser.add_argument(
        "--engine", help="as `loccit index build` takes it; the checkout's default unless given"
    )
    parser.add_argument("--checkout", type=Path, default=HERE, metavar="DIR", help="whose code builds")
    arguments = parser.parse_args()

    print("| passages | engine | peak resident MiB | seconds | processor seconds | index MB | cache MB |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for passages in arguments.passages:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "texts.jsonl"
            write_corpus(source, passages=passages)
            told = built(arguments.checkout, source, Path(folder) / "index", arguments.engine)
        print(
            f"| {told['passages']:,} | {told['engine']} | {told['peak_mib']:,.0f} | {told['seconds']:,.0f} "
            f"| {told['cpu_s']:,.0f} | {told['index_bytes'] / 1e6:,.0f} | {told['cache_bytes'] / 1e6:,.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
