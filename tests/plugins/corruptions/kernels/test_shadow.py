import math

import numpy as np
import pytest
from harness_plugins.corruptions.kernels.shadow import Ellipse, cast_shadow
from scipy.ndimage import gaussian_filter


def exact(height, width, ellipse, sigma, fine=12):
    """255 (1 - M), the ellipse drawn ``fine`` times as large, far beyond the borders."""
    pad = math.ceil(6 * sigma) + 1

    def places(size, centre):
        return (np.arange((size + 2 * pad) * fine) + 0.5) / fine - 0.5 - pad - centre

    y, x = places(height, ellipse.y)[:, None], places(width, ellipse.x)[None]
    cosine, sine = math.cos(ellipse.angle), math.sin(ellipse.angle)
    along, across = (
        (x * cosine + y * sine) / ellipse.half_width,
        (y * cosine - x * sine) / ellipse.half_height,
    )
    inside = (along**2 + across**2 < 1).reshape(height + 2 * pad, fine, width + 2 * pad, fine).mean((1, 3))
    return 255 * (1 - gaussian_filter(inside, sigma, truncate=6)[pad:-pad, pad:-pad])


@pytest.mark.parametrize(
    ("height", "width", "sigma", "ellipse"),
    [
        (120, 200, 8.0, Ellipse(90, 70, 60, 40, 0.6)),
        (120, 200, 2.3, Ellipse(90, 70, 60, 40, 0.0)),
        (150, 100, 3.1, Ellipse(20.5, 130.25, 50, 60, 2.0)),
        (90, 122, 1.4, Ellipse(60, 40, 60, 23, 1.1)),
        (20, 30, 0.8, Ellipse(14, 9, 8, 5, 0.3)),
    ],
)
def test_it_is_the_blurred_ellipse_within_the_stated_error(height, width, sigma, ellipse):
    out = np.empty((height, width, 3), np.uint8)
    cast_shadow(np.full_like(out, 255), ellipse, sigma, 1.0, out)
    bound = 1 / 0.7 if sigma >= 2 else 4 / 0.7
    assert np.abs(out[..., 0] - exact(height, width, ellipse, sigma)).max() < 0.5 + bound


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1)])
def test_any_size(size):
    source = np.full((*size, 3), 200, np.uint8)
    out = np.empty_like(source)
    cast_shadow(source, Ellipse(0, 0, 9 * max(size), 9 * max(size), 0), 0.8, 0.5, out)
    assert out[0, 0, 0] == 100


def test_where_no_shadow_falls_nothing_changes():
    source = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    out = np.empty_like(source)
    cast_shadow(source, Ellipse(500, 500, 20, 20, 0), 4.0, 1.0, out)
    assert np.array_equal(out, source)
