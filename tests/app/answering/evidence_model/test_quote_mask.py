from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from app.answering.evidence_model.evidence_input import EvidenceInput, EvidenceTokenizer
from app.answering.evidence_model.quote_mask import QuotedTokens, QuoteMask, parse_quoted
from retriever.types import Span

JOINED = ("((", ".>", ")>", "%(", ")%", "]%", "ab", "a]", "lighthouse")
"""What both toy tokenizers join, besides a space and the character after it."""


def bpe(pieces: list[str], *, space: str, **settings: bool) -> BPE:
    """Joins every piece of ``JOINED`` from its left to its right."""
    words = [*JOINED, f"{space}%", f"{space}a", f"{space}b"]
    beginnings = [word[:length] for word in words for length in range(2, len(word) + 1)]
    merges = list(dict.fromkeys((one[:-1], one[-1]) for one in beginnings))
    vocabulary = list(dict.fromkeys([*pieces, *beginnings]))
    return BPE(vocab={piece: n for n, piece in enumerate(vocabulary)}, merges=merges, **settings)


def byte_level() -> Tokenizer:
    """As SmolLM2's: every byte is a token, a space is "Ġ"."""
    tokenizer = Tokenizer(bpe(["<s>", *sorted(pre_tokenizers.ByteLevel.alphabet())], space="Ġ"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def byte_fallback() -> Tokenizer:
    """As Gemma's: characters are tokens, rare ones are spelt in bytes, a space is "▁"."""
    letters = [chr(code) for code in range(33, 127)] + ["\n", "▁", "é"]
    pieces = ["<s>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
    model = bpe(pieces, space="▁", unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return tokenizer


TOKENIZERS = {
    build.__name__: EvidenceTokenizer(
        PreTrainedTokenizerFast(
            tokenizer_object=build(), bos_token="<s>", clean_up_tokenization_spaces=False
        ),
        begin=[0],
    )
    for build in (byte_level, byte_fallback)
}
ALL = pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS)

WINDOWS = st.text("aabb .]%)[>\n\r\u0301é😀日", max_size=14)
PLAIN = st.text("ab .]%", max_size=9)
TITLES = st.text("aab ()%[]<>é", max_size=6)


@st.composite
def passages(draw):
    """Few titles and overlapping texts, so that both are often the same."""
    titles = draw(st.lists(TITLES, min_size=1, max_size=2))
    text = draw(WINDOWS)
    window = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(
        lambda cut: text[cut[0] : len(text) - cut[1]]
    )
    return draw(st.lists(st.tuples(st.sampled_from(titles), window | WINDOWS), max_size=3))


def flat(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in text)


def quoted_by(found: QuotedTokens, prompt: EvidenceInput) -> str:
    window = prompt.windows[int(prompt.passages[found.first])]
    return prompt.characters(found.first, found.last).of(window)


def written_at_random(mask: QuoteMask, random: Random) -> tuple[list[int], QuotedTokens] | None:
    """What a model writes whose logits are random."""
    phase, ids = mask.start(), []
    while phase is not None:
        assert phase.allowed
        assert phase.allowed <= mask.ids
        ids.append(max(sorted(phase.allowed), key=lambda _: random.random()))
        phase = phase.after(ids[-1])
        if isinstance(phase, QuotedTokens):
            return ids, phase
    return None


def follow(phase, ids: list[int]):
    """Where tokens lead that must all be allowed."""
    for id_ in ids:
        assert id_ in phase.allowed, (id_, phase)
        phase = phase.after(id_)
    return phase


def quotes(mask: QuoteMask, phase) -> set[tuple[int, ...]]:
    """Every quote's tokens that can be written from here on, to the stop."""
    found, left = set(), [(phase, ())]
    while left:
        phase, ids = left.pop()
        if isinstance(phase, QuotedTokens):
            found.add(ids[: -len(mask.places.closing)])
            assert ids[: -len(mask.places.closing)] == mask.places.ids[phase.first : phase.last + 1]
        else:
            left += [(phase.after(id_), (*ids, id_)) for id_ in phase.allowed]
    return found


@ALL
@settings(deadline=None)
@given(passages(), st.integers(1, 5), st.integers(1, 6), st.integers(0, 999))
@example([("a", "a ab"), ("a", "ab a")], 3, 2, 0)
@example([("", "a")], 1, 1, 0)
@example([("a)%[b", "a"), ("a", "😀 b")], 5, 4, 0)
def test_whatever_the_logits_the_answer_parses_and_its_quote_is_verbatim(
    tokenizer, shown, claim_tokens, quote_tokens, seed
):
    prompt = tokenizer.input("who", shown, quoted=True)
    mask = QuoteMask(tokenizer, prompt, claim_tokens=claim_tokens, quote_tokens=quote_tokens)
    written = written_at_random(mask, Random(seed))
    if written is None:
        assert not any(")%[" not in prompt.titles[prompt.passages[place]] for place in mask.places.opening)
        return
    ids, found = written
    parsed = parse_quoted(tokenizer.text(ids))
    number = int(prompt.passages[found.first])
    assert number == prompt.passages[found.last]
    assert parsed.claim.replace("\ufffd", "").strip() == found.claim != ""
    assert parsed.title == prompt.titles[number].strip()
    assert parsed.quote == flat(quoted_by(found, prompt)) != ""
    assert found.last - found.first < quote_tokens


@ALL
@settings(deadline=None)
@given(st.lists(PLAIN, max_size=3), st.integers(1, 5))
@example(["a]% b", "a]%"], 3)
@example(["b b b", "b b"], 4)
def test_every_run_of_whole_words_within_the_limit_can_be_quoted_and_nothing_else(tokenizer, windows, limit):
    prompt = tokenizer.input("who", [("T", window) for window in windows], quoted=True)
    mask = QuoteMask(tokenizer, prompt, quote_tokens=limit)
    evidence = [prompt.ids[place] for place in prompt.places]
    expected = {
        tuple(evidence[first : last + 1])
        for first in np.flatnonzero(prompt.starts)
        for last in np.flatnonzero(prompt.ends)
        if first <= last < first + limit and prompt.passages[first] == prompt.passages[last]
    }
    phase = mask.start()
    assert (phase is not None) == bool(expected)
    if phase is not None:
        assert quotes(mask, follow(phase, tokenizer.ids(" %<T>%(T)%["))) == expected


@ALL
@pytest.mark.parametrize("claim", ["ab", "a b.", "b (a)", "é", "b😀", "lighthouse"])
@pytest.mark.parametrize("title", ["ab", "(a) b", "b (a)", "", "%"])
def test_what_training_writes_is_allowed(tokenizer, claim, title):
    prompt = tokenizer.input("who", [("other", "a b"), (title, f"X {claim} b. a")], quoted=True)
    first, last = prompt.tokens(1, Span(2, 2 + len(claim)))
    mask = QuoteMask(tokenizer, prompt)
    found = follow(mask.start(), tokenizer.quoted_answer(claim, prompt, first, last))
    assert found == QuotedTokens(claim, first, last, cut=False)


@ALL
def test_passages_with_one_title_can_all_be_quoted(tokenizer):
    shown = [("T", "ab"), ("other", "b b"), ("T", "b ab")]
    mask = QuoteMask(tokenizer, tokenizer.input("who", shown, quoted=True))
    found = quotes(mask, follow(mask.start(), tokenizer.ids(" %<T>%(T)%[")))
    assert {tokenizer.text(ids).strip() for ids in found} == {"ab", "b", "b ab"}


@ALL
def test_of_equal_quotes_the_first_is_meant(tokenizer):
    shown = [("other", "ab"), ("T", "b ab"), ("T", "ab ab")]
    prompt = tokenizer.input("who", shown, quoted=True)
    ids = tokenizer.quoted_answer("a", prompt, *prompt.tokens(2, Span(3, 5)))
    found = follow(QuoteMask(tokenizer, prompt).start(), ids)
    assert (found.first, found.last) == prompt.tokens(1, Span(2, 4))


@ALL
def test_a_claim_ends_at_its_limit_and_says_so(tokenizer):
    prompt = tokenizer.input("who", [("T", "b b b b")], quoted=True)
    mask = QuoteMask(tokenizer, prompt, claim_tokens=2)
    phase = follow(mask.start(), tokenizer.ids(" %<b b"))
    assert phase.allowed == set(tokenizer.ids(">"))
    found = follow(phase, [*tokenizer.ids(">%(T)%["), *tokenizer.ids(" b"), *tokenizer.ids("]%\n")])
    assert found == QuotedTokens("b b", 0, 0, cut=True)


@ALL
def test_a_quote_ends_at_its_limit_and_says_so(tokenizer):
    prompt = tokenizer.input("who", [("T", "b b b")], quoted=True)
    for limit, cut in ((2, True), (3, False)):
        phase = QuoteMask(tokenizer, prompt, quote_tokens=limit).start()
        begun = follow(phase, [*tokenizer.ids(" %<T>%(T)%["), *tokenizer.ids(" b b")])
        assert (tokenizer.ids(" b")[0] in begun.allowed) is not cut
        assert follow(begun, tokenizer.ids("]%\n")).cut is cut


@ALL
def test_a_claim_is_never_blank(tokenizer):
    prompt = tokenizer.input("who", [("T", "b 日 b")], quoted=True)
    mask = QuoteMask(tokenizer, prompt, claim_tokens=3)
    blank = follow(mask.start(), [*tokenizer.ids(" %<"), *tokenizer.ids("日")[:2]])  # two bytes of three
    assert not blank.allowed & set(tokenizer.ids(">"))
    assert all(tokenizer.text([id_]).strip() for id_ in blank.allowed)


@ALL
@pytest.mark.parametrize(
    ("shown", "limit"),
    [
        ([], 9),
        ([("T", "")], 9),
        ([("T", " \r\n"), ("T", "")], 9),
        ([("T", "éépéé")], 3),
        ([("a)%[b", "b")], 9),
    ],
    ids=["no-passage", "empty", "blank", "longer-than-the-limit", "ambiguous-title"],
)
def test_where_nothing_can_be_quoted_there_is_no_beginning(tokenizer, shown, limit):
    mask = QuoteMask(tokenizer, tokenizer.input("who", shown, quoted=True), quote_tokens=limit)
    assert mask.start() is None


@pytest.mark.parametrize("limits", [{"claim_tokens": 0}, {"quote_tokens": 0}])
def test_a_limit_of_nothing_is_refused(limits):
    tokenizer = TOKENIZERS["byte_level"]
    with pytest.raises(ValueError, match="at least one token"):
        QuoteMask(tokenizer, tokenizer.input("who", [], quoted=True), **limits)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (" %<1698>%(Eddystone)%[ It was built in 1698.]%\n", ("1698", "Eddystone", "It was built in 1698.")),
        ("%<a > b>%((a) %)%[[1] c]%]%", ("a > b", "(a) %", "[1] c]%")),
        ("%<a>%()%[c]%", ("a", "", "c")),
        ("%<a>%(b)%[c)%[d]%", ("a", "b", "c)%[d")),
        ("%<a>%(b)%[c]% and more", None),
        ("well, %<a>%(b)%[c]%", None),
        ("%<a>%(b)%[c", None),
        ("%<a>%[c]%", None),
        ("%<a)%[>%(b]%", None),
        ("%< >%(b)%[c]%", None),
        ("%<a>%(b)%[ ]%", None),
        ("not in the passages", None),
        ("", None),
    ],
)
def test_a_text_parses_into_three_parts_or_not_at_all(text, parts):
    assert parse_quoted(text) == parts
