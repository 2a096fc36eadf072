"""Chunks are read without unpickling: every way Python writes them, and nothing else."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
from pathlib import Path
from typing import Any

import pytest
from harness_plugins.datasets.mmbench_index import spans
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError

VIDEOS = {
    "short": b"x",
    "empty": b"",
    "also empty": b"",
    "ünïcödé": b"\x00" * 255,
    "medium": os.urandom(70_000),
    "long": os.urandom(300_000),
}


def contents(path: Path) -> dict[str, bytes]:
    raw = path.read_bytes()
    return {name: raw[span.start : span.start + span.length] for name, span in spans(path).items()}


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_protocol_that_can_hold_bytes(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "chunk.pkl"
    path.write_bytes(pickle.dumps(VIDEOS, protocol))
    assert contents(path) == VIDEOS
    with path.open("wb") as file:
        pickle.dump(VIDEOS, file, protocol)
    assert contents(path) == VIDEOS


def test_what_other_writers_make_of_it(tmp_path: Path) -> None:
    path = tmp_path / "chunk.pkl"
    for written in (
        pickletools.optimize(pickle.dumps(VIDEOS, 4)),
        pickle._dumps(VIDEOS, 3),  # type: ignore[attr-defined]
        pickle._dumps(VIDEOS, 5),  # type: ignore[attr-defined]
        pickle.dumps({"a": bytearray(b"abc"), "b": b"z"}, 5),
    ):
        path.write_bytes(written)
        assert contents(path) == pickle.loads(written)


def test_more_videos_than_one_batch_of_the_pickler(tmp_path: Path) -> None:
    videos = {f"v{i}": b"%d" % i for i in range(2500)}
    path = tmp_path / "chunk.pkl"
    path.write_bytes(pickle.dumps(videos))
    assert contents(path) == videos


def test_videos_of_gigabytes_are_not_read(tmp_path: Path) -> None:
    """A sparse file of 3 GB with one video in it: the index must not touch its bytes."""
    path, size = tmp_path / "chunk.pkl", 3 << 30
    with path.open("wb") as file:
        file.write(b"\x80\x04}(X\x01\x00\x00\x00a\x8e" + struct.pack("<Q", size))
        start = file.tell()
        file.seek(size, os.SEEK_CUR)
        file.write(b"u.")
    found = spans(path)["a"]
    assert (found.start, found.length) == (start, size)


class Hostile:
    """Unpickling this makes a folder."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_runs_nothing(tmp_path: Path, protocol: int) -> None:
    trace, path = tmp_path / "trace", tmp_path / "chunk.pkl"
    for content in (Hostile(trace), {"a": Hostile(trace)}, {"a": b"x", Hostile(trace): b"y"}):
        path.write_bytes(pickle.dumps(content, protocol))
        with pytest.raises(UsageError, match="nothing in it was run"):
            spans(path)
    assert not trace.exists()
    pickle.loads(pickle.dumps(Hostile(trace), protocol))
    assert trace.exists(), "the pickle was harmless, so this test shows nothing"


@pytest.mark.parametrize(
    "content",
    [
        [b"x"],
        {"a": "text"},
        {"a": {"b": b"x"}},
        {b"a": b"x"},
        {1: b"x"},
        {"a": None},
        {("a",): b"x"},
        {"a" * 10_000: b"x"},
        b"x",
        "x",
        {"\ud800": b"x"},
        {"a": 1 << 70},
    ],
)
def test_other_contents_are_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "chunk.pkl"
    for protocol in (3, 4, 5):
        path.write_bytes(pickle.dumps(content, protocol))
        with pytest.raises(UsageError, match="no chunk"):
            spans(path)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b".",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"\x80\x04}u.",
        b"\x80\x04}s.",
        b"\x80\x04}(X\x01\x00\x00\x00au.",
        b"\x80\x04(.",
        b"\x80\x04}}.",
        b"\x80\x04}h\x05.",
        b"\x80\x04\x94.",
        b"\x80\x04}(X\xff\xff\xff\xffa",
        b"\x80\x04}(X\x01\x00\x00\x00a\x8e\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x80\x04}(}(u.",
    ],
)
def test_nonsense_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "chunk.pkl"
    path.write_bytes(raw)
    with pytest.raises(UsageError, match="no chunk"):
        spans(path)


def test_a_chunk_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chunk.pkl"
    whole = pickle.dumps({"a": b"x" * 300, "b": b"y" * 20})
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError, match="download it again"):
            spans(path)


@given(st.binary(max_size=60))
def test_any_bytes_give_an_index_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pkl"
    path.write_bytes(b"\x80\x04}" + raw)
    try:
        for span in spans(path).values():
            assert span.start + span.length <= len(raw) + 3
    except UsageError:
        pass


def test_a_missing_chunk_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        spans(tmp_path / "none.pkl")
