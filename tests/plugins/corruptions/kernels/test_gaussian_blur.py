import numpy as np
import pytest
from harness_plugins.corruptions.kernels.blur_narrow import half_bell
from harness_plugins.corruptions.kernels.gaussian_blur import gaussian_blur
from scipy.ndimage import gaussian_filter

SIGMAS = [0.02, 0.5, 1.0, 3.0, 7.4, 7.6, 12.0, 20.0, 60.0]
y, x = np.mgrid[:120, :170]
PICTURES = {
    "noise": np.random.default_rng(0).integers(0, 256, (120, 170)),
    "black and white noise": 255 * np.random.default_rng(1).integers(0, 2, (120, 170)),
    "edge": 255 * (x > 80),
    "diagonal edge": 255 * (x > y),
    "corner": 255 * ((x > 150) & (y > 100)),
    "chequers": 255 * ((x + y) % 2),
    "grating near the nodes": 255 * (np.cos(2 * np.pi * x * (1 / 3 + 0.03)) > 0),
}


def blurred(frame, sigma):
    out = np.full_like(frame, 77)
    gaussian_blur(frame, sigma, out)
    return out


def exact(frame, sigma):
    return gaussian_filter(frame.astype(np.float64), (sigma, sigma, 0), mode="mirror", truncate=8)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", PICTURES)
def test_it_is_the_exact_convolution_within_the_stated_error(name, sigma):
    grey = PICTURES[name].astype(np.uint8)
    frame = np.stack([grey, 255 - grey, grey[::-1]], axis=2)
    bound = 0.7 if name.startswith("grating") else 0.2
    assert np.abs(blurred(frame, sigma) - exact(frame, sigma)).max() <= 0.5 + bound


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 5), (1, 40), (40, 1), (37, 41)])
def test_borders_reflect_at_any_size(size, sigma):
    frame = np.random.default_rng(2).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert np.abs(blurred(frame, sigma) - exact(frame, sigma)).max() <= 0.8


@pytest.mark.parametrize("sigma", [3.0, 20.0])
def test_channels_do_not_mix(sigma):
    frame = np.zeros((60, 70, 3), np.uint8)
    frame[20:40, 20:50, 1] = 255
    out = blurred(frame, sigma)
    assert out[..., 1].any()
    assert not out[..., [0, 2]].any()


@pytest.mark.parametrize("sigma", [0.02, 0.7, 3.0, 7.4])
def test_weights_sum_to_one_exactly(sigma):
    bell = half_bell(sigma).astype(int)
    assert bell.sum() == 2**15
    assert np.all(np.diff(bell[1:]) <= 0)
