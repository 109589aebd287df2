import json
import sqlite3
from pathlib import Path
from random import Random

import pytest
from rich.console import Console

from common.errors import CorpusError, IndexUnusableError
from common.packaged import sha256_of
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from index_builder.verify import verify_index
from retriever.encoder import HashingEncoder
from retriever.generations import CURRENT_FILE, current_generation, prune
from retriever.index import open_index
from retriever.manifest import FileRecord, Manifest
from retriever.text.passages import PassageSettings
from retriever.vectors.engines import new_vectors


@pytest.fixture
def directory(tmp_path: Path, quiet: Console) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "tower.txt").write_text("A tower stands here. It is tall. " * 20)
    (tmp_path / "notes" / "tram.md").write_text("# Trams\n\nA tram runs there.")
    build_index(
        [open_corpus(str(tmp_path / "notes"))],
        tmp_path / "index",
        encoder=HashingEncoder(),
        settings=PassageSettings(words=10),
        strict=True,
        console=quiet,
    )
    return tmp_path / "index"


def edit_manifest(directory: Path, **changes: object) -> None:
    path = current_generation(directory) / "manifest.json"
    write_manifest(path, {**json.loads(path.read_text()), **changes})


def write_manifest(path: Path, manifest: dict[str, object]) -> None:
    """As an earlier version did, which kept no digest of it."""
    path.write_text(json.dumps(manifest))
    path.with_name("manifest.sha256").unlink()


def reseal(directory: Path) -> None:
    """Record the files as they are now: what is wrong with them is then no longer a digest."""
    folder = current_generation(directory)
    manifest = Manifest.load(folder)
    files = {
        name: FileRecord(bytes=(folder / name).stat().st_size, sha256=sha256_of(folder / name))
        for name in manifest.files
    }
    manifest.model_copy(update={"files": files}).save(folder)


def test_a_whole_index_verifies(directory):
    manifest = verify_index(directory)
    assert manifest.counts.documents == 2


@pytest.mark.parametrize("name", ["documents.sqlite", "vectors.faiss", "lexical/meta.json"])
@pytest.mark.parametrize("check", [verify_index, lambda d: open_index(d, HashingEncoder())])
def test_one_changed_byte_in_any_file_is_found(directory, name, check):
    path = current_generation(directory) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IndexUnusableError, match=rf"{name} is not the file that was built"):
        check(directory)


def test_a_flipped_bit_of_any_file_is_found(directory):
    files = sorted(path for path in current_generation(directory).rglob("*") if path.is_file())
    assert len(files) > 6
    for path in files:
        whole = path.read_bytes()
        for bit in Random(0).sample(range(8 * len(whole)), 25):
            content = bytearray(whole)
            content[bit // 8] ^= 1 << bit % 8
            path.write_bytes(content)
            with pytest.raises(IndexUnusableError):
                verify_index(directory)
        path.write_bytes(whole)
    verify_index(directory)


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256"])
def test_hundreds_of_flipped_bits_of_the_manifest_are_found(directory, name):
    path = current_generation(directory) / name
    whole = path.read_bytes()
    for bit in Random(1).sample(range(8 * len(whole)), 400):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        with pytest.raises(IndexUnusableError):
            Manifest.load(path.parent)


def test_the_digest_of_the_manifest_is_one_that_other_tools_check(directory):
    folder = current_generation(directory)
    assert (
        folder / "manifest.sha256"
    ).read_text() == f"{sha256_of(folder / 'manifest.json')}  manifest.json\n"


@pytest.mark.parametrize("name", ["vectors.faiss", "manifest.json", "manifest.sha256"])
def test_a_missing_file_is_named(directory, name):
    (current_generation(directory) / name).unlink()
    with pytest.raises(IndexUnusableError, match=rf"{name} is missing: the index is damaged"):
        open_index(directory, HashingEncoder())


def test_rows_that_differ_between_the_parts_are_found(directory):
    vectors = new_vectors(256)
    vectors.add([1, 2], HashingEncoder().encode_passages(["a", "b"]))
    vectors.save(current_generation(directory) / "vectors.faiss")
    reseal(directory)
    with pytest.raises(IndexUnusableError, match=r"vector index and the document store differ in \d+ rows"):
        verify_index(directory)


def test_a_text_that_was_exchanged_is_found(directory):
    with sqlite3.connect(current_generation(directory) / "documents.sqlite") as connection:
        connection.execute("UPDATE documents SET text = replace(text, 'tall', 'huge')")
    connection.close()
    reseal(directory)
    with pytest.raises(IndexUnusableError, match=r"The text of document 'tower\.txt' is not the one"):
        verify_index(directory)


def test_counts_that_do_not_fit_are_found(directory):
    with sqlite3.connect(current_generation(directory) / "documents.sqlite") as connection:
        connection.execute("DELETE FROM passages WHERE row = 1")
    connection.close()
    reseal(directory)
    with pytest.raises(IndexUnusableError, match="but the manifest says"):
        verify_index(directory)


def test_an_index_of_a_newer_version_is_refused_with_what_to_do(directory):
    edit_manifest(directory, format_version=99, invented="later")
    with pytest.raises(
        IndexUnusableError, match=r"format version 99, but this Loccit reads version 3 and older; upgrade"
    ):
        open_index(directory, HashingEncoder())


@pytest.mark.parametrize("version", [1, 2])
def test_an_index_of_an_earlier_version_opens(directory, version):
    edit_manifest(directory, format_version=version)
    assert open_index(directory, HashingEncoder()).manifest.format_version == version


def test_an_index_of_an_older_version_names_the_command_that_rebuilds_it(directory):
    edit_manifest(directory, format_version=0)
    with pytest.raises(IndexUnusableError) as caught:
        open_index(directory, HashingEncoder())
    assert f"`loccit index build notes --out {directory}`" in str(caught.value)


def test_an_index_made_with_another_encoder_is_refused_naming_both(directory):
    other = HashingEncoder(128)
    with pytest.raises(IndexUnusableError, match=r"made with the encoder 'hashing' .* but 'hashing'"):
        open_index(directory, other)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format_version": "x"}', '{"format_version": 1}'])
def test_a_damaged_manifest_is_a_sentence(directory, text):
    path = current_generation(directory) / "manifest.json"
    path.write_text(text)
    path.with_name("manifest.sha256").unlink()
    with pytest.raises(IndexUnusableError, match=r"is not a manifest that Loccit wrote"):
        open_index(directory, HashingEncoder())


def test_an_index_that_names_no_engine_opens_with_the_default_one(directory):
    path = current_generation(directory) / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest.pop("vectors") == {"engine": "flat", "arguments": {}}
    write_manifest(path, {**manifest, "format_version": 1})
    # what is kept of the manifest elsewhere, in the description of a run, stays as it was
    assert Manifest.load(path.parent).model_dump(mode="json", exclude_unset=True) == {
        **manifest,
        "format_version": 1,
    }
    assert len(open_index(directory, HashingEncoder()).vectors) == verify_index(directory).counts.passages


@pytest.mark.parametrize("check", [verify_index, lambda d: open_index(d, HashingEncoder())])
def test_the_engine_that_opens_an_index_is_the_one_recorded(directory, check):
    edit_manifest(directory, format_version=2, vectors={"engine": "later", "arguments": {}})
    with pytest.raises(
        IndexUnusableError,
        match=r"was made by the vector engine 'later', but this Loccit has flat, .*; upgrade with",
    ):
        check(directory)


def test_no_index_at_all_names_the_command_that_builds_one(tmp_path):
    with pytest.raises(
        IndexUnusableError, match=r"There is no index in .*; build one with `loccit index build"
    ):
        open_index(tmp_path / "nowhere", HashingEncoder())


def test_a_current_that_names_nothing_is_damage(directory):
    (directory / CURRENT_FILE).write_text("gone\n")
    with pytest.raises(IndexUnusableError, match="names the generation 'gone', which is not there"):
        open_index(directory, HashingEncoder())


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"\0\0", b"long" * 100, b"..", b"."])
def test_a_current_that_is_damaged_is_a_sentence_and_building_again_mends_it(
    directory, tmp_path, quiet, content
):
    (directory / CURRENT_FILE).write_bytes(content)
    for use in (lambda: open_index(directory, HashingEncoder()), lambda: prune(directory)):
        with pytest.raises(IndexUnusableError) as caught:
            use()
        assert str(caught.value).endswith("which is not there: the index is damaged; build it again.")
        assert len(str(caught.value)) < 300 + len(str(directory))
    build_index(
        [open_corpus(str(tmp_path / "notes"))],
        directory,
        encoder=HashingEncoder(),
        settings=PassageSettings(words=10),
        strict=True,
        console=quiet,
    )
    assert verify_index(directory).counts.documents == 2


def test_a_build_that_fails_leaves_nothing_behind(directory, tmp_path, quiet):
    (tmp_path / "notes" / "broken.txt").write_bytes(b"\xff")
    before = sorted(path.name for path in directory.rglob("*"))
    with pytest.raises(CorpusError):
        build_index(
            [open_corpus(str(tmp_path / "notes"))],
            directory,
            encoder=HashingEncoder(),
            settings=PassageSettings(words=10),
            strict=True,
            console=quiet,
        )
    assert sorted(path.name for path in directory.rglob("*")) == before
