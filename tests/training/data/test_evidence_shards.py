"""Evidence prepared beside the other data, or alone."""

import pytest
from typer.testing import CliRunner

from common.errors import LoccitError
from tests.training.conftest import write_lines
from training.cli import cli
from training.data import evidence_shards, prepare
from training.data.evidence_shards import PreparedEvidence, prepare_evidence_alone
from training.data.prepared import PreparedData

TEXT = "To open the lock, turn the key twice. The lock is old."


def row(question):
    return {
        "question": question, "document": TEXT, "title": "Locks", "evidence": [[0, 37]], "answerable": True,
        "kind": "long", "doc": "page-1",
    }  # fmt: skip


@pytest.fixture
def with_evidence(data_folder):
    write_lines(data_folder / "evidence/faq_docs.jsonl.gz", [row("how do I open the lock")])
    write_lines(
        data_folder / "evidence/medquad.jsonl.gz",
        [row("is the lock old"), row("when was the harbour of Dover opened")],  # an evaluation question
    )
    return data_folder


def questions(evidence):
    return {name: [group.question for group in some] for name, some in evidence.groups().items()}


def test_evidence_is_prepared_beside_the_other_data(with_evidence, tmp_path, quiet):
    out = tmp_path / "out"
    first = prepare.prepare(with_evidence, out, quiet)
    evidence = PreparedData(out).evidence
    assert questions(evidence) == {
        "faq_docs": ["how do I open the lock"],
        "medquad": ["is the lock old"],
    }
    (out / "evidence/medquad.jsonl.gz").unlink()
    assert prepare.prepare(with_evidence, out, quiet) == first
    write_lines(with_evidence / "evidence/faq_docs.jsonl.gz", [row("how do I close the lock")])
    prepare.prepare(with_evidence, out, quiet)
    again = PreparedData(out)
    assert questions(again.evidence)["faq_docs"] == ["how do I close the lock"]
    assert again.fingerprint == PreparedData(out).fingerprint
    assert again.evidence.fingerprint != evidence.fingerprint


def test_evidence_alone_needs_no_other_data_and_mines_nothing(with_evidence, tmp_path, quiet, monkeypatch):
    whole, alone = tmp_path / "whole", tmp_path / "alone"
    prepare.prepare(with_evidence, whole, quiet)
    for part in ("corpora", "squad", "triviaqa"):
        for file in (with_evidence / part).iterdir():
            file.unlink()
    monkeypatch.setattr(prepare, "open_corpus", None)
    result = CliRunner().invoke(
        cli, ["data", str(with_evidence), "--out", str(alone), "--evidence-only"], catch_exceptions=False
    )
    assert result.exit_code == 0
    assert [path.name for path in alone.iterdir()] == ["evidence"]
    assert questions(PreparedEvidence(alone)) == questions(PreparedEvidence(whole))
    assert PreparedEvidence(alone).fingerprint == PreparedEvidence(whole).fingerprint
    with pytest.raises(LoccitError, match="no finished training data; make it with `loccit train data`"):
        PreparedData(alone)


def test_evidence_comes_before_what_takes_long(with_evidence, tmp_path, quiet, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "open_corpus", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare.prepare(with_evidence, tmp_path / "out", quiet)
    assert set(questions(PreparedEvidence(tmp_path / "out"))) == {"faq_docs", "medquad"}


def test_killed_within_the_evidence_it_is_not_finished_and_goes_on(
    with_evidence, tmp_path, quiet, monkeypatch
):
    written, write = [], evidence_shards.write_shard

    def failing(path, groups):
        if written:
            raise KeyboardInterrupt
        written.append(path.name)
        write(path, groups)

    out = tmp_path / "out"
    monkeypatch.setattr(evidence_shards, "write_shard", failing)
    with pytest.raises(KeyboardInterrupt):
        prepare_evidence_alone(with_evidence, out, quiet)
    with pytest.raises(LoccitError, match=r"no finished evidence; make it with .*--evidence-only"):
        PreparedEvidence(out)
    monkeypatch.setattr(
        evidence_shards, "write_shard", lambda path, groups: written.append(path.name) or write(path, groups)
    )
    prepare_evidence_alone(with_evidence, out, quiet)
    assert written == ["faq_docs.jsonl.gz", "medquad.jsonl.gz"]
    assert set(questions(PreparedEvidence(out))) == {"faq_docs", "medquad"}


def test_questions_kept_out_are_no_evidence(with_evidence, tmp_path, quiet):
    own = tmp_path / "own.jsonl"
    write_lines(own, [{"question": "How do I open the lock?"}])
    out = tmp_path / "out"
    prepare_evidence_alone(with_evidence, out, quiet)
    prepare_evidence_alone(with_evidence, out, quiet, keep_out=[own])
    assert questions(PreparedEvidence(out)) == {"faq_docs": [], "medquad": ["is the lock old"]}


def test_a_folder_without_a_set_is_refused_and_what_was_prepared_stays(with_evidence, tmp_path, quiet):
    out, empty = tmp_path / "out", tmp_path / "empty"
    prepare_evidence_alone(with_evidence, out, quiet)
    empty.mkdir()
    with pytest.raises(
        LoccitError, match=r"empty/evidence holds no set with evidence; .* faq_docs, howto_docs"
    ):
        prepare_evidence_alone(empty, out, quiet)
    assert set(questions(PreparedEvidence(out))) == {"faq_docs", "medquad"}
