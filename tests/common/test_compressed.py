import bz2
import gzip
import lzma

import pytest

from common.compressed import DAMAGE, TrailingBytesError, from_xz, open_bytes

CONTENT = b"".join(b"line %d of a file\n" % number for number in range(30_000))
HALF = len(CONTENT) // 2
COMPRESSED = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}


def read(path, content):
    path.write_bytes(content)
    with open_bytes(path) as file:
        return file.read()


@pytest.mark.parametrize("suffix", COMPRESSED)
@pytest.mark.parametrize("name", ["a.{}", "A.{}"])
def test_all_streams_of_a_file_are_read(tmp_path, suffix, name):
    compress = COMPRESSED[suffix]
    path = tmp_path / name.format(suffix if name == "a.{}" else suffix.upper())
    assert read(path, compress(CONTENT)) == CONTENT
    assert read(path, compress(CONTENT[:HALF]) + compress(CONTENT[HALF:])) == CONTENT
    assert read(path, compress(b"") + compress(CONTENT) + compress(b"")) == CONTENT


@pytest.mark.parametrize(("suffix", "padding"), [("gz", 1), ("gz", 100_000), ("xz", 4), ("xz", 200_000)])
def test_padding_is_passed_over_where_the_format_has_it(tmp_path, suffix, padding):
    compress, zeros = COMPRESSED[suffix], b"\0" * padding
    between = compress(CONTENT[:HALF]) + zeros + compress(CONTENT[HALF:]) + zeros
    assert read(tmp_path / f"a.{suffix}", between) == CONTENT


@pytest.mark.parametrize("suffix", COMPRESSED)
@pytest.mark.parametrize("garbage", [b"garbage that is no stream", b"x" * 200_000])
def test_what_follows_the_end_and_is_no_stream_is_told(tmp_path, suffix, garbage):
    with pytest.raises(DAMAGE):
        read(tmp_path / f"a.{suffix}", COMPRESSED[suffix](CONTENT) + garbage)


@pytest.mark.parametrize(
    ("suffix", "following"),
    [("xz", b"\0"), ("xz", b"\0" * 70_001), ("bz2", b"\0\0\0\0"), ("xz", b"\0\0\0\0no stream here")],
)
def test_padding_that_is_none_is_told(tmp_path, suffix, following):
    with pytest.raises(TrailingBytesError, match=r"^what follows its end is no part of it$"):
        read(tmp_path / f"a.{suffix}", COMPRESSED[suffix](CONTENT) + following)


@pytest.mark.parametrize("suffix", COMPRESSED)
@pytest.mark.parametrize("left", [0.5, 0.99])
def test_a_file_that_is_cut_short_is_told(tmp_path, suffix, left):
    whole = COMPRESSED[suffix](CONTENT)
    with pytest.raises(EOFError):
        read(tmp_path / f"a.{suffix}", whole[: int(len(whole) * left)])


def test_what_stands_before_is_read_first(tmp_path):
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(CONTENT) + b"garbage that is no stream")
    with open_bytes(path) as file:
        assert file.read(len(CONTENT) - 1) == CONTENT[:-1]
        with pytest.raises(TrailingBytesError):
            file.read()
    assert file.closed


def test_bytes_in_memory_are_read_the_same_way():
    assert from_xz(lzma.compress(CONTENT[:HALF]) + b"\0" * 8 + lzma.compress(CONTENT[HALF:])) == CONTENT
    with pytest.raises(TrailingBytesError):
        from_xz(lzma.compress(CONTENT) + b"garbage that is no stream")
