import math

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from app.answering.evidence_model.adapted_lm import AdaptedLM, PrefilledEvidence, _Words
from app.answering.evidence_model.citation_head import CitationHead
from app.answering.evidence_model.evidence_input import NO_ANSWER, EvidenceTokenizer
from app.answering.evidence_model.quote_mask import QuotedTokens, QuoteMask, parse_quoted
from benchmarks.hostile_texts import KINDS, hostile
from common.deadline import Deadline
from common.errors import GivenUpError, InvalidRequestError
from tests.tiny_models import FAMILIES, HIDDEN, randomise

PASSAGES = (
    ("Eddystone", "It stands on a reef. 😀 Winstanley\r\nbuilt the first tower in 1698."),
    ("Pharos", "Sostratus of Cnidus\u0301 is named as its architect; a cafe\u0301 is not."),
)
QUESTION = "who built the first tower"
ANSWERS = ["in 1698", "Sostratus of Cnidus", "a reef", "is"]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny models are quickest on one thread, above all beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tokenizer() -> PreTrainedTokenizerFast:
    """Every byte is a token, and so are some words with the space before them."""
    words = ["Ġ%", ")%", "]%", ".>", "Ġthe", "Ġtower", "Ġin", "Ġis"]
    beginnings = [word[:length] for word in words for length in range(2, len(word) + 1)]
    tokens = list(dict.fromkeys(["<s>", *sorted(pre_tokenizers.ByteLevel.alphabet()), *beginnings]))
    merges = list(dict.fromkeys((one[:-1], one[-1]) for one in beginnings))
    backend = Tokenizer(BPE(vocab={token: n for n, token in enumerate(tokens)}, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", clean_up_tokenization_spaces=False
    )


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda build: build.__name__)
def lm(request) -> AdaptedLM:
    torch.manual_seed(5)
    words, head = tokenizer(), CitationHead(HIDDEN, 8)
    randomise(head)
    return AdaptedLM(request.param(len(words)), EvidenceTokenizer(words, begin=[0]), head.eval())


@pytest.fixture(scope="module")
def evidence(lm) -> PrefilledEvidence:
    return lm.read(QUESTION, PASSAGES)


@pytest.fixture(scope="module")
def quoting(lm) -> PrefilledEvidence:
    return lm.read(QUESTION, PASSAGES, quoted=True)


@torch.inference_mode()
def states(lm: AdaptedLM, ids) -> torch.Tensor:
    """The last layer's, (tokens, hidden), of one pass over all tokens: nothing cached, nothing batched."""
    return lm.model.model(input_ids=torch.tensor([list(ids)]), use_cache=False).last_hidden_state[0]


@torch.inference_mode()
def logprobs(lm: AdaptedLM, ids, words) -> torch.Tensor:
    """(tokens, vocabulary): of what follows each token, by these words; minus infinity for others."""
    logits = lm.model(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0].float()
    allowed = torch.full_like(logits, -torch.inf)
    allowed[:, sorted(words)] = 0.0
    return (logits + allowed).log_softmax(-1)


def summed(lm: AdaptedLM, prompt, answer, words) -> float:
    """The logarithm of an answer's probability after a prompt."""
    found = logprobs(lm, [*prompt, *answer], words)[len(prompt) - 1 : -1]
    return float(found.gather(1, torch.tensor(answer)[:, None]).sum())


def words_of(lm: AdaptedLM, evidence: PrefilledEvidence) -> set[int]:
    """The tokens that can occur in an answer."""
    return {*evidence.prompt.ids, *lm.tokenizer.answer(NO_ANSWER)}


def likeliest(lm: AdaptedLM, prompt, words, tokens: int) -> list[int]:
    """The greedy answer, each token by a pass over everything before it."""
    written: list[int] = []
    while len(written) < tokens and written[-1:] != lm.tokenizer.ids("\n"):
        written.append(int(logprobs(lm, [*prompt, *written], words)[-1].argmax()))
    return written


def test_the_greedy_answer_is_that_of_whole_passes(lm, evidence):
    words, prompt = words_of(lm, evidence), evidence.prompt.ids
    expected = likeliest(lm, prompt, words, 12)
    (found,) = evidence.write(max_tokens=12)
    assert found.text == lm.tokenizer.text(expected).strip()
    assert found.tokens == len(expected)
    assert found.finished is (expected[-1:] == lm.tokenizer.ids("\n"))
    assert found.logprob == pytest.approx(summed(lm, prompt, expected, words), abs=1e-3)


def test_a_given_answer_scores_what_one_pass_over_prompt_and_answer_says(lm, evidence):
    for answer, found in zip(ANSWERS, evidence.score(ANSWERS), strict=True):
        ids = lm.tokenizer.answer(answer)
        expected = summed(lm, evidence.prompt.ids, ids, words_of(lm, evidence))
        assert found.logprob == pytest.approx(expected, abs=1e-3)
        assert (found.text, found.tokens, found.finished) == (answer, len(ids), True)


def test_an_answer_in_words_of_its_own_is_scored_by_those_too(lm, evidence):
    ids = lm.tokenizer.answer("Zürich")
    words = words_of(lm, evidence)
    assert not words >= set(ids)
    (found,) = evidence.score(["Zürich"])
    assert found.logprob == pytest.approx(summed(lm, evidence.prompt.ids, ids, words | set(ids)), abs=1e-3)


def test_scores_do_not_depend_on_the_rows_beside_them(evidence):
    together = evidence.score(ANSWERS)
    alone = [evidence.score([answer])[0] for answer in ANSWERS]
    assert [one.logprob for one in together] == pytest.approx([one.logprob for one in alone], abs=1e-3)
    assert [one.pointed.null for one in together] == pytest.approx(
        [one.pointed.null for one in alone], abs=1e-4
    )
    assert [one.pointed.right for one in together] == pytest.approx(
        [one.pointed.right for one in alone], abs=1e-4
    )
    assert len({round(one.pointed.right, 3) for one in alone}) == len(ANSWERS)
    for one, other in zip(together, alone, strict=True):
        assert [span[:2] for span in one.pointed.spans] == [span[:2] for span in other.pointed.spans]


def test_no_answers_have_no_scores(evidence):
    assert evidence.score([]) == []


def test_the_head_judges_and_points_from_the_state_of_the_answers_last_token(lm, evidence):
    prompt = evidence.prompt
    answer = lm.tokenizer.answer("in 1698")[:-1]
    (found,) = evidence.score(["in 1698"])
    whole = states(lm, [*prompt.ids, *answer])
    with torch.inference_mode():
        logits = lm.head(whole[-1:], whole[torch.tensor(prompt.places)])
    state = torch.nn.functional.layer_norm(whole[-1], whole.shape[-1:])
    by_hand = float((lm.head.right.weight[0] @ state + lm.head.right.bias).detach())
    assert found.pointed.right == pytest.approx(1 / (1 + math.exp(-by_hand)), abs=1e-4)
    start = torch.cat([logits.start[0], logits.null[0, :1]]).softmax(-1)
    end = torch.cat([logits.end[0], logits.null[0, 1:]]).softmax(-1)
    assert found.pointed.null == pytest.approx(float(start[-1] * end[-1]), abs=1e-4)
    best = max(
        float(start[first] * end[last])
        for first in range(len(prompt.places))
        for last in range(first, min(first + 30, len(prompt.places)))
        if prompt.starts[first] and prompt.ends[last] and prompt.passages[first] == prompt.passages[last]
    )
    assert found.pointed.spans[0][2] == pytest.approx(best, abs=1e-4)


def test_what_is_pointed_at_is_whole_words_of_a_window_best_first(evidence):
    for found in evidence.score(ANSWERS):
        spans = found.pointed.spans
        assert spans
        assert [one[2] for one in spans] == sorted((one[2] for one in spans), reverse=True)
        assert found.pointed.null + sum(one[2] for one in spans) <= 1 + 1e-5
        for number, span, _ in spans:
            window = PASSAGES[number][1]
            assert span.of(window) == span.of(window).strip()
            for place in (span.start, span.end):
                assert not (window[place - 1 : place].isalnum() and window[place : place + 1].isalnum())
                assert window[place : place + 1] != "\u0301"


def test_spans_pointed_at_share_no_character(lm):
    windows = [text.encode("ascii", "ignore").decode() for _, text in PASSAGES]
    for found in lm.read(QUESTION, [("T", window) for window in windows]).score(ANSWERS):
        places = [
            (number, place)
            for number, span, _ in found.pointed.spans
            for place in range(span.start, span.end)
        ]
        assert len(places) == len(set(places))


def test_every_passage_has_its_best_spans(evidence):
    for found in evidence.score(ANSWERS):
        assert {number for number, _, _ in found.pointed.spans} == set(range(len(PASSAGES)))


def test_more_than_the_model_can_read_is_a_sentence(lm, monkeypatch):
    monkeypatch.setattr(lm.model.config, "max_position_embeddings", 40)
    with pytest.raises(
        InvalidRequestError, match=r"take \d+ tokens, but the language model reads at most 40: ask"
    ):
        lm.read(QUESTION, PASSAGES)


def test_nothing_read_backs_nothing(lm):
    (found,) = lm.read(QUESTION, []).score(["1698"])
    assert found.pointed.null == 1.0
    assert found.pointed.spans == ()


def test_greedy_answers_side_by_side_are_all_the_same(evidence):
    (alone,) = evidence.write(max_tokens=8)
    for one in evidence.write(3, max_tokens=8):
        assert (one.text, one.tokens, one.finished) == (alone.text, alone.tokens, alone.finished)
        assert one.logprob == pytest.approx(alone.logprob, abs=1e-3)


def test_a_sample_does_not_depend_on_the_rows_beside_it(evidence):
    settings = {"max_tokens": 20, "temperature": 2.0, "seed": 3}
    (alone,) = evidence.write(**settings)
    together = evidence.write(5, **settings)
    assert (together[0].text, together[0].tokens) == (alone.text, alone.tokens)
    assert together[0].logprob == pytest.approx(alone.logprob, abs=1e-3)
    assert together[0].pointed.null == pytest.approx(alone.pointed.null, abs=1e-4)
    assert len({one.text for one in together}) > 1


def test_a_finished_row_stays_as_it_is_while_others_go_on(evidence):
    """So hot that every token is drawn evenly, the stop too."""
    settings = {"max_tokens": 40, "temperature": 1000.0}
    drawn = ((seed, evidence.write(seed=seed, **settings)[0]) for seed in range(50))
    seed, alone = next((seed, one) for seed, one in drawn if one.finished and 1 < one.tokens < 20)
    first, *others = evidence.write(6, seed=seed, **settings)
    assert max(one.tokens for one in others) > first.tokens
    assert (first.text, first.tokens, first.finished) == (alone.text, alone.tokens, True)
    assert first.logprob == pytest.approx(alone.logprob, abs=1e-3)
    assert first.pointed.null == pytest.approx(alone.pointed.null, abs=1e-4)
    assert [one[:2] for one in first.pointed.spans] == [one[:2] for one in alone.pointed.spans]
    assert all(one.finished or one.tokens == 40 for one in others)


def test_writing_leaves_what_was_read_as_it_was(evidence):
    first = evidence.write(max_tokens=6)
    evidence.write(4, max_tokens=9, temperature=1.0)
    evidence.score(ANSWERS)
    assert evidence.write(max_tokens=6) == first


@pytest.mark.parametrize("drafts", ["itself", "beginning", "longer", "another", "all"])
def test_drafts_change_nothing_but_the_time(lm, drafts):
    whole = lm.read(QUESTION, PASSAGES)
    greedy = whole.write(max_tokens=6)[0]
    said = {
        "itself": [greedy.text],
        "beginning": [greedy.text[:3]],
        "longer": [greedy.text + " tower is"],
        "another": ["Sostratus"],
        "all": [greedy.text + " tower", greedy.text[:5], "is", greedy.text],
    }[drafts]
    fresh = lm.read(QUESTION, PASSAGES)
    fresh.score(said)
    (found,) = fresh.write(max_tokens=6)
    assert (found.text, found.tokens, found.finished) == (greedy.text, greedy.tokens, greedy.finished)
    assert found.logprob == pytest.approx(greedy.logprob, abs=1e-3)
    assert found.pointed.null == pytest.approx(greedy.pointed.null, abs=1e-4)
    assert [one[:2] for one in found.pointed.spans] == [one[:2] for one in greedy.pointed.spans]


def test_an_answer_that_was_scored_is_written_without_another_look(lm, monkeypatch):
    evidence, stop = lm.read(QUESTION, PASSAGES), lm.tokenizer.ids("\n")[0]
    evidence.score(["a reef"])
    script = lm.tokenizer.answer("a reef")
    wanted = iter(script)
    monkeypatch.setattr(_Words, "logprobs", lambda self, states: self.sure_of(next(wanted), len(states)))
    monkeypatch.setattr(_Words, "sure_of", _sure_of, raising=False)
    looks = []
    monkeypatch.setattr(lm.model.model, "forward", lambda **_: looks.append(1))
    (found,) = evidence.write(max_tokens=30)
    assert (found.text, found.tokens, found.finished) == ("a reef", len(script), script[-1] == stop)
    assert looks == []


def _sure_of(words, id_, rows):
    """Log-probabilities that leave no doubt."""
    found = torch.full((rows, len(words._ids)), -100.0)
    found[:, words._places[id_]] = 0.0
    return found


def test_a_deadline_that_has_passed_leaves_one_token(evidence):
    (found,) = evidence.write(max_tokens=9, deadline=Deadline.after(-1))
    assert (found.tokens, found.finished) == (1, False)


@pytest.mark.parametrize("limits", [(6, 9), (1, 64), (32, 3)])
def test_the_quoted_answer_is_the_likeliest_under_the_mask_by_whole_passes(lm, quoting, limits):
    claim_tokens, quote_tokens = limits
    prompt = quoting.prompt
    mask = QuoteMask(lm.tokenizer, prompt, claim_tokens=claim_tokens, quote_tokens=quote_tokens)
    words = words_of(lm, quoting) | mask.ids
    ids, phase = [], mask.start()
    while not isinstance(phase, QuotedTokens):
        allowed = sorted(phase.allowed)
        found = logprobs(lm, [*prompt.ids, *ids], words)[-1, allowed]
        ids.append(allowed[int(found.argmax())])
        phase = phase.after(ids[-1])
    answer = quoting.write_quoted(claim_tokens=claim_tokens, quote_tokens=quote_tokens)
    assert answer.claim == phase.claim
    assert answer.passage == prompt.passages[phase.first]
    assert answer.span == prompt.characters(phase.first, phase.last)
    assert (answer.tokens, answer.finished) == (len(ids), not phase.cut)
    assert answer.logprob == pytest.approx(summed(lm, prompt.ids, ids, words), abs=1e-3)
    parsed = parse_quoted(lm.tokenizer.text(ids))
    title, window = PASSAGES[answer.passage]
    quote = answer.span.of(window)
    assert parsed.title == title
    assert parsed.quote == quote.replace("\r\n", "  ")
    assert quote == quote.strip()


def test_a_quoted_answer_prompts_for_a_quote_and_others_do_not(lm, evidence, quoting):
    assert lm.tokenizer.text(evidence.prompt.ids).endswith("?\nAnswer:")
    assert lm.tokenizer.text(quoting.prompt.ids).endswith("?\nAnswer with a quote:")


def test_a_quoted_answer_is_the_same_every_time(quoting):
    first = quoting.write_quoted(claim_tokens=4, quote_tokens=8)
    quoting.write_unmasked(max_tokens=4)
    assert quoting.write_quoted(claim_tokens=4, quote_tokens=8) == first


@pytest.mark.parametrize("passages", [[], [("T", "")], [("T", " \n")], [("a)%[b", "words")]])
def test_where_nothing_can_be_quoted_there_is_no_quoted_answer(lm, passages):
    assert lm.read(QUESTION, passages, quoted=True).write_quoted() is None


def test_past_the_deadline_there_is_no_quoted_answer(quoting):
    assert quoting.write_quoted(deadline=Deadline.after(-1)) is None


def test_without_the_mask_the_same_words_are_written_freely(lm, quoting):
    words = words_of(lm, quoting) | QuoteMask(lm.tokenizer, quoting.prompt).ids
    expected = lm.tokenizer.text(likeliest(lm, quoting.prompt.ids, words, 10)).partition("\n")[0]
    assert quoting.write_unmasked(max_tokens=10) == expected


@pytest.fixture
def given(lm, monkeypatch):
    """The (rows, tokens) of every call of the model, where 20 tokens at once are the limit."""
    calls = []
    hook = lm.model.model.register_forward_pre_hook(
        lambda _, __, named: calls.append(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    monkeypatch.setattr("app.answering.evidence_model.adapted_lm.TOKENS_AT_ONCE", 20)
    yield calls
    hook.remove()


def test_what_is_read_and_judged_in_pieces_is_the_same(lm, evidence, given):
    pieces = lm.read(QUESTION, PASSAGES)
    assert [tokens for _, tokens in given[:-1]] == [20] * (len(given) - 1)
    assert sum(tokens for _, tokens in given) == len(evidence.prompt.ids)
    given.clear()
    judged = pieces.score(ANSWERS)
    assert len(given) > 1
    for one, whole in zip(judged, evidence.score(ANSWERS), strict=True):
        assert (one.text, one.tokens) == (whole.text, whole.tokens)
        assert one.logprob == pytest.approx(whole.logprob, abs=1e-3)
        assert one.pointed.right == pytest.approx(whole.pointed.right, abs=1e-4)
    assert pieces.write(max_tokens=6)[0].text == evidence.write(max_tokens=6)[0].text


@pytest.mark.parametrize("kind", KINDS)
def test_no_call_gets_more_tokens_than_may_be_given_at_once(lm, given, kind):
    text = hostile(kind, 400)
    pieces = lm.read(text, [(text, text), ("T", text[:50])])
    pieces.score([text[:300], "in 1698", text[:9]])
    pieces.write(max_tokens=3)
    # a single row cannot be parted: of an answer, 63 tokens at most are looked at
    assert all(rows * tokens <= (20 if rows > 1 else 63) for rows, tokens in given)


def test_a_long_answer_is_judged_by_its_first_tokens(evidence):
    long, longer = evidence.score(["x" * 90, "x" * 900])
    assert long.tokens == longer.tokens == 64
    assert long.logprob == pytest.approx(longer.logprob, abs=1e-3)


def test_reading_stops_at_the_deadline(lm, given):
    deadline = Deadline()
    hook = lm.model.model.register_forward_pre_hook(
        lambda *_: deadline.give_up() if len(given) == 2 else None
    )
    with pytest.raises(GivenUpError, match="'generate'"):
        lm.read(QUESTION, PASSAGES, deadline=deadline)
    hook.remove()
    assert len(given) == 2


def test_past_the_deadline_no_answer_is_judged(evidence):
    assert evidence.score(ANSWERS, deadline=Deadline.after(-1)) == []
