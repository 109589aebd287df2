"""Sentence borders at hard places, and speed: Loccit's own beside sentencex alone and other libraries, in one run.

A border is the place of a sentence's first character, of all but the first sentence. Precision, recall and F1 count
borders over all texts of the file (see its head); "misplaced" counts borders at places that are marked as none.
A library that is not installed is left out (`pip install pysbd syntok`).

    python -m benchmarks.sentence_borders
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import sentencex

from index_builder.corpora import Record, open_corpus
from retriever.text.sentences import sentence_spans

GOLDEN = Path(__file__).parents[1] / "tests" / "retriever" / "text" / "sentence_borders.txt"
BORDER, NO_BORDER, LINE_BREAK = "‖", "⁀", "⏎"

Borders = Callable[[str], Iterable[int]]


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with the places where a border must be, and hard ones where none may be."""

    text: str
    borders: frozenset[int]
    none: frozenset[int]

    @classmethod
    def of(cls, line: str) -> "MarkedText":
        """A line of the file, read."""
        text = ""
        places: dict[str, set[int]] = {BORDER: set(), NO_BORDER: set()}
        for character in line.replace(LINE_BREAK, "\n"):
            if character in places:
                places[character].add(len(text))
            else:
                text += character
        return cls(text, frozenset(places[BORDER]), frozenset(places[NO_BORDER]))


def marked_texts(path: Path = GOLDEN) -> list[MarkedText]:
    """Every text of a file of marked texts."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [MarkedText.of(line) for line in lines if line and not line.startswith((";", "== "))]


def own_borders(text: str) -> Iterable[int]:
    """Where Loccit's sentences start."""
    return [span.start for span in sentence_spans(text)[1:]]


def borders_of(text: str, sentences: Iterable[str]) -> Iterator[int]:
    """Where sentences start that were handed over as strings, all but the first."""
    end = 0
    for number, sentence in enumerate(sentence for sentence in sentences if sentence.strip()):
        start = text.find(sentence.strip(), end)
        if start < 0:
            continue  # the library changed the characters
        end = start + len(sentence.strip())
        if number:
            yield start


def ways() -> dict[str, Borders]:
    """What is compared, by name."""
    found: dict[str, Borders] = {
        "loccit": own_borders,
        "sentencex": lambda text: borders_of(text, sentencex.segment("en", text)),
    }
    try:
        pysbd = import_module("pysbd").Segmenter(language="en", clean=False)
        found["pysbd"] = lambda text: borders_of(text, pysbd.segment(text))
    except ImportError:
        pass
    try:
        syntok = import_module("syntok.segmenter")
        found["syntok"] = lambda text: [
            sentence[0].offset for paragraph in syntok.analyze(text) for sentence in paragraph
        ][1:]
    except ImportError:
        pass
    return found


@dataclass(frozen=True, slots=True)
class Score:
    """How near borders come to the right ones, 0-1; ``misplaced``: how many stand where none may be."""

    precision: float
    recall: float
    f1: float
    misplaced: int


def score(borders: Borders, texts: Sequence[MarkedText]) -> Score:
    """The score over all borders of all texts."""
    found = [(set(borders(marked.text)), marked) for marked in texts]
    right = sum(len(places & marked.borders) for places, marked in found)
    precision = right / max(1, sum(len(places) for places, _ in found))
    recall = right / sum(len(marked.borders) for marked in texts)
    return Score(
        precision,
        recall,
        2 * precision * recall / max(1e-9, precision + recall),
        sum(len(places & marked.none) for places, marked in found),
    )


def characters_per_second(borders: Borders, texts: Sequence[str]) -> float:
    """Over all texts together."""
    started = time.perf_counter()
    for text in texts:
        list(borders(text))
    return sum(map(len, texts)) / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=300, help="vital articles to measure the speed on")
    parser.add_argument("--errors", action="store_true", help="show where Loccit's borders are wrong")
    arguments = parser.parse_args()

    texts = marked_texts()
    records = (item.document.text for item in open_corpus("vital-articles") if isinstance(item, Record))
    documents = [text for text, _ in zip(records, range(arguments.documents), strict=False)]
    print(f"{'':10s} precision  recall      F1  misplaced  characters/s")
    for name, borders in ways().items():
        got = score(borders, texts)
        speed = characters_per_second(borders, documents)
        print(
            f"{name:10s} {got.precision:9.3f} {got.recall:7.3f} {got.f1:7.3f} {got.misplaced:10d} {speed:13,.0f}"
        )
    if arguments.errors:
        for marked in texts:
            if (places := set(own_borders(marked.text))) != marked.borders:
                print(f"extra {sorted(places - marked.borders)}, missing {sorted(marked.borders - places)}:")
                print(f"    {marked.text!r}")


if __name__ == "__main__":
    main()
