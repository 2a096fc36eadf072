from itertools import pairwise

import numpy as np
import pytest
from harness_plugins.corruptions.donors import draw_generated, fit


def fitted(source, height, width):
    out = np.empty((height, width, 3), np.uint8)
    fit(source, out)
    return out


def ramp(height, width):
    """A frame whose red is the column and whose green is the row, as shares of 200."""
    y, x = np.mgrid[:height, :width]
    red, green = 200 * (x + 0.5) / width, 200 * (y + 0.5) / height
    return np.stack([red, green, np.full_like(red, 9.0)], axis=-1).round().astype(np.uint8)


def test_a_frame_that_fits_is_copied():
    frame = np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    assert np.array_equal(fitted(frame, 20, 31), frame)
    assert np.array_equal(fitted(frame, 20, 21), frame[:, 5:26])
    assert np.array_equal(fitted(frame, 10, 31), frame[5:15])


@pytest.mark.parametrize(
    ("source", "target", "across", "down"),
    [
        ((90, 160), (45, 80), 200, 200),
        ((90, 160), (180, 320), 200, 200),
        ((90, 160), (90, 90), 112.5, 200),
        ((160, 90), (90, 160), 200, 63.3),
        ((40, 300), (100, 100), 26.7, 200),
        ((300, 300), (30, 90), 200, 66.7),
    ],
)
def test_the_centre_is_kept_and_the_shape(source, target, across, down):
    """The middle stays the middle, and what is seen of each axis follows from the two shapes."""
    out = fitted(ramp(*source), *target).astype(float)
    assert out[..., 2].min() == out[..., 2].max() == 9
    for channel, axis, seen in ((0, 1, across), (1, 0, down)):
        profile = out[..., channel].mean(axis=1 - axis)
        assert profile.mean() == pytest.approx(100, abs=1)
        assert (profile[-1] - profile[0]) / (1 - 1 / len(profile)) == pytest.approx(seen, rel=0.05, abs=3)


def test_fine_patterns_are_averaged_not_sampled():
    y, x = np.mgrid[:300, :300]
    chequered = np.repeat(255 * ((x + y) % 2)[..., None], 3, axis=2).astype(np.uint8)
    out = fitted(chequered, 60, 60).astype(int)
    assert np.abs(out - 127).max() < 12


@pytest.mark.parametrize("source", [(1, 1), (1, 50), (50, 1), (7, 5)])
@pytest.mark.parametrize("target", [(1, 1), (1, 60), (60, 1), (33, 20)])
def test_any_sizes(source, target):
    frame = np.full((*source, 3), 77, np.uint8)
    assert np.all(fitted(frame, *target) == 77)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (90, 160)])
def test_the_generated_clip_fills_any_size_and_moves(shape):
    frames = np.full((17, *shape, 3), 3, np.uint8)
    for number, frame in enumerate(frames):
        draw_generated(number, frame)
    assert not np.any(frames == 3)
    assert np.array_equal(frames[0], frames[16])
    if shape == (90, 160):
        assert all(np.any(one != other, axis=-1).mean() > 0.3 for one, other in pairwise(frames))
        assert len(np.unique(frames[0].reshape(-1, 3), axis=0)) == 8
