"""The reader's training data by one call: deterministic, resumable, without any evaluation question."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from common.digest import json_digest
from common.errors import LoccitError
from common.files import whole_file
from common.packaged import sha256_of
from common.progress import progress
from common.terminal_text import plain
from retriever.text.passages import PassageSettings
from training.data.corpus import TrainingCorpus, open_corpus
from training.data.evidence_shards import prepare_evidence
from training.data.group import GroupRecord
from training.data.held_out import QED_FILE, TRAINING_FILES, KeptOut
from training.data.manuals import ManualQuestions
from training.data.mining import Miner, MiningSettings
from training.data.qed import qed_articles, qed_paragraphs
from training.data.question import Question, Source, distant_questions
from training.data.shards import MANIFEST_FILE, begin, read_shard, shard_path, shards, write_shard
from training.data.squad import (
    Article,
    ArticleIndex,
    paragraph_group,
    rows_by_article,
    squad_articles,
    squad_paragraphs,
)

FORMAT = 2
CORPUS_FOLDER = "corpus"
GROUPS_FOLDER = "groups"
TRAIN, DEVELOPMENT = "train", "development"
_ARTICLES_FILE = "corpora/enwiki2015.jsonl.xz"
I = TypeVar("I")  # noqa: E741 - an item


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What the data depends on, beside the files.

    ``development_questions``: held out of NQ and of TriviaQA each, and of the held-out articles of SQuAD and of QED
    at most. ``development_articles``: the share of their articles held out. ``development_passages``: read for each.
    ``questions``: to learn from, of each set at most; None for all.
    ``unanswerable``: the share kept of the NQ and TriviaQA questions that no passage near the top answers.
    ``elsewhere``: the share of SQuAD and QED questions that also get negatives from the encyclopedia.
    ``shard_articles``, ``shard_pages``: of SQuAD, which has many questions on each, and of QED in a shard.
    """

    seed: int = 0
    questions: int | None = None
    mining: MiningSettings = field(default_factory=MiningSettings)
    development_questions: int = 400
    development_articles: float = 0.02
    development_passages: int = 8
    unanswerable: float = 0.2
    squad_negatives: int = 6
    elsewhere: float = 0.25
    elsewhere_negatives: int = 3
    shard_questions: int = 1000
    shard_articles: int = 10
    shard_pages: int = 500


@dataclass(frozen=True, slots=True)
class _Shard:
    name: str
    groups: Callable[[], Iterator[GroupRecord]]


def prepare(
    data_folder: Path,
    out_folder: Path,
    console: Console,
    *,
    settings: DataSettings | None = None,
    keep_out: Sequence[Path] = (),
    manuals: ManualQuestions | None = None,
) -> dict[str, Any]:
    """Make the training data in ``out_folder`` and hand back its manifest; killed, it goes on when called again.

    ``data_folder`` holds SQuAD, NQ and TriviaQA training questions and an encyclopedia under the names of
    ``TRAINING_FILES`` and ``corpora/enwiki2015.jsonl.xz``. Rows whose normalised question is kept out (see
    ``KeptOut``) are left out and counted. Where the folder has ``QED_FILE``, its questions are learnt from too. The
    sets with evidence come first, and with them the ``manuals``: see ``prepare_evidence``.

    Raises:
        LoccitError: when a file is missing or damaged.
    """
    settings = settings or DataSettings()
    sources = {name: sha256_of(data_folder / name) for name in _sources(data_folder)}
    kept_out = KeptOut.of(data_folder, keep_out)
    prepare_evidence(data_folder, out_folder, kept_out, console, manuals=manuals)
    described = {name: value for name, value in asdict(settings).items() if value is not None}
    description = {"format": FORMAT, "settings": described, "files": {**sources, **kept_out.files}}
    fingerprint = json_digest(description)
    groups = out_folder / GROUPS_FOLDER
    begin(groups, fingerprint)
    corpus = _corpus(data_folder, out_folder / CORPUS_FOLDER, sources, console)
    work = _Work(data_folder, corpus, settings, kept_out.questions)
    _mine(work.shards(), groups, console)
    manifest = description | {
        "fingerprint": fingerprint,
        "removed": work.removed,
        "counts": _counts(groups),
        "shards": {path.name: sha256_of(path) for path in shards(groups, "")},
    }
    with whole_file(out_folder / MANIFEST_FILE) as path:
        path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    console.print(plain(f"Training data in {out_folder}: {manifest['counts']}; removed: {work.removed}"))
    return manifest


def _sources(data_folder: Path) -> list[str]:
    """The names of the files to learn from, all of them there."""
    for name in (*TRAINING_FILES, _ARTICLES_FILE):
        if not (data_folder / name).is_file():
            raise LoccitError(
                f"{data_folder / name} is missing; give a folder with {', '.join(TRAINING_FILES)} and {_ARTICLES_FILE}."
            )
    qed = [QED_FILE] if (data_folder / QED_FILE).is_file() else []
    return [*TRAINING_FILES, _ARTICLES_FILE, *qed]


def _corpus(data_folder: Path, folder: Path, sources: Mapping[str, str], console: Console) -> TrainingCorpus:
    """The encyclopedia's passages and the paragraphs of SQuAD and QED. ``sources``: sha256 by name."""
    squad, qed = data_folder / TRAINING_FILES[0], data_folder / QED_FILE
    with_paragraphs = [name for name in (TRAINING_FILES[0], _ARTICLES_FILE, QED_FILE) if name in sources]
    return open_corpus(
        folder,
        data_folder / _ARTICLES_FILE,
        chain(squad_paragraphs(squad), qed_paragraphs(qed) if QED_FILE in sources else ()),
        json_digest([*(sources[name] for name in with_paragraphs), asdict(PassageSettings())]),
        console,
    )


def _mine(plan: Sequence[_Shard], groups: Path, console: Console) -> None:
    """Write the shards that are not there yet."""
    with progress(console, "Mining shards", total=len(plan)) as advance:
        for shard in plan:
            path = shard_path(groups, shard.name)
            if not path.is_file():
                write_shard(path, shard.groups())
            advance()


def _counts(groups: Path) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for path in shards(groups, ""):
        part, source, _ = path.name.split("-", 2)
        of_source = counts.setdefault(f"{part}-{source}", {"groups": 0, "answerable": 0, "passages": 0})
        for record in read_shard(path):
            of_source["groups"] += 1
            of_source["answerable"] += record.answerable
            of_source["passages"] += len(record.rows)
    return counts


class _Work:
    """Which question goes into which shard, and how a shard's groups are made."""

    def __init__(
        self, data_folder: Path, corpus: TrainingCorpus, settings: DataSettings, unwanted: set[str]
    ) -> None:
        self._corpus, self._settings = corpus, settings
        self._miner = Miner(corpus, settings.mining)
        self._rows = {source: rows_by_article(corpus.store, source) for source in (Source.SQUAD, Source.QED)}
        self.removed: Counter[str] = Counter()
        squad, nq, triviaqa = (data_folder / name for name in TRAINING_FILES)
        distant = {
            source: self._wanted(distant_questions(path, source), unwanted)
            for source, path in ((Source.NQ, nq), (Source.TRIVIAQA, triviaqa))
        }
        size = settings.development_questions
        self._held = {source: questions[:size] for source, questions in distant.items()}
        held = {question.normalised for questions in self._held.values() for question in questions}
        self._pages, self._held_pages = self._apart(self._qed(data_folder / QED_FILE, unwanted | held))
        held |= {asked.question.normalised for page in self._held_pages for asked in page.questions}
        self._distant = {
            source: [question for question in questions[size:] if question.normalised not in held][
                : settings.questions
            ]
            for source, questions in distant.items()
        }
        articles, self.removed[Source.SQUAD.value] = squad_articles(squad, unwanted | held)
        self._articles, self._held_articles = self._apart(articles)
        self._pages, self._articles = self._fewer(self._pages), self._fewer(self._articles)

    def _qed(self, path: Path, unwanted: set[str]) -> list[Article]:
        """The pages of the file, none where there is no file."""
        if not path.is_file():
            return []
        pages, self.removed[Source.QED.value] = qed_articles(path, unwanted)
        return pages

    def _apart(self, articles: Sequence[Article]) -> tuple[list[Article], list[Article]]:
        """Those to learn from, and those held out."""
        of_training: list[Article] = []
        held_out: list[Article] = []
        share, seed = self._settings.development_articles, self._settings.seed
        for article in articles:
            (held_out if article.is_held_out(share=share, seed=seed) else of_training).append(article)
        return of_training, held_out

    def _fewer(self, articles: list[Article]) -> list[Article]:
        """The articles with the questions to learn from, without those that have none."""
        if self._settings.questions is None:
            return articles
        wanted = self._first(articles, self._settings.questions)
        return [
            replace(article, questions=kept)
            for article in articles
            if (kept := tuple(one for one in article.questions if one.question.id in wanted))
        ]

    def _first(self, articles: Sequence[Article], count: int) -> set[str]:
        """The ids of so many of the articles' questions, by their words' hash."""
        questions = sorted(
            (asked.question for article in articles for asked in article.questions),
            key=lambda question: question.order(self._settings.seed),
        )
        return {question.id for question in questions[:count]}

    def _wanted(self, questions: list[Question], unwanted: set[str]) -> list[Question]:
        """The questions that are not unwanted, by their words' hash."""
        kept = [question for question in questions if question.normalised not in unwanted]
        if questions:
            self.removed[questions[0].source.value] += len(questions) - len(kept)
        return sorted(kept, key=lambda question: question.order(self._settings.seed))

    def shards(self) -> list[_Shard]:
        """Every shard, those of the development questions first."""
        development: list[_Shard] = []
        train: list[_Shard] = []
        settings = self._settings
        for source, questions in self._distant.items():
            size = settings.shard_questions
            development += self._pieces(f"{DEVELOPMENT}-{source}", self._held[source], self._as_found, size)
            train += self._pieces(f"{TRAIN}-{source}", questions, self._mined, size)
        for source, held_out, articles, size in (
            (Source.SQUAD, self._held_articles, self._articles, settings.shard_articles),
            (Source.QED, self._held_pages, self._pages, settings.shard_pages),
        ):
            whole = max(1, len(held_out))
            development += self._pieces(f"{DEVELOPMENT}-{source}", held_out, self._sample, whole)
            train += self._pieces(f"{TRAIN}-{source}", articles, self._of_articles, size)
        return development + train

    @staticmethod
    def _pieces(
        name: str, items: Sequence[I], make: Callable[[Sequence[I]], Iterator[GroupRecord]], size: int
    ) -> Iterator[_Shard]:
        """Shards of ``size`` items each."""
        for number, start in enumerate(range(0, len(items), size)):
            yield _Shard(f"{name}-{number:03}", partial(make, items[start : start + size]))

    def _as_found(self, questions: Sequence[Question]) -> Iterator[GroupRecord]:
        for question in questions:
            yield self._miner.as_found(question, k=self._settings.development_passages)

    def _mined(self, questions: Sequence[Question]) -> Iterator[GroupRecord]:
        for question in questions:
            group = self._miner.group(question)
            if group.answerable or self._is_among(question, self._settings.unanswerable):
                yield group

    def _of_articles(self, articles: Sequence[Article]) -> Iterator[GroupRecord]:
        for article in articles:
            index = ArticleIndex(self._corpus.store, self._rows[article.source][article.title])
            for asked in article.questions:
                others = (
                    self._miner.without_answer(asked.question, k=self._settings.elsewhere_negatives)
                    if self._is_among(asked.question, self._settings.elsewhere)
                    else []
                )
                group = paragraph_group(
                    asked, article.title, index, others, negatives=self._settings.squad_negatives
                )
                if group is not None:
                    yield group

    def _sample(self, articles: Sequence[Article]) -> Iterator[GroupRecord]:
        """A sample of the articles' questions by their words' hash."""
        wanted = self._first(articles, self._settings.development_questions)
        yield from (group for group in self._of_articles(articles) if group.id in wanted)

    def _is_among(self, question: Question, share: float) -> bool:
        """Whether the question is among this share of all, by its words' hash."""
        return int(question.order(self._settings.seed)[-8:], 16) < share * 2**32
