import numpy as np
import pytest
from harness_plugins.corruptions.kernels.hsv_value import raise_value


def raised(source, shift):
    out = np.full_like(source, 77)
    raise_value(source, np.float32(shift), out)
    return out


@pytest.mark.parametrize("shift", [0.0, 25.5, 51.0, 127.5, 255.0])
def test_it_is_the_way_through_hsv(shift):
    """The reference goes there and back with scikit-image, in float64."""
    color = pytest.importorskip("skimage.color")
    source = np.random.default_rng(0).integers(0, 256, (97, 131, 3), dtype=np.uint8)
    source[:10] //= 50  # dark colours, black among them
    source[10:20] = source[10:20, :, :1]  # greys
    hsv = color.rgb2hsv(source)
    hsv[..., 2] = np.clip(hsv[..., 2] + shift / 255, 0, 1)
    exact = 255 * color.hsv2rgb(hsv)
    assert np.abs(raised(source, shift) - exact).max() <= 0.5 + 1e-3


def test_black_becomes_grey_and_white_stays():
    source = np.array([[[0, 0, 0], [255, 255, 255], [0, 255, 0], [1, 0, 0]]], np.uint8)
    assert raised(source, 100.0)[0].tolist() == [[100] * 3, [255] * 3, [0, 255, 0], [101, 0, 0]]


def test_without_a_shift_nothing_changes():
    levels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(raised(levels, 0.0), levels)
