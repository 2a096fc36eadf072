"""The speed of earlier runs, read from the logs that runs write."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import Judge, built, make_cell, write_video

from harness.cell import Cell
from harness.config import RunConfig
from harness.execute import Run
from harness.prepare import Prepared
from harness.speed import Speed, measured
from harness.work import Alone


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    return make_cell({"a": write_video(tmp_path / "a.mp4")}, ratio=0.5)


def log(cell: Cell, work_dir: Path, name: str, *lines: str) -> None:
    path = cell.folder(work_dir) / name / "run.log"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"2026-01-02 {line}\n" for line in lines))


def begun(time: str, label: str, rank: int = 0) -> str:
    return f"{time},000 rank {rank} INFO {label}, fingerprint 0123456789abcdef"


def ended(time: str, label: str, asked: int) -> str:
    return f"{time},500 rank 1 INFO {label}: asked {asked}, judged 0, {{'ok': {asked}}}"


@pytest.mark.parametrize("mode", ["all", "infer"])
def test_a_run_leaves_what_is_read(cell: Cell, tmp_path: Path, mode: str) -> None:
    config = RunConfig(data=("questions",), model=("echo",), judge="fake", work_dir=tmp_path, mode=mode)
    judge = built("fake", Judge()) if mode == "all" else None
    samples = {"questions": tuple(cell.dataset.plugin.samples())}
    assert measured(cell, tmp_path) is None
    Run(config, Prepared((cell,), samples, judge), Alone(), lambda _: None).cells()
    speed = measured(cell, tmp_path)
    assert speed is not None
    assert (speed.asked, speed.ranks) == (2, 1) and speed.seconds > 0
    assert re.search(r"INFO .+: asked 2, judged", next(tmp_path.rglob("run.log")).read_text())


def test_the_time_is_from_the_first_rank_to_the_end(cell: Cell, tmp_path: Path) -> None:
    other = "echo on others, clean"
    log(
        cell,
        tmp_path,
        "1",
        begun("10:00:00", other),
        begun("10:00:10", cell.label),
        begun("10:00:12", cell.label, rank=1),
        "10:00:15,000 rank 1 WARNING sample 3: timeout",
        ended("10:00:20", other, 1),
        ended("10:00:30", cell.label, 41),
    )
    assert measured(cell, tmp_path) == Speed(41, 20.5, 2)
    assert Speed(41, 20.5, 2).rate == 2


def test_the_finished_run_that_asked_most_speaks_for_its_data_set(cell: Cell, tmp_path: Path) -> None:
    clean = replace(cell, noise=None).label
    log(cell, tmp_path, "1", begun("10:00:00", cell.label), ended("10:00:04", cell.label, 9))
    assert measured(cell, tmp_path) == Speed(9, 4.5, 1)
    log(cell, tmp_path, "2", begun("10:00:00", clean), ended("10:00:09", clean, 90))
    log(cell, tmp_path, "3", begun("10:00:00", cell.label), ended("10:00:01", cell.label, 2))
    log(cell, tmp_path, "4", begun("10:00:00", cell.label), ended("10:00:02", cell.label, 0))
    log(cell, tmp_path, "5", begun("10:00:00", cell.label))
    log(cell, tmp_path, "6", ended("10:00:02", cell.label, 100))
    log(cell, tmp_path, "7", begun("10:00:00", f"{cell.label}s"), "nonsense", "ended")
    log(
        cell, tmp_path, "8", begun("10:00:00", "echo on x, clean"), ended("10:00:01", "echo on x, clean", 999)
    )
    assert measured(cell, tmp_path) == Speed(90, 9.5, 1)
