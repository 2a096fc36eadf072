"""Caches on a disk: found by what lies there, summed up, and looked through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cache import Cache
from harness.cell import digest
from harness.errors import UsageError
from harness.inventory import find, look_through, parts_of, set_aside, sum_up, tail_of, torn, worker_on
from harness.locks import CellLock
from harness.records import from_prediction, from_verdict
from harness.types import Answer, Prediction, Status, Verdict

PARTS = {"model": {"name": "m"}, "noise": None}


def answer(status: Status = Status.OK) -> dict[str, Any]:
    return from_prediction(Prediction(1, Answer("yes", status)), "key")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "m" / f"m_d_clean_{digest(PARTS)[:8]}.pkl")


def put(cache: Cache, *items: tuple[Any, dict[str, Any]], merge: bool = True) -> None:
    with cache.journal("w") as journal:
        journal.extend(items)
    if merge:
        cache.merge()


def test_caches_are_found_merged_or_not(cache: Cache, tmp_path: Path) -> None:
    put(cache, (1, answer()))
    pending = Cache(tmp_path / "m" / "m_d_blur_0.5_00000000.pkl")
    put(pending, (1, answer()), merge=False)
    (tmp_path / "m" / "notes.txt").touch()
    assert find([tmp_path]) == find([tmp_path, cache.path]) == [pending.path, cache.path]
    assert find([pending.path]) == [pending.path]
    for place in (tmp_path / "no.pkl", tmp_path / "m" / "notes.txt", tmp_path / "no"):
        with pytest.raises(UsageError, match="no cache at"):
            find([place])


def test_a_summary_counts_by_status(cache: Cache) -> None:
    put(cache, (1, answer()), (2, answer(Status.TIMEOUT)))
    put(cache, (3, answer()), merge=False)
    summary = sum_up(cache.path)
    assert (summary.statuses, summary.journals, summary.damage) == ({"ok": 2, "timeout": 1}, 1, ())
    assert summary.size == cache.path.stat().st_size + cache.journals()[0].stat().st_size
    assert (summary.parts, summary.worker) == (None, None)
    cache.path.with_suffix(".json").write_text(json.dumps(PARTS))
    assert sum_up(cache.path).parts == PARTS


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 50_000, "\udcff"])
def test_parts_that_cannot_be_read_are_none(cache: Cache, content: str) -> None:
    put(cache, (1, answer()))
    cache.path.with_suffix(".json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert parts_of(cache.path) is None


def test_who_works_on_a_cache_is_seen(cache: Cache) -> None:
    assert worker_on(cache.path) is None
    with CellLock(cache.path, "run", 0):
        assert str(worker_on(cache.path)).startswith("process ")
    assert worker_on(cache.path) is None
    with cache.journal("judge"):
        assert worker_on(cache.path) == "another run"
    assert worker_on(cache.path) is None


def test_what_is_whole_has_no_problems(cache: Cache) -> None:
    put(cache, (1, answer()), ("x", from_verdict(Verdict(2.0))))
    cache.path.with_suffix(".json").write_text(json.dumps(PARTS))
    put(cache, (2, answer()), merge=False)
    assert look_through(cache.path) == (3, [])
    journal = cache.journals()[0]
    journal.write_bytes(journal.read_bytes()[:-3])
    assert (look_through(cache.path), torn(cache.path)) == ((2, []), 1)


def test_each_kind_of_damage_is_a_sentence(cache: Cache) -> None:
    put(cache, (1, answer()))
    put(cache, (2, answer()), (3, answer()), merge=False)
    journal = cache.journals()[0]
    journal.write_bytes(journal.read_bytes().replace(b"yes", b"yet", 1))
    cache.path.with_suffix(".json").write_text(json.dumps({**PARTS, "noise": "blur"}))
    count, (damaged, described) = look_through(cache.path)
    assert count == 2
    assert "has 1 damaged line; what cannot be read there is asked for again" in damaged
    assert "does not describe these answers: remove it" in described
    cache.path.write_bytes(b"hello")
    _, (foreign,) = look_through(cache.path)
    assert "written by another program; move it away" in foreign


@pytest.mark.parametrize("record", [{}, {"prediction": "a"}, {"score": 1.0, "status": "well"}])
def test_records_that_no_run_wrote_are_damage(cache: Cache, record: dict[str, Any]) -> None:
    put(cache, (1, answer()), (2, record))
    _, (found,) = look_through(cache.path)
    assert found.startswith("record 2 is no answer and no verdict")


def test_journals_that_a_merge_set_aside_are_named(cache: Cache) -> None:
    put(cache, (1, answer()), (2, answer()), merge=False)
    journal = cache.journals()[0]
    journal.write_bytes(journal.read_bytes().replace(b"yes", b"yet", 1))
    assert set_aside(cache.path) == []
    cache.merge()
    assert set_aside(cache.path) == [f"{journal.name}.damaged"]
    assert set_aside(cache.path.with_name("other.pkl")) == []


def test_the_tail_of_a_name_is_its_fingerprint() -> None:
    assert tail_of("m_d_clean_0123abcd") == "0123abcd"
    assert tail_of("m_d_clean") is None
