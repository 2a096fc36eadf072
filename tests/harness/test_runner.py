"""One rank's share of a cell: decoded once and ahead, within a bound, asked in batches that fit."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import Model, built, make_cell, write_video
from footage import Footage, answers_about, names

from harness import Answer, Clip, Prompt, Sampling, Video
from harness.batch_size import BatchSize
from harness.cell import Cell
from harness.errors import DecodeError
from harness.pipeline import clip_bytes, clip_of


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, str]]]:
    """Answers two questions about each video; gives the answers by question."""
    gc.disable()  # whatever is let go must be gone without it
    yield partial(answers_about, folder=tmp_path, patch=monkeypatch)
    gc.enable()


def test_a_video_is_decoded_once_for_all_its_questions(run: Callable[..., dict[str, str]]) -> None:
    footage = Footage(dict.fromkeys(names(20), (2, 8, 8)))
    model = Model()
    run(footage, model, size=4, count=5)
    assert Counter(footage.decoded) == Counter(names(20))
    # Filled from several videos, and full.
    assert [len(call) for call in model.calls] == [4] * 25


class Slow(Model):
    """Takes its time, and gives answers one by one or all at the end; may lack memory or not."""

    def __init__(self, lazy: bool = True, most: int = 1 << 30) -> None:
        super().__init__()
        self.lazy, self.most = lazy, most

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        time.sleep(0.001)
        if len(prompts) > self.most:
            raise MemoryError
        answers = super().generate(prompts)
        return answers if self.lazy else list(answers)


MIXTURES = {
    "small first, huge later": lambda i: (2, 10, 10) if i < 30 else (8, 60, 60),
    "huge first, small later": lambda i: (8, 60, 60) if i < 10 else (2, 10, 10),
    "all sizes": lambda i: (1 + i % 7, 5 + i % 50, 5 + i % 31),
    "larger than the bound": lambda i: (9, 100, 100) if i % 9 == 4 else (3, 20, 20),
}


@pytest.mark.parametrize("lazy", [True, False])
@pytest.mark.parametrize("kind", MIXTURES)
def test_the_frames_alive_stay_within_the_bound_whatever_the_videos(
    run: Callable[..., dict[str, str]], kind: str, lazy: bool
) -> None:
    footage = Footage({name: MIXTURES[kind](i) for i, name in enumerate(names(45))})
    answers = run(footage, Slow(lazy, most=3), size=8, budget=200_000)
    largest = max(int(np.prod(shape)) * 3 for shape in footage.shapes.values())
    assert footage.most <= max(200_000, largest)
    assert footage.alive == 0
    assert Counter(footage.decoded) == Counter(names(45))
    assert all(answer.startswith(question) for question, answer in answers.items())


def test_concurrent_models_keep_the_bound_too(run: Callable[..., dict[str, str]]) -> None:
    class Remote(Slow):
        concurrency = 4

    footage = Footage({name: MIXTURES["all sizes"](i) for i, name in enumerate(names(45))})
    run(footage, Remote(), budget=200_000)
    # A call's frames are let go just after its answer is stored, from its own thread.
    assert footage.most <= 200_000 + 4 * 7 * 55 * 36 * 3
    assert Counter(footage.decoded) == Counter(names(45))


def test_decoding_goes_on_while_the_model_loads_and_answers(run: Callable[..., dict[str, str]]) -> None:
    footage = Footage(dict.fromkeys(names(60), (2, 8, 8)))

    class Waiting(Model):
        def load(self) -> None:
            # All of the first batch, and more.
            footage.wait_until(lambda: len(footage.decoded) >= 6)

        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            asked = sum(len(call) for call in self.calls) + len(prompts)
            # The whole next batch is decoded before this one is answered.
            footage.wait_until(lambda: len(footage.decoded) >= min(60, asked // 2 + 4))
            return super().generate(prompts)

    model = Waiting()
    run(footage, model, size=8)
    assert [len(call) for call in model.calls] == [8] * 15


def test_frames_of_one_shape_go_together(run: Callable[..., dict[str, str]]) -> None:
    shapes = [(2, 8, 8), (2, 12, 8), (4, 8, 8)]
    footage = Footage({name: shapes[i % 3] for i, name in enumerate(names(36))})

    class Shaped(Model):
        def __init__(self) -> None:
            super().__init__()
            self.shapes: list[set[tuple[int, ...]]] = []

        def load(self) -> None:
            # Slow enough for all that may be decoded ahead: what is not ready is not waited for.
            footage.wait_until(lambda: len(footage.decoded) >= 19)

        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            done = sum(len(call) for call in self.calls)
            footage.wait_until(lambda: len(footage.decoded) >= min(36, 19 + done // 2))
            self.shapes.append({part.frames.shape for prompt in prompts for part in prompt.parts[:1]})  # type: ignore[union-attr]
            return super().generate(prompts)

    model = Shaped()
    run(footage, model, size=6)
    assert [len(call) for call in model.calls] == [6] * 12
    assert [len(shapes) for shapes in model.shapes] == [1] * 12


def test_batches_memory_and_failures_change_no_answer(run: Callable[..., dict[str, str]]) -> None:
    footage = Footage({name: MIXTURES["all sizes"](i) for i, name in enumerate(names(30))})
    plain = run(footage, Model(), size=1)
    assert plain == run(footage, Slow(lazy=False, most=2), size=16)
    assert plain == run(footage, Slow(), size=BatchSize(16, auto=True), budget=50_000)


def test_one_that_cannot_be_decoded_or_foreseen(
    run: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Damaged(Footage):
        def clip_of(self, cell: Cell, video: Video) -> Clip:
            if video.key == "v007":
                raise DecodeError("v007 is damaged")
            return super().clip_of(cell, video)

        def clip_bytes(self, cell: Cell, video: Video) -> int:
            return None if video.key == "v012" else super().clip_bytes(cell, video)  # type: ignore[return-value]

    model = Model()
    answers = run(Damaged(dict.fromkeys(names(20), (2, 8, 8))), model, budget=3000)
    assert [question for question, answer in answers.items() if not answer] == ["v007?0", "v007?1"]
    assert sum(len(call) for call in model.calls) == 38


@pytest.mark.parametrize("setting", ["4frame", "2fps", "windows", "shrunk", "shrunk windows"])
def test_what_is_foreseen_is_what_comes_out(tmp_path: Path, setting: str) -> None:
    class Last:
        version, window = 1, 0.5

        def pool(self, frames: Any, times: Any) -> Any:
            return frames[-1]

    path = write_video(tmp_path / "a.mp4", frames=34, size=48)
    cell = make_cell({"a": path})
    if setting == "2fps":
        cell.dataset.plugin.sampling = Sampling(fps=2)
    if "shrunk" in setting:
        cell = replace(cell, long_side=17)
    if "windows" in setting:
        cell = replace(cell, pooling=built("last", Last()))
    video = Video(path, "a")
    assert clip_bytes(cell, video) == clip_of(cell, video).frames.nbytes
    assert clip_bytes(cell, Video(tmp_path / "missing.mp4", "b")) == 0
