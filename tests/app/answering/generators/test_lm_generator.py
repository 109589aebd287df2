import math

import pytest

from app.answering.generators.lm_generator import LMGenerator
from app.answering.language_models import few_shot_prompt as prompt
from app.answering.types import CandidateSource, Reading
from common.deadline import NO_DEADLINE, Deadline
from common.packaged import default_cache_dir
from retriever.types import Hit, Passage, Span
from tests.app.answering.generators.toy_readings import READINGS, SCRIPT, TEXTS, reading
from tests.fakes import ScriptedLM, TextOnlyLM
from tests.real_models import load_language_model


def generate(lm, readings=READINGS, *, n=3, seed=0, deadline=NO_DEADLINE, **settings):
    return LMGenerator(lm, **settings).generate("what?", readings, n=n, seed=seed, deadline=deadline)


def test_each_passage_gives_one_candidate_in_the_order_of_the_readings():
    candidates = generate(ScriptedLM(SCRIPT))
    assert [(each.answer, each.passage.title) for each in candidates] == [
        ("1911", "Harbour"),
        ("pears", "Orchard"),
        ("oak", "Mill"),
    ]
    assert all(each.source is CandidateSource.LM and each.sample == 0 for each in candidates)


def test_a_language_model_that_knows_no_tokens_and_no_probabilities_writes_candidates_too():
    asked = []

    def serve(request):
        asked.append(request)
        return "1911." if " Harbour\n" in request["prompt"] else "not in the passage"

    (candidate,) = generate(TextOnlyLM(serve), evidence_tokens=4, seed=7)
    assert (candidate.answer, candidate.logprob, candidate.tokens) == ("1911", 0.0, 0)
    assert [request["prompt"].startswith(prompt.prefix()) for request in asked] == [True] * 3
    assert (
        f"Passage: {TEXTS['Harbour'][: 4 * 4].strip()}\n" in asked[0]["prompt"]
    )  # cut by an estimate in characters
    assert (asked[0]["max_tokens"], asked[0]["temperature"], asked[0]["seed"]) == (32, 0.0, 7)


def test_fewer_candidates_than_passages_come_from_the_best_passages():
    lm = ScriptedLM(SCRIPT)
    assert [each.answer for each in generate(lm, n=2)] == ["1911", "pears"]
    assert len(lm.calls[0].prompts) == 2


def test_all_greedy_candidates_are_one_batch_after_the_shared_prefix():
    lm = ScriptedLM(SCRIPT)
    generate(lm)
    [call] = lm.calls
    assert (call.prefix, call.temperature, len(call.prompts)) == (prompt.prefix(), 0.0, 3)


def test_candidates_beyond_the_passages_are_sampled_in_rounds():
    lm = ScriptedLM(SCRIPT)
    candidates = generate(lm, n=7, seed=40, temperature=0.9)
    assert [each.sample for each in candidates] == [0, 0, 0, 1, 1, 1, 2]
    assert [len(call.prompts) for call in lm.calls] == [3, 3, 1]
    assert [call.temperature for call in lm.calls] == [0.0, 0.9, 0.9]
    assert len({call.seed for call in lm.calls}) == 3


def test_the_seed_reaches_the_language_model():
    first, second = ScriptedLM(SCRIPT), ScriptedLM(SCRIPT)
    generate(first, n=6, seed=1)
    generate(second, n=6, seed=2)
    assert first.calls[1].seed != second.calls[1].seed


@pytest.mark.parametrize("silent", ["", "  \n", " not in the passage\n", " Not in the passage.\n", ' "."\n'])
def test_an_empty_or_declining_reply_gives_no_candidate(silent):
    candidates = generate(ScriptedLM(SCRIPT | {" Harbour\n": silent}))
    assert [each.answer for each in candidates] == ["pears", "oak"]


def test_an_answer_cut_off_by_the_token_limit_gives_no_candidate():
    script = SCRIPT | {" Harbour\n": " so long that it never comes to an end\n"}
    assert [each.answer for each in generate(ScriptedLM(script), max_answer_tokens=5)] == ["pears", "oak"]


def test_past_the_deadline_there_are_no_candidates():
    assert generate(ScriptedLM(SCRIPT), deadline=Deadline.after(-1)) == []


def test_no_readings_give_no_candidates_and_no_call():
    lm = ScriptedLM(SCRIPT)
    assert generate(lm, []) == []
    assert generate(lm, n=0) == []
    assert lm.calls == []


def test_logprob_and_tokens_are_the_language_models():
    candidate = generate(ScriptedLM(SCRIPT, probability=0.5))[1]
    assert (candidate.logprob, candidate.tokens) == (pytest.approx(2 * math.log(0.5)), 2)
    assert candidate.mean_token_probability == pytest.approx(0.5)


def test_the_continuation_is_read_with_the_passage():
    lm = ScriptedLM(SCRIPT)
    generate(lm, [reading("Orchard", continuation=" And plums.")])
    assert "Passage: The orchard grows pears. And plums.\n" in lm.calls[0].prompts[0]


def test_evidence_is_cut_to_its_budget_from_the_beginning():
    lm = ScriptedLM(SCRIPT)
    generate(lm, [reading("Harbour")], evidence_tokens=3)
    assert "Passage: The harbour opened\n" in lm.calls[0].prompts[0]


@pytest.mark.models
@pytest.mark.parametrize("name", ["gemma-3-270m", "smollm2-135m"])
def test_a_packaged_model_reads_the_answer_off_each_passage(name):
    generator = LMGenerator(load_language_model(name, cache_dir=default_cache_dir()))
    candidates = generator.generate(
        "When did the harbour open?",
        [reading("Harbour"), reading("Orchard")],
        n=2,
        seed=0,
        deadline=NO_DEADLINE,
    )
    assert candidates[0].answer == "1911"
    assert 0 < candidates[0].mean_token_probability <= 1


def test_the_language_model_reads_folded_text_under_title_and_headings():
    text = "Founded by Hen\u00adrik."
    passage = Passage(1, "D", "D", text, Span(0, len(text)), headings=("Rise", "Fall"))
    lm = ScriptedLM({})
    LMGenerator(lm).generate(
        "who?", [Reading(Hit(passage, 1.0, 1), 0.5, ())], n=1, seed=0, deadline=NO_DEADLINE
    )
    assert " D > Rise > Fall\nPassage: Founded by Henrik.\n" in lm.calls[0].prompts[0]
