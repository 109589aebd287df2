"""From logits to readings: exact characters of the document, most answerable passage first."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from app.answering.cross_encoders.cross_encoder import CrossEncoder, EncoderShape, Packed, Scores, base_model
from app.answering.cross_encoders.pointing import best_spans
from app.answering.cross_encoders.reader_input import LONGEST, ReaderTokenizer
from app.answering.cross_encoders.reader_model import Judgement, ReaderModel
from app.answering.cross_encoders.trained_reader import PRIOR_STRENGTH, TrainedReader
from app.answering.generators.reader_generator import SPANS_EXTRACTED, ReaderGenerator
from benchmarks.hostile_texts import KINDS, hostile
from common.deadline import NO_DEADLINE, Deadline
from common.errors import GivenUpError
from common.packaged import minilm_folder
from retriever.text.folding import fold
from retriever.text.sentences import splits_character
from retriever.types import Document, Hit, Passage, Span

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,?!"


def save_tokenizer(folder: Path) -> Path:
    """A WordPiece tokenizer whose tokens are single characters, the first of a word and the others apart."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    tokenizer = Tokenizer(WordPiece({token: n for n, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def tokenizer_folder(tmp_path_factory):
    return save_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def tokenizer(tokenizer_folder):
    return ReaderTokenizer(tokenizer_folder, max_tokens=120)


class FixedScores(CrossEncoder):
    """Gives every token the logits of its id, and every sequence the number of its tokens as answerability."""

    def __init__(self, start: dict[int, float], end: dict[int, float]) -> None:
        torch.nn.Module.__init__(self)
        self.words = torch.zeros(1)
        self.start, self.end = start, end
        self.calls: list[tuple[int, ...]] = []

    def forward(self, packed: Packed) -> Scores:
        self.calls.append(packed.lengths)
        ids = packed.ids.tolist()
        start = torch.tensor([self.start.get(one, 0.0) for one in ids])
        end = torch.tensor([self.end.get(one, 0.0) for one in ids])
        return Scores(start, end, torch.tensor([length / 10 for length in packed.lengths]))


def id_of(token: str) -> int:
    return (["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]).index(
        token
    )


def hits_of(documents: Sequence[Document]) -> list[Hit]:
    """The second half of each document as a passage, with its last third as the continuation."""
    hits = []
    for rank, document in enumerate(documents, start=1):
        half, end = len(document.text) // 2, len(document.text) * 5 // 6
        passage = Passage(
            rank,
            document.doc_id,
            document.title,
            document.text[half:end],
            Span(half, end),
            document.text[end:],
        )
        hits.append(Hit(passage, 1 / rank, rank))
    return hits


def test_neither_question_nor_title_can_be_pointed_at(tokenizer):
    # the letter q draws the pointer more than anything, and stands everywhere
    fixed = FixedScores({id_of("q"): 50.0, id_of("z"): 5.0}, {id_of("q"): 50.0, id_of("z"): 5.0})
    (judgement,) = ReaderModel(fixed, tokenizer).judge("q q", [("q q", "a z b")])
    assert judgement.spans[0][0].of("a z b") == "z"


def test_a_sequence_is_question_title_and_window(tokenizer):
    one, untitled = tokenizer.inputs("Ab?", [("C", "d e"), ("", "d")])
    names = ["[CLS]", "a", "##b", "[SEP]", "c", "[SEP]", "d", "e", "[SEP]"]
    assert one.ids == tuple(map(id_of, names))
    assert one.types == (0,) * 4 + (1,) * 5
    assert one.first == 6
    assert untitled.ids == tuple(map(id_of, ["[CLS]", "a", "##b", "[SEP]", "d", "[SEP]"]))
    assert untitled.first == 4


def test_a_question_mark_at_the_end_makes_no_difference(tokenizer):
    assert tokenizer.inputs("ab ?", [("c", "d")])[0].ids == tokenizer.inputs("ab", [("c", "d")])[0].ids
    assert id_of("?") in tokenizer.inputs("a? b", [("c", "d")])[0].ids


def test_what_does_not_fit_of_the_window_is_left_out_and_so_is_an_answer_there(tokenizer_folder):
    tokenizer = ReaderTokenizer(tokenizer_folder, max_tokens=10)
    (one,) = tokenizer.inputs("a", [("b", "c d e f g")])
    assert len(one.ids) == 10
    assert one.tokens(Span(4, 7)) == (2, 3)
    assert one.tokens(Span(6, 9)) is None
    # a word that is cut off cannot be the end of an answer
    (cut,) = tokenizer.inputs("a", [("b", "c ddddddd")])
    assert not cut.ends[-1]


def test_a_passage_is_read_whole_however_long_that_makes_the_sequence(tokenizer_folder):
    tokenizer = ReaderTokenizer(tokenizer_folder, max_tokens=7)
    usual, longer = tokenizer.inputs("a", [("b", "c d e f g")] * 2, whole=[1, 7])
    assert (len(usual.ids), usual.read) == (7, 1)
    assert (len(longer.ids), longer.read) == (10, 7)
    assert longer.tokens(Span(6, 7)) == (3, 3)


def test_the_reader_asks_for_whole_passages_but_not_for_their_continuations(documents):
    asked = []

    class Asked(Judging):
        def judge(self, question, passages, *, whole, deadline):
            asked.extend(zip(passages, whole, strict=True))
            return super().judge(question, passages, whole=whole, deadline=deadline)

    hits = scored(documents, 0.5)
    headed = replace(hits[0], passage=replace(hits[0].passage, headings=("Storms",)))
    TrainedReader(Asked(0.5)).read("?", [headed])
    passage = headed.passage
    assert asked == [((f"{passage.title} > Storms", passage.window), len(passage.text))]


def test_a_word_with_soft_hyphens_is_read_as_one_and_pointed_at_as_it_stands(tokenizer):
    plain, hyphened = tokenizer.inputs("a", [("b", "c dede f"), ("b", "c de\u00adde f")])
    assert hyphened.ids == plain.ids
    first, last = int(np.flatnonzero(hyphened.starts)[1]), int(np.flatnonzero(hyphened.ends)[1])
    assert hyphened.characters(first, last).of(hyphened.window) == "de\u00adde"


@given(window=st.text(alphabet="ab c\u0301e\u0323👩\u200d🚀🇵🇹İß\r\n.,", max_size=30))
def test_a_span_covers_whole_visible_characters_of_exactly_its_tokens(tokenizer, window):
    (one,) = tokenizer.inputs("a", [("b", window)])
    for start in np.flatnonzero(one.starts):
        for end in np.flatnonzero(one.ends):
            if start <= end:
                span = one.characters(int(start), int(end))
                assert not splits_character(window, span.start)
                assert not splits_character(window, span.end)
                assert span.start <= one.offsets[start, 0]
                assert span.end >= one.offsets[end, 1]
                first, last = one.tokens(span)
                assert first <= start
                assert end <= last


@given(
    numbers=st.lists(st.tuples(*[st.integers(-9, 9)] * 2, st.booleans(), st.booleans()), max_size=8),
    longest=st.integers(1, 4),
)
def test_the_best_span_is_the_best_of_all(numbers, longest):
    start, end = (np.array([one[n] for one in numbers], dtype=np.float32) for n in (0, 1))
    starts, ends = (np.array([one[n] for one in numbers], dtype=bool) for n in (2, 3))
    found = best_spans(start, end, starts=starts, ends=ends, k=3, longest=longest)
    every = [
        (float(start[i] + end[j]), -i, -j)
        for i in range(len(numbers))
        for j in range(i, min(i + longest, len(numbers)))
        if starts[i] and ends[j]
    ]
    assert bool(found) is bool(every)
    if every:
        score, i, j = max(every)
        assert found[0] == (-i, -j, score)
    assert [score for _, _, score in found] == sorted((score for _, _, score in found), reverse=True)
    taken = [token for first, last, _ in found for token in range(first, last + 1)]
    assert len(taken) == len(set(taken))


def test_probabilities_are_shared_between_the_passages_of_a_question(tokenizer):
    z = id_of("z")
    fixed = FixedScores({z: math.log(6)}, {z: math.log(2)})
    judgements = ReaderModel(fixed, tokenizer).judge("a", [("", "z"), ("", "b b"), ("", "c")])
    # start: 6 of 6 + 1 + 1 + 1 in the windows and 3 for the [CLS]; end: 2 of 2 + 3 + 3
    assert judgements[0].spans[0][1] == pytest.approx(6 / 12 * 2 / 8)
    assert judgements[2].spans[0][1] == pytest.approx(1 / 12 * 1 / 8)


def test_readings_are_sorted_and_their_spans_are_characters_of_the_document(tokenizer, documents):
    z = {id_of("p"): 3.0, id_of("1"): 4.0}
    reader = TrainedReader(ReaderModel(FixedScores(z, z), tokenizer), passages=2)
    readings = reader.read("who built it?", hits_of(documents))
    assert len(readings) == 3
    first, second, unread = readings
    assert first.answerability >= second.answerability > 0
    assert (unread.answerability, unread.spans, unread.hit.rank) == (0.0, (), 3)
    assert len(first.spans) == max(SPANS_EXTRACTED)
    for reading in (first, second):
        document = next(one for one in documents if one.doc_id == reading.hit.passage.doc_id)
        start = reading.hit.passage.span.start
        for scored in reading.spans:
            assert 0 <= scored.score <= 1
            found = scored.span.of(document.text)
            assert found == scored.span.shifted(-start).of(reading.hit.passage.window)
            assert found.strip() == found
    (candidate, *_) = ReaderGenerator().generate("?", readings, n=1, seed=0, deadline=NO_DEADLINE)
    assert candidate.answer == first.spans[0].span.of(
        next(one.text for one in documents if one.doc_id == candidate.passage.doc_id)
    )


class Judging:
    """A model that is as sure of each passage as it is told."""

    sha256 = "0" * 64

    def __init__(self, *answerabilities):
        self.answerabilities = answerabilities

    def judge(self, question, passages, *, whole, deadline):
        spans = ((Span(0, 1), 0.125),)
        return [Judgement(one, spans) for one, _ in zip(self.answerabilities, passages, strict=True)]


def scored(documents: Sequence[Document], *scores: float) -> list[Hit]:
    return [replace(hit, score=score) for hit, score in zip(hits_of(documents), scores, strict=False)]


def test_the_odds_that_a_passage_answers_fall_with_the_share_of_the_best_score_that_it_lacks(documents):
    readings = TrainedReader(Judging(0.75, 0.75, 0.75)).read("?", scored(documents, 0.8, 0.76, 0.4))
    assert [reading.hit.rank for reading in readings] == [1, 2, 3]
    odds = [3, 3 / math.exp(PRIOR_STRENGTH * 0.05), 3 / math.exp(PRIOR_STRENGTH * 0.5)]
    assert [reading.answerability for reading in readings] == pytest.approx([o / (1 + o) for o in odds])
    # the spans' probabilities are shared between the passages already
    assert [reading.spans[0].score for reading in readings] == [0.125] * 3


def test_a_passage_far_enough_ahead_overcomes_its_score(documents):
    readings = TrainedReader(Judging(0.5, 0.9, 0.8)).read("?", scored(documents, 0.8, 0.76, 0.4))
    # 1 to 1; 9 to 1 over e; 4 to 1 over e to the 10th
    assert [reading.hit.rank for reading in readings] == [2, 1, 3]


@pytest.mark.parametrize("score", [0.0, -0.3])
def test_without_a_positive_score_the_reader_decides_alone(documents, score):
    readings = TrainedReader(Judging(0.5, 0.6, 0.8)).read("?", scored(documents, *[score] * 3))
    assert [reading.answerability for reading in readings] == pytest.approx([0.8, 0.6, 0.5])


def test_certainty_stays_certain_whatever_the_score(documents):
    readings = TrainedReader(Judging(0.0, 1.0, 0.0)).read("?", hits_of(documents))
    assert [(one.hit.rank, one.answerability) for one in readings] == [(2, 1.0), (1, 0.0), (3, 0.0)]


def test_a_passage_that_tells_of_a_lower_rank_than_is_asked_for_makes_room_for_another():
    texts = ["Neptune is the fourth-largest planet.", "Mars is red.", "Jupiter is the largest one."]
    passages = [Passage(row, str(row), "", text, Span(0, len(text))) for row, text in enumerate(texts)]
    hits = [Hit(passage, 1.0, rank) for rank, passage in enumerate(passages, start=1)]
    reader = TrainedReader(Judging(0.9, 0.8), passages=2)
    asked = reader.read("what is the largest planet", hits)
    assert {reading.hit.passage.row: reading.answerability > 0 for reading in asked} == {
        0: False,
        1: True,
        2: True,
    }
    other = reader.read("which planet has the most moons", hits)
    assert {reading.hit.passage.row: reading.answerability > 0 for reading in other} == {
        0: True,
        1: True,
        2: False,
    }


def test_the_readers_digest_is_its_models():
    assert TrainedReader(Judging()).sha256 == "0" * 64


def test_no_hits_give_no_readings(tokenizer):
    model = FixedScores({}, {})
    assert TrainedReader(ReaderModel(model, tokenizer)).read("a", []) == []
    assert model.calls == []


def test_an_empty_window_has_no_span(tokenizer):
    (judgement,) = ReaderModel(FixedScores({}, {}), tokenizer).judge("a", [("b", " ")])
    assert judgement.spans == ()


def test_what_a_sequence_gives_does_not_depend_on_those_beside_it():
    shape = EncoderShape(vocabulary=50, hidden=16, layers=2, heads=2, intermediate=32, positions=64)
    torch.manual_seed(0)
    model = CrossEncoder(shape, torch.randn(50, 16))
    sequences = [(list(range(2, 2 + length)), [0] * length) for length in (5, 30, 12)]
    with torch.inference_mode():
        together = model(Packed.of(sequences))
        alone = [model(Packed.of([one])) for one in sequences]
    torch.testing.assert_close(together.start, torch.cat([one.start for one in alone]))
    torch.testing.assert_close(together.answerability, torch.cat([one.answerability for one in alone]))
    assert not any(name.startswith("words") for name in model.state_dict())


@pytest.mark.models
def test_the_base_model_computes_what_transformers_does():
    from transformers import AutoModel

    from common.torch_runtime import no_progress_bar

    model = base_model(minilm_folder())
    with no_progress_bar():
        reference = AutoModel.from_pretrained(minilm_folder(), add_pooling_layer=False).eval()
    inputs = ReaderTokenizer(minilm_folder()).inputs(
        "Who built it?", [("Pharos", "Sostratus did."), ("", "No.")]
    )
    packed = Packed.of([(one.ids, one.types) for one in inputs])
    with torch.inference_mode():
        found = torch.split(model.states(packed), list(packed.lengths))
        for one, states in zip(inputs, found, strict=True):
            ids, types = torch.tensor([one.ids]), torch.tensor([one.types])
            expected = reference(input_ids=ids, token_type_ids=types).last_hidden_state[0]
            torch.testing.assert_close(states, expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_makes_a_sequence_longer_than_its_limit(tokenizer, kind):
    text = hostile(kind, 50_000)
    (sequence,) = tokenizer.inputs(text[:2_000], [(text, text)])
    assert len(sequence.ids) <= 120
    # what is folded away counts as read
    assert sequence.read < len(text) or fold(text).text == text[:3]


def test_a_window_of_which_the_end_was_not_tokenised_was_not_read_to_its_end(tokenizer):
    window = " " * 32 * LONGEST + "z"
    (sequence,) = tokenizer.inputs("a", [("", window)])
    assert len(sequence.offsets) == 0
    assert sequence.tokens(Span(len(window) - 1, len(window))) is None


def test_the_best_spans_of_very_many_tokens_are_found():
    tokens = 100_000
    start, end = np.zeros(tokens, dtype=np.float32), np.zeros(tokens, dtype=np.float32)
    start[99_990], end[99_999] = 2.0, 1.0
    everywhere = np.ones(tokens, dtype=bool)
    assert best_spans(start, end, starts=everywhere, ends=everywhere, k=2) == [
        (99_990, 99_999, 3.0),
        (0, 0, 0.0),
    ]


def test_passages_are_judged_a_few_at_once_until_the_deadline(tokenizer):
    deadline = Deadline()

    class GivingUp(FixedScores):
        def forward(self, packed):
            if len(self.calls) == 1:
                deadline.give_up()
            return super().forward(packed)

    model = GivingUp({}, {})
    with pytest.raises(GivenUpError, match="'read'"):
        ReaderModel(model, tokenizer).judge("a", [("", "b")] * 12, deadline=deadline)
    assert [len(lengths) for lengths in model.calls] == [4, 4]


def pointable(tokenizer, window):
    """Every text that an answer in this window may be."""
    (one,) = tokenizer.inputs("a", [("b", window)])
    return {
        one.characters(int(start), int(end)).of(window)
        for start in np.flatnonzero(one.starts)
        for end in np.flatnonzero(one.ends)
        if start <= end and one.sentences[start] == one.sentences[end]
    }


@pytest.mark.parametrize(
    ("window", "whole", "parts"),
    [
        ("it is -5 °C now.", "-5 °C", {"5 °C", "5", "-5"}),
        ("use --web.enable-otlp now.", "--web.enable-otlp", {"web", "otlp", "enable-otlp"}),
        ("in /etc/app/settings.yaml now.", "/etc/app/settings.yaml", {"app", "settings.yaml", "/etc"}),
        ("he writes c++ or c# now.", "c++", {"c", "c+"}),
        ("by 52.4% of all.", "52.4%", {"52", "52.4", "4%"}),
    ],
)
def test_an_answer_holds_amounts_paths_flags_and_names_whole(tokenizer, window, whole, parts):
    found = pointable(tokenizer, window)
    assert whole in found
    assert not parts & found


def test_an_answer_stays_within_a_sentence(tokenizer):
    found = pointable(tokenizer, "He had hepatitis A. His wife had hepatitis B.")
    assert {"hepatitis A", "hepatitis B", "A", "His wife"} <= found
    assert not any("A. His" in answer for answer in found)


def test_the_best_span_within_a_sentence_is_taken_before_a_better_one_across_two():
    everywhere = np.ones(4, dtype=bool)
    start, end = (np.array(logits, dtype=np.float32) for logits in ([3, 0, 1, 0], [0, 0, 1, 5]))
    best = partial(best_spans, start, end, starts=everywhere, ends=everywhere, k=1)
    assert best() == [(0, 3, 8.0)]
    assert best(sentences=np.array([1, 1, 2, 2])) == [(2, 3, 6.0)]
