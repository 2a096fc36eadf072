"""Agreement of two judges against values known from elsewhere."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.agreement import agreement

ONE = [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3]
OTHER = [0, 1, 0, 1, 2, 1, 2, 3, 3, 3, 0, 2]
"""cohen_kappa_score(ONE, OTHER, weights="quadratic") of scikit-learn 1.9 is 0.59375."""

whole = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def test_kappa_is_scikit_learns() -> None:
    found = agreement(list(zip(ONE, OTHER, strict=True)))
    assert found.kappa == pytest.approx(0.59375)
    assert (found.count, found.equal, found.means) == (12, pytest.approx(7 / 12), (19 / 12, 1.5))
    assert found.confusion == ((2, 1, 0, 0), (0, 2, 1, 0), (0, 0, 1, 1), (1, 0, 1, 2))
    assert found.interval is None


@given(whole)
def test_kappa_is_what_its_definition_says(pairs: list[tuple[int, int]]) -> None:
    """One less the weighted disagreement over that of all first scores with all second ones."""
    count = len(pairs)
    observed = sum((a - b) ** 2 for a, b in pairs) / count
    expected = sum((a - b) ** 2 for (a, _), (_, b) in product(pairs, pairs)) / count**2
    kappa = agreement(pairs).kappa
    if expected:
        assert kappa == pytest.approx(1 - observed / expected)
    else:
        assert kappa is None


@given(whole)
def test_both_ways_alike(pairs: list[tuple[int, int]]) -> None:
    there, back = agreement(pairs), agreement([(b, a) for a, b in pairs])
    assert there.kappa == (None if back.kappa is None else pytest.approx(back.kappa))
    assert there.equal == back.equal
    assert there.confusion == tuple(zip(*back.confusion, strict=True))


def test_bounds() -> None:
    assert agreement([(0, 0), (3, 3), (1, 1)]).kappa == pytest.approx(1)
    assert agreement([(0, 3), (3, 0)]).kappa == pytest.approx(-1)
    assert agreement([(0, 0), (0, 3), (3, 0), (3, 3)]).kappa == pytest.approx(0)
    assert agreement([(3, 3), (3, 3)]).kappa is None
    assert agreement([]).equal is None


def test_scores_between_are_rounded_for_the_table_alone() -> None:
    found = agreement([(0.4, 0.5), (2.5, 2.49), (3.0, 1.5)])
    assert [found.confusion[0][1], found.confusion[3][2]] == [1, 2]
    assert found.equal == 0
    assert found.kappa is not None
    assert found.kappa < agreement([(0.4, 0.4), (2.5, 2.5), (3.0, 1.5)]).kappa  # type: ignore[operator]


def test_the_interval_is_over_videos() -> None:
    pairs = list(zip(ONE, OTHER, strict=True)) * 20
    widths = []
    for videos in (240, 12):  # of 12 videos each shows one pair again and again
        found = agreement(pairs, [f"video {place % videos}" for place in range(240)])
        assert found.interval is not None
        assert found.kappa is not None
        low, high = found.interval
        assert low < found.kappa < high
        widths.append(high - low)
    assert widths[0] < widths[1]
    assert agreement(pairs, ["one video"] * 240).interval is None
