from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from harness_plugins.corruptions.orders import derangement, moved, nearest, shown
from scipy.stats import chisquare

from harness.seeds import generator


def test_derangements_are_all_equally_likely():
    source = generator(5)
    counts = Counter(tuple(derangement(source, 4).tolist()) for _ in range(9000))
    every = {order for order in permutations(range(4)) if all(i != place for i, place in enumerate(order))}
    assert set(counts) == every
    assert chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("count", [2, 3, 64, 500])
def test_a_derangement_is_an_order_that_leaves_nothing_in_place(count):
    order = derangement(generator(count), count)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(count))
    assert np.all(order != np.arange(count))


@pytest.mark.parametrize("count", [0, 1])
def test_one_thing_cannot_be_deranged(count):
    with pytest.raises(ValueError, match="cannot all change"):
        derangement(generator(0), count)


def test_only_the_places_named_move():
    assert moved(6, np.array([1, 3, 4]), np.array([2, 0, 1])).tolist() == [0, 4, 2, 1, 3, 5]


def test_nearest_prefers_the_earlier_of_two():
    assert nearest(np.array([0, 2, 4, 9]), np.array([6, 1, 3])).tolist() == [1, 1, 3, 6]


def test_shown_keeps_times_and_positions(clip_of, picture):
    clip = clip_of(picture(3, 4, 5)[:, ::-1])
    out = shown(clip, np.array([2, 0, 0]))
    assert np.array_equal(out.frames, clip.frames[[2, 0, 0]])
    assert out.frames.flags.c_contiguous
    assert out.times is clip.times
    assert out.indices is clip.indices
    assert out.notes == clip.notes
