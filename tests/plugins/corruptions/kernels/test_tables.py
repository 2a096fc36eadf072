import numpy as np
import pytest
from harness_plugins.corruptions.kernels.tables import gain_table, look_up


def test_a_gain_is_rounded_then_clipped():
    table = gain_table(0.9)
    assert table.dtype == np.uint8
    assert [table[v] for v in (0, 1, 4, 255)] == [0, 1, 4, 230]
    assert gain_table(0.0).max() == 0
    assert gain_table(3.0).tolist() == [min(255, 3 * v) for v in range(256)]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (17, 23, 3)])
def test_look_up_maps_each_value_in_place(shape):
    source = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    table = np.random.default_rng(1).permutation(256).astype(np.uint8)
    out = np.zeros_like(source)
    look_up(source, table, out)
    assert np.array_equal(out, table[source])
