import numpy as np
import pytest
from harness_plugins.corruptions.kernels.elastic import pull_about
from harness_plugins.corruptions.kernels.random_field import draw_nodes, spacing_for, spline
from scipy.ndimage import map_coordinates


def pulled(source, sigmas, amplitude, key=5):
    out = np.full_like(source, 77)
    pull_about(source, sigmas, amplitude, np.uint64(key), out)
    return out


def weights_of(length, sigma, count):
    """float64 [length, count]: each pixel's share of each node."""
    h = spacing_for(sigma)
    at = np.arange(length) + h // 2
    matrix = np.zeros((length, count))
    for k in range(3):
        matrix[np.arange(length), at // h + k] += spline(h)[at % h, k]
    return matrix


def exact(source, sigmas, amplitude, key=5):
    """The same field, applied by SciPy."""
    height, width, _ = source.shape
    nodes = draw_nodes((height, width), sigmas, amplitude, np.uint64(key)).astype(np.float64)
    down, across = weights_of(height, sigmas[0], nodes.shape[0]), weights_of(width, sigmas[1], nodes.shape[1])
    dy, dx = (down @ nodes[..., k] @ across.T for k in (0, 1))
    y, x = np.mgrid[:height, :width]
    planes = [
        map_coordinates(source[..., c].astype(np.float64), [y + dy, x + dx], order=1, mode="mirror")
        for c in range(3)
    ]
    return np.stack(planes, axis=2)


@pytest.mark.parametrize(
    ("size", "sigmas", "amplitude"),
    [
        ((130, 170), (4.0, 6.5), 60.0),
        ((130, 170), (1.3, 1.7), 9.0),
        ((130, 170), (0.3, 9.0), 300.0),
        ((33, 20), (3.0, 3.0), 1000.0),  # much further than the frame is wide
        ((1, 90), (0.01, 0.9), 4.0),
        ((90, 1), (0.9, 0.01), 4.0),
    ],
)
def test_pixels_come_from_where_the_field_points(size, sigmas, amplitude):
    """A place is rounded to 1/64 pixel: on slopes of s levels per pixel that is s / 128 on either axis."""
    y, x = np.mgrid[: size[0], : size[1]]
    wave = 127 + 60 * np.sin(x / 5) + 60 * np.cos(y / 4)
    source = np.stack([wave, 255 - wave, wave[::-1]], axis=2).astype(np.uint8)
    steepest = 16.0
    error = np.abs(pulled(source, sigmas, amplitude) - exact(source, sigmas, amplitude))
    assert error.max() <= 0.5 + 2 * steepest / 128 + 0.01


def test_channels_do_not_mix():
    source = np.zeros((60, 70, 3), np.uint8)
    source[20:40, 20:50, 1] = 255
    out = pulled(source, (3.0, 3.0), 30.0)
    assert out[..., 1].any()
    assert not out[..., [0, 2]].any()


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_one_colour_stays(level):
    source = np.full((50, 61, 3), level, np.uint8)
    assert np.array_equal(pulled(source, (3.0, 3.0), 50.0), source)


def test_without_amplitude_nothing_moves():
    source = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    assert np.array_equal(pulled(source, (3.0, 3.0), 0.0), source)
