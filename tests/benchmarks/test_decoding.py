"""The comparison of decoders: all ways give the same frames, and what is promised is judged by the times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.clips import SUBJECTS, Subject
from benchmarks.decoders import OURS, ways
from benchmarks.decoding import Result, Taken, measure, promises, table

CLIP = Subject(1, 128, 96, 3)


def test_all_ways_give_the_same_frames_and_are_all_timed(tmp_path: Path) -> None:
    path = CLIP.made(tmp_path)
    frames = {name: way(path, [3, 9, 20]) for name, way in ways().items()}
    assert {OURS, "PyAV seeking"} <= set(frames)
    for name, given in frames.items():
        assert given.shape == (3, 96, 128, 3), name
        assert np.array_equal(given, frames[OURS]), name
    result = measure(CLIP, path, 4, rounds=2)
    assert set(result.taken) == set(frames)
    assert all(result.equal.values())
    assert all(len(taken.clock) == 2 and min(taken.clock) > 0 for taken in result.taken.values())


def test_a_clip_is_made_once(tmp_path: Path) -> None:
    path = CLIP.made(tmp_path)
    path.write_bytes(b"kept")
    assert CLIP.made(tmp_path).read_bytes() == b"kept"
    assert [other.name for other in tmp_path.iterdir()] == [path.name]
    assert len({subject.name for subject in SUBJECTS}) == len(SUBJECTS)


def result(subject: Subject, ours: float, *others: float) -> Result:
    def taken(milliseconds: float) -> Taken:
        seconds = milliseconds / 1000
        return Taken((seconds, 2 * seconds, seconds / 2), (3 * seconds,) * 3)

    names = [OURS, "PyAV seeking", "decord"]
    times = dict(zip(names, map(taken, (ours, *others)), strict=True))
    return Result(subject, 8, times, {OURS: True, "PyAV seeking": True, "decord": False})


def test_gains_are_over_the_best_of_the_others() -> None:
    assert result(CLIP, 100, 300, 200).gains == pytest.approx((2, 2, 2))
    assert result(CLIP, 100, 300, 200).taken[OURS].measures == pytest.approx((100, 50, 300))


def test_the_worst_clip_decides() -> None:
    plain = Subject(1, 128, 96, 0)
    results = [result(CLIP, 100, 120, 150), result(CLIP, 100, 300, 200), result(plain, 100, 90, 150)]
    with_b_frames, without = promises(results)
    assert with_b_frames == "with B-frames, 1.1 times the best of the others: 1.20, 1.20, 1.20: kept"
    assert without.endswith("0.90, 0.90, 0.90: NOT KEPT by medians")
    assert promises(results[:1]) == [
        "with B-frames, 1.1 times the best of the others: 1.20, 1.20, 1.20: kept"
    ]


def test_the_table_marks_other_frames() -> None:
    lines = table([result(CLIP, 100, 120, 150)], "simple").splitlines()
    assert "8 of 1 s 96p, B-frames" in lines[-1]
    assert " 150   75  450 !" in lines[-1]
    assert lines[-1].count("!") == 1
    assert lines[-1].split()[-3:] == ["1.20", "1.20", "1.20"]
