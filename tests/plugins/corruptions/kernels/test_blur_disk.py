import numpy as np
import pytest
from harness_plugins.corruptions.kernels.blur_disk import blur_disk, disk_reach, edge_weight
from scipy.signal import fftconvolve

y, x = np.mgrid[:90, :121]
PICTURES = {
    "noise": np.random.default_rng(0).integers(0, 256, (90, 121)),
    "black and white noise": 255 * np.random.default_rng(1).integers(0, 2, (90, 121)),
    "edge": 255 * (x > 60),
    "corner": 255 * ((x > 110) & (y > 80)),
    "chequers": 255 * ((x + y) % 2),
    "grating": 255 * (x % 7 < 3),
}


def exact(frame, radius, edge):
    """The convolution in float64, with the disk and its smooth edge written out as a kernel."""
    reach = int(radius) + 1
    down, along = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disk = (down**2 + along**2 <= radius**2).astype(np.float64)
    beside = edge_weight(edge)
    bell = np.array([[beside, 1 - 2 * beside, beside]])
    kernel = fftconvolve(fftconvolve(disk / disk.sum(), bell, mode="same"), bell.T, mode="same")
    padded = np.pad(frame.astype(np.float64), ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    return fftconvolve(padded, kernel[..., None], mode="valid", axes=(0, 1))


@pytest.mark.parametrize(("radius", "edge"), [(1.0, 0.5), (3.0, 0.1), (4.6, 0.5), (10.0, 0.5), (19.3, 0.5)])
@pytest.mark.parametrize("name", PICTURES)
def test_it_is_the_exact_convolution_within_the_stated_error(name, radius, edge):
    grey = PICTURES[name].astype(np.uint8)
    frame = np.stack([grey, 255 - grey, grey[::-1]], axis=2)
    out = np.full_like(frame, 77)
    blur_disk(frame, radius, edge, out)
    assert np.abs(out - exact(frame, radius, edge)).max() <= 0.5 + 0.03


@pytest.mark.parametrize("radius", [1.0, 2.5, 10.0, 63.0, 64.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 5), (1, 40), (40, 1), (24, 31)])
def test_borders_reflect_at_any_size(size, radius):
    frame = np.random.default_rng(2).integers(0, 256, (*size, 3), dtype=np.uint8)
    out = np.empty_like(frame)
    blur_disk(frame, radius, 0.5, out)
    assert np.abs(out - exact(frame, radius, 0.5)).max() <= 0.5 + 0.03


def test_black_and_white_stay_and_sums_of_white_do_not_overflow():
    for level in (0, 1, 128, 254, 255):
        for radius in (1.0, 10.0, 63.0, 70.0):
            frame = np.full((90, 101, 3), level, np.uint8)
            out = np.empty_like(frame)
            blur_disk(frame, radius, 0.5, out)
            assert np.array_equal(out, frame)


@pytest.mark.parametrize("radius", [63.0, 64.0])
def test_the_rim_of_a_wide_disk_fits_its_type(radius):
    """A black picture above a white one: the rim's sum grows as large as it can."""
    frame = np.zeros((200, 140, 3), np.uint8)
    frame[100:] = 255
    out = np.empty_like(frame)
    blur_disk(frame, radius, 0.5, out)
    row = out[:, 70, 0].astype(int)
    assert np.all(np.diff(row) >= 0)
    assert row[30] == 0
    assert row[170] == 255


def test_the_disk_is_round():
    assert disk_reach(3.0).tolist() == [3, 2, 2, 0]
    assert disk_reach(1.0).tolist() == [1, 0]
    reach = disk_reach(10.0)
    assert 2 * (2 * reach + 1).sum() - (2 * reach[0] + 1) == 317
