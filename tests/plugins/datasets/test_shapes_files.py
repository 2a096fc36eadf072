"""The files: one whole set, whoever writes it, however it was interrupted."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from harness_plugins.datasets import shapes_files
from harness_plugins.datasets.shapes_files import ensure

from harness import UsageError

WRITER = """
import logging, sys
from pathlib import Path
from harness_plugins.datasets.shapes_files import ensure
logging.basicConfig(level=logging.INFO)
ensure(Path(sys.argv[1]), "test", int(sys.argv[2]))
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def start(folder: Path, videos: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(videos)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    ensure(folder, "test", 30)
    return contents(folder)


def test_number_and_order_of_videos_change_no_byte(tmp_path: Path, whole: dict[str, bytes]) -> None:
    ensure(tmp_path, "test", 3)
    few = contents(tmp_path)
    assert few == {
        f"shapes-test-{index:04d}.mp4": whole[f"shapes-test-{index:04d}.mp4"] for index in range(3)
    }
    paths = ensure(tmp_path, "test", 30)
    assert contents(tmp_path) == whole
    assert [path.name for path in paths] == sorted(whole)
    assert len(set(whole.values())) == 30


def test_many_processes_write_the_same_bytes(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes_files, "CROWD", 10)
    ensure(tmp_path, "test", 30)
    assert contents(tmp_path) == whole


def test_processes_that_start_together_share_the_work(tmp_path: Path, whole: dict[str, bytes]) -> None:
    writers = [start(tmp_path, 30) for _ in range(3)]
    logs = [writer.communicate(timeout=60)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], logs
    assert contents(tmp_path) == whole
    assert sum(log.count("writing") for log in logs) == 1


def test_interrupted_writing_leaves_whole_files_only(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = shapes_files.encode

    def stop_at_fifth(frames, path: Path) -> None:
        encode(frames, path)
        if path.name.endswith("0004.mp4"):
            path.write_bytes(path.read_bytes()[:500])
            raise KeyboardInterrupt

    monkeypatch.setattr(shapes_files, "encode", stop_at_fifth)
    with pytest.raises(KeyboardInterrupt):
        ensure(tmp_path, "test", 30)
    assert contents(tmp_path) == {name: whole[name] for name in sorted(whole)[:4]}
    monkeypatch.undo()
    ensure(tmp_path, "test", 30)
    assert contents(tmp_path) == whole


def test_killed_writer_leaves_whole_files_only(tmp_path: Path, whole: dict[str, bytes]) -> None:
    writer = start(tmp_path, 400)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.mp4"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    written = sorted(tmp_path.glob("*.mp4"))
    assert 5 <= len(written) < 400
    for path in written[-3:]:
        with av.open(str(path)) as file:
            assert sum(1 for _ in file.decode(video=0)) == 24
    (tmp_path / ".part-left").mkdir(exist_ok=True)
    (tmp_path / ".part-left" / "shapes-test-0399.mp4").write_bytes(b"half")
    written[0].unlink()
    ensure(tmp_path, "test", 30)
    assert {name: data for name, data in contents_of_files(tmp_path).items() if name in whole} == whole
    assert not list(tmp_path.glob(".part-*"))


def contents_of_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.mp4")}


def test_whole_set_is_used_without_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(tmp_path, "test", 2)

    def fail(*_: object) -> None:
        raise AssertionError("nothing is missing")

    monkeypatch.setattr(shapes_files, "_alone", fail)
    assert len(ensure(tmp_path, "test", 2)) == 2


def test_folder_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UsageError, match="--data_root"):
        ensure(tmp_path / "file" / "test", "test", 1)
