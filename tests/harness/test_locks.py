"""Locks: one run per cell, its ranks side by side, and nothing that the dead leave behind."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import harness.locks
from harness.errors import HarnessError
from harness.locks import CellLock, hold, hold_free, holder, is_held, release

HOLDER = """
import sys, time
from pathlib import Path
from harness.locks import CellLock

with CellLock(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])):
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    return tmp_path / "out" / "m_0.3.pkl"


@contextmanager
def held_elsewhere(cell: Path, token: str, rank: int = 0) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, cell, token, str(rank)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "in\n"
        yield process
    finally:
        process.kill()
        process.wait()


def names(cell: Path) -> list[str]:
    return sorted(path.name for path in cell.parent.iterdir())


def test_nothing_stays_behind(cell: Path) -> None:
    with CellLock(cell, "run-1", 0):
        assert names(cell) == ["m_0.3.run-1.0.lock"]
    assert names(cell) == []


def test_another_run_is_told_who_is_at_work(cell: Path) -> None:
    with held_elsewhere(cell, "a") as other:
        with pytest.raises(HarnessError) as raised, CellLock(cell, "b", 0):
            pass
        assert re.fullmatch(
            rf"another run \(process {other.pid} on \S+, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\) "
            r"is working on m_0\.3\.pkl: wait for it, end it, or use another --work_dir",
            str(raised.value),
        )
        assert raised.value.exit_code == 1
        assert names(cell) == ["m_0.3.a.0.lock"]


def test_ranks_of_one_run_share(cell: Path) -> None:
    with held_elsewhere(cell, "a", 1), CellLock(cell, "a", 0), CellLock(cell, "a", 2):
        assert names(cell) == [f"m_0.3.a.{rank}.lock" for rank in range(3)]


def test_a_run_keeps_others_out_until_its_last_rank_leaves(cell: Path) -> None:
    with CellLock(cell, "a", 1):
        with CellLock(cell, "a", 0):
            pass
        with pytest.raises(HarnessError, match="another run"), CellLock(cell, "b", 0):
            pass
    with CellLock(cell, "b", 0):
        pass


def test_a_killed_run_keeps_nobody_out_and_is_cleaned_up(cell: Path) -> None:
    with held_elsewhere(cell, "a") as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert names(cell) == ["m_0.3.a.0.lock"]
        with CellLock(cell, "b", 0):
            assert names(cell) == ["m_0.3.b.0.lock"]


def test_a_restarted_rank_enters_while_its_old_process_still_dies(cell: Path) -> None:
    with CellLock(cell, "a", 0):
        with CellLock(cell, "a", 0):
            assert names(cell) == ["m_0.3.a.0.lock", "m_0.3.a.0~1.lock"]
        with pytest.raises(HarnessError, match="another run"), CellLock(cell, "b", 0):
            pass


def test_other_cells_are_other_locks(cell: Path) -> None:
    with CellLock(cell, "a", 0), CellLock(cell.with_name("m_0.pkl"), "b", 0):
        pass
    with CellLock(cell.with_name("m_0.pkl"), "b", 0), CellLock(cell, "a", 0):
        pass


def test_of_two_runs_that_start_at_once_one_gets_in_whole(cell: Path) -> None:
    for _ in range(5):
        start, leave = threading.Barrier(12, timeout=30), threading.Barrier(12, timeout=30)
        entered: list[str] = []
        refused: list[str] = []

        def rank(
            number: int,
            start: threading.Barrier,
            leave: threading.Barrier,
            entered: list[str],
            refused: list[str],
        ) -> None:
            token = "ab"[number % 2]
            start.wait()
            try:
                with CellLock(cell, token, number):
                    entered.append(token)
                    leave.wait()
            except HarnessError:
                refused.append(token)
                leave.wait()

        ranks = [threading.Thread(target=rank, args=(n, start, leave, entered, refused)) for n in range(12)]
        for thread in ranks:
            thread.start()
        for thread in ranks:
            thread.join()
        assert len(entered) == len(refused) == 6
        assert len(set(entered)) == len(set(refused)) == 1
    assert names(cell) == []


def test_a_gate_that_nobody_opens_is_one_sentence(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell.parent.mkdir()
    gate = hold(cell.with_name("m_0.3.gate"))
    assert gate is not None
    monkeypatch.setattr(harness.locks, "GATE_SECONDS", 0.05)
    with pytest.raises(HarnessError, match=r"entering m_0\.3\.pkl for 0\.05 s: end it if it hangs"):
        CellLock(cell, "a", 0).__enter__()
    os.close(gate)
    with CellLock(cell, "a", 0):
        pass


def test_waiting_at_the_gate_is_short(cell: Path) -> None:
    cell.parent.mkdir()
    path = cell.with_name("m_0.3.gate")
    gate = hold(path)
    assert gate is not None
    threading.Timer(0.1, release, (gate, path)).start()
    begun = time.monotonic()
    with CellLock(cell, "a", 0):
        assert 0.05 < time.monotonic() - begun < 5
    assert names(cell) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff"])
def test_a_lock_without_a_readable_holder_still_keeps_out(cell: Path, content: bytes) -> None:
    cell.parent.mkdir()
    other = hold(cell.with_name("m_0.3.a.0.lock"))
    assert other is not None
    os.write(other, content)
    with pytest.raises(HarnessError, match=r"^another run is working on m_0\.3\.pkl"):
        CellLock(cell, "b", 0).__enter__()
    os.close(other)


def test_a_lock_that_goes_while_looked_at_is_none(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = CellLock(cell, "b", 0)
    monkeypatch.setattr(lock, "_others", lambda: [cell.with_name("m_0.3.a.0.lock")])
    with lock:
        assert names(cell) == ["m_0.3.b.0.lock"]


def test_the_holder_is_named_and_nothing_is_written(cell: Path) -> None:
    cell.parent.mkdir()
    assert holder(cell) is None
    with held_elsewhere(cell, "a") as other:
        stamp = cell.parent.stat().st_mtime_ns
        assert re.fullmatch(rf"process {other.pid} on \S+, since \d{{4}}-.*", str(holder(cell)))
        assert is_held(cell.with_name("m_0.3.a.0.lock"))
        assert cell.parent.stat().st_mtime_ns == stamp
    assert holder(cell) is None, "what the dead leave behind is held by nobody"
    assert not is_held(cell.with_name("nothing"))


def test_who_looks_at_a_stale_lock_keeps_nobody_out(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell.parent.mkdir()
    stale = cell.with_name("m_0.3.a.0.lock").open("w+")
    fcntl.flock(stale, fcntl.LOCK_SH)
    monkeypatch.setattr(harness.locks.time, "sleep", lambda _: stale.close())
    with CellLock(cell, "b", 0):
        assert names(cell) == ["m_0.3.b.0.lock"]


@pytest.mark.parametrize("token", ["", "a.b", "a/b", "é"])
def test_a_token_is_a_plain_word(cell: Path, token: str) -> None:
    with pytest.raises(ValueError, match="a token is made of"):
        CellLock(cell, token, 0)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        HarnessError, match=r"cannot lock .*: File exists; mend that or use another --work_dir"
    ):
        CellLock(tmp_path / "file" / "x.pkl", "a", 0).__enter__()


def test_a_holder_that_cannot_be_written_lets_go(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(HarnessError, match="No space left on device"):
        CellLock(cell, "a", 0).__enter__()
    assert names(cell) == []


def test_hold_is_exclusive_and_ends_with_its_descriptor(tmp_path: Path) -> None:
    first = hold(tmp_path / "x")
    assert first is not None
    assert hold(tmp_path / "x") is None
    os.close(first)
    second = hold(tmp_path / "x", create=False)
    assert second is not None
    os.close(second)


def test_hold_creates_only_when_asked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        hold(tmp_path / "x", create=False)
    assert list(tmp_path.iterdir()) == []


def test_hold_never_guards_a_name_that_was_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening and locking, the last holder removes or replaces the file."""
    path = tmp_path / "x"
    path.touch()
    real = harness.locks._lock
    steps = iter([path.unlink, lambda: (tmp_path / "y").touch() or (tmp_path / "y").replace(path)])

    def late(descriptor: int) -> bool:
        next(steps, lambda: None)()
        return real(descriptor)

    monkeypatch.setattr(harness.locks, "_lock", late)
    descriptor = hold(path)
    assert descriptor is not None
    assert os.path.samestat(path.stat(), os.fstat(descriptor))
    os.close(descriptor)


def test_hold_free_takes_the_next_name(tmp_path: Path) -> None:
    held = [hold_free(tmp_path / "x.lock") for _ in range(3)]
    assert [path.name for _, path in held] == ["x.lock", "x~1.lock", "x~2.lock"]
    for descriptor, _ in held:
        os.close(descriptor)


def test_release_leaves_a_file_alone_that_has_taken_the_name(tmp_path: Path) -> None:
    path = tmp_path / "x"
    descriptor = hold(path)
    assert descriptor is not None
    path.rename(tmp_path / "moved")
    path.write_text("another's")
    release(descriptor, path)
    assert path.read_text() == "another's"
    gone = hold(tmp_path / "moved")
    assert gone is not None
    (tmp_path / "moved").unlink()
    release(gone, tmp_path / "moved")


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_there_are_no_locks_marks_keep_others_out(
    cell: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with CellLock(cell, "a", 0), CellLock(cell, "a", 1):
        with pytest.raises(
            HarnessError, match=r"another run .*; if that process has ended, remove .*\.held$"
        ):
            CellLock(cell, "b", 0).__enter__()
        assert harness.locks.holder(cell) is not None
    assert names(cell) == []
    assert harness.locks.holder(cell) is None
    with CellLock(cell, "b", 0):
        pass
    assert names(cell) == []


def test_a_run_killed_where_there_are_no_locks_keeps_nobody_out(
    cell: Path, no_locks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_elsewhere(cell, "a") as other:
        assert names(cell) == ["m_0.3.a.0.lock", "m_0.3.a.0.lock.held"]
        with pytest.raises(HarnessError, match=rf"another run \(process {other.pid} on"):
            CellLock(cell, "b", 0).__enter__()
        other.kill()
        other.wait()
        with CellLock(cell, "b", 0):
            assert names(cell) == ["m_0.3.b.0.lock", "m_0.3.b.0.lock.held"]
    assert names(cell) == []


def test_a_failure_while_locking_closes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(descriptor: int) -> bool:
        opened.append(descriptor)
        raise KeyboardInterrupt

    opened: list[int] = []
    monkeypatch.setattr(harness.locks, "_lock", stop)
    with pytest.raises(KeyboardInterrupt):
        hold(tmp_path / "x")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])
