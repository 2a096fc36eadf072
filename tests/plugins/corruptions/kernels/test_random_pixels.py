import cv2
import numpy as np
import pytest
from harness_plugins.corruptions.kernels.random_pixels import CERTAIN, replace_pixels, roughen

KEYS = np.uint64(4), np.uint64(5)


def replaced(source, chance, keys=KEYS):
    out = np.full_like(source, 77)
    replace_pixels(source, chance, *keys, out)
    return out


def test_never_and_always():
    source = np.random.default_rng(0).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    assert np.array_equal(replaced(source, 0), source)
    always = replaced(source, CERTAIN)
    assert np.array_equal(always, replaced(255 - source, CERTAIN))
    assert np.mean(always == source) < 0.01


def test_whole_pixels_are_replaced_or_kept():
    """Kept values are 7; a random pixel is (7, 7, 7) once in 16 million."""
    out = replaced(np.full((200, 200, 3), 7, np.uint8), CERTAIN // 2)
    kept = np.all(out == 7, axis=2)
    assert abs(kept.mean() - 0.5) < 0.02
    assert abs(np.mean(out[~kept] == 7) - 1 / 256) < 1e-3


def test_every_pixel_takes_its_own_bits_whatever_the_size():
    """Pixels are drawn by position: a longer picture begins like a shorter one."""
    long = replaced(np.full((1, 2600, 3), 128, np.uint8), CERTAIN // 3)
    for width in (1, 2, 7, 1023, 1024, 1025, 2599):
        assert np.array_equal(replaced(np.full((1, width, 3), 128, np.uint8), CERTAIN // 3), long[:, :width])


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (2, 2), (41, 37), (40, 64)])
def test_roughened_is_what_morphology_says(size):
    """All of the widened edges, some of their surroundings, nothing else; OpenCV widens."""
    edges = 255 * (np.random.default_rng(size[1]).random(size) < 0.03).astype(np.uint8)
    edges[0, 0] = edges[-1, -1] = 255
    wide = cv2.dilate(edges, np.ones((2, 2), np.uint8)) > 0
    near = cv2.dilate(wide.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    source = np.zeros((*size, 3), np.uint8)
    out = {}
    for chance in (0, CERTAIN // 3, CERTAIN):
        ends = []
        for level in (0, 255):  # what is random does not depend on what was there
            ends.append(np.full_like(source, 77))
            roughen(np.full_like(source, level), edges, chance, np.uint64(3), ends[-1])
        out[chance] = np.any(ends[0] == ends[1], axis=2)
        assert np.all(np.all(ends[0] == ends[1], axis=2) == out[chance])
        assert np.all(ends[0][~out[chance]] == 0)
        assert np.all(ends[1][~out[chance]] == 255)
    assert np.array_equal(out[0], wide)
    assert np.array_equal(out[CERTAIN], near)
    assert np.all(wide <= out[CERTAIN // 3])
    assert np.all(out[CERTAIN // 3] <= near)
