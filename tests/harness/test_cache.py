"""The cache: what was stored is found again, however it was split up, damaged or cut off."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.cache
import harness.journal
from harness.cache import Cache
from harness.errors import CacheError
from harness.locks import hold

OK, FAILED = {"status": "ok", "text": "yes"}, {"status": "timeout", "text": ""}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "out" / "m_0.3.pkl")


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.journal, "flush", lambda descriptor: None)


def put(cache: Cache, writer: str, *items: tuple[Any, dict[str, Any]]) -> Path:
    with cache.journal(writer) as journal:
        for key, record in items:
            journal.append(key, record)
    return journal.path


def names(cache: Cache) -> list[str]:
    return sorted(path.name for path in cache.path.parent.iterdir())


def test_nothing_stored_is_an_empty_dict_and_makes_no_file(cache: Cache) -> None:
    assert cache.read() == cache.merge() == {}
    assert not cache.path.parent.exists()
    with cache.journal("w"):
        pass
    assert cache.merge() == {}
    assert names(cache) == []


def test_from_journals_to_one_pickle(cache: Cache) -> None:
    put(cache, "b", (2, OK), ("x", {"status": "ok", "é": [1.5, None]}))
    put(cache, "a", (10, FAILED))
    expected = {2: OK, 10: FAILED, "x": {"status": "ok", "é": [1.5, None]}}
    assert cache.read() == expected
    assert cache.merge() == expected
    assert names(cache) == ["m_0.3.pkl"]
    assert cache.read() == expected
    with cache.path.open("rb") as file:
        assert pickle.load(file) == expected


def test_later_records_win_over_earlier_ones_wherever_they_lie(cache: Cache) -> None:
    put(cache, "a", (1, {"status": "ok", "n": 0}))
    cache.merge()
    put(cache, "z", (1, {"status": "ok", "n": 1}))
    put(cache, "a", (1, {"status": "ok", "n": 2}))
    assert cache.read() == {1: {"status": "ok", "n": 2}}
    assert cache.merge() == {1: {"status": "ok", "n": 2}}


def test_a_failure_never_takes_the_place_of_an_answer(cache: Cache) -> None:
    put(cache, "a", (1, FAILED), (2, OK), (2, FAILED), (3, FAILED), (3, {"status": "refused"}))
    put(cache, "b", (1, OK), (4, OK))
    expected = {1: OK, 2: OK, 3: {"status": "refused"}, 4: OK}
    assert cache.merge() == expected
    put(cache, "c", (4, FAILED), (5, {}), (5, {"n": 1}))
    assert cache.read() == cache.merge() == {**expected, 5: {"n": 1}}


def test_the_order_survives_a_clock_that_falls_back(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cache, "z", (1, {"n": "old"}))
    cache.read()
    monkeypatch.setattr(harness.journal.time, "time_ns", lambda: 5)
    put(cache, "a", (1, {"n": "new"}))
    assert cache.read() == {1: {"n": "new"}}


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 5) | st.sampled_from(["a", "0", "é"]),
        st.fixed_dictionaries({"status": st.sampled_from(["ok", "timeout"]), "n": st.integers(-9, 9)}),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=15,
)


@settings(max_examples=60)
@given(EVENTS)
def test_the_bytes_do_not_depend_on_who_wrote_what_or_when_it_was_merged(events: list[Any]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        single, split = Cache(folder / "single.pkl"), Cache(folder / "split.pkl")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(harness.journal, "flush", lambda descriptor: None)
            put(single, "w", *((key, record) for key, record, _, _ in events))
            for key, record, writer, merge in events:
                put(split, f"w{writer}", (key, record))
                if merge:
                    split.merge()
        assert single.merge() == split.merge()
        if events:
            assert single.path.read_bytes() == split.path.read_bytes()
    finally:
        shutil.rmtree(folder)


def test_neighbours_with_longer_names_are_left_alone(cache: Cache) -> None:
    neighbours = [Cache(cache.path.with_name(name)) for name in ("m_0.pkl", "m_0.3.5.pkl", "xm_0.3.pkl")]
    for number, neighbour in enumerate(neighbours):
        put(neighbour, "w", (number, OK))
    put(cache, "w", (9, OK))
    assert cache.merge() == {9: OK}
    assert [neighbour.read() for neighbour in neighbours] == [{0: OK}, {1: OK}, {2: OK}]


@pytest.mark.parametrize("writer", ["", "a.b", "a/b", "a~1", "é", "a b"])
def test_a_writer_is_a_plain_word(cache: Cache, writer: str) -> None:
    with pytest.raises(ValueError, match="a writer is named by"):
        cache.journal(writer)


def test_a_cache_is_a_pkl() -> None:
    with pytest.raises(ValueError, match=r"a cache is a \.pkl file"):
        Cache(Path("x.json"))


def test_damage_is_reported_and_costs_its_records_alone(cache: Cache) -> None:
    first = put(cache, "a", *((n, {"status": "ok", "n": n}) for n in range(5)))
    second = put(cache, "b", *((n, {"status": "ok", "n": n}) for n in range(5, 9)))
    first.write_bytes(first.read_bytes().replace(b'"n":1', b'"n":7').replace(b'"n":3', b'"x":3'))
    second.write_bytes(second.read_bytes().replace(b'"n":8', b'"n":9'))
    survivors = {n: {"status": "ok", "n": n} for n in (0, 2, 4, 5, 6, 7)}
    sentences = [
        "m_0.3.a.journal has 2 damaged lines; what cannot be read there is asked for again",
        "m_0.3.b.journal has 1 damaged line; what cannot be read there is asked for again",
    ]
    assert cache.read() == survivors
    assert cache.damage == sentences
    broken = first.read_bytes()
    assert cache.merge() == survivors
    assert cache.damage == sentences
    assert names(cache) == ["m_0.3.a.journal.damaged", "m_0.3.b.journal.damaged", "m_0.3.pkl"]
    assert first.with_name(f"{first.name}.damaged").read_bytes() == broken
    assert cache.read() == cache.merge() == survivors
    assert cache.damage == []


def test_a_torn_tail_is_no_damage(cache: Cache) -> None:
    path = put(cache, "a", (1, OK), (2, OK))
    path.write_bytes(path.read_bytes()[:-9])
    assert cache.read() == {1: OK}
    assert cache.damage == []
    assert cache.merge() == {1: OK}
    assert names(cache) == ["m_0.3.pkl"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut short or was written by another program"),
        (b"hello", "written by another program"),
        (pickle.dumps({0: "a VLMEvalKit answer"}), "written by another program"),
        (pickle.dumps({0: Path("/")}), "written by another program"),
    ],
)
def test_a_foreign_pickle_is_one_sentence_and_stays(cache: Cache, content: bytes, said: str) -> None:
    put(cache, "w", (1, OK))
    cache.path.write_bytes(content)
    for use in (cache.read, cache.merge):
        with pytest.raises(CacheError, match=said) as raised:
            use()
        assert str(cache.path) in str(raised.value)
        assert "move it away and run the same command again" in str(raised.value)
    assert cache.path.read_bytes() == content
    assert names(cache) == ["m_0.3.pkl", "m_0.3.w.journal"]


def test_a_damaged_pickle_loses_no_journal(cache: Cache) -> None:
    put(cache, "w", (1, OK))
    cache.merge()
    put(cache, "w", (2, OK))
    data = bytearray(cache.path.read_bytes())
    data[10] ^= 1
    cache.path.write_bytes(data)
    with pytest.raises(CacheError, match="checksum does not match"):
        cache.merge()
    cache.path.rename(cache.path.with_suffix(".away"))
    assert cache.merge() == {2: OK}


def test_unreadable_places_are_one_sentence(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"cannot read .*file: Not a directory"):
        Cache(tmp_path / "file" / "x.pkl").read()
    cache.path.mkdir(parents=True)
    with pytest.raises(CacheError, match=r"cannot read .*m_0.3.pkl: Is a directory"):
        cache.read()


def test_a_live_writers_journal_is_read_but_stays(cache: Cache) -> None:
    put(cache, "ended", (1, OK))
    with cache.journal("alive") as journal:
        journal.append(2, OK)
        assert cache.merge() == {1: OK, 2: OK}
        assert names(cache) == ["m_0.3.alive.journal", "m_0.3.pkl"]
        journal.append(3, OK)
        assert cache.read() == {1: OK, 2: OK, 3: OK}
    assert cache.merge() == {1: OK, 2: OK, 3: OK}
    assert names(cache) == ["m_0.3.pkl"]


def test_where_nothing_can_be_locked_a_journal_that_grew_stays(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.locks, "_lock", lambda descriptor: True)
    put(cache, "ended", (1, OK))
    with cache.journal("alive") as journal:
        journal.append(2, OK)
        real = harness.cache.dump
        monkeypatch.setattr(harness.cache, "dump", lambda records: (journal.append(3, OK), real(records))[1])
        assert cache.merge() == {1: OK, 2: OK}
        monkeypatch.undo()
        assert names(cache) == ["m_0.3.alive.journal", "m_0.3.pkl"]
        assert cache.read() == {1: OK, 2: OK, 3: OK}


def test_while_another_process_merges_this_one_reads(cache: Cache) -> None:
    put(cache, "w", (1, OK))
    temporary = cache.path.with_name("m_0.3.pkl.tmp")
    other = hold(temporary)
    assert other is not None
    assert cache.merge() == {1: OK}
    assert names(cache) == ["m_0.3.pkl.tmp", "m_0.3.w.journal"]
    os.close(other)
    assert cache.merge() == {1: OK}
    assert names(cache) == ["m_0.3.pkl"]


def test_a_journal_that_goes_while_merging_is_no_error(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cache, "w", (1, OK))
    listed = [*cache.journals(), cache.path.with_name("m_0.3.gone.journal")]
    monkeypatch.setattr(cache, "journals", lambda: listed)
    assert cache.merge() == {1: OK}
    assert cache.read() == {1: OK}


class Killed(BaseException):
    """Stands for the process's end."""


def _kill(*_: Any, **__: Any) -> Any:
    raise Killed


STEPS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "before the write": lambda patch: patch.setattr(os, "ftruncate", _kill),
    "half written": lambda patch: patch.setattr(
        harness.cache, "write", lambda file, data: (os.write(file, data[: len(data) // 2]), _kill())
    ),
    "before the sync": lambda patch: patch.setattr(harness.cache, "flush", _kill),
    "before the rename": lambda patch: patch.setattr(Path, "replace", _kill),
    "after the rename": lambda patch: patch.setattr(harness.cache, "sync_folder", _kill),
    "before a journal goes": lambda patch: patch.setattr(harness.cache, "_remove", _kill),
    "between two journals": lambda patch: patch.setattr(harness.cache, "_remove", _after_one()),
}


def _after_one() -> Callable[..., None]:
    real, calls = harness.cache._remove, iter([True])
    return lambda *given: real(*given) if next(calls, False) else _kill()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("tidy", [True, False], ids=["unwound", "killed"])
def test_a_merge_that_ends_anywhere_loses_nothing(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, step: str, tidy: bool
) -> None:
    put(cache, "w", (0, OK), (1, FAILED))
    cache.merge()
    put(cache, "a", (1, OK), (2, FAILED))
    put(cache, "b", (3, OK), ("x", OK))
    expected = {0: OK, 1: OK, 2: FAILED, 3: OK, "x": OK}
    if not tidy:  # the dead tidy nothing up
        monkeypatch.setattr(harness.cache, "release", lambda descriptor, path: os.close(descriptor))
    STEPS[step](monkeypatch)
    with pytest.raises(Killed):
        cache.merge()
    monkeypatch.undo()
    assert cache.read() == expected
    assert cache.merge() == expected
    put(cache, "c", (4, OK))
    assert cache.merge() == {**expected, 4: OK}
    assert names(cache) == ["m_0.3.pkl"]


def test_readers_never_miss_a_record_while_another_merges(cache: Cache, unsynced: None) -> None:
    stored: list[int] = []
    missing: list[set[Any]] = []
    done = threading.Event()

    def look() -> None:
        reader = Cache(cache.path)
        while not done.is_set():
            before = set(stored)
            if lost := before - set(reader.read()):
                missing.append(lost)

    watcher = threading.Thread(target=look)
    watcher.start()
    for number in range(150):
        put(cache, f"w{number % 3}", (number, OK))
        stored.append(number)
        if number % 3 == 2:
            cache.merge()
    done.set()
    watcher.join()
    assert missing == []


def test_a_full_disk_while_merging_is_one_sentence_and_loses_nothing(cache: Cache) -> None:
    put(cache, "w", *((n, {"status": "ok", "text": "x" * 100}) for n in range(40)))
    code = """
import resource, sys
from pathlib import Path
from harness.cache import Cache
from harness.errors import CacheError
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    Cache(Path(sys.argv[1])).merge()
except CacheError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, cache.path], capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        f"cannot write {cache.path}: File too large; make room or use another --work_dir, "
        "then run the same command again: what is stored is kept\n"
    )
    assert names(cache) == ["m_0.3.w.journal"]
    assert len(cache.merge()) == 40


def test_a_complete_cache_is_read_where_nothing_can_be_written(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache, "w", (1, OK))
    cache.merge()

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(harness.cache, "hold", refuse)
    monkeypatch.setattr(harness.journal, "hold_free", refuse)
    assert cache.merge() == cache.read() == {1: OK}
    with pytest.raises(CacheError, match="Read-only file system"):
        cache.journal("w")
    monkeypatch.undo()
    put(cache, "w", (2, OK))
    monkeypatch.setattr(harness.cache, "hold", refuse)
    with pytest.raises(CacheError, match=r"cannot write .*m_0\.3\.pkl: Read-only file system"):
        cache.merge()
    assert cache.read() == {1: OK, 2: OK}
