import numpy as np
import pytest
from harness_plugins.corruptions.kernels.plasma import SIDE, plasma


def plainly(decay, random):
    """The diamond-square algorithm on a torus, level by level."""
    field = np.zeros((SIDE, SIDE))
    step, size = SIDE, 1.0
    while step >= 2:
        half = step // 2

        def noise(count, size=size):
            return size * random.uniform(-1, 1, (count, count))

        corner, count = field[::step, ::step], SIDE // step
        middle = (
            corner + np.roll(corner, -1, 0) + np.roll(corner, -1, 1) + np.roll(corner, (-1, -1), (0, 1))
        ) / 4
        middle = middle + noise(count)
        field[half::step, half::step] = middle
        right = (corner + np.roll(corner, -1, 1) + middle + np.roll(middle, 1, 0)) / 4
        field[::step, half::step] = right + noise(count)
        low = (corner + np.roll(corner, -1, 0) + middle + np.roll(middle, 1, 1)) / 4
        field[half::step, ::step] = low + noise(count)
        step, size = half, size / decay**2
    return (field - field.min()) / np.ptp(field)


def portrait(maps):
    """Mean, spread, and mean steps over 1, 4, 16, 64 nodes in both directions."""
    rows = []
    for one in maps:
        steps = [np.abs(one - np.roll(one, d, axis)).mean() for d in (1, 4, 16, 64) for axis in (0, 1)]
        rows.append([one.mean(), one.std(), *steps])
    return np.mean(rows, axis=0)


@pytest.mark.parametrize("decay", [1.4, 1.7, 2.0])
def test_maps_are_those_of_the_algorithm(decay):
    count = 24
    ours = portrait([plasma(np.uint64(key), decay) / 65535 for key in range(count)])
    random = np.random.default_rng(5)
    theirs = portrait([plainly(decay, random) for _ in range(count)])
    assert np.abs(ours / theirs - 1).max() < 0.12, ours / theirs


def test_a_map_goes_from_0_to_65535_and_its_edges_join():
    fog = plasma(np.uint64(3), 2.0).astype(int)
    assert (fog.min(), fog.max(), fog.shape) == (0, 65535, (SIDE, SIDE))
    for one, other in ((fog[0], fog[-1]), (fog[:, 0], fog[:, -1])):
        assert np.abs(one - other).mean() < 1.5 * np.abs(np.diff(fog)).mean()


def test_keys_make_maps():
    assert not np.array_equal(plasma(np.uint64(1), 1.7), plasma(np.uint64(2), 1.7))
    assert np.array_equal(plasma(np.uint64(1), 1.7), plasma(np.uint64(1), 1.7))
