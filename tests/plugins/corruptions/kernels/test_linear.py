import numpy as np
import pytest
from harness_plugins.corruptions.kernels.linear import channel_means, scale_channels


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (37, 53, 3)])
def test_each_channel_has_its_own_gain_and_offset(shape):
    source = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    gains, offsets = [0.3, 1.0, 4.7], [11.3, -20.25, -300.1]
    out = np.full_like(source, 77)
    scale_channels(source, gains, offsets, out)
    exact = np.clip(source * np.array(gains) + np.array(offsets), 0, 255)
    assert np.abs(out - exact).max() <= 0.5 + 1e-3


def test_halves_are_rounded_up_and_what_is_outside_is_clipped():
    source = np.array([[[0, 1, 255]]], np.uint8)
    out = np.empty_like(source)
    scale_channels(source, [1.0, 0.5, 2.0], [-3.0, 0.0, 0.0], out)
    assert out.ravel().tolist() == [0, 1, 255]


def test_means_are_those_of_the_channels():
    source = np.random.default_rng(1).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    assert channel_means(source) == pytest.approx(source.mean(axis=(0, 1)).tolist(), abs=1e-9)
