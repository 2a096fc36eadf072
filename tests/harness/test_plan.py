"""The plan: every sample once, calls about one video together, equal on every rank."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import make_cell

from harness import UsageError
from harness.cell import Cell
from harness.plan import choose_samples, make_plan


@pytest.fixture
def videos(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for key, size in (("a", 10), ("b", 1000), ("c", 100)):
        found[key] = tmp_path / f"{key}.mp4"
        found[key].write_bytes(b"x" * size)
    return found


def test_large_files_first_and_each_sample_once(videos: dict[str, Path]) -> None:
    cell = make_cell(videos)
    plan = make_plan(cell, cell.dataset.plugin.samples())
    assert [piece.video.key for piece in plan.pieces] == ["b", "c", "a"]
    asked = [sample.id for piece in plan.pieces for call in piece.calls for sample in call.group]
    assert sorted(asked) == list(range(6))
    assert [sample.id for sample in plan.samples] == list(range(6))


def test_a_video_with_many_questions_comes_before_a_larger_one_with_few(videos: dict[str, Path]) -> None:
    samples = make_cell(videos).dataset.plugin.samples()
    more = [replace(samples[4], id=i, question=f"c?{i}") for i in range(6, 16)]
    pieces = make_plan(make_cell(videos), [*samples, *more]).pieces
    assert [(piece.video.key, len(piece.calls)) for piece in pieces] == [("b", 2), ("c", 12), ("a", 2)]
    more += [replace(samples[4], id=i, question=f"c?{i}") for i in range(16, 100)]
    pieces = make_plan(make_cell(videos), [*samples, *more]).pieces
    assert [piece.video.key for piece in pieces] == ["c", "b", "a"]


def test_packed_samples_make_one_call_a_video(videos: dict[str, Path]) -> None:
    cell = make_cell(videos, packed=True)
    plan = make_plan(cell, cell.dataset.plugin.samples())
    assert [len(piece.calls) for piece in plan.pieces] == [1, 1, 1]
    first = make_plan(cell, cell.dataset.plugin.samples()[:3])
    assert sorted(len(call.group) for piece in first.pieces for call in piece.calls) == [1, 2]


def test_answers_count_only_while_their_inputs_are_the_same(videos: dict[str, Path]) -> None:
    cell = make_cell(videos)
    plan = make_plan(cell, cell.dataset.plugin.samples())
    records = {
        sample.id: {"status": "ok", "key": call.key}
        for piece in plan.pieces
        for call in piece.calls
        for sample in call.group
    }
    assert plan.answered(records) == set(range(6))
    records[0]["status"] = "model_error"
    assert plan.answered(records) == {1, 2, 3, 4, 5}
    videos["b"].write_bytes(b"y" * 1000)
    assert make_plan(cell, cell.dataset.plugin.samples()).answered(records) == {1, 4, 5}


def test_a_missing_video_is_part_of_the_plan(videos: dict[str, Path]) -> None:
    videos["a"].unlink()
    cell = make_cell(videos)
    plan = make_plan(cell, cell.dataset.plugin.samples())
    assert {piece.video.key for piece in plan.pieces} == {"a", "b", "c"}


def test_choosing_samples(videos: dict[str, Path]) -> None:
    samples = make_cell(videos).dataset.plugin.samples()
    assert [s.id for s in choose_samples(samples)] == [0, 1, 2, 3, 4, 5]
    assert [s.id for s in choose_samples(samples, limit=2)] == [0, 1]
    assert [s.id for s in choose_samples(samples, ids=["4", "1"])] == [1, 4]
    assert [s.id for s in choose_samples(samples, ids=["4", "1"], limit=1)] == [1]
    with pytest.raises(UsageError, match="no sample '9'"):
        choose_samples(samples, ids=["9"])
    with pytest.raises(UsageError, match="more than one sample"):
        choose_samples([*samples, replace(samples[0], question="again")])


def test_a_donor_changes_the_answer_but_not_what_is_asked(videos: dict[str, Path]) -> None:
    clean = make_cell(videos)
    noisy = make_cell(videos, ratio=0.5)
    samples = clean.dataset.plugin.samples()
    assert noisy.noise is not None
    noisy.noise.built.plugin.needs_donor = True
    noisy = replace(noisy, videos=tuple(dict.fromkeys(sample.video for sample in samples)))

    def keys(cell: Cell) -> tuple[list[str], list[str]]:
        calls = [call for piece in make_plan(cell, samples).pieces for call in piece.calls]
        return [call.key for call in calls], [call.own_key for call in calls]

    before = keys(clean)
    assert before[0] == before[1] == keys(noisy)[1]
    first = keys(noisy)[0]
    assert not set(first) & set(before[0])
    for path in videos.values():
        path.write_bytes(path.read_bytes() + b"x")
    assert not set(keys(noisy)[0]) & set(first)
    assert keys(noisy)[1] == keys(clean)[1]
