import numpy as np
import pytest
from harness_plugins.corruptions.kernels.saliency import salient_box, spectral_residual


def scene(height, width, top, left, tall, wide):
    """A smooth background with a chequered object."""
    y, x = np.mgrid[:height, :width]
    frame = np.repeat((100 + 40 * x / width + 30 * y / height)[..., None], 3, axis=2).astype(np.uint8)
    chequers = 255 * ((y // 12 + x // 12) % 2)
    inside = (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide)
    frame[inside] = chequers[inside][:, None]
    return frame


@pytest.mark.parametrize(("top", "left"), [(60, 80), (60, 380), (200, 80), (200, 380), (130, 230)])
def test_the_object_is_in_the_box(top, left):
    frame = scene(360, 640, top, left, 120, 160)
    x0, y0, x1, y1 = salient_box(frame)
    covered = np.zeros((360, 640), bool)
    covered[y0:y1, x0:x1] = True
    assert covered[top : top + 120, left : left + 160].mean() > 0.85


@pytest.mark.parametrize("size", [(360, 640), (640, 360), (128, 128), (100, 1000), (67, 45), (720, 1280)])
def test_the_box_is_20_to_50_percent_and_no_strip(size):
    for seed in range(5):
        coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
        frame = coarse[np.ix_(np.arange(size[0]) * 9 // size[0], np.arange(size[1]) * 9 // size[1])]
        x0, y0, x1, y1 = salient_box(frame)
        assert 0 <= x0 < x1 <= size[1]
        assert 0 <= y0 < y1 <= size[0]
        tall, wide = (y1 - y0) / size[0], (x1 - x0) / size[1]
        assert 0.18 <= tall * wide <= 0.53
        assert 0.45 <= tall / wide <= 2.2


@pytest.mark.parametrize("level", [0, 90, 255])
def test_on_one_colour_nothing_is_found(level):
    assert salient_box(np.full((90, 160, 3), level, np.uint8)) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (1, 97), (97, 1), (2, 3), (3, 5)])
def test_any_size_gives_a_box_inside_or_none(size):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    box = salient_box(frame)
    if box is not None:
        assert 0 <= box[0] < box[2] <= size[1]
        assert 0 <= box[1] < box[3] <= size[0]


def test_what_is_odd_stands_out():
    """One cell unlike its regular surroundings is where the saliency is greatest."""
    cells = np.tile(100.0 + 50 * np.sin(np.arange(64) * np.pi / 4), (36, 1))
    cells[20, 40] += 120
    peak = np.unravel_index(spectral_residual(cells).argmax(), cells.shape)
    assert np.abs(np.subtract(peak, (20, 40))).max() <= 1
