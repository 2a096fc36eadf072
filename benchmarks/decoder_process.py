"""What decoding in a process of its own costs, beside decoding in the process that asks.

`python -m benchmarks.decoder_process` measures in turns, on 10 seconds of 720p: one thread that decodes, two
that decode at once (clips a second), how long a process takes to start, and how long after the limit of time
the next video goes on. Ratios of medians; --folder keeps the clip.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import gettempdir
from time import perf_counter

from benchmarks.clips import SUBJECTS
from benchmarks.timing import interleaved
from harness import DecodeError, Sampling, Video
from harness.video.processes import Decoders, Decoding, Here

AT_ONCE = 6
"""Clips that two threads share in one turn."""


def ways(video: Video, sampling: Sampling, where: Decoding) -> dict[str, Callable[[], object]]:
    """One clip by one thread, and six by two."""

    def pair() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: where.decode(video, sampling), range(AT_ONCE)))

    return {"one thread": lambda: where.decode(video, sampling), "two threads": pair}


def compare(video: Video, sampling: Sampling, rounds: int) -> None:
    with Decoders(300) as decoders:
        apart, here = ways(video, sampling, decoders), ways(video, sampling, Here())
        for name in here:
            here[name](), apart[name]()
            taken = interleaved({"here": here[name], "apart": apart[name]}, rounds)
            print(
                f"{sampling}, {name}: {taken['here']:.1f} ms in this process, {taken['apart']:.1f} ms apart, "
                f"throughput {taken['here'] / taken['apart']:.3f}"
            )


def start(video: Video, rounds: int) -> None:
    taken = []
    for _ in range(rounds):
        with Decoders(300) as decoders:
            begun = perf_counter()
            decoders.decode(video, Sampling(nframe=1))
            first = perf_counter() - begun
            begun = perf_counter()
            decoders.decode(video, Sampling(nframe=1))
            taken.append(first - (perf_counter() - begun))
    print(f"start of a process: {1000 * median(taken):.0f} ms")


def limit(video: Video, rounds: int) -> None:
    """A process is stopped (SIGSTOP) so that it never answers."""
    late, on = [], []
    another = Video(video.path.with_name("another.mp4"), "another")
    shutil.copyfile(video.path, another.path)
    for _ in range(rounds):
        with Decoders(300) as decoders:
            decoders.seconds = 300
            decoders.decode(video, Sampling(nframe=1))
            decoders.seconds = 0.5
            (process,) = decoders.processes
            os.kill(process, signal.SIGSTOP)
            begun = perf_counter()
            try:
                decoders.decode(video, Sampling(nframe=1))
            except DecodeError:
                late.append(perf_counter() - begun - 0.5)
            decoders.seconds = 300
            begun = perf_counter()
            decoders.decode(another, Sampling(nframe=1))
            on.append(perf_counter() - begun)
    print(f"after the limit: {1000 * median(late):.1f} ms until the failure is known, ", end="")
    print(f"{1000 * median(on):.0f} ms until the next video is decoded")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoder_process", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", action="store_true", help="only how long starting and the limit take")
    parser.add_argument("--folder", type=Path, default=Path(gettempdir()) / "vidharness-clips")
    given = parser.parse_args()
    video = Video(SUBJECTS[0].made(given.folder), "v")
    for subject in SUBJECTS[: 0 if given.times else 2]:
        video = Video(subject.made(given.folder), "v")
        print(subject.name)
        for count in (8, 64):
            compare(video, Sampling(nframe=count), given.rounds)
    start(video, given.rounds)
    limit(video, 3)


if __name__ == "__main__":
    main()
