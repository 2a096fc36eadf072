"""How much a noise costs: a clean run against a noisy one, question by question where that is possible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.intervals import drop_interval
from harness.leaderboard.entries import Entry
from harness.scores import mean, positions, sums_by_video


@dataclass(frozen=True, slots=True)
class Drop:
    """Clean less noisy (NaN: not comparable), its 95% interval where known, what to know about it."""

    value: float
    interval: tuple[float, float] | None = None
    note: str = ""


def partner(noisy: Entry, cleans: Sequence[Entry]) -> Entry | None:
    """The clean run that shares most questions with a noisy one; of equals the newest."""

    def rank(clean: Entry) -> tuple[int, float]:
        shared = len(noisy.asked & clean.asked) if noisy.asked and clean.asked else 0
        return shared, clean.age

    return max(cleans, key=rank, default=None)


def drop(clean: Entry, noisy: Entry, block: str, group: str) -> Drop:
    """The drop of one number of the rating.

    Over the questions that both runs asked, when both files carry their scores; else the difference
    of the printed numbers. ``*_valid`` compares each run's own scored questions.
    """
    if clean.questions is None or noisy.questions is None or not clean.asked or not noisy.asked:
        return Drop(float(clean.value(block, group)) - float(noisy.value(block, group)))
    if clean.groups is None or clean.groups != noisy.groups:
        return Drop(math.nan, note=f"{noisy.label}: no drop, its groups are not the clean run's")
    shared = clean.asked & noisy.asked
    whole = len(shared) == len(clean.asked) == len(noisy.asked)
    if not shared:
        return Drop(math.nan, note=f"{noisy.label}: no drop, it shares no question with the clean run")
    if whole and clean.meta.get("data_fingerprint") != noisy.meta.get("data_fingerprint"):
        return Drop(math.nan, note=f"{noisy.label}: no drop, the data changed since the clean run")

    labels = clean.groups.coarse.get(group, ()) if block.startswith("coarse") else (group,)
    valid = block.endswith("valid")
    first, second = (
        clean.groups.members(labels, [q for q in questions if (q.video, q.id) in shared])
        for questions in (clean.questions, noisy.questions)
    )
    videos = positions(first)
    interval = drop_interval(
        *sums_by_video(first, videos, valid=valid), *sums_by_video(second, videos, valid=valid)
    )
    notes = []
    if not whole:
        notes.append(f"its drop is over the {len(shared)} questions that the clean run asked, too")
    judges = [entry.meta.get("judge_models") for entry in (clean, noisy)]
    if all(judges) and judges[0] != judges[1]:
        notes.append(f"judged by {_listed(judges[1])}, its clean run by {_listed(judges[0])}")
    note = f"{noisy.label}: {'; '.join(notes)}" if notes else ""
    return Drop(mean(first, valid=valid) - mean(second, valid=valid), interval, note)


def _listed(names: object) -> str:
    return ", ".join(map(str, names)) if isinstance(names, list) else str(names)
