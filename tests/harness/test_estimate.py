"""What is counted beforehand is what the run then does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Judge, Model, built, make_cell, write_video

from harness import Answer, Clip, Draws, Prompt, Sampling, Status, Verdict, Video
from harness.cell import Cell, Noise
from harness.config import RunConfig
from harness.errors import IncompleteError
from harness.estimate import Estimate, estimate
from harness.execute import Run
from harness.finish import Outcome
from harness.prepare import Prepared
from harness.work import Alone


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {key: write_video(folder / f"{key}.mp4", seed=i) for i, key in enumerate("abcde")}


class Bench:
    """One setting: estimated and run as often as wanted."""

    def __init__(self, work_dir: Path, *cells: Cell, judge: Any = None, **settings: Any) -> None:
        self.config = RunConfig(
            data=("questions",), model=("echo",), judge="fake", work_dir=work_dir, **settings
        )
        samples = tuple(cells[0].dataset.plugin.samples()[: self.config.limit])
        judged = None if self.config.mode == "infer" else built("fake", judge or Judge())
        self.prepared = Prepared(cells, {"questions": samples}, judged)

    def plan(self) -> list[Estimate]:
        return estimate(self.config, self.prepared)

    def run(self) -> list[Outcome]:
        return Run(self.config, self.prepared, Alone(), lambda _: None).cells()


def calls(cell: Cell) -> int:
    return sum(len(batch) for batch in cell.model.plugin.calls)


@pytest.mark.parametrize("shape", [{}, {"ratio": 0.5}, {"packed": True}, {"count": 3}])
def test_a_run_does_what_was_counted_and_then_nothing_is_left(
    videos: dict[str, Path], tmp_path: Path, shape: dict[str, Any]
) -> None:
    cell = make_cell(videos, **shape)
    if shape.get("packed"):
        cell = replace(cell, model=built("echo", Packer()))
    bench = Bench(tmp_path, cell)
    (before,) = bench.plan()
    assert before.videos == 5 and before.answered == 0
    # 4 frames of 32 x 32 from each video
    assert (len(before.work.decoded), before.work.frames, before.work.nbytes) == (5, 20, 20 * 32 * 32 * 3)
    (outcome,) = bench.run()
    assert (outcome.asked, outcome.judged) == (before.work.samples, before.to_judge)
    assert (outcome.asked, outcome.judged) == (before.samples, before.samples)
    assert calls(cell) == len(before.work.calls)
    (after,) = bench.plan()
    assert after.answered == after.samples
    assert (after.work.samples, after.work.calls, after.work.decoded, after.to_judge) == (0, (), (), 0)


class Packer(Model):
    """Answers a pack with an answer for each question, which tells its video."""

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        self.calls.append([prompt.text for prompt in prompts])
        for prompt in prompts:
            yield Answer(prompt.text)


def test_what_is_answered_and_judged_in_part_is_subtracted(videos: dict[str, Path], tmp_path: Path) -> None:
    cell = make_cell(videos)
    Bench(tmp_path, cell, limit=3).run()
    Bench(tmp_path, cell, limit=6, mode="infer").run()
    asked = calls(cell)
    bench = Bench(tmp_path, cell)
    (left,) = bench.plan()
    assert (left.samples, left.answered, left.work.samples, left.to_judge) == (10, 6, 4, 7)
    assert len(left.work.decoded) == 2
    (outcome,) = bench.run()
    assert (outcome.asked, outcome.judged) == (4, 7)
    assert calls(cell) - asked == len(left.work.calls)


class Parrot(Model):
    """Says the question alone, so that all noises get the same answers."""

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        self.calls.append([prompt.text for prompt in prompts])
        for prompt in prompts:
            yield Answer(prompt.text)


def test_content_that_is_known_is_judged_once_and_the_rest_is_a_bound(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    model = built("echo", Parrot())
    cells = [replace(make_cell(videos, ratio=ratio), model=model) for ratio in (0.5, 1.0)]
    bench = Bench(tmp_path, *cells)
    assert [one.to_judge for one in bench.plan()] == [10, 10]
    Bench(tmp_path, *cells, mode="infer").run()
    plans = bench.plan()
    assert [one.to_judge for one in plans] == [10, 0]
    assert [one.judged for one in bench.run()] == [10, 0]


class Pair(Judge):
    """Two judges, each asked twice; they remember what they were asked."""

    judges, repeats = ("one", "two"), 2

    def __init__(self) -> None:
        super().__init__()
        self.members = (built("one", Judge()), built("two", Judge()))

    def combine(self, verdicts: Sequence[Verdict]) -> Verdict:
        return verdicts[0]


def test_each_member_and_repeat_of_a_panel_counts(videos: dict[str, Path], tmp_path: Path) -> None:
    bench = Bench(tmp_path, make_cell(videos), judge=Pair(), limit=3)
    (before,) = bench.plan()
    assert [part.cases for part in before.judging] == [6, 6]
    (outcome,) = bench.run()
    assert outcome.judged == before.to_judge == 12
    assert [len(member.plugin.cases) for member in bench.prepared.judge.plugin.members] == [6, 6]
    assert bench.plan()[0].to_judge == 0


class Refuses(Model):
    """Fails on every video but the first."""

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        for prompt in prompts:
            yield Answer("fine" if prompt.text.startswith("a") else "", Status.OK)


def test_failures_are_asked_again_and_only_they(videos: dict[str, Path], tmp_path: Path) -> None:
    cell = replace(make_cell(videos), model=built("echo", Refuses()))
    Bench(tmp_path, cell).run()
    (left,) = Bench(tmp_path, cell).plan()
    assert (left.answered, left.work.samples, left.to_judge) == (2, 8, 8)


def test_videos_that_cannot_be_opened_cost_no_call(videos: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    cell = make_cell({**videos, "broken": broken, "gone": tmp_path / "gone.mp4"})
    bench = Bench(tmp_path / "out", cell)
    (before,) = bench.plan()
    assert before.work.unreadable == 2
    (outcome,) = bench.run()
    assert (outcome.asked, outcome.judged) == (before.work.samples, before.to_judge) == (14, 10)
    assert calls(cell) == len(before.work.calls) == 10


class Borrower:
    """A noise that takes its frames from another video."""

    version = 1
    needs_donor = True

    def apply(self, clip: Clip, hit: Any, draws: Draws, donor: Clip | None) -> Clip:
        return clip


def test_videos_that_a_noise_takes_frames_from_are_decoded_too(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    cell = make_cell(videos)
    others = tuple(sample.video for sample in cell.dataset.plugin.samples())
    for ratio, decoded in ((0.5, 10), (0.0, 5)):
        noise = Noise(built("borrow", Borrower()), ratio, 0)
        (one,) = Bench(tmp_path, replace(cell, noise=noise, videos=others)).plan()
        assert len(one.work.decoded) == decoded and one.work.frames == 4 * decoded
        assert len(one.work.shown) == 10


def test_scoring_alone_asks_nothing(videos: dict[str, Path], tmp_path: Path) -> None:
    cell = make_cell(videos)
    Bench(tmp_path, cell, limit=3, mode="infer").run()
    bench = Bench(tmp_path, cell, limit=4, mode="eval")
    (one,) = bench.plan()
    assert (one.answered, one.lacking, one.work.samples, one.to_judge) == (3, 1, 0, 3)
    with pytest.raises(IncompleteError, match="1 of 4 samples"):
        bench.run()
    ready = Bench(tmp_path, cell, limit=3, mode="eval")
    assert (ready.plan()[0].lacking, ready.plan()[0].to_judge) == (0, 3)
    assert ready.run()[0].judged == 3


def test_nothing_is_written(videos: dict[str, Path], tmp_path: Path) -> None:
    Bench(tmp_path / "none", make_cell(videos)).plan()
    assert not (tmp_path / "none").exists()


def test_what_only_decoding_tells_is_left_out_and_counted(videos: dict[str, Path], tmp_path: Path) -> None:
    class Blind:
        def foresee(self, video: Video, sampling: Sampling) -> tuple[int, int, int] | None:
            return None if video.key == "a" else (4, 32, 32)

    bench = Bench(tmp_path, make_cell(videos))
    (one,) = estimate(bench.config, replace(bench.prepared, decoding=Blind()))
    assert (one.work.unsized, one.work.frames, len(one.work.decoded), len(one.work.calls)) == (1, 16, 5, 10)
