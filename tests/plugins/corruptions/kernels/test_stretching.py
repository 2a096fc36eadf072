import numpy as np
import pytest
from harness_plugins.corruptions.kernels.stretching import NONE, read_row


@pytest.mark.parametrize(
    ("start", "step", "down"), [(0, 65536, 0), (40000, 9000, 150000), (-70000, 200001, -1), (9, 1, 5)]
)
def test_it_is_bilinear_interpolation_on_a_torus(start, step, down):
    nodes = np.random.default_rng(0).integers(0, 65536, (6, 8)).astype(np.uint16)
    width, gain = 50, 40000
    kept, held = np.empty((3, width), np.uint16), np.full(2, NONE, np.int64)
    out = np.empty(3 * width, np.uint16)
    across = np.arange(-20 * 8, 40 * 8 + 1)
    for line in (down, down + 30000, down + 100000, down):  # forth and back, over kept rows
        read_row(nodes, line, start, step, gain, kept, held, out)
        node, share = line >> 16, (line & 65535) / 65536
        row = (1 - share) * nodes[node % 6] + share * nodes[(node + 1) % 6].astype(np.float64)
        expected = (
            np.interp((start + step * np.arange(width)) / 65536, across, row[across % 8]) * gain / 65536
        )
        assert np.all(out.reshape(width, 3) == out[::3, None])
        assert np.all((out[::3] <= expected + 0.01) & (out[::3] > expected - 3))
