import numpy as np
import pytest
from harness_plugins.corruptions.kernels.curves import power_table, quantizing_table


def test_a_power_is_rounded_then_clipped():
    assert np.array_equal(power_table(1.0), np.arange(256))
    bright = power_table(1.4)
    assert [bright[x] for x in (0, 1, 2, 10, 52, 53, 255)] == [0, 1, 3, 25, 253, 255, 255]
    dark = power_table(0.6)
    assert [dark[x] for x in (0, 1, 2, 10, 255)] == [0, 1, 2, 4, 28]
    assert bright.dtype == dark.dtype == np.uint8


@pytest.mark.parametrize("levels", [2, 3, 8, 100, 256])
def test_values_become_the_nearest_level(levels):
    table = quantizing_table(levels)
    exact = np.linspace(0, 255, levels)
    nearest = exact[np.abs(np.arange(256)[:, None] - exact).argmin(axis=1)]
    assert np.abs(table - nearest).max() <= 0.5
    assert len(np.unique(table)) == levels
    assert (table[0], table[255]) == (0, 255)
