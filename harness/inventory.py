"""The caches that lie on a disk: found, summed up, and looked through for damage. Nothing is changed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cache import Cache
from harness.cell import digest
from harness.errors import CacheError, UsageError
from harness.lines import parse
from harness.locks import holder, is_held
from harness.records import to_prediction, to_verdict

_JOURNAL = re.compile(r"(?P<stem>.+)\.[\w~-]+\.journal", re.ASCII)
_TAIL = re.compile(r".*_(?P<digits>[0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Summary:
    """One cache.

    parts: what its answers depend on (:meth:`harness.cell.Cell.parts`); None where nothing says so, as
    for verdicts. statuses: records by status. size: bytes, with its journals. journals: how many are not
    merged yet. worker: the live run that works on it. damage: what cannot be read of it.
    """

    path: Path
    parts: Mapping[str, Any] | None
    statuses: Mapping[str, int]
    size: int
    journals: int
    worker: str | None
    damage: tuple[str, ...]


def find(places: Iterable[Path]) -> list[Path]:
    """The caches at or below the places, merged (.pkl) or not yet (journals alone), in order.

    Raises UsageError for a place where there is none.
    """
    found: dict[Path, None] = {}
    for place in places:
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        caches = {path: None for file in files if (path := _cache_of(file)) is not None}
        if not place.is_dir() and not any(path.exists() or Cache(path).journals() for path in caches):
            caches = {}
        if not caches:
            raise UsageError(f"no cache at {place}: name a .pkl file, or the --work_dir of a run")
        found |= caches
    return list(found)


def _cache_of(file: Path) -> Path | None:
    if file.suffix == ".pkl":
        return file
    journal = _JOURNAL.fullmatch(file.name)
    return file.with_name(f"{journal['stem']}.pkl") if journal else None


def parts_of(path: Path) -> Mapping[str, Any] | None:
    """What the answers of a cache depend on, from the .json beside it; None where there is none."""
    try:
        parts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return parts if isinstance(parts, dict) else None


def tail_of(stem: str) -> str | None:
    """The digits of the fingerprint at the end of a cache's name."""
    match = _TAIL.fullmatch(stem)
    return match["digits"] if match else None


def worker_on(path: Path) -> str | None:
    """The live run that works on a cache, in words; None when nobody does."""
    try:
        return holder(path) or ("another run" if any(map(is_held, Cache(path).journals())) else None)
    except OSError:
        return None


def sum_up(path: Path) -> Summary:
    """Raises CacheError only when the folder cannot be read: what is damaged is a part of the summary."""
    cache = Cache(path)
    worker = worker_on(path)
    journals = cache.journals()
    size = sum(_size(file) for file in (path, *journals))
    try:
        records = cache.read()
    except CacheError as error:
        return Summary(path, parts_of(path), {}, size, len(journals), worker, (str(error),))
    statuses = Counter(str(record.get("status")) for record in records.values())
    damage = tuple(cache.damage)
    return Summary(path, parts_of(path), dict(sorted(statuses.items())), size, len(journals), worker, damage)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def look_through(path: Path) -> tuple[int, list[str]]:
    """How many records a cache has, and what is wrong with it and what to do, a sentence each.

    Looks at the checksum, the opcodes and the records of the .pkl, the lines of the journals, and the
    .json beside it. A torn last line of a journal is nothing wrong: it was never acknowledged.
    """
    cache = Cache(path)
    try:
        records = cache.read()
    except CacheError as error:
        return 0, [str(error)]
    found = list(cache.damage)
    for key, record in records.items():
        try:
            if "score" in record:
                to_verdict(record)
            else:
                to_prediction(key, record)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            found.append(
                f"record {key!r:.40} is no answer and no verdict ({error!r:.80}); "
                f"move {path.name} away and run the same command again, which asks anew for what it holds"
            )
            break
    parts, tail = parts_of(path), tail_of(path.stem)
    if parts is not None and tail is not None and not digest(parts).startswith(tail):
        found.append(
            f"{path.with_suffix('.json').name} does not describe these answers: remove it, "
            "the next run writes it anew"
        )
    return len(records), found


def torn(path: Path) -> int:
    """Journals of nobody alive that end in a torn line; the next run cuts it off."""
    ended = [journal for journal in Cache(path).journals() if not is_held(journal)]
    return sum(_is_torn(journal.read_bytes()) for journal in ended)


def set_aside(path: Path) -> list[str]:
    """The names of damaged journals that a merge has kept for people to look at."""
    names = (file.name for file in path.parent.iterdir() if file.suffix == ".damaged")
    return sorted(name for name in names if _cache_of(path.with_name(name.removesuffix(".damaged"))) == path)


def _is_torn(data: bytes) -> bool:
    tail = data[data.rfind(b"\n") + 1 :]
    return bool(tail) and not parse(tail).entries
