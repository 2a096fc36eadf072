"""How well decoding and the model hide behind each other: the wall time of both beside that of either.

`python -m benchmarks.prefetch` makes three clips of different sizes (once, in --folder), decodes and corrupts
them as many videos, and has a model answer that sleeps, as one does whose GPU is at work: as long as decoding
and corrupting took for the frames of its batch. Each round is a run with a model that takes no time, that
model without the videos, and a run with both; promised is that this takes at most 1.15 times the longer one.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import gettempdir

from tabulate import tabulate

from benchmarks.cells import seconds_to_answer
from benchmarks.clips import Subject
from harness import Answer, Clip, Prompt, Sample, Sampling, Spec, Video
from harness.batch_size import BatchSize
from harness.cell import Cell, Noise
from harness.pipeline import clip_of
from harness.registry import Built, Entry, Registry
from harness.video import decoding

SUBJECTS = (Subject(4, 640, 360, 3), Subject(4, 848, 480, 3), Subject(4, 1280, 720, 3))
PROMISE = 1.15
TIMEOUT = 300.0


class Sleeper:
    """Answers a batch after so many ``seconds`` for each prompt, by the shape of its frames."""

    max_batch = 1024

    def __init__(self) -> None:
        self.seconds: dict[tuple[int, ...], float] = {}

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[Answer]:
        clips = [part for prompt in prompts for part in prompt.parts if isinstance(part, Clip)]
        time.sleep(sum(self.seconds.get(clip.frames.shape, 0.0) for clip in clips))
        for _ in prompts:
            yield Answer("yes")


class Questions:
    """``count`` questions about each of some videos."""

    def __init__(self, videos: Sequence[Video], count: int, sampling: Sampling) -> None:
        self.sampling = sampling
        self._samples = [
            Sample(f"{video.key}-{number}", video, "?", "yes") for video in videos for number in range(count)
        ]

    def samples(self) -> Sequence[Sample]:
        return self._samples

    def prompt(self, sample: Sample, clip: Clip) -> Prompt:
        return Prompt((clip, sample.question))


@dataclass(frozen=True)
class Round:
    """Seconds of a run whose model takes no time, of the model alone, and of a run with both."""

    decoding: float
    model: float
    both: float

    @property
    def ratio(self) -> float:
        return self.both / max(self.decoding, self.model)


def built(name: str, plugin: object) -> Built[object]:
    return Built(name, plugin, {}, Entry(Spec(name, "m:C", ""), "model", "benchmarks", "1", "benchmarks"))


def measure(cell: Cell, samples: Sequence[Sample], batch: int) -> Round:
    model = cell.model.plugin
    assert isinstance(model, Sleeper)
    model.seconds = {}
    decoding = seconds_to_answer(cell, samples, BatchSize(batch))
    clips, costs = {}, {}
    for video in {sample.video.path: sample.video for sample in samples}.values():
        start = time.perf_counter()
        clips[video.path] = clip_of(cell, video)
        costs[video.path] = time.perf_counter() - start
    whole = sum(costs[sample.video.path] for sample in samples)
    model.seconds = {clip.frames.shape: decoding * costs[path] / whole for path, clip in clips.items()}
    prompts = [Prompt((clips[sample.video.path],)) for sample in samples]
    start = time.perf_counter()
    for first in range(0, len(prompts), batch):
        list(model.generate(prompts[first : first + batch]))
    alone = time.perf_counter() - start
    return Round(decoding, alone, seconds_to_answer(cell, samples, BatchSize(batch)))


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prefetch", description=__doc__)
    parser.add_argument("--videos", type=int, default=120)
    parser.add_argument("--questions", type=int, default=2, help="about each video (2)")
    parser.add_argument("--batch", type=int, default=8, help="prompts in a batch (8)")
    parser.add_argument("--nframe", type=int, default=8, help="frames of each video (8)")
    parser.add_argument("--noise", default="gaussian", help="on nine tenths of the frames (gaussian)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(gettempdir()) / "vidharness-clips")
    given = parser.parse_args(words)
    paths = [subject.made(given.folder) for subject in SUBJECTS]
    videos = [Video(paths[number % len(paths)], f"video {number}") for number in range(given.videos)]
    questions = Questions(videos, given.questions, Sampling(nframe=given.nframe))
    noise = Noise(Registry.discover().find("corruption", given.noise).build({}), 0.9, seed=0)
    load = os.getloadavg()[0]
    rounds = []
    with closing(decoding(TIMEOUT)) as decoders:
        cell = Cell(
            built("sleeper", Sleeper()),
            built("questions", questions),
            noise,
            videos=tuple(videos),
            decoding=decoders,
        )
        for video in videos[: len(paths)]:
            clip_of(cell, video)  # whatever is compiled is compiled now
        for number in range(given.rounds):
            print(f"\rround {number + 1} of {given.rounds}", end="", file=sys.stderr, flush=True)
            rounds.append(measure(cell, questions.samples(), given.batch))
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    heads = ("seconds", "decoding", "model", "both", "both / longer")
    rows = [
        (number, f"{one.decoding:.2f}", f"{one.model:.2f}", f"{one.both:.2f}", f"{one.ratio:.3f}")
        for number, one in enumerate(rounds, 1)
    ]
    print(tabulate(rows, heads, disable_numparse=True, colalign=("left", *["right"] * 4)))
    ratio = median(one.ratio for one in rounds)
    print(
        f"\n{len(questions.samples())} questions about {given.videos} videos in batches of {given.batch}; "
        f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after.\n"
        f"Median {ratio:.3f}, promised {PROMISE}: {'kept' if ratio <= PROMISE else 'NOT KEPT'}"
    )


if __name__ == "__main__":
    main()
