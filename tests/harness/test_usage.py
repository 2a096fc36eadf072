"""Tokens and money: by what stored calls took where there are any, else as assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Judge, Model, built, make_cell, write_video

from harness import Answer, Prediction, Verdict
from harness.budget import Price
from harness.cache import Cache
from harness.cell import Cell
from harness.endpoint import Endpoint
from harness.estimate import Estimate, Judging, Work
from harness.judging import verdict_path
from harness.plan import make_plan
from harness.records import from_prediction, from_verdict
from harness.results import write_json
from harness.usage import Cost, costs

PRICES = {"m": Price(2.0, 10.0)}


class Remote(Model):
    def __init__(self) -> None:
        super().__init__()
        self.server = Endpoint("m")


class RemoteJudge(Judge):
    def __init__(self) -> None:
        super().__init__()
        self.server = Endpoint("j", role="judge")


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    videos = {key: write_video(tmp_path / f"{key}.mp4", seed=i) for i, key in enumerate("ab")}
    return replace(make_cell(videos), model=built("remote", Remote(), max_tokens=100))


def estimate_of(cell: Cell, size: tuple[int, int, int] | None = (4, 300, 500), **more: Any) -> Estimate:
    """All four questions open, the clips of one size."""
    calls = tuple(
        call for piece in make_plan(cell, cell.dataset.plugin.samples()).pieces for call in piece.calls
    )
    return Estimate(cell, 4, 2, 0, work=Work(4, calls, (size,) * 4, (size,) * 2), **more)


def only(estimate: Estimate, work_dir: Path, prices: Mapping[str, Price] = PRICES) -> Cost:
    (cost,) = costs(estimate, work_dir, prices)
    return cost


def store(cell: Cell, work_dir: Path, *usages: dict[str, int], noise: Any = None) -> None:
    cell = replace(cell, noise=noise)
    cache = Cache(cell.folder(work_dir) / f"{cell.stem()}.pkl")
    with cache.journal("w") as journal:
        for number, usage in enumerate(usages):
            prediction = Prediction(number, Answer("yes", meta={"usage": usage}))
            journal.append(number, from_prediction(prediction, f"key {number}"))
    write_json(cache.path.with_suffix(".json"), cell.parts())


def test_without_stored_calls_the_assumption_is_said(cell: Cell, tmp_path: Path) -> None:
    cost = only(estimate_of(cell), tmp_path)
    # 4 calls: 4 frames of 200 tokens each, 50 of wording, 3 characters of question
    assert (cost.role, cost.name, cost.model, cost.calls) == ("model", "remote", "m", 4)
    assert (cost.input, cost.output) == (4 * (4 * 200 + 50) + 3, 400)
    assert cost.dollars == pytest.approx((cost.input * 2 + cost.output * 10) / 1e6)
    assert "750 pixels" in cost.basis and "max_tokens=100" in cost.basis and "assumed" in cost.basis


@pytest.mark.parametrize(
    ("options", "long_side", "image"),
    [
        ({"detail": "low"}, None, 85),
        ({"long_side": 250}, None, 50),
        ({}, 250, 50),
        ({"long_side": 900}, 250, 50),
    ],
)
def test_the_size_that_is_sent_counts(
    cell: Cell, tmp_path: Path, options: dict[str, Any], long_side: int | None, image: int
) -> None:
    cell = replace(cell, model=built("remote", Remote(), **options), long_side=long_side)
    cost = only(estimate_of(cell), tmp_path)
    assert (cost.input, cost.output) == (4 * (4 * image + 50) + 3, 0)


def test_a_clip_of_unknown_size_adds_no_image(cell: Cell, tmp_path: Path) -> None:
    assert only(estimate_of(cell, None), tmp_path).input == 4 * 50 + 3


def test_stored_calls_go_before_assumptions(cell: Cell, tmp_path: Path) -> None:
    used = [{"prompt_tokens": 100, "completion_tokens": 3}, {"prompt_tokens": 300}, {"total_tokens": 1}]
    store(cell, tmp_path, *used)
    cost = only(estimate_of(cell), tmp_path)
    assert (cost.input, cost.output, cost.basis) == (800, 6, "the mean of 2 stored ones")


def test_the_calls_of_another_noise_tell_those_of_other_frames_do_not(cell: Cell, tmp_path: Path) -> None:
    noisy = make_cell({}, ratio=0.5).noise
    store(replace(cell, long_side=9), tmp_path, {"prompt_tokens": 9, "completion_tokens": 1})
    other = replace(cell, model=built("remote", Remote(), max_tokens=99))
    store(other, tmp_path, {"prompt_tokens": 8, "completion_tokens": 1})
    (tmp_path / "remote" / "a.json").write_text("{}")
    assert "assumed" in only(estimate_of(cell), tmp_path).basis
    store(cell, tmp_path, {"prompt_tokens": 100, "completion_tokens": 1}, noise=noisy)
    assert only(estimate_of(cell), tmp_path).input == 400
    (tmp_path / "remote" / f"{replace(cell, noise=noisy).stem()}.pkl").write_bytes(b"damaged")
    assert "assumed" in only(estimate_of(cell), tmp_path).basis


def test_the_samples_of_a_pack_are_one_call(cell: Cell, tmp_path: Path) -> None:
    cache = Cache(cell.folder(tmp_path) / f"{cell.stem()}.pkl")
    with cache.journal("w") as journal:
        for number, (key, tokens) in enumerate([("k", 100), ("k", 100), ("k", 100), ("l", 200)]):
            answer = Answer("yes", meta={"usage": {"prompt_tokens": tokens}})
            journal.append(number, from_prediction(Prediction(number, answer), key))
    assert only(estimate_of(cell), tmp_path).input == 4 * 150


def test_judges_by_their_verdicts_of_which_some_took_no_call(cell: Cell, tmp_path: Path) -> None:
    judge = built("judge", RemoteJudge(), max_tokens=16)
    judge = replace(judge, entry=replace(judge.entry, kind="judge"))
    left = Judging(judge, 10, 400)
    estimate = Estimate(replace(cell, model=built("local", Model())), 10, 2, 0, judging=(left,))
    cost = only(estimate, tmp_path)
    assert (cost.role, cost.model, cost.calls) == ("judge", "j", 10)
    assert (cost.input, cost.output, cost.dollars) == (10 * 500 + 100, 160, None)
    with Cache(verdict_path(tmp_path, judge)).journal("w") as journal:
        for number in range(4):
            usage = {"prompt_tokens": 100, "completion_tokens": 2}
            meta = {"read_by": "rules"} if number else {"model": "j", "usage": usage}
            journal.append(f"{number}", from_verdict(Verdict(3.0, meta=meta)))
    cost = only(estimate, tmp_path)
    assert (cost.input, cost.output) == (250, 5)


def test_nothing_left_costs_nothing_and_what_asks_no_server_is_left_out(cell: Cell, tmp_path: Path) -> None:
    done = Estimate(cell, 4, 2, 4, judging=(Judging(built("judge", Judge()), 4, 10),))
    cost = only(done, tmp_path)
    assert (cost.calls, cost.input, cost.output, cost.dollars) == (0, 0, 0, 0.0)
