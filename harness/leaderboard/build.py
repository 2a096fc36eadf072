"""Rating files -> tables: which runs count, which stand together, and in what order."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import UsageError
from harness.intervals import METHOD
from harness.leaderboard.board import Board, Row, Table
from harness.leaderboard.differences import differences
from harness.leaderboard.drops import drop, partner
from harness.leaderboard.entries import Entry, canonical, read_entries
from harness.rating_files import BLOCKS, SUFFIX
from harness.scores import two_decimals
from harness.types import Rating

DEFAULT_METRIC = "coarse_all/Overall"

Key = TypeVar("Key", bound=Hashable)


def build(paths: Sequence[Path], metric: str = DEFAULT_METRIC) -> Board:
    """The board of all rating files below ``paths`` (folders or single files).

    metric: ``block/group``, or a group alone, which is looked up in coarse_all, then in fine_all. A file
    that is no rating becomes one of the board's warnings. Raises UsageError when nothing is found, and
    for a metric that no file has.
    """
    entries, warnings = read_entries(paths)
    if not entries:
        where = ", ".join(map(str, paths))
        cause = f" ({warnings[0]})" if warnings else ""
        raise UsageError(
            f"no rating, *{SUFFIX}, below {where}{cause}: name a folder that `vidharness run` wrote"
        )
    block, group = find_metric(metric, [entry.rating for entry in entries])
    kept, notes = newest(entries)
    tables: list[Table] = []
    for (dataset, judge), alike in sorted(by(kept, lambda entry: (entry.dataset, entry.judge)).items()):
        parts = _apart(alike, lambda entry: entry.settings)
        for settings, part in parts:
            rows, more = _rows(part, block, group)
            tables.append(Table(dataset, judge, settings, tuple(rows)))
            notes += more
        if len(parts) > 1:
            notes.append(f"{dataset}, judged by {judge}: runs with different settings are not compared")
    if any(row.low for table in tables for row in table.rows):
        notes.append(
            f"drop = clean - score before rounding, paired by video; interval: {METHOD}; "
            "a drop whose interval holds 0 may be chance"
        )
    return Board(f"{block}/{group}", tuple(tables), tuple(dict.fromkeys(notes)), tuple(warnings))


def find_metric(metric: str, ratings: Sequence[Rating]) -> tuple[str, str]:
    """The block and group that ``metric`` names. Raises UsageError when no rating has them."""
    head, slash, tail = metric.partition("/")
    asked = [(head, tail)] if slash and head in BLOCKS else [("coarse_all", metric), ("fine_all", metric)]
    for block, group in asked:
        if any(group in getattr(rating, block) for rating in ratings):
            return block, group
    known = dict.fromkeys(
        name for rating in ratings for block in ("coarse_all", "fine_all") for name in getattr(rating, block)
    )
    close = get_close_matches(asked[0][1], known, 3) or ["Overall"]
    raise UsageError(
        f"no rating has the metric {metric!r}: write a group, such as {' or '.join(close)}, "
        f"or a block and a group, such as coarse_valid/{close[0]}"
    )


def newest(entries: Iterable[Entry]) -> tuple[list[Entry], list[str]]:
    """Of runs of the very same thing the newest, and a note where there were others."""
    kept: list[Entry] = []
    notes: list[str] = []
    for same in by(entries, lambda entry: entry.key).values():
        last = max(same, key=lambda entry: (entry.age, str(entry.path)))
        kept.append(last)
        if len(same) > 1:
            notes.append(f"{last.label}: {len(same)} runs, the newest counts ({last.path.parent.name})")
    return kept, notes


def by(entries: Iterable[Entry], key: Callable[[Entry], Key]) -> dict[Key, list[Entry]]:
    """The entries grouped, groups and members in the order they come."""
    groups: dict[Key, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return groups


def _apart(
    entries: Iterable[Entry], record: Callable[[Entry], Mapping[str, Any]]
) -> list[tuple[str, list[Entry]]]:
    """The entries grouped by equal records, each group with what tells its record from the others."""
    alike = by(entries, lambda entry: canonical(record(entry)))
    labels = differences([record(group[0]) for group in alike.values()])
    return list(zip(labels, alike.values(), strict=True))


def _rows(entries: Sequence[Entry], block: str, group: str) -> tuple[list[Row], list[str]]:
    """The rows of one table: the best clean model first, below it its noises by name, ratio and seed."""
    notes: list[str] = []
    blocks: list[tuple[float, str, list[Row]]] = []
    for model, runs in _variants(entries, lambda entry: entry.model, lambda entry: entry.model_options):
        cleans = [entry for entry in runs if entry.noise is None]
        rows: list[tuple[tuple[Any, ...], Row]] = []
        for noise, alike in _variants(
            runs, lambda entry: entry.noise or "clean", lambda entry: entry.noise_options
        ):
            for entry in alike:
                row, note = _row(entry, cleans, (model, noise), block, group)
                notes += [note] if note else []
                order = (entry.noise is not None, noise, entry.ratio if entry.noise else 0, entry.seed)
                rows.append(((*order, str(entry.path)), row))
        values = [float(entry.value(block, group)) for entry in cleans]
        best = max((value for value in values if not math.isnan(value)), default=-math.inf)
        blocks.append((-best, model, [row for _, row in sorted(rows, key=lambda pair: pair[0])]))
    return [row for *_, rows in sorted(blocks, key=lambda item: item[:2]) for row in rows], notes


def _variants(
    entries: Iterable[Entry], name: Callable[[Entry], str], record: Callable[[Entry], Mapping[str, Any]]
) -> list[tuple[str, list[Entry]]]:
    """Grouped by name and record; where one name has several records, each says in what it differs."""
    return [
        (f"{title} ({label})" if label else title, group)
        for title, alike in by(entries, name).items()
        for label, group in _apart(alike, record)
    ]


def _row(
    entry: Entry, cleans: Sequence[Entry], name: tuple[str, str], block: str, group: str
) -> tuple[Row, str]:
    row = Row(
        *name,
        ratio=entry.ratio_label,
        seed=entry.seed,
        questions=str(entry.meta.get("questions", "")),
        failed=entry.failed,
        file=str(entry.path),
    )
    value = entry.value(block, group)
    if entry.noise is None:
        return replace(row, clean=value), ""
    row = replace(row, score=value)
    clean = partner(entry, cleans)
    if clean is None:
        return row, f"{entry.label}: no clean run to compare with"
    found = drop(clean, entry, block, group)
    low, high = map(_signed, found.interval) if found.interval else ("", "")
    row = replace(row, clean=clean.value(block, group), drop=_signed(found.value), low=low, high=high)
    return row, found.note


def _signed(number: float) -> str:
    """Two decimals, no minus before zero, nothing for NaN."""
    return "" if math.isnan(number) else two_decimals(round(number, 2) + 0.0)
