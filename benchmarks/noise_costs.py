"""Measures one noise: by itself, against imagecorruptions, and on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from statistics import median
from time import thread_time
from types import ModuleType

from benchmarks.counterparts import COUNTERPARTS
from benchmarks.subjects import COUNT, Film, Subject, film, pan
from benchmarks.timing import interleaved, undisturbed

SEVERITY = 3
STRAIN = bytes(8 << 20)
"""What is hashed to see what threads can bring: hashing holds no lock and hardly needs the memory."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds per frame of 1280x720: processor time of one thread unless the clock is named.

    copy: copying a clip of 8 frames, to new memory as a noise does. default and graded: such a clip with the
    noise's defaults and at severity 3. alone: a clip of one frame with the defaults. same and theirs: a clip
    of one frame at severity 3 with lengths in pixels, as imagecorruptions has them, and imagecorruptions.
    serial and threaded: by the clock, waiting for cores left out, 8 frames in as many clips as there are
    cores, one after the other and all at once. possible: how many times as fast threads are at hashing, which
    shares nothing. None where there is no such thing.
    """

    subject: Subject
    copy: float
    default: float
    alone: float
    serial: float
    threaded: float
    possible: float
    graded: float | None = None
    same: float | None = None
    theirs: float | None = None

    @property
    def speedup(self) -> float | None:
        """How many times as fast as imagecorruptions."""
        return self.theirs / self.same if self.theirs is not None and self.same is not None else None

    @property
    def gain(self) -> float:
        """How many times as fast threads are as one."""
        return self.serial / self.threaded


@dataclass(frozen=True, slots=True)
class Bench:
    """The films, and how patiently they are shown. budget: seconds per noise and way."""

    whole: Film
    one: Film
    parts: list[Film]
    pool: ThreadPoolExecutor
    rivals: ModuleType
    rounds: int
    budget: float

    def measure(self, subject: Subject) -> Cost:
        return Cost(
            subject, **self._ours(subject), **self._on_threads(subject), **self._beside_theirs(subject)
        )

    def _ours(self, subject: Subject) -> dict[str, float]:
        plain, graded = subject.build(), subject.build(SEVERITY)
        ways: dict[str, Callable[[], object]] = {
            "copy": self.whole.clip.frames.copy,
            "default": lambda: self.whole.through(subject, plain),
            "alone": lambda: self.one.through(subject, plain),
        }
        if graded is not None:
            ways["graded"] = lambda: self.whole.through(subject, graded)
        for way in ways.values():
            way()
        taken = interleaved(ways, self.rounds, self.budget, thread_time)
        return {way: value / (1 if way == "alone" else COUNT) for way, value in taken.items()}

    def _on_threads(self, subject: Subject) -> dict[str, float]:
        plain = subject.build()

        def noise(part: Film) -> None:
            part.through(subject, plain)

        def strain(_: Film) -> None:
            sha256(STRAIN)

        noise(self.parts[0])
        rounds = [(*self._shared(noise), *self._shared(strain)) for _ in range(self.rounds)]
        serial, threaded, alone, together = (median(column) for column in zip(*rounds, strict=True))
        times = {"serial": serial, "threaded": threaded}
        return {way: 1000 * value / COUNT for way, value in times.items()} | {"possible": alone / together}

    def _shared(self, work: Callable[[Film], None]) -> tuple[float, float]:
        """Seconds that all parts take on one thread, and the slowest thread where each has its own."""

        def taken(parts: list[Film]) -> float:
            start = undisturbed()
            for part in parts:
                work(part)
            return undisturbed() - start

        return taken(self.parts), max(self.pool.map(taken, [[part] for part in self.parts]))

    def _beside_theirs(self, subject: Subject) -> dict[str, float]:
        same, counterpart = subject.build(SEVERITY, in_pixels=True), COUNTERPARTS.get(subject.name)
        if same is None or counterpart is None:
            return {}
        self.one.through(subject, same)
        ways: dict[str, Callable[[], object]] = {
            "same": lambda: self.one.through(subject, same),
            "theirs": lambda: self._theirs(counterpart.name),
        }
        return interleaved(ways, self.rounds, self.budget, thread_time)

    def _theirs(self, name: str) -> None:
        with redirect_stdout(StringIO()):  # it prints when its arrays do not fit
            self.rivals.corrupt(self.one.clip.frames[0], SEVERITY, name)


def bench(rivals: ModuleType, rounds: int, budget: float) -> Bench:
    """Films of 8 frames, of one, and 8 in as many parts as there are cores."""
    frames = pan()
    cores = len(os.sched_getaffinity(0))
    size = -(-COUNT // min(cores, COUNT))
    parts = [film(frames[i : i + size], f"part {i}") for i in range(0, COUNT, size)]
    pool = ThreadPoolExecutor(len(parts))
    return Bench(film(frames, "whole"), film(frames[:1], "one"), parts, pool, rivals, rounds, budget)
