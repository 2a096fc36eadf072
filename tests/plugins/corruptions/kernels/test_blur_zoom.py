import numpy as np
import pytest
from harness_plugins.corruptions.kernels.blur_zoom import MOST_ZOOMS, blur_zoom, enlargements
from scipy.ndimage import map_coordinates

ZOOMS = {
    "default": [1 + 0.03 * k for k in range(11)],
    "one": [1.0],
    "large": [1.0, 2.5, 4.0],
    "most": [1 + 0.01 * k for k in range(MOST_ZOOMS)],
}


def blurred(frame, zooms):
    out = np.full_like(frame, 7)
    blur_zoom(frame, enlargements(*frame.shape[:2], zooms), out)
    return out


def exact(frame, zooms):
    """The mean in float64, by SciPy's bilinear interpolation."""
    height, width, _ = frame.shape
    total = frame.astype(np.float64)
    middle = (height - 1) / 2, (width - 1) / 2
    for zoom in zooms:
        rows = middle[0] + (np.arange(height) - middle[0]) / zoom
        columns = middle[1] + (np.arange(width) - middle[1]) / zoom
        places = np.meshgrid(rows, columns, indexing="ij")
        for c in range(3):
            total[..., c] += map_coordinates(
                frame[..., c].astype(np.float64), places, order=1, mode="nearest"
            )
    return total / (len(zooms) + 1)


@pytest.mark.parametrize("zooms", ZOOMS.values(), ids=ZOOMS)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3), (60, 81), (61, 80)])
def test_it_is_the_exact_mean_within_the_stated_error(size, zooms):
    frame = 255 * np.random.default_rng(0).integers(0, 2, (*size, 3), dtype=np.uint8)
    assert np.abs(blurred(frame, zooms) - exact(frame, zooms)).max() <= 0.5 + 0.5


def test_on_a_smooth_picture_it_is_closer(picture):
    frame = picture(1, 150, 200)[0]
    assert np.abs(blurred(frame, ZOOMS["default"]) - exact(frame, ZOOMS["default"])).max() <= 0.5 + 0.1


@pytest.mark.parametrize("zooms", ZOOMS.values(), ids=ZOOMS)
@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
def test_grey_stays_grey(zooms, level):
    frame = np.full((24, 35, 3), level, np.uint8)
    assert np.array_equal(blurred(frame, zooms), frame)
