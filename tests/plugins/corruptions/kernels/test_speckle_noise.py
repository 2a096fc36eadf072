import numpy as np
import pytest
from harness_plugins.corruptions.kernels.speckle_noise import multiply_grains, speckle_gains
from harness_plugins.corruptions.kernels.words import word
from scipy.stats import norm


@pytest.mark.parametrize("sigma", [0.1, 0.7, 5.0])
def test_gains_are_normal_quantiles_cut_at_zero(sigma):
    gains = speckle_gains(sigma)
    assert gains.shape == (65536,)
    assert gains.dtype == np.float32
    expected = norm.ppf((np.arange(65536) + 0.5) / 65536, loc=1, scale=sigma)
    assert np.allclose(gains, np.maximum(0, expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("grain", [1, 2, 3, 50])
@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (30, 41, 3), (30, 41, 1), (1, 90, 1)])
def test_grains_take_their_slices_of_the_words(grain, shape):
    height, width, _ = shape
    source = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    out = np.empty_like(source)
    gains = speckle_gains(0.7)
    multiply_grains(source, gains, grain, np.uint64(8), out)
    down, along = -(-height // grain), -(-width // grain)
    used = -(-along // 4)
    words = np.array([word(np.uint64(8), i) for i in range(down * used)], "<u8").reshape(down, used)
    drawn = gains[words.view("<u2")[:, :along]].astype(np.float64)
    spread = drawn.repeat(grain, axis=0).repeat(grain, axis=1)[:height, :width, None]
    exact = np.minimum(255, source * spread)
    assert np.abs(out - exact).max() <= 0.5 + 1e-4
