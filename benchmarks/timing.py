"""How things are timed here: in turns, so that a slow moment of the machine falls on all alike."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter

_WAITED = Path("/proc/thread-self/schedstat")
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's settings: from how many free bytes on, and what size of block, memory is given back."""


def interleaved(
    ways: Mapping[str, Callable[[], object]],
    rounds: int,
    budget: float = float("inf"),
    clock: Callable[[], float] = perf_counter,
) -> dict[str, float]:
    """The median milliseconds of each way, called in turn ``rounds`` times, warmed up by the caller.

    budget: seconds after which a way takes no part in further rounds; each is called once at least. clock:
    what tells the seconds; ``time.thread_time`` does not count what other programs take away.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            if sum(seconds[name]) < budget:
                start = clock()
                way()
                seconds[name].append(clock() - start)
    return {name: 1000 * median(taken) for name, taken in seconds.items()}


def undisturbed() -> float:
    """Seconds by the clock, less those for which this thread has waited for a free core so far.

    Waiting for a lock counts. Only Linux tells how long threads wait for cores; elsewhere it is the clock.
    """
    try:
        waited = int(_WAITED.read_text().split()[1])
    except FileNotFoundError:
        waited = 0
    return perf_counter() - waited / 1e9


def keep_memory() -> None:
    """Let the process keep memory that was given back for whoever asks next, where malloc is glibc's.

    Otherwise it depends on who asked before whether fresh pages have to come from the system, at more than
    the price of copying a frame; what needs many large arrays, like imagecorruptions, waits longest.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_MMAP_THRESHOLD, 32 << 20)
