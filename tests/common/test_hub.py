import hashlib

import pytest

from common.errors import ModelUnusableError
from common.hub import model_folder, weights_sha256


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "1_Pooling" / "config.json").write_text('{"mode": "mean"}')
    (tmp_path / "README.md").write_text("a card")
    return tmp_path


def test_the_digest_is_of_the_names_and_digests_of_all_that_decides_the_output(folder):
    lines = "".join(
        f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n"
        for name in ("1_Pooling/config.json", "model.safetensors")
    )
    assert weights_sha256(folder) == hashlib.sha256(lines.encode()).hexdigest()


def test_another_pooling_is_another_model_and_another_card_is_not(folder):
    before = weights_sha256(folder)
    (folder / "README.md").write_text("another card")
    assert weights_sha256(folder) == before
    (folder / "1_Pooling" / "config.json").write_text('{"mode": "cls"}')
    assert weights_sha256(folder) != before


def test_pickled_weights_are_refused_wherever_they_lie(folder):
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(
        ModelUnusableError, match=r"pytorch_model\.bin holds pickled weights, which are not read"
    ):
        weights_sha256(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnusableError, match=r"holds no \.safetensors file"):
        weights_sha256(folder)


def test_a_name_that_is_not_on_this_machine_is_a_sentence_and_nothing_is_fetched():
    with pytest.raises(ModelUnusableError, match="is not on this machine; give a local folder, or allow"):
        model_folder("nobody/no-such-model", allow_download=False)
    with pytest.raises(ModelUnusableError, match="is neither a folder nor a model name"):
        model_folder("not a name at all", allow_download=False)
