"""Unpacking: whole files or none, on after any interruption, once among ranks, never outside."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from harness_plugins.datasets import mmbench_chunks
from harness_plugins.datasets.mmbench_chunks import missing, unpack

from harness.errors import UsageError

VIDEOS = [{f"v{chunk}{i}": os.urandom(2000 + i) for i in range(4)} for chunk in range(3)]
FILES = {f"{name}.mp4": content for chunk in VIDEOS for name, content in chunk.items()}


def lay(root: Path, *chunks: Mapping[str, bytes]) -> Path:
    (root / "video_pkl").mkdir(parents=True)
    for number, videos in enumerate(chunks):
        (root / "video_pkl" / f"video_chunk_{number}.pkl").write_bytes(pickle.dumps(dict(videos)))
    return root


def unpacked(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "video").iterdir() if path.name != ".lock"}


def test_all_videos_of_all_chunks(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", *VIDEOS)
    unpack(root, FILES)
    assert unpacked(root) == FILES


def test_longer_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmbench_chunks, "BLOCK", 7)
    root = lay(tmp_path / "root", *VIDEOS)
    unpack(root, FILES)
    assert unpacked(root) == FILES


def test_nothing_is_done_when_nothing_is_missing(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", *VIDEOS)
    unpack(root, FILES)
    for chunk in (root / "video_pkl").iterdir():
        chunk.write_bytes(b"not even a pickle")
    unpack(root, FILES)
    unpack(tmp_path / "nowhere", FILES)
    assert not (tmp_path / "nowhere").exists()


def test_what_is_there_is_kept_and_empty_files_are_replaced(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", *VIDEOS)
    (root / "video").mkdir()
    (root / "video" / "v00.mp4").write_bytes(b"mine")
    (root / "video" / "v11.mp4").write_bytes(b"")
    assert "v11.mp4" in missing(root / "video", FILES)
    unpack(root, FILES)
    assert unpacked(root) == {**FILES, "v00.mp4": b"mine"}


def test_names_never_lead_outside(tmp_path: Path) -> None:
    content = {"../../evil": b"1", "/tmp/abs": b"2", "..\\..\\win": b"3", "a/b.mp4": b"4"}
    root = lay(tmp_path / "deep" / "root", content)
    unpack(root, ["x.mp4"])
    assert unpacked(root) == {"evil.mp4": b"1", "abs.mp4": b"2", "win.mp4": b"3", "b.mp4": b"4"}
    assert {path.parent for path in tmp_path.rglob("*.mp4")} == {root / "video"}


@pytest.mark.parametrize("name", ["..", "a/..", "", "/", ".mp4", "...mp4", "x\0y", "x\ny", "n" * 300])
def test_names_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    root = lay(tmp_path / "root", {name: b"x"})
    with pytest.raises(UsageError, match="no file name"):
        unpack(root, ["x.mp4"])


def test_a_damaged_chunk_keeps_what_came_before_it(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", *VIDEOS)
    second = root / "video_pkl" / "video_chunk_1.pkl"
    whole = second.read_bytes()
    second.write_bytes(whole[:3000])
    with pytest.raises(UsageError, match=r"video_chunk_1.pkl .*cut off.* download it again"):
        unpack(root, FILES)
    assert set(unpacked(root)) == {f"{name}.mp4" for name in VIDEOS[0]}
    second.write_bytes(whole)
    unpack(root, FILES)
    assert unpacked(root) == FILES


def test_no_room_is_found_out_before_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay(tmp_path / "root", *VIDEOS)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=100))
    with pytest.raises(UsageError, match=r"need 8,006 bytes"):
        unpack(root, FILES)
    assert unpacked(root) == {}


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", *VIDEOS)
    (root / "video").write_text("in the way")
    with pytest.raises(UsageError, match="cannot unpack"):
        unpack(root, FILES)


CHILD = """
import sys, time
from pathlib import Path
from harness_plugins.datasets import mmbench_chunks
mmbench_chunks.BLOCK = 16
write = Path.open
root, slow = Path(sys.argv[1]), float(sys.argv[2])
class Slow:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *args): self.file.close()
    def write(self, block):
        time.sleep(slow)
        self.file.write(block)
        self.file.flush()
def opened(path, mode="r", *args, **kwargs):
    file = write(path, mode, *args, **kwargs)
    return Slow(file) if path.name.endswith(".part") and slow else file
Path.open = opened
mmbench_chunks.unpack(root, sys.argv[3:])
"""


def child(root: Path, slow: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(root), str(slow), *FILES])


def test_killed_in_the_middle_no_file_is_half_there_and_the_rest_follows(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", *VIDEOS)
    process = child(root, 0.0005)
    part = None
    for _ in range(2000):
        done = list((root / "video").glob("v*.mp4"))
        part = next((root / "video").glob(".*.part"), None)
        if len(done) >= 2 and part is not None:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = unpacked(root)
    assert any(name.endswith(".part") for name in before), "killed between two files: shows nothing"
    assert all(FILES[name] == content for name, content in before.items() if not name.endswith(".part"))
    assert 2 <= sum(name in FILES for name in before) < len(FILES)
    unpack(root, FILES)
    assert unpacked(root) == FILES


def test_ranks_that_start_together_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", *VIDEOS)
    processes = [child(root, 0.0001) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert unpacked(root) == FILES
