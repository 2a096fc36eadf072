import numpy as np
import pytest
from harness_plugins.corruptions.kernels.normal_noise import add_noise, normal_magnitudes
from scipy.stats import norm


@pytest.mark.parametrize("sigma", [1e-300, 0.3, 1.0, 20.4, 100.0, 1e6])
def test_magnitudes_are_rounded_normal_quantiles(sigma):
    table = normal_magnitudes(sigma)
    assert table.shape == (32768,)
    assert table.dtype == np.uint8
    assert np.all(np.diff(table.astype(int)) >= 0)
    for m in range(255):
        share = np.mean(table <= m)
        assert abs(share - (2 * norm.cdf((m + 0.5) / sigma) - 1)) <= 0.5 / 32768 + 1e-12


def test_every_pixel_takes_its_own_bits_whatever_the_size():
    """Values are drawn by position: a longer picture begins like a shorter one."""
    table = normal_magnitudes(20.0)
    long = np.empty((1, 2000, 3), np.uint8)
    add_noise(np.full_like(long, 128), table, np.uint64(9), long)
    for width in (1, 2, 3, 341, 342, 1999):
        short = np.empty((1, width, 3), np.uint8)
        add_noise(np.full_like(short, 128), table, np.uint64(9), short)
        assert np.array_equal(short, long[:, :width])


def test_signs_and_clipping():
    """With every magnitude 200 a pixel can only go to x - 200 or x + 200, cut off at 0 and 255."""
    table = np.full(32768, 200, np.uint8)
    for level in (0, 10, 100, 199, 201, 255):
        out = np.empty((50, 50, 3), np.uint8)
        add_noise(np.full_like(out, level), table, np.uint64(1), out)
        assert set(np.unique(out)) == {max(0, level - 200), min(255, level + 200)}
        assert abs(np.mean(out > level) - 0.5) < 0.05 or level == 255
