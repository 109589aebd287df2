from app.answering.generators.joint_generator import JointGenerator
from app.answering.generators.lm_generator import LMGenerator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.types import CandidateSource
from common.deadline import NO_DEADLINE, Deadline
from retriever.types import Span
from tests.app.answering.generators.toy_readings import READINGS, SCRIPT, TEXTS, reading
from tests.fakes import ScriptedLM


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
