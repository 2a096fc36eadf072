"""How long it takes to decode a few frames of a video, beside decord and PyAV with seeking.

`python -m benchmarks.decoding` makes four clips (once, in --folder: minutes) and measures them in turns;
`--quick` only those of 10 seconds, fewer times. All ways get two processors and two threads, and the frame
positions of the harness; whether their frames are bit-equal to ours is shown. Other programs lengthen the
medians, the least times of all rounds less, and processor time (of all threads) least.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import gettempdir
from time import perf_counter, process_time

import numpy as np
from tabulate import tabulate

from benchmarks.clips import RATE, SUBJECTS, Subject
from benchmarks.decoders import OURS, THREADS, ways
from harness import Sampling

COUNTS = (8, 16)
GAIN = {True: 1.1, False: 0.95}
"""What is promised beside the best of the others: with B-frames, and without."""


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock and of the processors, in each round."""

    clock: tuple[float, ...]
    processors: tuple[float, ...]

    @property
    def measures(self) -> tuple[float, float, float]:
        """Milliseconds: the median and the least by the clock, the median of the processors."""
        return 1000 * median(self.clock), 1000 * min(self.clock), 1000 * median(self.processors)


@dataclass(frozen=True)
class Result:
    """How long each way took for one clip and number of frames, and whether its frames were ours."""

    subject: Subject
    count: int
    taken: Mapping[str, Taken]
    equal: Mapping[str, bool]

    @property
    def gains(self) -> tuple[float, ...]:
        """How many times as fast as the best of the others, by each measure."""
        others = [taken.measures for name, taken in self.taken.items() if name != OURS]
        return tuple(min(best) / own for *best, own in zip(*others, self.taken[OURS].measures, strict=True))


def measure(subject: Subject, path: Path, count: int, rounds: int) -> Result:
    positions = Sampling(nframe=count).indices(subject.seconds * RATE, RATE)
    calls = {name: partial(way, path, positions) for name, way in ways().items()}
    reference = calls[OURS]()
    equal = {name: bool(np.array_equal(call(), reference)) for name, call in calls.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            spent, start = process_time(), perf_counter()
            call()
            times[name].append((perf_counter() - start, process_time() - spent))
    return Result(subject, count, {name: Taken(*zip(*times[name], strict=True)) for name in calls}, equal)


def table(results: Sequence[Result], style: str) -> str:
    names = list(results[0].taken)
    rows = [
        (
            f"{result.count} of {result.subject.name}",
            *(_cell(result.taken[name], result.equal[name]) for name in names),
            *(f"{gain:.2f}" for gain in result.gains),
        )
        for result in results
    ]
    heads = ("ms: median, least, processor", *names, "gain: median", "least", "processor")
    sides = ("left", *("right" for _ in heads[1:]))
    return tabulate(rows, heads, style, disable_numparse=True, colalign=sides)


def _cell(taken: Taken, equal: bool) -> str:
    return " ".join(f"{value:4.0f}" for value in taken.measures) + ("" if equal else " !")


def promises(results: Sequence[Result]) -> list[str]:
    """What is promised about the clips that were measured, and whether it is kept."""
    lines = []
    for b_frames, least in GAIN.items():
        chosen = [result.gains for result in results if bool(result.subject.b_frames) is b_frames]
        if chosen:
            worst = [min(gains) for gains in zip(*chosen, strict=True)]
            kept = "kept" if worst[0] >= least else "NOT KEPT by medians"
            told = ", ".join(f"{gain:.2f}" for gain in worst)
            kind = "with" if b_frames else "without"
            lines.append(f"{kind} B-frames, {least} times the best of the others: {told}: {kept}")
    return lines


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds of the clips of 10 seconds")
    parser.add_argument("--rounds", type=int, help="how often each is measured: 9, quick 3")
    parser.add_argument("--folder", type=Path, default=Path(gettempdir()) / "vidharness-clips")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    given = parser.parse_args(words)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    subjects = [subject for subject in SUBJECTS if subject.seconds <= 10 or not given.quick]
    rounds = given.rounds or (3 if given.quick else 9)
    load = os.getloadavg()[0]
    results = []
    for subject in subjects:
        print(f"\r{subject.name:<40}", end="", file=sys.stderr, flush=True)
        path = subject.made(given.folder)
        results += [measure(subject, path, count, rounds) for count in COUNTS]
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    print(table(results, "github" if given.markdown else "simple"), end="\n\n")
    for line in promises(results):
        print(f"- {line}" if given.markdown else line)
    packages = ["av", *(name for name in results[0].taken if name == "decord")]
    print(
        f"\n! marks frames that differ from ours. {rounds} rounds, {THREADS} threads; "
        f"load {load:.1f} before\nand {os.getloadavg()[0]:.1f} after. "
        + ", ".join(f"{package} {version(package)}" for package in packages)
    )


if __name__ == "__main__":
    main()
