import numpy as np
import pytest
from harness_plugins.corruptions.kernels.margins import load_rows, mirrored, row_ring


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_positions_are_mirrored(size):
    expected = np.pad(np.arange(size), 9, mode="reflect")
    assert mirrored(-9, size + 18, size).tolist() == expected.tolist()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (5, 4), (20, 6), (31, 2)])
@pytest.mark.parametrize("above", [0, 1, 3, 9, 40])
def test_every_row_that_is_needed_is_in_the_ring(height, width, above):
    source = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    margin = 5
    padded = np.pad(source, ((above, above), (margin, margin), (0, 0)), mode="reflect")
    padded = padded.reshape(height + 2 * above, -1)
    ring = row_ring(source, above, margin)
    assert len(ring) <= 2 * above + 1
    sides = mirrored(-margin, width + 2 * margin, width)
    places = mirrored(-above, height + 2 * above, height) % len(ring)
    loaded = load_rows(source, 0, above, sides, ring)
    for y in range(height):
        loaded = load_rows(source, loaded, y + above + 1, sides, ring)
        for d in range(-above, above + 1):
            assert np.array_equal(ring[places[y + d + above]], padded[y + d + above])
    assert loaded == height
