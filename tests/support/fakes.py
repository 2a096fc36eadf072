"""Small real plugins for tests: a model, data sets, a noise and a judge, and videos to use them on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from harness import Answer, Case, Clip, Draws, Prompt, Sample, SampleId, Sampling, Spec, Verdict, Video
from harness.cell import Cell, Noise
from harness.registry import Built, Entry


def built(name: str, plugin: Any, **options: Any) -> Built[Any]:
    """A plugin as the registry would hand it out."""
    return Built(name, plugin, options, Entry(Spec(name, "m:C", ""), "model", "fakes", "1", "fakes:all"))


def write_video(path: Path, frames: int = 12, size: int = 32, seed: int = 0) -> Path:
    """A short noisy video, different for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = np.random.default_rng(seed).integers(0, 256, (frames, size, size, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


class Model:
    """Answers with the question and the mean grey level it saw; remembers every call."""

    max_batch = 4

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.loaded = 0

    def load(self) -> None:
        self.loaded += 1

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        self.calls.append([prompt.text for prompt in prompts])
        for prompt in prompts:
            clip = next(part for part in prompt.parts if isinstance(part, Clip))
            yield Answer(f"{prompt.text} {clip.frames.mean():.3f}")


class Questions:
    """``count`` questions about each of the given videos."""

    version = 1

    def __init__(self, videos: Mapping[str, Path], count: int = 2) -> None:
        self.sampling = Sampling(nframe=4)
        self._samples = [
            Sample(
                id=i * count + j,
                video=Video(path, key),
                question=f"{key}?{j}",
                answer="yes",
                labels=(f"kind {j}",),
            )
            for i, (key, path) in enumerate(sorted(videos.items()))
            for j in range(count)
        ]

    def samples(self) -> Sequence[Sample]:
        return self._samples

    def prompt(self, sample: Sample, clip: Clip) -> Prompt:
        return Prompt((clip, sample.question))


class PackedQuestions(Questions):
    """The same, all questions of a video in one call."""

    def groups(self) -> Sequence[Sequence[Sample]]:
        keys = dict.fromkeys(sample.video.key for sample in self._samples)
        return [[sample for sample in self._samples if sample.video.key == key] for key in keys]

    def pack(self, samples: Sequence[Sample], clip: Clip) -> Prompt:
        return Prompt((clip, json.dumps({str(sample.id): sample.question for sample in samples})))

    def unpack(self, samples: Sequence[Sample], text: str) -> Mapping[SampleId, str]:
        answers = json.loads(text)
        return {sample.id: answers[str(sample.id)] for sample in samples if str(sample.id) in answers}


class Invert:
    """A noise: hit frames become their negative."""

    version = 1

    def apply(self, clip: Clip, hit: np.ndarray, draws: Draws) -> Clip:
        frames = clip.frames.copy()
        frames[hit] = 255 - frames[hit]
        return replace(clip, frames=frames, notes={**clip.notes, "lucky": int(draws.video().integers(100))})


class Judge:
    """3 for an answer that holds the question's last letter an even number of times, else 0."""

    version = 1

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def judge(self, cases: Sequence[Case]) -> Iterable[Verdict]:
        for case in cases:
            self.cases.append(case)
            yield Verdict(score=float(3 * (len(case.prediction) % 2)), meta={"model": "fake-1"})


def make_cell(
    videos: Mapping[str, Path],
    ratio: float | None = None,
    packed: bool = False,
    count: int = 2,
    model: Any = None,
) -> Cell:
    dataset = (PackedQuestions if packed else Questions)(videos, count)
    noise = None if ratio is None else Noise(built("invert", Invert()), ratio, seed=0)
    return Cell(built("echo", model or Model()), built("questions", dataset), noise)
