"""Caches of one cell brought into one: journals into the .pkl, and the records of others into the first."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.cache import Cache
from harness.errors import CacheError, UsageError
from harness.inventory import parts_of, tail_of, worker_on
from harness.lines import Key, Record
from harness.locks import CellLock


def join(paths: Sequence[Path]) -> tuple[dict[Key, Record], int]:
    """Bring the journals of the first cache into it, and what the others hold; these stay as they are.

    An answer never yields to a failure; of two answers the later named cache's stays. Returns the
    records and how many the others have changed. Raises UsageError for caches of different cells and
    CacheError for one that cannot be used, HarnessError while a run works on one of them.
    """
    first, *others = paths
    for other in others:
        same_cell(first, other)
        _at_rest(other)
    with alone(first):
        cache = Cache(first)
        before = cache.read()
        for other in others:
            put(cache, Cache(other).read())
        records = cache.merge()
    return records, sum(before.get(key) != record for key, record in records.items())


def put(cache: Cache, records: Mapping[Key, Record]) -> None:
    """Store records in a journal of their own, with one sync, but for failures where there is an answer."""
    held = cache.read()
    news = {
        key: record
        for key, record in records.items()
        if held.get(key) != record
        and (record.get("status") == "ok" or held.get(key, {}).get("status") != "ok")
    }
    if news:
        with cache.journal(uuid.uuid4().hex[:12]) as journal:
            journal.extend(news.items())


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep runs out of a cache. Raises HarnessError, naming it, while one works there."""
    with CellLock(path, uuid.uuid4().hex[:12], 0):
        yield


def _at_rest(path: Path) -> None:
    worker = worker_on(path)
    if worker is not None:
        raise CacheError(f"{worker} is working on {path}: wait for it or end it, then type this again")


def same_cell(first: Path, other: Path) -> None:
    """Raise UsageError, naming what differs, unless both hold answers of one cell (or one judge)."""
    one, two = parts_of(first), parts_of(other)
    if one is not None and two is not None:
        found = next(_differences(one, two), None)
        if found is not None:
            place, here, there = found
            raise UsageError(
                f"{other} holds answers of another cell: {place} is {there!r:.60} there and {here!r:.60} "
                f"in {first.name}; merge only caches of the same run"
            )
    elif tail_of(first.stem) != tail_of(other.stem):
        raise UsageError(
            f"{other.name} and {first.name} end in different fingerprints, "
            "and no .json beside them says what they hold: merge only caches of the same run"
        )


def _differences(one: Any, two: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(two, dict):
        for name in _names(one, two):
            yield from _differences(one.get(name), two.get(name), f"{place}.{name}".lstrip("."))
    elif one != two:
        yield place, one, two


def _names(*parts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for part in parts for name in part))
