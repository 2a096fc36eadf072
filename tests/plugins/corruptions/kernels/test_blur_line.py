import numpy as np
import pytest
from harness_plugins.corruptions.kernels.blur_line import blur_diagonal, blur_line, trail

SIZES = [(1, 1), (1, 9), (9, 1), (3, 2), (40, 57)]


def frame_of(size):
    """Black and white noise beside soft noise: the hardest and the usual picture."""
    frame = np.random.default_rng(3).integers(0, 256, (*size, 3), dtype=np.uint8)
    frame[:, : size[1] // 2] = 255 * (frame[:, : size[1] // 2] > 127)
    return frame


def exact(frame, rows, columns, weights):
    """Weighted sum of shifted pictures, mirrored at the borders."""
    height, width, _ = frame.shape
    down, along = int(np.abs(rows).max()), int(np.abs(columns).max())
    padded = np.pad(frame.astype(np.float64), ((down, down), (along, along), (0, 0)), mode="reflect")
    total = np.zeros(frame.shape)
    for row, column, weight in zip(rows, columns, weights, strict=True):
        top, left = down + row, along + column
        total += weight * padded[top : top + height, left : left + width]
    return total


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("taps", [1, 2, 7, 72, 257, 258, 400])
def test_a_diagonal_is_the_mean_of_its_taps(size, taps):
    frame = frame_of(size)
    out = np.full_like(frame, 7)
    blur_diagonal(frame, taps, out)
    steps = np.arange(taps) - taps // 2
    assert np.abs(out - exact(frame, steps, steps, np.full(taps, 1 / taps))).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("radius", "sigma"), [(1, 0.2), (10, 3.0), (20, 15.0), (49, 30.0), (50, 30.0), (90, 80.0)]
)
@pytest.mark.parametrize("angle", [-45.0, 0.0, 17.0, 45.0])
def test_a_trail_is_the_weighted_sum_of_its_taps(size, radius, sigma, angle):
    frame = frame_of(size)
    out = np.full_like(frame, 7)
    line = trail(radius, sigma, angle)
    blur_line(frame, line, out)
    assert np.abs(out - exact(frame, line[0], line[1], line[2] / 65535)).max() <= 0.5 + 0.2


@pytest.mark.parametrize("angle", [-45.0, -20.0, 0.0, 33.0, 45.0])
def test_a_trail_follows_its_angle_and_fades(angle):
    rows, columns, weights = trail(40, 15.0, angle)
    steps = np.arange(81)
    assert np.abs(rows - steps * np.sin(np.radians(angle))).max() <= 0.5 + 1e-9
    assert np.abs(columns - steps * np.cos(np.radians(angle))).max() <= 0.5 + 1e-9
    assert weights.astype(int).sum() == 65535
    share = np.exp(-0.5 * (steps / 15.0) ** 2)
    assert np.abs(weights / 65535 - share / share.sum()).max() < 1 / 65535


@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
def test_grey_stays_grey(level):
    frame = np.full((21, 33, 3), level, np.uint8)
    for line in (trail(10, 3.0, 20.0), trail(49, 40.0, -30.0), trail(120, 90.0, 5.0)):
        out = np.empty_like(frame)
        blur_line(frame, line, out)
        assert np.array_equal(out, frame)
    for taps in (1, 3, 72, 300):
        blur_diagonal(frame, taps, out)
        assert np.array_equal(out, frame)
