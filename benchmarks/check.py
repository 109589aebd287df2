"""How well checking tells real quotes from changed and made up ones, and true claims from changed ones.

Cases are made from the documents of an index: sentences as they stand, in other looks, with a word, a number or a
negation changed, cited from another document, spliced of two, and with half of their words put in from elsewhere.
A quote is looked for as `POST /check` does it: not every document is read.

python -m benchmarks.check --index data/indexes/vital-articles --count 200 --claims 100
"""

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.checking.run import open_checker
from app.service.check import Checker
from app.service.claim_support import SUPPORTED_FROM
from app.service.settings import DEFAULT_INDEX
from quote_check.check import QuoteToCheck, Verdict
from quote_check.check_answer import AnswerToCheck, GivenClaim
from retriever.generations import current_generation
from retriever.index import STORE_FILE
from retriever.store import DocumentStore
from retriever.text.units import quotable_spans_of
from retriever.types import Document

LEAST, MOST = 8, 40  # words of a sentence
NUMBER = re.compile(r"\d+")
VERB = re.compile(r"\b(is|was|are|were|has|had|can|could|will|would)\b")
WORD = re.compile(r"[A-Za-z]{4,}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, with its document."""

    text: str
    document: Document


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, one of another document, and chance."""

    text: str
    other: str
    rng: random.Random


Maker = Callable[[Case], str | None]
"""What is quoted or claimed; None where the sentence offers none of its kind."""


def as_it_stands(case: Case) -> str | None:
    return case.text


def in_other_looks(case: Case) -> str | None:
    text = case.text
    text = text[0].swapcase() + text[1:]
    return text.replace(" ", "  ", 2).replace('"', "”").replace("–", "-").replace("'", "’").rstrip(".") + ","


def with_an_omission(case: Case) -> str | None:
    words = case.text.split(" ")
    cut = case.rng.randrange(3, len(words) - 4)
    return f"{' '.join(words[:cut])} [...] {' '.join(words[cut + 1 :])}"


def one_word_changed(case: Case) -> str | None:
    word = case.rng.choice(WORD.findall(case.text) or [""])
    instead = case.rng.choice(WORD.findall(case.other) or [""])
    changed = case.text.replace(word, instead, 1) if word else case.text
    return changed if word.lower() != instead.lower() and changed != case.text else None


def number_changed(case: Case) -> str | None:
    found = NUMBER.search(case.text)
    if found is None:
        return None
    return (
        case.text[: found.start()] + str(int(found[0]) + case.rng.randrange(1, 9)) + case.text[found.end() :]
    )


def negated(case: Case) -> str | None:
    found = VERB.search(case.text)
    return None if found is None else f"{case.text[: found.end()]} not{case.text[found.end() :]}"


def spliced(case: Case) -> str | None:
    first, second = case.text.split(), case.other.split()
    return " ".join([*first[: len(first) // 2], *second[len(second) // 2 :]])


def half_invented(case: Case) -> str | None:
    words, others = case.text.split(), case.other.split()
    for at in case.rng.sample(range(len(words)), len(words) // 2):
        words[at] = case.rng.choice(others)
    return " ".join(words)


CASES: dict[str, tuple[Maker, Verdict, bool]] = {
    "as it stands": (as_it_stands, Verdict.VERBATIM, True),
    "as it stands, nothing cited": (as_it_stands, Verdict.VERBATIM, False),
    "in other looks": (in_other_looks, Verdict.VERBATIM, True),
    "with an omission": (with_an_omission, Verdict.VERBATIM, True),
    "one word changed": (one_word_changed, Verdict.NEARLY, True),
    "number changed": (number_changed, Verdict.NEARLY, True),
    "negated": (negated, Verdict.NEARLY, True),
    "cited from another document": (as_it_stands, Verdict.FROM_ANOTHER_DOCUMENT, True),
    "spliced of two": (spliced, Verdict.FABRICATED, True),
    "half of the words invented": (half_invented, Verdict.FABRICATED, True),
}
CLAIMS: dict[str, tuple[Maker, bool]] = {
    "true": (as_it_stands, True),
    "one word changed": (one_word_changed, False),
    "number changed": (number_changed, False),
    "negated": (negated, False),
    "of another document": (lambda case: case.other, False),
}


def sentences_of(store: DocumentStore, count: int, rng: random.Random) -> list[Sentence]:
    """One sentence of each of so many documents."""
    documents = [document for document, _ in store.each_document()]
    rng.shuffle(documents)
    found: list[Sentence] = []
    for document in documents:
        fit = [
            text
            for span in quotable_spans_of(document.text)
            if LEAST <= len((text := span.of(document.text)).split()) <= MOST
        ]
        if fit:
            found.append(Sentence(rng.choice(fit), document))
        if len(found) == count:
            break
    return found


def check_quotes(checker: Checker, sentences: Sequence[Sentence], rng: random.Random) -> None:
    told: Counter[tuple[str, Verdict]] = Counter()
    expected: Counter[tuple[Verdict, Verdict]] = Counter()
    seconds = []
    for number, sentence in enumerate(sentences):
        other = sentences[(number + 1) % len(sentences)]
        for name, (make, verdict, cites) in CASES.items():
            quote = make(Case(sentence.text, other.text, rng))
            if quote is None:
                continue
            cited = other if verdict is Verdict.FROM_ANOTHER_DOCUMENT else sentence
            ids = (cited.document.doc_id,) if cites else ()
            started = time.process_time()
            response = checker.check(AnswerToCheck(quotes=(QuoteToCheck(quote, ids),)))
            seconds.append(time.process_time() - started)
            found = response.quotes[0].verdict
            told[name, found] += 1
            expected[verdict, found] += 1
    verdicts = [verdict for verdict in Verdict if verdict is not Verdict.TOO_SHORT]
    print(f"| quote | cases | {' | '.join(verdicts)} |")
    print(f"|---|{'---:|' * (1 + len(verdicts))}")
    for name in CASES:
        counts = [told[name, verdict] for verdict in verdicts]
        print(f"| {name} | {sum(counts)} | {' | '.join(map(str, counts))} |")
    print("\n| verdict | precision | recall |\n|---|---:|---:|")
    for verdict in verdicts:
        right = expected[verdict, verdict]
        given = sum(expected[other, verdict] for other in verdicts)
        wanted = sum(expected[verdict, other] for other in verdicts)
        print(f"| {verdict} | {100 * right / max(given, 1):.1f}% | {100 * right / max(wanted, 1):.1f}% |")
    p50, p95 = np.percentile(1000 * np.array(seconds), [50, 95])
    print(f"\n{p50:.1f} / {p95:.1f} ms of processor time a quote, p50 / p95")


def check_claims(checker: Checker, sentences: Sequence[Sentence], rng: random.Random) -> None:
    scores: dict[str, list[float]] = {name: [] for name in CLAIMS}
    for number, sentence in enumerate(sentences):
        other = sentences[(number + 1) % len(sentences)]
        for name, (make, _) in CLAIMS.items():
            claim = make(Case(sentence.text, other.text, rng))
            if claim is not None:
                given = GivenClaim(claim, document_ids=(sentence.document.doc_id,))
                (checked,) = checker.check(AnswerToCheck(claims=(given,))).claims
                scores[name].append(checked.support or 0.0)
    print("\n| claim | cases | judged right | AUROC against true ones |\n|---|---:|---:|---:|")
    true = np.array(scores["true"])
    for name, (_, supported) in CLAIMS.items():
        of_kind = np.array(scores[name])
        right = np.mean((of_kind >= SUPPORTED_FROM) == supported)
        above = np.mean(true[:, None] > of_kind[None, :]) + np.mean(true[:, None] == of_kind[None, :]) / 2
        print(f"| {name} | {len(of_kind)} | {100 * right:.1f}% | {'' if supported else f'{above:.3f}'} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=DEFAULT_INDEX)
    parser.add_argument(
        "--count", type=int, default=200, help="sentences that are quoted, each of another document"
    )
    parser.add_argument("--claims", type=int, default=0, help="sentences that are claimed")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    rng = random.Random(arguments.seed)
    store = DocumentStore.open(current_generation(arguments.index) / STORE_FILE)
    sentences = sentences_of(store, max(arguments.count, arguments.claims), rng)
    checker = open_checker(arguments.index, claims=arguments.claims > 0, weights=None)
    if arguments.count:
        check_quotes(checker, sentences[: arguments.count], rng)
    if arguments.claims:
        check_claims(checker, sentences[: arguments.claims], rng)


if __name__ == "__main__":
    main()
