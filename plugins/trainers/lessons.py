"""What a model learns from: the data set's prompts with their answers, each video decoded once.

A video usually has several questions, and an epoch comes back to all of them. So the clips are decoded
before training, by as many processes as there are workers, and kept in memory when they fit; otherwise
each is decoded whenever one of its questions comes up.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness import Clip, DecodeError, Prompt, Sample, UsageError
from harness.interfaces import Dataset
from harness.progress import Progress

_log = logging.getLogger(__name__)
_NOTHING = "there is nothing to learn from: no video of this data set can be decoded"
_CROWD = 64
"""From how many videos on it pays to start other processes."""

Clips = Callable[[Sample], Clip]
Item = tuple[Prompt, str]
Encode = Callable[[Sequence[Prompt], Sequence[str]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Lessons:
    """All that is to be learnt, by number: (prompt, answer). ``kept``: decoded clips by video key."""

    dataset: Dataset
    samples: Sequence[Sample]
    clips: Clips
    kept: Mapping[str, Clip]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, number: int) -> Item:
        """A sample whose video turns out to be broken gives way to the next that is whole."""
        for step in range(len(self)):
            sample = self.samples[(number + step) % len(self)]
            clip = self.kept.get(sample.video.key) if self.kept else _try(self.clips, sample)
            if clip is not None:
                return self.dataset.prompt(sample, clip), sample.answer
        raise UsageError(_NOTHING)


def prepare(
    dataset: Dataset, samples: Sequence[Sample], clips: Clips, memory: float, workers: int
) -> Lessons:
    """Decode what fits into ``memory`` bytes (all videos or none) with ``workers`` processes.

    Samples of videos that cannot be decoded are left out, and their number is logged. Raises
    UsageError when nothing is left.
    """
    videos = {sample.video.key: sample for sample in samples}
    kept: dict[str, Clip] = {}
    if _fits(videos.values(), clips, memory):
        kept = _decode(list(videos.values()), clips, workers)
        whole = [sample for sample in samples if sample.video.key in kept]
        if len(whole) < len(samples):
            _log.warning("left out %d samples whose videos cannot be decoded", len(samples) - len(whole))
        samples = whole
    if not samples:
        raise UsageError(_NOTHING)
    return Lessons(dataset, samples, clips, kept)


def _fits(videos: Iterable[Sample], clips: Clips, memory: float) -> bool:
    """Judged by the first clip that can be decoded, which is taken for typical."""
    videos = list(videos)
    for video in videos:
        clip = _try(clips, video)
        if clip is not None:
            return clip.frames.nbytes * len(videos) <= memory
    return True


def _decode(videos: Sequence[Sample], clips: Clips, workers: int) -> dict[str, Clip]:
    kept: dict[str, Clip] = {}
    with Progress(len(videos), "decoding", "video") as progress:
        for number, (video, clip) in enumerate(zip(videos, _all(videos, clips, workers), strict=True), 1):
            if clip is not None:
                kept[video.video.key] = clip
            progress.reach(number)
    return kept


def _all(videos: Sequence[Sample], clips: Clips, workers: int) -> Iterator[Clip | None]:
    one = partial(_try, clips)
    if workers < 1 or len(videos) < _CROWD:
        yield from map(one, videos)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: PyTorch's and the decoder's threads are running by now.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(one, videos, chunksize=16)


def _try(clips: Clips, sample: Sample) -> Clip | None:
    try:
        return clips(sample)
    except DecodeError as error:
        _log.warning("%s", error)
        return None


def collate(encode: Encode, items: Sequence[Item]) -> dict[str, Any]:
    """One batch of lessons as tensors; runs in the data loader's processes."""
    from torch.utils.data import get_worker_info

    if get_worker_info() is not None:
        # Set in the worker alone: tokenizers warns when threads are asked for after a fork.
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
    return dict(encode([prompt for prompt, _ in items], [answer for _, answer in items]))
