"""Marks in the place of locks: whole at once, stale when their process has died, else never taken away."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import threading
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from harness import marks
from harness.cache import Cache
from harness.marks import is_marked, make_mark, mark_of

HOLDER = """
import sys
from pathlib import Path
from harness.marks import make_mark

print(make_mark(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def held_elsewhere(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == str(mark_of(path))
    return process


def test_a_mark_is_there_until_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    mark = make_mark(path)
    assert mark is not None
    assert is_marked(path)
    assert make_mark(path) is None
    assert names(tmp_path) == ["x.held"]
    mark.unlink()
    assert not is_marked(path)
    assert make_mark(path) is not None


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    process = held_elsewhere(path)
    assert is_marked(path)
    assert make_mark(path) is None
    process.kill()
    process.wait()
    assert not is_marked(path)
    assert make_mark(path) is not None
    assert names(tmp_path) == ["x.held"]


@pytest.mark.parametrize(
    "change", [{"host": "elsewhere"}, {"boot": "another"}, {"space": "pid:[1]"}, {"boot": None}]
)
def test_of_another_machine_nobody_can_tell(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "x"
    process = held_elsewhere(path)
    process.kill()
    process.wait()
    mark = mark_of(path)
    mark.write_text(json.dumps(json.loads(mark.read_text()) | change))
    assert is_marked(path)
    assert make_mark(path) is None


def test_a_number_that_another_process_has_by_now_is_no_reason_to_wait(tmp_path: Path) -> None:
    path = tmp_path / "x"
    mark = make_mark(path)
    assert mark is not None
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"began": "1"}))
    assert not is_marked(path)
    assert make_mark(path) is not None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "null"])
def test_what_cannot_be_read_counts_as_held(tmp_path: Path, content: str) -> None:
    mark_of(tmp_path / "x").write_text(content)
    assert is_marked(tmp_path / "x")
    assert make_mark(tmp_path / "x") is None


def test_without_links_it_works_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert make_mark(tmp_path / "x") is not None
    assert make_mark(tmp_path / "x") is None
    assert names(tmp_path) == ["x.held"]


def test_of_many_at_once_one_gets_it_even_where_a_stale_one_lies(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for _ in range(100):
        stale = {**marks._who(os.getpid()), "began": "1"}
        mark_of(path).write_text(json.dumps(stale))
        start = threading.Barrier(4, timeout=60)
        got: list[Path | None] = []

        def work(start: threading.Barrier, got: list[Path | None]) -> None:
            start.wait()
            got.append(make_mark(path))

        threads = [threading.Thread(target=work, args=(start, got)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(mark is not None for mark in got) == [False, False, False, True]
        mark_of(path).unlink()


def test_who_died_while_taking_a_stale_mark_over_is_followed_by_another(tmp_path: Path) -> None:
    path = tmp_path / "x"
    dead = [json.dumps({**marks._who(os.getpid()), "began": began}) for began in ("1", "2")]
    mark_of(path).write_text(dead[0])
    heir = f"x.held.{blake2b(dead[0].encode(), digest_size=4).hexdigest()}"
    (tmp_path / heir).write_text(dead[1])
    assert make_mark(path) == mark_of(path)
    assert make_mark(path) is None
    assert names(tmp_path) == ["x.held"]


WRITER = """
import sys
from pathlib import Path
from harness.cache import Cache

cache, first = Cache(Path(sys.argv[1])), int(sys.argv[2])
with cache.journal(f"w{first}") as journal:
    for key in range(first, first + 40):
        journal.append(key, {"status": "ok", "key": str(key)})
        if key % 5 == 0:
            cache.merge()
cache.merge()
"""


def test_where_there_are_no_locks_writers_and_merges_side_by_side_lose_nothing(
    tmp_path: Path, no_locks: None
) -> None:
    path = tmp_path / "c" / "x.pkl"
    path.parent.mkdir()
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, str(1000 * i)]) for i in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    records = Cache(path).merge()
    assert sorted(records) == [1000 * i + key for i in range(4) for key in range(40)]
    assert names(path.parent) == ["x.pkl"]


def test_a_mark_that_cannot_be_written_is_not_left_behind(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            make_mark(tmp_path / "x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []
