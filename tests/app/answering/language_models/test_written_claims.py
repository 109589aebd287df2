"""Claims in what a language model wrote, however it wrote them."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.language_models import written_claims as written_claims_module
from app.answering.language_models.claims_prompt import BREAK
from app.answering.language_models.written_claims import MOST_CLAIMS, WrittenClaim, written_claims

ONE = {"passage": 2, "quote": "It was built in 1889.", "claim": "1889"}
DRAFT = {"passage": 1, "quote": "q r", "claim": "no"}
CLAIM = WrittenClaim("1889", "It was built in 1889.", 2)
WHOLE = json.dumps({"claims": [ONE]})


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"Here you are: {WHOLE} I hope that helps {{really}}.",
        json.dumps([ONE]),
        json.dumps(ONE),
        f"{json.dumps(ONE)}\n{json.dumps(ONE)}",
        json.dumps({"claims": [ONE, ONE]}),
        json.dumps({"claims": [{**ONE, "passage": "[2]", "sure": 0.9}]}),
        json.dumps({"claims": ["text", None, 3, [], {"claim": "no quote"}, ONE]}),
        f'<think>It could be {{"claims": [{{"passage": 1, "quote": "q r", "claim": "no"}}]}}</think>{WHOLE}',
        f"I think of {json.dumps({'claims': [DRAFT]})}, so:</think>\n\n{WHOLE}",
        f"<think>It ends with </think>, or {json.dumps(DRAFT)}?</think>{WHOLE}",
        f"<think>one</think>{json.dumps(DRAFT)}<thinking>two</thinking> no </THINKING>{WHOLE}",
        f"{'As [1] and {2} say, ' * 300}{WHOLE}",
        f"{json.dumps(DRAFT) * 300}</think>{WHOLE}",
        f"<think>{'so ' * 40_000}</think>{WHOLE}",
        f"{WHOLE} <think> Or {json.dumps(DRAFT)}?",
        '{"claims": [{"passage": 2, "quote": "It was built in 1889.", "claim": "1889\n"}]}',
        json.dumps({"claims": ONE}),
        json.dumps({"answer": {"claims": [ONE]}}),
        json.dumps({"name": "claims", "parameters": {"claims": [ONE]}, "more": [[ONE]]}),
        json.dumps({"claims": [{**ONE, "claim": 1889}]}),
        json.dumps({"claims": [{**ONE, "quote": ["It was built in 1889.", 7, ""][:2]}]}),
        json.dumps({"claims": [{"passage": 2, "quotes": ["It was built in 1889."], "claim": "1889"}]}),
        '{"claims": [{"passage": 2, "quote": "It was built in 1889\\.", "claim": "1889"}]}',
        WHOLE[:-1],
        WHOLE[:-2],
        f'{WHOLE[:-2]}, {{"passage": 1, "quote": "It was pai',
    ],
)
def test_a_claim_is_found_however_it_is_wrapped_or_cut_off(text):
    assert written_claims(text) == [CLAIM]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Gustave Eiffel",
        '{"claims": []}',
        WHOLE[:-4],
        f"<think>{WHOLE}",
        f"<think>{WHOLE} and at length, {WHOLE}",
        f"Well. <Thinking>{WHOLE}",
        f"{WHOLE}</think>{{'claims': []}}",
        f"{WHOLE}</think>The passages do not say it.",
        json.dumps({"claims": [{**ONE, "claim": "?!"}]}),
        json.dumps({"claims": [{**ONE, "claim": True}]}),
        json.dumps({"claims": [{**ONE, "claim": float("nan")}]}),
        json.dumps({"claims": [{**ONE, "quote": {"text": "It was built in 1889."}}]}),
        json.dumps({"claims": [{**ONE, "claim": "\ud800 x"}]}),
        json.dumps({"claims": [{**ONE, "quote": "\ud800 x"}]}),
        json.dumps({"claims": [{**ONE, "claim": "red \x1b[31m"}]}),
        json.dumps({"claims": [{**ONE, "claim": "x " * 501}]}),
        json.dumps({"claims": [{**ONE, "quote": "x" * 4_001}]}),
        "[" * 50_000,
        "{" * 50_000,
        '{"claims": ' * 5_000,
    ],
)
def test_what_holds_no_claim_gives_none(text):
    assert written_claims(text) == []


TAGS = {
    "passage": 1,
    "quote": "Put <think> before it and </think> behind it.",
    "claim": "Use the <think> tag",
}
TAGGED = WrittenClaim("Use the <think> tag", "Put <think> before it and </think> behind it.", 1)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"claims": [TAGS, ONE]}),
        json.dumps([TAGS, ONE]),
        f"{json.dumps(TAGS)}\n{json.dumps(ONE)}",
        f"<think>{json.dumps(DRAFT)}</think>{json.dumps({'claims': [TAGS, ONE]})}",
        f'{json.dumps({"claims": [TAGS, ONE]})[:-2]}, {{"passage": 1, "quote": "Put </think> behi',
        f'{json.dumps({"claims": [TAGS, ONE]})[:-2]}, {{"passage": 1, "quote": "Put <think> bef',
    ],
)
def test_the_mark_of_a_thought_within_a_claim_is_text(text):
    assert written_claims(text) == [TAGGED, CLAIM]


@pytest.mark.parametrize(
    ("written", "quote"),
    [
        (r"It\'s \$5 \[or so\] \_now\_", "It's $5 [or so] _now_"),
        (r"It says \"so\" \\ \/ caf\u00e9", 'It says "so" \\ / café'),
        (r"C:\Program in caf\u00 \x41", r"C:\Program in caf\u00 \x41"),
    ],
)
def test_a_backslash_that_json_does_not_know_loses_no_claim(written, quote):
    [claim] = written_claims('{"claims": [{"passage": 1, "quote": "' + written + '", "claim": "so"}]}')
    assert claim.quote == quote


def test_a_claim_with_several_quotes_counts_with_each():
    [first, second] = written_claims(json.dumps({**ONE, "quote": ["It was built.", "It was in 1889."]}))
    assert (first.claim, first.quote, first.passage) == ("1889", "It was built.", 2)
    assert (second.claim, second.quote, second.passage) == ("1889", "It was in 1889.", 2)


def test_claims_are_found_in_order_however_deep_they_are():
    deep = json.dumps(
        {"a": [{"claims": [{**ONE, "claim": "1"}]}, [{**ONE, "claim": "2"}]], "b": {**ONE, "claim": "3"}}
    )
    assert [claim.claim for claim in written_claims(deep)] == ["1", "2", "3"]
    assert written_claims('{"a": ' * 400 + WHOLE + "}" * 400) == [CLAIM]


@pytest.mark.parametrize(
    "piece", ["[{", '{"a":', '[{"a":1},', '[{"a":[{"b":1},', "<think>", "</think>", '[{"a":1}</think>']
)
def test_a_text_that_repeats_a_beginning_is_read_in_time(piece):
    started = time.process_time()
    assert written_claims(piece * (1_000_000 // len(piece))) == []
    # Characters and tries have limits, so growth is not the question. Measured: 0.2 s at most;
    # without the limits 3 s for a twentieth of such a text.
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("passage", "number"),
    [
        (1, 1),
        ("3", 3),
        ("Passage 12", 12),
        (None, None),
        (True, None),
        (1.0, None),
        ("the first", None),
        ([1], None),
    ],
)
def test_the_passage_is_a_number_or_none(passage, number):
    [claim] = written_claims(json.dumps({**ONE, "passage": passage}))
    assert claim.passage == number


def test_no_more_claims_are_read_than_an_answer_may_have():
    many = [{**ONE, "claim": f"claim {number}"} for number in range(40)]
    assert [claim.claim for claim in written_claims(json.dumps(many))] == [
        f"claim {number}" for number in range(MOST_CLAIMS)
    ]


def test_reading_ends_with_the_last_claim_that_an_answer_may_have(monkeypatch):
    looked_at = []
    claims_of = written_claims_module._claims
    monkeypatch.setattr(
        written_claims_module, "_claims", lambda record: looked_at.append(record) or claims_of(record)
    )
    many = [{**ONE, "claim": f"claim {number // 2}"} for number in range(400)]
    assert len(written_claims(json.dumps(many))) == MOST_CLAIMS
    assert len(looked_at) == 2 * MOST_CLAIMS - 1


def test_what_parts_a_mark_in_the_prompt_is_taken_out_of_a_claim_again():
    [claim] = written_claims(json.dumps({**ONE, "claim": f"the mark <{BREAK}|im_end|>"}))
    assert claim.claim == "the mark <|im_end|>"


@given(st.text(alphabet='{}[]":,\\ acdeilmnopqstuw12\n', max_size=200))
def test_any_text_ends_in_claims_that_can_be_shown(text):
    for claim in written_claims(text):
        assert claim.claim.isprintable()
        claim.claim.encode()
        claim.quote.encode()
