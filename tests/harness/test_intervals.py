"""The bootstrap over videos, against what statistics says it must come to."""

from __future__ import annotations

import numpy as np
import pytest

from harness.intervals import drop_interval, mean_intervals, multiplicities


def test_each_resample_draws_as_many_videos_as_there_are() -> None:
    counts = multiplicities(17)
    assert counts.shape == (1000, 17)
    np.testing.assert_array_equal(counts.sum(axis=1), 17)
    assert counts.mean() == 1
    # Each multiplicity is binomial with variance 1 - 1/n.
    assert counts.var() == pytest.approx(1 - 1 / 17, rel=0.05)
    assert len(np.unique(counts, axis=0)) > 990


def test_the_draws_are_pinned() -> None:
    """Another stream would move every published interval."""
    np.testing.assert_array_equal(multiplicities(6, 3), PINNED)


PINNED = [[0, 1, 2, 0, 0, 3], [0, 1, 2, 1, 1, 1], [0, 2, 2, 0, 0, 2]]


def test_an_interval_is_as_wide_as_the_spread_between_videos_asks_for() -> None:
    rng = np.random.default_rng(0)
    level = rng.normal(1.5, 0.4, size=400)
    sums, counts = level * 5, np.full(400, 5.0)
    low, high = mean_intervals(sums[:, None], counts[:, None])[0]
    error = level.std(ddof=1) / 20
    assert low == pytest.approx(level.mean() - 1.96 * error, abs=0.3 * error)
    assert high == pytest.approx(level.mean() + 1.96 * error, abs=0.3 * error)


def test_videos_are_drawn_whole() -> None:
    """Twenty alike questions per video tell no more than one: the interval must not shrink."""
    rng = np.random.default_rng(1)
    level = rng.integers(0, 4, size=60).astype(float)
    one = mean_intervals(level[:, None], np.ones((60, 1)))
    twenty = mean_intervals(20 * level[:, None], np.full((60, 1), 20.0))
    np.testing.assert_allclose(one, twenty)


def test_groups_stand_for_themselves() -> None:
    sums = np.array([[3.0, 0, 0], [1, 2, 0], [2, 1, 0]])
    counts = np.array([[1.0, 0, 0], [1, 1, 0], [1, 1, 0]])
    both = mean_intervals(sums, counts)
    np.testing.assert_array_equal(both[:1], mean_intervals(sums[:, :1], counts[:, :1]))
    assert both[1, 0] == 1
    assert both[1, 1] == 2
    assert np.isnan(both[2]).all()


def test_one_video_alone_says_nothing_of_the_spread() -> None:
    assert np.isnan(mean_intervals(np.array([[3.0], [0]]), np.array([[1.0], [0]]))).all()
    assert np.isnan(mean_intervals(np.array([[3.0]]), np.array([[1.0]]))).all()
    one = np.ones(1)
    assert drop_interval(one, one, one, one) is None
    two, none = np.ones(2), np.array([1.0, 0.0])
    assert drop_interval(two, two, none, none) is None


def test_equal_runs_have_no_drop_at_all() -> None:
    sums = np.array([3.0, 0, 5, 2, 9])
    counts = np.array([1.0, 2, 2, 1, 3])
    assert drop_interval(sums, counts, sums, counts) == (0.0, 0.0)


def test_pairing_takes_the_difficulty_of_the_videos_out() -> None:
    """Every video loses .5 exactly: however much videos differ, there is nothing unsure about it."""
    rng = np.random.default_rng(2)
    sums, counts = rng.uniform(1, 3, 50), np.ones(50)
    low, high = drop_interval(sums, counts, sums - 0.5, counts) or (0, 0)
    assert low == pytest.approx(0.5)
    assert high == pytest.approx(0.5)


def test_a_drop_interval_agrees_with_the_paired_error() -> None:
    rng = np.random.default_rng(3)
    clean, counts = rng.uniform(0, 3, 500), np.ones(500)
    noisy = clean - rng.normal(0.3, 0.5, 500)
    low, high = drop_interval(clean, counts, noisy, counts) or (0, 0)
    error = (clean - noisy).std(ddof=1) / np.sqrt(500)
    middle = (clean - noisy).mean()
    assert low == pytest.approx(middle - 1.96 * error, abs=0.3 * error)
    assert high == pytest.approx(middle + 1.96 * error, abs=0.3 * error)


def test_runs_with_other_failures_are_compared_by_their_own_counts() -> None:
    sums, counts = np.full(30, 4.0), np.full(30, 2.0)
    fewer = np.where(np.arange(30) % 2, 2.0, 1.0)
    found = drop_interval(sums, counts, fewer, fewer)
    assert found == (1.0, 1.0)
