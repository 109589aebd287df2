import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from app.answering.evidence_model.evidence_input import EvidenceTokenizer
from app.answering.evidence_model.quote_mask import QuotedTokens, QuoteMask, parse_quoted
from app.answering.language_models.gguf_conversion import converted
from app.answering.limits import EVIDENCE_TOKENS, QUESTION_TOKENS, TITLE_TOKENS
from benchmarks.hostile_texts import KINDS, hostile
from common.packaged import LANGUAGE_MODELS, default_cache_dir
from retriever.text.folding import fold
from retriever.text.sentences import splits_character
from retriever.types import Span

pytestmark = pytest.mark.models

WINDOWS = st.text("aaAB\u0301\u200d😀👩日\r\n\u2028\u00a0\t .'<>%", max_size=24)
SAMPLES = [
    "the",
    "tower",
    "Café",
    "cafe\u0301",
    "😀",
    "1698.",
    "(b)",
    "\r\n",
    " ",
    "\n\n",
    "日本",
    "<bos>",
    "<table>",
]
WORDS = st.lists(st.sampled_from(SAMPLES), max_size=20).map(" ".join)
ANY = (WINDOWS | WORDS).filter(lambda text: fold(text).text == text)
"""What is folded before it is read has a test of its own."""
HARD = "a\u0301 👩\u200d🔬\r\n <bos><table>日  𒀀."


@pytest.fixture(scope="module", params=LANGUAGE_MODELS.values(), ids=lambda model: model.name)
def tokenizer(request) -> EvidenceTokenizer:
    folder = converted(request.param.paths(), request.param.sha256, default_cache_dir())
    return EvidenceTokenizer(AutoTokenizer.from_pretrained(folder), begin=[])


@pytest.fixture(scope="module")
def hurried(tokenizer) -> EvidenceTokenizer:
    """One that reads five tokens of each window."""
    return EvidenceTokenizer(tokenizer._tokenizer, begin=[], evidence_tokens=5)


def flat(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in text)


def spans_of(window: str) -> st.SearchStrategy[Span]:
    ends = st.integers(0, len(window))
    return st.tuples(ends, ends).map(sorted).filter(lambda cut: cut[0] < cut[1]).map(lambda cut: Span(*cut))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["T", "a\nb", ""]), ANY), max_size=3))
@example([("T", HARD), ("<bos>", ""), ("T", HARD)])
def test_a_prompt_is_its_pieces_and_says_where_the_evidence_stands(tokenizer, passages):
    prompt = tokenizer.input("who  was\nit", passages)
    read = "".join(f"Passage: {' '.join(title.split())}: {flat(window)}\n" for title, window in passages)
    asked = "Question: Who was it?\n"
    assert tokenizer.text(prompt.ids) == f"{asked}{read}{asked}Answer:"
    for number, (_, window) in enumerate(passages):
        of = [prompt.ids[place] for place in prompt.places[prompt.passages == number]]
        assert tokenizer.text(of) == f" {flat(window)}"


@settings(deadline=None)
@given(ANY)
@example(HARD)
def test_every_character_is_a_tokens_and_tokens_stand_in_order(tokenizer, window):
    prompt = tokenizer.input("who", [("T", window)])
    starts, ends = prompt.offsets.T
    assert (starts <= ends).all()
    assert (np.diff(starts) >= 0).all()
    assert (np.diff(ends) >= 0).all()
    covered = {place for start, end in prompt.offsets for place in range(start, end)}
    assert covered <= set(range(len(window)))
    assert covered >= {place for place, character in enumerate(window) if not character.isspace()}
    for start, end in prompt.offsets:
        assert not window[start:end][:1].isspace()


def within(window, place):
    """Whether this place is inside a word or a visible character."""
    word = 0 < place < len(window) and window[place - 1].isalnum() and window[place].isalnum()
    return word or splits_character(window, place)


@settings(deadline=None)
@given(ANY)
@example(HARD)
@example("a \U0001f6f7 b")
def test_words_begin_and_end_at_their_edges(tokenizer, window):
    prompt = tokenizer.input("who", [("T", window)])
    spans = [(int(start), int(end)) for start, end in prompt.offsets]
    for place, (start, end) in enumerate(spans):
        first = place == 0 or spans[place - 1][1] <= start  # of the tokens that spell a character
        last = place + 1 == len(spans) or end <= spans[place + 1][0]
        assert prompt.starts[place] == (start < end and first and not within(window, start))
        assert prompt.ends[place] == (start < end and last and not within(window, end))


@settings(deadline=None)
@given(ANY, ANY, st.data())
def test_tokens_asked_for_by_characters_hold_all_of_them_and_no_token_too_many(
    tokenizer, before, window, data
):
    assume(window)
    span = data.draw(spans_of(window))
    prompt = tokenizer.input("who", [("T", before), ("T", window)])
    found = prompt.tokens(1, span)
    if found is None:
        assert not span.of(window).strip()
        return
    first, last = found
    assert prompt.passages[first] == prompt.passages[last] == 1
    touched = [prompt.offsets[first], prompt.offsets[last]]
    assert all(start < span.end and end > span.start for start, end in touched)
    outside = [*range(first), *range(last + 1, len(prompt.places))]
    inside = {
        place
        for token in outside
        if prompt.passages[token] == 1
        for place in range(*prompt.offsets[token])
        if span.start <= place < span.end
    }
    assert not inside
    if span.of(window).strip():
        back = prompt.characters(first, last)
        assert span.of(window).strip() in back.of(window)
        assert back.start <= span.start + len(span.of(window)) - len(span.of(window).lstrip())
        assert back.end >= span.start + len(span.of(window).rstrip())


@settings(deadline=None)
@given(ANY, st.data())
@example(HARD, None)
def test_characters_of_tokens_are_a_verbatim_run_that_parts_no_character(tokenizer, window, data):
    prompt = tokenizer.input("who", [("T", window)])
    seen = [token for token, (start, end) in enumerate(prompt.offsets) if start < end]
    assume(seen)
    pair = sorted([seen[0], seen[-1]] if data is None else data.draw(st.tuples(*[st.sampled_from(seen)] * 2)))
    span = prompt.characters(*pair)
    quote = span.of(window)
    assert flat(quote) in flat(window)
    assert quote == quote.strip() or splits_character(quote, 1)  # a space that carries a mark is seen
    assert not splits_character(window, span.start)
    assert not splits_character(window, span.end)
    assert span.start <= prompt.offsets[pair[0], 0]
    assert span.end >= prompt.offsets[pair[1], 1]


@settings(deadline=None)
@given(WORDS)
@example("one two three four five six seven")
def test_what_was_not_read_has_no_tokens(hurried, window):
    prompt = hurried.input("who", [("T", window)])
    assert len(prompt.places) <= 5
    read = int(prompt.offsets[:, 1].max())
    if window[read:].strip():
        assert prompt.tokens(0, Span(0, len(window))) is None
        assert prompt.tokens(0, Span(read, len(window))) is None
    if window[:read].strip():
        assert prompt.tokens(0, Span(0, read)) is not None


def test_questions_and_titles_have_their_limits(tokenizer):
    long = "word " * 200
    prompt = tokenizer.input(long, [(long, "a b")])
    assert len(tokenizer.ids(prompt.titles[0])) <= TITLE_TOKENS
    assert len(prompt.ids) <= 2 * QUESTION_TOKENS + TITLE_TOKENS + 40
    assert long.startswith(prompt.titles[0])


@settings(deadline=None)
@given(
    ANY, st.sampled_from(["T", "a (b)", "(a) b?", "日本", "%"]), st.sampled_from(["a", "U.S.", "Café", "(b)"])
)
@example(HARD, "(T)", "a")
def test_a_quoted_answer_is_the_syntax_with_the_evidence_as_it_stands(tokenizer, window, title, claim):
    prompt = tokenizer.input("who", [("other", "a b"), (title, window)], quoted=True)
    of = [
        token for token in np.flatnonzero(prompt.passages == 1) if prompt.starts[token] or prompt.ends[token]
    ]
    assume(of)
    first, last = int(of[0]), int(of[-1])
    text = tokenizer.text(tokenizer.quoted_answer(claim, prompt, first, last))
    assert text.startswith(f" %<{claim}>%({title})%[")
    assert text.endswith("]%\n")
    parsed = parse_quoted(text)
    if parsed is not None and "\ufffd" not in text:
        assert parsed[:2] == (claim, title)
        assert parsed.quote in flat(fold(window).text)


def test_what_training_writes_the_mask_allows(tokenizer):
    window = "It stands on a reef. Henry Winstanley (b. 1644) built the “first” tower in 1698. It fell."
    for claim in ("1698", "Henry Winstanley", "Henry Winstanley (b. 1644)", "in 1698.", "“first” tower"):
        for title in ("Eddystone Lighthouse", "(What's) up?", "Reef (rock)", "C++", "50%"):
            prompt = tokenizer.input("who", [("Pharos", window), (title, window)], quoted=True)
            first, last = prompt.tokens(1, Span(21, 80))
            phase = QuoteMask(tokenizer, prompt).start()
            for id_ in tokenizer.quoted_answer(claim, prompt, first, last):
                assert id_ in phase.allowed
                phase = phase.after(id_)
            assert phase == QuotedTokens(claim, first, last, cut=False)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_becomes_more_tokens_than_its_limit(tokenizer, kind):
    text = hostile(kind, 50_000)
    prompt = tokenizer.input(text[:2_000], [(text, text), (text, text)])
    assert len(prompt.places) <= 2 * EVIDENCE_TOKENS
    assert len(prompt.ids) <= 2 * QUESTION_TOKENS + 2 * (TITLE_TOKENS + EVIDENCE_TOKENS) + 40


def test_a_window_is_read_folded_and_pointed_at_as_it_stands(tokenizer):
    folded = tokenizer.input("who?", [("Title", "by Henrik, officer")])
    window = "by Hen\u00adrik, of\ufb01cer"
    prompt = tokenizer.input("who?", [("Ti\u00adtle", window)])
    assert prompt.ids == folded.ids
    assert list(prompt.starts) == list(folded.starts)
    first, last = prompt.tokens(0, Span(3, 10))
    assert prompt.characters(first, last).of(window) == "Hen\u00adrik"
