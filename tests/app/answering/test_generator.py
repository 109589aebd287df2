import math
from dataclasses import replace

import pytest

from app.answering.generator import JointGenerator, LMGenerator, ReaderGenerator, tidied
from app.answering.language_models import few_shot_prompt as prompt
from app.answering.types import CandidateSource, Reading, ScoredSpan
from common.deadline import NO_DEADLINE, Deadline
from common.packaged import default_cache_dir
from retriever.types import Hit, Passage, Span
from tests.fakes import ScriptedLM, TextOnlyLM
from tests.real_models import load_language_model

TEXTS = {
    "Harbour": "The harbour opened in 1911. Its lighthouse is red.",
    "Orchard": "The orchard grows pears.",
    "Mill": "The mill stands by the brook. It was built of oak.",
}
SCRIPT = {"Title: Harbour": " 1911.\n", "Title: Orchard": " pears\n", "Title: Mill": " oak"}


def reading(
    title: str, *, start: int = 100, continuation: str = "", spans=(), answerability=0.5, score=1.0
) -> Reading:
    text = TEXTS[title]
    passage = Passage(1, title, title, text, Span(start, start + len(text)), continuation)
    return Reading(Hit(passage, 1.0, 1), answerability, tuple(ScoredSpan(span, score) for span in spans))


READINGS = [reading(title) for title in TEXTS]


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
        return "1911." if "Title: Harbour" in request["prompt"] else "not in the passage"

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
    candidates = generate(ScriptedLM(SCRIPT | {"Title: Harbour": silent}))
    assert [each.answer for each in candidates] == ["pears", "oak"]


def test_an_answer_cut_off_by_the_token_limit_gives_no_candidate():
    script = SCRIPT | {"Title: Harbour": " so long that it never comes to an end\n"}
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


def extracted(readings, *, n=1, **settings):
    return ReaderGenerator(**settings).generate("when?", readings, n=n, seed=0, deadline=NO_DEADLINE)


def test_a_reader_candidate_is_a_spans_text_with_a_pointer_to_it_and_its_score():
    spans = (Span(122, 126), Span(100, 103))
    found = reading("Harbour", spans=spans, answerability=0.5)
    found = replace(found, spans=(replace(found.spans[0], score=0.25), replace(found.spans[1], score=0.125)))
    first, second = extracted([found])
    assert (first.answer, first.pointer) == ("1911", spans[0])
    assert (second.answer, second.pointer) == ("The", spans[1])
    assert {one.source for one in (first, second)} == {CandidateSource.READER}
    assert (first.logprob, first.tokens) == (pytest.approx(math.log(0.25)), 1)
    assert second.logprob == pytest.approx(math.log(0.125))


def test_a_reader_candidate_may_lie_in_the_continuation():
    text = TEXTS["Orchard"]
    end = 100 + len(text)
    found = reading("Orchard", continuation=" And plums.", spans=[Span(end + 5, end + 10)])
    [candidate] = extracted([found])
    assert candidate.answer == "plums"


def test_the_reader_gives_nothing_for_a_passage_without_spans_and_at_most_its_own_number_whatever_n():
    readings = [
        reading("Harbour"),
        *[reading(title, spans=[Span(100, 103)]) for title in ("Orchard", "Mill")],
    ]
    for n in (1, 3):
        assert [each.passage.title for each in extracted(readings, n=n, spans=(1, 1))] == ["Orchard"]
        assert [each.passage.title for each in extracted(readings, n=n)] == ["Orchard", "Mill"]


def test_the_reader_gives_three_answers_from_the_best_passages_and_one_from_others():
    """Wrong words of the right passage are what goes wrong most: its other answers are worth judging."""
    readings = [
        reading("Mill", start=start, spans=[Span(start + n, start + n + 1) for n in range(4)])
        for start in range(100, 700, 100)
    ]
    starts = [each.pointer.start for each in extracted(readings)]
    assert starts == [100, 101, 102, 200, 201, 202, 300, 400, 500]
    assert [each.pointer.start for each in extracted(readings, spans=(2, 0, 1))] == [100, 101, 300]


def test_a_score_of_zero_has_a_finite_logprob():
    [candidate] = extracted([reading("Mill", spans=[Span(100, 103)], score=0.0)])
    assert candidate.logprob == pytest.approx(math.log(1e-9))


def test_reader_and_language_model_propose_together_the_reader_first():
    lm = ScriptedLM(SCRIPT)
    readings = [reading(title, spans=[Span(104, 104 + len(title))], score=0.5) for title in TEXTS]
    joint = JointGenerator(ReaderGenerator(spans=(1, 1)), LMGenerator(lm))
    candidates = joint.generate("what?", readings, n=1, seed=0, deadline=NO_DEADLINE)
    reader, written = CandidateSource.READER, CandidateSource.LM
    assert [(each.source, each.answer, each.passage.title) for each in candidates] == [
        (reader, "harbour", "Harbour"),
        (reader, "orchard", "Orchard"),
        (written, "1911", "Harbour"),
    ]
    assert [len(call.prompts) for call in lm.calls] == [1]


def test_n_and_the_seed_are_the_language_models_alone():
    lm = ScriptedLM(SCRIPT)
    joint = JointGenerator(ReaderGenerator(), LMGenerator(lm))
    candidates = joint.generate("what?", READINGS, n=4, seed=7, deadline=NO_DEADLINE)
    assert [(each.answer, each.sample) for each in candidates] == [
        ("1911", 0),
        ("pears", 0),
        ("oak", 0),
        ("1911", 1),
    ]
    assert [call.seed for call in lm.calls] == [7, 8]


def test_past_the_deadline_the_readers_candidates_are_left():
    found = reading("Harbour", spans=[Span(122, 126)])
    joint = JointGenerator(ReaderGenerator(), LMGenerator(ScriptedLM(SCRIPT)))
    candidates = joint.generate("when?", [found], n=1, seed=0, deadline=Deadline.after(-1))
    assert [(each.source, each.answer) for each in candidates] == [(CandidateSource.READER, "1911")]


@pytest.mark.parametrize(
    ("written", "tidy"),
    [
        (" Paris.", "Paris"),
        ("“The Hay Wain”", "The Hay Wain"),
        ('"Aye."', "Aye."),
        ("'it' and 'that'", "'it' and 'that'"),
        ("the U.S.", "the U.S."),
        ("and so on...", "and so on..."),
        ("5.5 m.", "5.5 m"),
        ('the "Beagle"', 'the "Beagle"'),
        (".", ""),
        ("   ", ""),
        ("'", "'"),
    ],
)
def test_an_answer_is_tidied_at_its_ends_only(written, tidy):
    assert tidied(written) == tidy


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


def test_an_answer_of_the_reader_is_shown_without_invisible_characters():
    text = "Founded by Hen\u00adrik Lar\u00adsen of Gra\ufb00ton."
    passage = Passage(1, "D", "D", text, Span(7, 7 + len(text)))
    span = Span(7 + text.index("Hen"), 7 + len(text) - 1)
    found = Reading(Hit(passage, 1.0, 1), 0.5, (ScoredSpan(span, 0.5),))
    (candidate,) = ReaderGenerator().generate("who?", [found], n=1, seed=0, deadline=NO_DEADLINE)
    assert candidate.answer == "Henrik Larsen of Gra\ufb00ton"
    assert candidate.pointer == span


def test_the_language_model_reads_folded_text_under_title_and_headings():
    text = "Founded by Hen\u00adrik."
    passage = Passage(1, "D", "D", text, Span(0, len(text)), headings=("Rise", "Fall"))
    lm = ScriptedLM({})
    LMGenerator(lm).generate(
        "who?", [Reading(Hit(passage, 1.0, 1), 0.5, ())], n=1, seed=0, deadline=NO_DEADLINE
    )
    assert "Title: D > Rise > Fall\nPassage: Founded by Henrik.\n" in lm.calls[0].prompts[0]
