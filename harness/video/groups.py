"""Which packets must be read for the wanted frames, and how that work is shared between threads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.video.timeline import Timeline

_OPENING = 8
"""What opening a file costs, in packets decoded."""


@dataclass(frozen=True, slots=True)
class Group:
    """Wanted packets that decoding reaches from one keyframe; numbers ascending."""

    start: int
    wanted: tuple[int, ...]

    @property
    def work(self) -> int:
        return self.wanted[-1] - self.start + 1


def groups_of(timeline: Timeline, wanted: Sequence[int]) -> list[Group]:
    """The groups that cover the wanted packets (numbers, ascending), by their keyframes."""
    keys = timeline.keys
    found: dict[int, list[int]] = {}
    for number in wanted:
        spot = bisect_right(keys, number) - 1
        # A frame shown before the keyframe that precedes it in the file may refer to frames before that.
        while spot > 0 and timeline.pts[keys[spot]] > timeline.pts[number]:
            spot -= 1
        found.setdefault(keys[spot], []).append(number)
    return [Group(start, tuple(numbers)) for start, numbers in sorted(found.items())]


def share(groups: Sequence[Group], threads: int) -> tuple[list[list[Group]], int]:
    """The groups of each reader, and the threads each reader decodes with; together ``threads``.

    Readers at work side by side use the processor best, but a long group holds one of them up; threads
    inside one decoder wait for each other, and gain about the power .75 of their number.
    """
    best = [list(groups)], max(1, threads)
    least = float("inf")
    for count in range(1, min(threads, len(groups)) + 1):
        lanes: list[list[Group]] = [[] for _ in range(count)]
        loads = [_OPENING] * count
        for group in sorted(groups, key=lambda group: -group.work):
            lane = loads.index(min(loads))
            lanes[lane].append(group)
            loads[lane] += group.work
        time = max(loads) / (threads // count) ** 0.75 + _OPENING * (count > 1)
        if time < least:
            least = time
            best = [sorted(lane, key=lambda group: group.start) for lane in lanes], threads // count
    return best
