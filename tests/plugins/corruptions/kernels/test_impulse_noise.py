import numpy as np
import pytest
from harness_plugins.corruptions.kernels.impulse_noise import add_impulses
from harness_plugins.corruptions.kernels.words import word


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 5, 3), (40, 61, 3), (3, 7, 1), (40, 61, 1)])
def test_sites_take_their_slices_of_the_words(shape):
    source = np.random.default_rng(0).integers(1, 255, shape, dtype=np.uint8)
    out = np.empty_like(source)
    edge = 9000
    add_impulses(source, edge, np.uint64(4), out)
    count = shape[0] * shape[1]
    words = np.array([word(np.uint64(4), i) for i in range((count + 3) // 4)], "<u8")
    slices = words.view("<u2")[:count].reshape(*shape[:2], 1)
    expected = np.where(slices < edge, 0, np.where(slices >= 65536 - edge, 255, source))
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_none_and_all(channels):
    source = np.full((30, 50, channels), 90, np.uint8)
    out = np.empty_like(source)
    add_impulses(source, 0, np.uint64(1), out)
    assert np.array_equal(out, source)
    add_impulses(source, 32768, np.uint64(1), out)
    assert set(np.unique(out)) == {0, 255}
