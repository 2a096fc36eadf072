import numpy as np
import pytest
from harness_plugins.corruptions.kernels.blur_glass import blur_glass, mix, roam_within
from scipy.stats import chisquare

HEIGHT, WIDTH = 120, 150


def displacements(delta, passes, key=3, times=1.0):
    """Where each pixel came from, down and across, read from a picture that numbers its pixels."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    frame = np.stack([rows, columns, rows * 0], axis=2).astype(np.uint8)
    out = np.empty_like(frame)
    most, half = roam_within(delta, times)
    mix(frame, most, half, passes, np.uint64(key), out)
    margin = most * passes
    inside = (slice(margin, -margin), slice(margin, -margin))
    return (out[..., 0].astype(int) - rows)[inside], (out[..., 1].astype(int) - columns)[inside]


@pytest.mark.parametrize("delta", [1, 2, 4, 7])
def test_one_pass_draws_evenly_from_the_square(delta):
    down, across = displacements(delta, 1)
    side = 2 * delta + 1
    counts = np.bincount(((down + delta) * side + across + delta).ravel(), minlength=side * side)
    assert counts.size == side * side
    assert chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize(("delta", "passes"), [(1, 2), (4, 2), (2, 3)])
def test_passes_add_up(delta, passes):
    for moved in displacements(delta, passes):
        assert np.abs(moved).max() <= delta * passes
        assert abs(moved.mean()) < 0.1
        assert moved.var() == pytest.approx(passes * delta * (delta + 1) / 3, rel=0.05)


@pytest.mark.parametrize("delta", [1, 2, 4, 12])
def test_at_its_own_scale_a_square_is_whole(delta):
    assert roam_within(delta, 1.0) == (delta, pytest.approx(delta + 0.5))


@pytest.mark.parametrize(("delta", "times"), [(1, 0.5), (1, 1.6), (3, 0.5), (4, 0.05), (4, 1.7), (2, 3.2)])
def test_displacements_scale_by_any_factor(delta, times):
    moved = np.concatenate([d.ravel() for key in range(9) for d in displacements(delta, 1, key, times)])
    most, half = roam_within(delta, times)
    assert most - 0.5 < half <= most + 0.5
    assert np.abs(moved).max() == most
    assert abs(moved.mean()) < 0.02 * most
    assert moved.var() == pytest.approx(delta * (delta + 1) / 3 * times**2, rel=0.05)
    counts = np.bincount(moved + most)
    inner = counts[1:-1]
    assert np.ptp(inner) < 0.1 * inner.mean()
    assert counts[[0, -1]] == pytest.approx(inner.mean() * (half - most + 0.5), rel=0.1) or most == 1


def test_neighbours_keys_and_passes_are_independent():
    down, across = displacements(4, 1)
    other, _ = displacements(4, 1, key=4)
    twice, _ = displacements(4, 2)
    for one, two in [
        (down[1:], down[:-1]),
        (down[:, 1:], down[:, :-1]),
        (down, across),
        (down, other),
        (down[4:-4, 4:-4], twice),
    ]:
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.04


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 2), (30, 31)])
@pytest.mark.parametrize(("delta", "passes"), [(1, 1), (6, 3)])
def test_colours_come_from_the_picture_at_any_size(size, delta, passes):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    out = np.empty_like(frame)
    mix(frame, *roam_within(delta, 1.0), passes, np.uint64(1), out)
    there = {tuple(pixel) for pixel in frame.reshape(-1, 3).tolist()}
    assert {tuple(pixel) for pixel in out.reshape(-1, 3).tolist()} <= there


def test_grey_stays_grey():
    frame = np.full((20, 30, 3), 200, np.uint8)
    out = np.empty_like(frame)
    blur_glass(frame, 1.5, (4, 4.5), 2, np.uint64(5), out)
    assert np.array_equal(out, frame)
