"""Frame positions, against MMBench-Video's rule written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Sampling, UsageError


@given(total=st.integers(1, 5000), count=st.integers(1, 64))
def test_frames_are_interior_and_ascend(total: int, count: int) -> None:
    chosen = Sampling(nframe=count).indices(total, 30.0)
    assert len(chosen) == count
    assert chosen == sorted(chosen)
    assert 0 <= chosen[0] <= chosen[-1] < total
    if total > count:
        assert len(set(chosen)) == count


def test_eight_of_a_hundred() -> None:
    assert Sampling(nframe=8).indices(100, 30.0) == [11, 22, 33, 44, 55, 66, 77, 88]


def test_one_frame_a_second() -> None:
    assert Sampling(fps=1).indices(95, 30.0) == [0, 30, 60]
    assert Sampling(fps=2).indices(95, 30.0) == [0, 15, 30, 45, 60, 75]
    assert Sampling(fps=0.1).indices(95, 30.0) == [0]


@given(total=st.integers(1, 3000), fps=st.floats(5, 120), rate=st.floats(0.05, 60), cap=st.integers(1, 99))
def test_a_rate_stays_inside_the_video_and_the_cap(total: int, fps: float, rate: float, cap: int) -> None:
    chosen = Sampling(fps=rate, max_frames=cap).indices(total, fps)
    assert 1 <= len(chosen) <= cap
    assert chosen == sorted(chosen)
    assert chosen[-1] < total


def test_the_cap_spreads_what_it_keeps() -> None:
    assert Sampling(fps=1, max_frames=3).indices(300, 30.0) == [0, 90, 180]
    assert Sampling(nframe=8, max_frames=2).indices(90, 30.0) == [30, 60]


def test_an_empty_video_has_no_frames() -> None:
    assert Sampling(nframe=8).indices(0, 30.0) == []


@pytest.mark.parametrize(
    ("label", "sampling"), [("8frame", Sampling(nframe=8)), ("0.5fps", Sampling(fps=0.5))]
)
def test_labels_are_read_and_written(label: str, sampling: Sampling) -> None:
    assert Sampling.parse(label) == sampling
    assert str(sampling) == label


@pytest.mark.parametrize("label", ["8", "frame", "1.5frame", "-1fps", "0frame", "0fps", "8frames", ""])
def test_bad_labels_are_usage_errors(label: str) -> None:
    with pytest.raises(UsageError):
        Sampling.parse(label)


@pytest.mark.parametrize(
    "values", [{}, {"nframe": 8, "fps": 1.0}, {"nframe": -1}, {"nframe": 8, "max_frames": 0}]
)
def test_contradictions_are_usage_errors(values: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Sampling(**values)  # type: ignore[arg-type]
