"""Videos that are made up when they are decoded, and a rank that answers questions about them."""

from __future__ import annotations

import io
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import make_cell

from harness import Clip, Video
from harness.batch_size import BatchSize
from harness.cache import Cache
from harness.cell import Cell
from harness.plan import make_plan
from harness.progress import Progress
from harness.runner import CellRun
from harness.work import Alone

DEADLINE = 60.0
"""Seconds after which a test that waits gives up; none takes a hundredth."""


class Footage:
    """Videos that are made up when they are decoded; knows which bytes are alive, and how many ever were.

    shapes: frames, height and width of each video, by its key.
    """

    def __init__(self, shapes: dict[str, tuple[int, int, int]]) -> None:
        self.shapes = shapes
        self.decoded: list[str] = []
        self.alive = self.most = 0
        self.changed = threading.Condition()

    def clip_of(self, cell: Cell, video: Video) -> Clip:
        with self.changed:
            self.decoded.append(video.key)
            shape = (*self.shapes[video.key], 3)
            frames = np.full(shape, len(video.key), np.uint8)
            self.alive += frames.nbytes
            self.most = max(self.most, self.alive)
            weakref.finalize(frames, self._drop, frames.nbytes)
            self.changed.notify_all()
        return Clip(frames, np.arange(shape[0]) * 0.5, np.arange(shape[0]), 24.0)

    def clip_bytes(self, cell: Cell, video: Video) -> int:
        return int(np.prod(self.shapes[video.key])) * 3

    def _drop(self, nbytes: int) -> None:
        self.alive -= nbytes

    def wait_until(self, true: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(true, DEADLINE)


def answers_about(
    footage: Footage,
    model: Any,
    size: BatchSize | int = 4,
    budget: int = 1 << 30,
    count: int = 2,
    *,
    folder: Path,
    patch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """The answers to ``count`` questions about each video, by question; files go to ``folder``."""
    patch.setattr("harness.ready.clip_of", footage.clip_of)
    patch.setattr("harness.ready.clip_bytes", footage.clip_bytes)
    cell = make_cell({key: folder / key for key in footage.shapes}, count=count, model=model)
    plan = make_plan(cell, cell.dataset.plugin.samples())
    cache = Cache(folder / f"{len(list(folder.iterdir()))}.pkl")
    progress = Progress(len(plan.samples), "test", "sample", stream=io.StringIO())
    with cache.journal("0") as journal:
        cell_run = CellRun(plan, set(), Alone(), cache, journal, "cell", progress, budget)
        cell_run.answer(BatchSize(size) if isinstance(size, int) else size)
    assert cell_run.stored == len(plan.samples)
    records = cache.merge()
    return {sample.question: records[sample.id]["prediction"] for sample in plan.samples}


def names(count: int) -> list[str]:
    return [f"v{i:03}" for i in range(count)]
