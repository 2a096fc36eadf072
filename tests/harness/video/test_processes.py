"""Decoding in other processes: the same frames, and whatever happens to one of them costs one video."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from decoder_faults import on_path
from videos import write

from harness import DecodeError, HarnessError, Sampling, UsageError, Video
from harness.errors import IncompleteError
from harness.video import decode, decode_windows, foresee, process, worker
from harness.video.messages import receive, send
from harness.video.processes import Decoders, Here, decoding

EIGHT = Sampling(nframe=8)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return Video(write(tmp_path_factory.mktemp("v") / "v.mp4"), "v")


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    with Decoders(300) as made:
        yield made


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(process: int) -> bool:
    """Whether there is such a process, one that has ended but was not waited for left out."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_same_comes_out(decoders: Decoders, video: Video) -> None:
    apart, here = decoders.decode(video, EIGHT), decode(video, EIGHT)
    assert np.array_equal(apart.frames, here.frames)
    assert np.array_equal(apart.times, here.times)
    assert np.array_equal(apart.indices, here.indices)
    assert (apart.fps, apart.notes) == (here.fps, here.notes)
    assert apart.frames.flags.writeable
    clips, windows = decoders.decode_windows(video, EIGHT, 0.2), decode_windows(video, EIGHT, 0.2)
    assert np.array_equal(clips[0].frames, windows[0].frames)
    assert [one.tolist() for one in clips[1]] == [one.tolist() for one in windows[1]]
    assert decoders.foresee(video, EIGHT) == foresee(video, EIGHT)
    assert len(decoders.processes) == 1


def test_errors_are_the_same(decoders: Decoders, video: Video, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("broken")
    with pytest.raises(DecodeError, match=r"^bad\.mp4 cannot be decoded"):
        decoders.decode(Video(tmp_path / "bad.mp4", "bad"), EIGHT)
    with pytest.raises(UsageError, match="pyav or decord"):
        decoders.decode(video, EIGHT, "ffmpeg")
    assert len(decoders.processes) == 1
    assert decoders.decode(video, EIGHT).frames.shape[0] == 8


def test_a_path_that_blocks_on_opening_is_never_opened(decoders: Decoders, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    pipe = Video(tmp_path / "pipe.mp4", "pipe")
    for where in (decoders, Here()):
        assert where.foresee(pipe, EIGHT) == (0, 0, 0)
        with pytest.raises(DecodeError, match=r"^pipe\.mp4 is no file that holds a video"):
            where.decode(pipe, EIGHT)


def test_relative_paths_are_those_of_the_asker(
    decoders: Decoders, video: Video, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    decoders.decode(video, EIGHT)
    monkeypatch.chdir(video.path.parent)
    assert decoders.decode(Video(Path("v.mp4"), "v"), EIGHT).frames.shape[0] == 8


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("hangs.mp4", r"hangs\.mp4 took more than 0\.3 s to decode: .* --decode_timeout"),
        ("hangs_on_a_pipe.mp4", r"took more than 0\.3 s"),
        ("shoots_itself.mp4", r"ended the process that decoded it \(killed: perhaps there was no memory"),
        ("segfaults.mp4", r"ended the process that decoded it \(Segmentation fault\)"),
        ("exits.mp4", r"ended the process that decoded it \(exit status 3\)"),
    ],
)
def test_a_video_that_takes_the_decoder_with_it_costs_itself_alone(
    decoders: Decoders,
    video: Video,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    sentence: str,
) -> None:
    on_path(tmp_path / "site", monkeypatch)
    (tmp_path / name).write_bytes(video.path.read_bytes())
    bad = Video(tmp_path / name, name)
    decoders.decode(video, EIGHT)
    (first,) = decoders.processes
    decoders.seconds = 0.3 if "hangs" in name else 300
    with pytest.raises(DecodeError, match=sentence):
        decoders.decode(bad, EIGHT)
    assert not alive(first)
    decoders.seconds = 300
    # What is known is not tried again by the same run, and the others go on.
    with pytest.raises(DecodeError, match=sentence):
        decoders.decode(bad, EIGHT)
    assert decoders.foresee(bad, EIGHT) == (0, 0, 0)
    assert decoders.decode(video, EIGHT).frames.shape[0] == 8
    assert first not in decoders.processes


def test_one_process_for_each_thread_that_decodes(decoders: Decoders, video: Video) -> None:
    together = threading.Barrier(3, timeout=60)

    def work() -> None:
        for _ in range(3):
            together.wait()
            decoders.decode(video, EIGHT)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(decoders.processes) <= 3


def test_one_that_died_idle_is_replaced(decoders: Decoders, video: Video) -> None:
    decoders.decode(video, EIGHT)
    (process,) = decoders.processes
    os.kill(process, signal.SIGKILL)
    wait_for(lambda: not alive(process))
    assert decoders.decode(video, EIGHT).frames.shape[0] == 8
    assert decoders.processes != [process]


def test_closing_ends_what_is_under_way(video: Video) -> None:
    decoders = Decoders(300)
    decoders.decode(video, EIGHT)
    (process,) = decoders.processes
    os.kill(process, signal.SIGSTOP)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            decoders.decode(video, EIGHT)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: not decoders._idle)
    decoders.close()
    thread.join(60)
    assert isinstance(raised[0], IncompleteError)
    assert decoders.processes == []
    assert not alive(process)
    with pytest.raises(IncompleteError):
        decoders.decode(video, EIGHT)


def test_signals_for_the_whole_group_do_not_reach_it(decoders: Decoders, video: Video) -> None:
    decoders.decode(video, EIGHT)
    (process,) = decoders.processes
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        os.kill(process, number)
    decoders.decode(video, EIGHT)
    assert decoders.processes == [process]


def test_it_inherits_no_descriptor(decoders: Decoders, video: Video, tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        decoders.decode(video, EIGHT)
    (process,) = decoders.processes
    names = [str(path.readlink()) for path in Path(f"/proc/{process}/fd").iterdir()]
    assert not [name for name in names if name.startswith(str(tmp_path))]
    # The connection and the lifeline; standard error may be a pipe, too.
    assert 2 <= len([name for name in names if name.startswith(("socket:", "pipe:"))]) <= 3


PARENT = """
import sys
from pathlib import Path
from harness import Sampling, Video
from harness.video.processes import Decoders

video, bad = (Video(Path(name), "v") for name in sys.argv[1:])
decoders = Decoders(300)
decoders.decode(video, Sampling(nframe=1))
print(*decoders.processes, flush=True)
decoders.decode(bad, Sampling(nframe=1))
"""


@pytest.mark.parametrize("name", ["hangs.mp4", "hangs_on_a_pipe.mp4"])
def test_none_outlives_its_parent(
    video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The parent is killed while C code holds the interpreter's lock in the other process."""
    on_path(tmp_path / "site", monkeypatch)
    (tmp_path / name).write_bytes(video.path.read_bytes())
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, video.path, tmp_path / name], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    process = int(parent.stdout.readline())
    begun = tmp_path / "begun"
    wait_for(begun.exists)
    assert alive(process)
    parent.kill()
    parent.wait()
    wait_for(lambda: not alive(process))


def test_a_process_that_cannot_start_is_one_sentence(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START", "raise SystemExit(7)")
    with (
        Decoders(300) as decoders,
        pytest.raises(HarnessError, match=r"\(exit status 7\).*--decode_timeout 0"),
    ):
        decoders.decode(video, EIGHT)
    monkeypatch.setattr(process, "_START", "import time; time.sleep(600)")
    monkeypatch.setattr(process, "START_SECONDS", 0.2)
    with Decoders(300) as decoders, pytest.raises(HarnessError, match="it does not get ready"):
        decoders.decode(video, EIGHT)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Decoders(300) as decoders, pytest.raises(HarnessError, match="No such file or directory"):
        decoders.decode(video, EIGHT)


def test_what_the_other_process_does(video: Video) -> None:
    """In this one, where it can be watched."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=worker.answer, args=(theirs,))
    thread.start()
    assert receive(ours) == "ready"
    send(ours, ("foresee", (video, EIGHT)))
    assert receive(ours) == (8, 64, 96)
    send(ours, ("decode", (video,)))
    assert isinstance(receive(ours), RuntimeError)
    ours.close()
    thread.join(60)
    assert not thread.is_alive()
    theirs.close()


def test_no_limit_means_this_process(video: Video) -> None:
    assert isinstance(decoding(0), Here)
    assert np.array_equal(decoding(0).decode(video, EIGHT).frames, decode(video, EIGHT).frames)
    assert isinstance(decoding(5), Decoders)
