"""Journals: what was acknowledged is there, and damage costs the record it touches."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness.journal
from harness.errors import CacheError
from harness.journal import Journal
from harness.lines import parse
from harness.locks import hold


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cell.w.journal"


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.journal, "flush", lambda descriptor: None)


def stored(path: Path) -> dict[Any, Any]:
    return {entry.key: entry.record for entry in parse(path.read_bytes()).entries}


def fill(path: Path, count: int, start: int = 0) -> bytes:
    with Journal(path) as journal:
        for number in range(start, start + count):
            journal.append(number, {"status": "ok", "prediction": f"Antwort {number}\tné\n"})
    return path.read_bytes()


def test_a_line_is_checksum_tab_json(path: Path) -> None:
    with Journal(path) as journal:
        journal.append("é", {"b": 1, "a": "x\ty\nz"})
    line = path.read_bytes()
    crc, text = line.removesuffix(b"\n").split(b"\t")
    assert int(crc, 16) == zlib.crc32(text)
    assert text.startswith('["é",'.encode())
    assert text.endswith(b',{"a":"x\\ty\\nz","b":1}]')


def test_an_appended_record_is_on_disk_before_append_returns(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = []
    monkeypatch.setattr(
        harness.journal, "flush", lambda descriptor: flushed.append(os.fstat(descriptor).st_size)
    )
    with Journal(path) as journal:
        for number in range(5):
            journal.append(number, {})
            assert flushed[-1] == path.stat().st_size


def test_plain_data_only(path: Path) -> None:
    with Journal(path) as journal:
        for key, record in [(True, {}), (1, []), (1, {"a": (1,)}), (1.0, {})]:
            with pytest.raises(TypeError):
                journal.append(key, record)
        journal.append(1, {"a": 1})
    assert stored(path) == {1: {"a": 1}}


def test_a_torn_tail_costs_its_record_alone_and_never_glues(path: Path, unsynced: None) -> None:
    whole = fill(path, 3)
    start = whole[:-1].rfind(b"\n") + 1
    for cut in range(start, len(whole)):
        path.write_bytes(whole[:cut])
        last = {2} if cut == len(whole) - 1 else set()  # only the newline is missing
        assert set(stored(path)) == {0, 1} | last
        assert parse(path.read_bytes()).damaged == 0
        with Journal(path) as journal:
            journal.append("new", {"n": cut})
        contents = parse(path.read_bytes())
        assert {entry.key for entry in contents.entries} == {0, 1, "new"} | last
        assert contents.damaged == 0


def test_a_damaged_newline_at_the_end_keeps_its_record_through_the_next_append(
    path: Path, unsynced: None
) -> None:
    whole = fill(path, 2)
    path.write_bytes(whole[:-1] + b"\x0b")
    assert set(stored(path)) == {0, 1}
    fill(path, 1, start=2)
    assert set(stored(path)) == {0, 1, 2}


@pytest.mark.parametrize(
    "junk", [b"\0" * 50, os.urandom(200), b"\t" * 40, b"0123456\t[]", b"GIF89a\n\nhello\n", b"\n"]
)
def test_junk_costs_nothing_but_itself(path: Path, unsynced: None, junk: bytes) -> None:
    whole = fill(path, 2)
    path.write_bytes(junk + b"\n" + whole + junk)
    fill(path, 1, start=2)
    assert set(stored(path)) == {0, 1, 2}


def test_threads_append_at_once(path: Path) -> None:
    with Journal(path) as journal:
        run(8, lambda worker: [journal.append(f"{worker}.{n}", {"n": n}) for n in range(25)])
    assert stored(path) == {f"{worker}.{n}": {"n": n} for worker in range(8) for n in range(25)}
    stamps = [entry.stamp for entry in parse(path.read_bytes()).entries]
    assert stamps == sorted(set(stamps))


def test_threads_share_flushes_but_none_returns_before_its_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = [0]
    flushes = []

    def slow(descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        time.sleep(0.005)
        synced[0] = size
        flushes.append(size)

    monkeypatch.setattr(harness.journal, "flush", slow)
    early = []

    def work(worker: int) -> None:
        for n in range(10):
            journal.append(f"{worker}.{n}", {})
            done = {entry.key for entry in parse(path.read_bytes()[: synced[0]]).entries}
            if f"{worker}.{n}" not in done:
                early.append((worker, n))

    with Journal(path) as journal:
        run(8, work)
    assert not early
    assert len(flushes) < 60


def run(count: int, work: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_journal_without_records_leaves_no_file(path: Path) -> None:
    with Journal(path) as journal:
        assert path.exists()
    assert not path.exists()
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.append(1, {})


def test_two_live_writers_of_one_name_write_side_by_side(path: Path) -> None:
    with Journal(path) as one, Journal(path) as two:
        assert one.path == path
        assert two.path.name == "cell.w~1.journal"
        one.append(1, {})
        two.append(2, {})
        assert (set(stored(one.path)), set(stored(two.path))) == ({1}, {2})


def test_a_removed_file_is_begun_anew(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(1, {})
        path.unlink()
        path.parent.rmdir()
        journal.append(2, {})
        journal.append(3, {})
    assert set(stored(path)) == {2, 3}


def test_many_records_are_stored_with_one_sync(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = []
    monkeypatch.setattr(harness.journal, "flush", lambda file: flushed.append(os.fstat(file).st_size))
    with Journal(path) as journal:
        journal.extend((number, {"n": number}) for number in range(500))
        assert flushed == [path.stat().st_size]
        with pytest.raises(TypeError):
            journal.extend([("good", {}), ("bad", {"a": ()})])
    assert stored(path) == {number: {"n": number} for number in range(500)}


def test_an_answer_costs_the_same_however_many_are_stored(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One write of its own length and one sync, and nothing is read."""
    flushed, written = [], []
    real = os.write
    monkeypatch.setattr(harness.journal, "flush", flushed.append)

    def write(file: int, data: bytes) -> int:
        written.append(len(data))
        return real(file, data)

    with Journal(path) as journal:
        for stored in (0, 2000):
            journal.extend((f"{stored}.{number}", {}) for number in range(stored))
            flushed.clear()
            with monkeypatch.context() as patch:
                patch.setattr(os, "write", write)
                patch.setattr(os, "pread", lambda *_: pytest.fail("it reads"))
                journal.append("key", {"text": "x" * 100})
            assert len(flushed) == 1
    assert len(written) == 2 and written[0] == written[1]


def test_a_stamp_from_the_far_future_moves_nobody_elses(path: Path) -> None:
    with Journal(path, after=2**63 - 1) as journal:
        journal.append(1, {})
        journal.append(2, {})
    assert set(stored(path)) == {1, 2}


def test_stamps_rise_although_the_clock_falls(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([50, 40, 10**18])
    with Journal(path, after=60) as journal:
        monkeypatch.setattr(harness.journal.time, "time_ns", lambda: next(clock))
        for number in range(3):
            journal.append(number, {})
    assert [entry.stamp for entry in parse(path.read_bytes()).entries] == [61, 62, 10**18]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"cannot write .*File exists; make room or use another --work_dir"):
        Journal(tmp_path / "file" / "cell.w.journal")


def test_a_failed_flush_is_a_cache_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with Journal(path) as journal:
        monkeypatch.setattr(harness.journal, "flush", fail)
        with pytest.raises(CacheError, match="Input/output error"):
            journal.append(1, {})
        monkeypatch.undo()
        journal.append(2, {})
    assert 2 in stored(path)


FULL_DISK = """
import resource, sys
from pathlib import Path
from harness.errors import CacheError
from harness.journal import Journal
from harness.lines import parse

path = Path(sys.argv[1])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
acknowledged = set()
with Journal(path) as journal:
    for limit in (1000, 2013, 3500):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            for number in range(100):
                journal.append(f"{limit}.{number}", {"text": "x" * 150})
                acknowledged.add(f"{limit}.{number}")
        except CacheError as error:
            assert "File too large" in str(error), error
        else:
            raise SystemExit("the limit did not bite")
contents = parse(path.read_bytes())
assert contents.damaged == 0, contents
assert {entry.key for entry in contents.entries} == acknowledged, acknowledged
print(len(acknowledged))
"""


def test_a_full_disk_loses_nothing_and_writing_goes_on_when_there_is_room(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 12


def test_an_interrupted_write_is_mended_by_the_next(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def half(descriptor: int, data: memoryview) -> None:
        real(descriptor, bytes(data)[: len(data) // 2])
        raise KeyboardInterrupt

    with Journal(path) as journal:
        journal.append(1, {"a": "b"})
        monkeypatch.setattr(os, "write", half)
        with pytest.raises(KeyboardInterrupt):
            journal.append(2, {"a": "b"})
        monkeypatch.undo()
        journal.append(3, {"a": "b"})
    contents = parse(path.read_bytes())
    assert [entry.key for entry in contents.entries] == [1, 3]
    assert contents.damaged == 0


def test_system_calls_may_write_in_pieces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:7]))
    assert fill(path, 3).count(b"\n") == 3
    assert set(stored(path)) == {0, 1, 2}


def test_file_systems_that_cannot_sync_folders_are_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    harness.journal.sync_folder(tmp_path)
    harness.journal.sync_folder(tmp_path / "absent")


def test_a_journal_is_held_while_open(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(1, {})
        assert hold(path) is None
    descriptor = hold(path)
    assert descriptor is not None
    os.close(descriptor)
