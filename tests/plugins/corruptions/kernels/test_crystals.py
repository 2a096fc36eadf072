import numpy as np
import pytest
from harness_plugins.corruptions.kernels.crystals import crystals
from scipy.ndimage import label


@pytest.mark.parametrize("size", [(1, 1), (1, 60), (60, 1), (2, 3), (40, 700)])
def test_any_pane_freezes(size):
    assert crystals(np.uint64(1), *size).shape == size
    assert crystals(np.uint64(1), *size).dtype == np.uint8


def test_ice_covers_much_and_leaves_gaps():
    for key in range(6):
        covered = crystals(np.uint64(key), 256, 455) > 0
        assert 0.4 < covered.mean() < 0.8
        rim = np.concatenate([covered[:20].ravel(), covered[-20:].ravel(), covered[:, :20].ravel()])
        assert rim.mean() > covered[80:-80, 150:-150].mean() + 0.1


def test_most_ice_hangs_together_with_the_edges():
    ice = crystals(np.uint64(2), 256, 455) > 0
    parts, _ = label(ice, np.ones((3, 3)))
    edges = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    assert np.isin(parts[ice], edges[edges > 0]).mean() > 0.7


def test_ice_is_thin_branches_and_no_area():
    """Eroded by a pixel all around, next to nothing of it is left at full brightness."""
    ice = crystals(np.uint64(5), 256, 455)
    bright = ice > 90
    inner = bright[1:-1, 1:-1] & bright[:-2, 1:-1] & bright[2:, 1:-1] & bright[1:-1, :-2] & bright[1:-1, 2:]
    assert inner.mean() < 0.15 * bright.mean()


def test_keys_make_crystals():
    one, again, other = (crystals(np.uint64(key), 80, 90) for key in (1, 1, 2**64 - 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
