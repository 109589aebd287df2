import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from quote_check import nearest as module
from quote_check.folding import folded
from quote_check.nearest import LONGEST, nearest
from quote_check.searched_text import SearchedText
from retriever.text.sentences import splits_character
from retriever.types import Document, Span
from tests.growth import assert_linear

ALPHABET = "aab ccE.\n'\"’“-–…\u0301\u0327éÉßİﬁ\u00ad\u200b\u00a0😀👍\U0001f3fd\u200d가ᄀ\u1161Ⅳ"
texts = st.text(ALPHABET, max_size=40)
TEXT = (
    "Été: the ﬁrst “ﬂame” of 😀 1698 – a cafe\u0301 in\u00a0the  harbour, said Zoë. It burned for five days."
)


def near(quote, text, *, above=0.0):
    return nearest(quote, [SearchedText(Document("d", "D", text))], above=above)


def long_text(words=30_000):
    rng = random.Random(0)
    return " ".join(f"word{rng.randrange(9_000)}" for _ in range(words))


@given(texts, texts, st.sampled_from([0.0, 0.5, 0.9]))
def test_a_likeness_is_that_of_the_span_shown(quote, text, above):
    found = near(quote, text, above=above)
    if found is not None:
        assert not splits_character(text, found.span.start)
        assert not splits_character(text, found.span.end)
        assert above < found.likeness <= 1
        assert found.likeness == fuzz.ratio(folded(quote), folded(found.span.of(text))) / 100


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ("in the big harbour, said Zoë", "in\u00a0the  harbour, said Zoë."),
        ("burned for fifteen days", "burned for five days."),
        ("It was burned for five long days.", "It burned for five days."),
    ],
)
def test_a_merely_similar_place_has_whole_words(quote, shown):
    found = near(quote, TEXT)
    assert found.span.of(TEXT) == shown
    assert 0.8 < found.likeness < 1


def test_text_without_spaces_is_compared_character_by_character():
    text = "東京は日本の首都であり世界最大の都市の一つとして知られている。" * 3
    found = near("首都であり世界で最大の都市", text)
    assert found.span.of(text) == "首都であり世界最大の都市"
    assert found.likeness == pytest.approx(26 / 28)  # で is two characters, decomposed


def test_a_long_quote_is_put_where_its_words_stand():
    words = [f"word{number}" for number in range(400)]
    text = " ".join(words)
    changed = " ".join([*words[100:200], "changed", *words[201:300]])
    assert len(changed) > 1000
    found = near(changed, text)
    assert found.span.of(text) == " ".join(words[100:300])
    assert 0.98 < found.likeness < 1


@pytest.mark.parametrize("length", [8, 40, 300])
def test_in_a_long_text_the_true_place_is_found(length):
    text = long_text()
    words = text.split()
    for start in (0, 12_345, len(words) - length):
        quoted = words[start : start + length]
        meant = " ".join(quoted)
        quoted[length // 2] = "another"
        found = near(" ".join(quoted), text)
        assert found.span.of(text) == meant
        assert found.likeness > 0.8


def test_a_part_of_a_document_counts_in_the_document():
    text = f"{'before ' * 50}the tower fell into the sea{' after' * 50}"
    start = text.index("the tower")
    found = nearest("the tower felt into the sea", [SearchedText(Document("d", "", text), Span(300, 450))])
    assert found.span == Span(start, start + len("the tower fell into the sea"))


def test_what_a_very_long_quote_has_beyond_the_limit_counts_as_different():
    text = long_text()
    quote = text[: 2 * LONGEST]
    found = near(f"{quote[:500]}x{quote[501:]}", text)
    assert 0.6 < found.likeness < 0.7


@pytest.mark.parametrize(
    "hostile",
    [
        lambda n: ("b" * 3 * n, "a" * 200 * n),
        lambda n: ("a" * 5 * n + "b", "a" * 200 * n),
        lambda n: ("a " * 2 * n, "a" * 200 * n),
        lambda n: ("東京" * 2 * n, "東" * 50 * n),
        lambda n: ("ab " * 3 * n + "cd", "ab " * 66 * n),
        lambda n: ("e\u0301" * 3 * n, "\u0301" * 100 * n),
    ],
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(hostile):
    assert_linear(lambda size: near(*hostile(size)), 1000)


def test_nothing_is_near_nothing():
    assert near("", "text") is None
    assert near("\u00ad", "text") is None
    assert near("text", "") is None
    assert near("日本", "text") is None
    assert near("text", "text", above=1.0) is None


@pytest.mark.parametrize("size", [12, 300])
def test_of_many_texts_only_the_likeliest_places_are_compared(monkeypatch, size):
    compared = []
    compare = module._in_window
    monkeypatch.setattr(module, "_in_window", lambda *given: compared.append(given) or compare(*given))
    rng = random.Random(1)
    texts = [" ".join(f"word{rng.randrange(500)}" for _ in range(200 + size)) for _ in range(50)]
    words = texts[37].split()[100 : 100 + size]
    words[size // 2] = "another"
    found = nearest(
        " ".join(words), [SearchedText(Document(str(n), "", text)) for n, text in enumerate(texts)]
    )
    assert found.searched.document.doc_id == "37"
    assert found.likeness > 0.9
    assert len(compared) <= 4


def test_a_long_quote_ends_where_its_words_do():
    words = [f"word{number * 7919 % 10_007}" for number in range(600)]
    found = near(" ".join([*words[200:300], *words[305:400]]), " ".join(words))
    assert found.span.of(" ".join(words)) == " ".join(words[200:400])
