"""Randomness: a function of its named parts alone, and the choice of hit frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Draws
from harness.seeds import generator, hit_count, hit_frames


@pytest.mark.parametrize(
    ("total", "counts"), [(8, {0.3: 2, 0.6: 4, 0.9: 7}), (16, {0.3: 4, 0.6: 9, 0.9: 14})]
)
def test_counts_of_the_specification(total: int, counts: dict[float, int]) -> None:
    assert {ratio: hit_count(total, ratio) for ratio in counts} == counts


def test_ends_of_the_range() -> None:
    assert hit_count(8, 0) == 0
    assert hit_count(8, 1e-9) == 1
    assert hit_count(8, 1) == 8
    assert hit_count(0, 1) == 0


@given(total=st.integers(1, 64), seed=st.integers(0, 2**40), low=st.floats(0, 1), high=st.floats(0, 1))
def test_a_smaller_ratio_is_inside_a_larger_one(total: int, seed: int, low: float, high: float) -> None:
    low, high = sorted((low, high))
    small, large = (hit_frames(seed, "v", total, ratio).tolist() for ratio in (low, high))
    assert small == large[: len(small)]
    assert len(set(large)) == len(large) == hit_count(total, high)
    assert all(0 <= frame < total for frame in large)


def test_every_frame_is_hit_equally_often() -> None:
    counts = np.zeros(8)
    for video in range(2000):
        counts[hit_frames(0, f"video-{video}", 8, 0.3)] += 1
    # 2 of 8 in 2000 videos: 500 expected, standard deviation 19.
    assert abs(counts - 500).max() < 90


def test_the_permutation_is_pinned() -> None:
    """Another order would silently change every published noise figure."""
    assert hit_frames(0, "pancake", 8, 1.0).tolist() == PINNED
    assert hit_frames(1, "pancake", 8, 1.0).tolist() != PINNED


PINNED = [7, 4, 2, 0, 3, 6, 1, 5]


def test_draws_depend_on_each_part_and_on_nothing_else() -> None:
    base = Draws(0, "v", "gaussian", 1)
    first = base.frame(3).integers(2**63)
    np.random.default_rng(1).integers(10)
    base.video().integers(2**63)
    assert base.frame(3).integers(2**63) == first
    others = [
        Draws(1, "v", "gaussian", 1).frame(3),
        Draws(0, "w", "gaussian", 1).frame(3),
        Draws(0, "v", "fog", 1).frame(3),
        Draws(0, "v", "gaussian", 2).frame(3),
        base.frame(4),
        base.video(),
    ]
    values = {int(other.integers(2**63)) for other in others}
    assert len(values | {int(first)}) == 7


def test_parts_are_kept_apart() -> None:
    assert generator("ab", "c").integers(2**63) != generator("a", "bc").integers(2**63)
