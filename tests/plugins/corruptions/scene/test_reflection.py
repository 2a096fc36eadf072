import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from harness import UsageError


def film(apply, clip, **options):
    """P alone."""
    return apply("reflect", clip, film=1, **options).frames


@pytest.mark.parametrize(("height", "width", "sigma"), [(360, 500, 2.5), (720, 730, 5.0), (90, 120, 0.625)])
def test_it_is_the_formula(apply, clip_of, picture, height, width, sigma):
    clip = clip_of(picture(1, height, width))
    x = clip.frames[0].astype(np.float64)
    blurred = gaussian_filter(x, (sigma, sigma, 0), mode="mirror")
    bright = clip.frames[0].astype(int).sum(axis=2, keepdims=True) > 300
    assert 0.2 < bright.mean() < 0.8
    glaring = np.where(bright, np.clip(1.5 * x + 0.5 * blurred, 0, 255), x)
    expected = 0.9 * glaring + 0.1 * film(apply, clip)[0]
    assert np.abs(apply("reflect", clip).frames[0] - expected).max() < 1.1


def test_options_are_the_factors(apply, clip_of):
    grey = clip_of(np.full((1, 40, 40, 3), 60, np.uint8))
    options = {"film": 0, "threshold": 59, "gain": 2, "glow": 0.25}
    assert np.all(apply("reflect", grey, **options).frames == 135)
    assert np.all(apply("reflect", grey, **options | {"threshold": 60}).frames == 60)
    assert np.all(apply("reflect", grey, **options | {"gain": 64, "glow": 64}).frames == 255)


def test_the_film_covers_the_range_and_stays_for_the_video(apply, clip_of, picture):
    p = film(apply, clip_of(picture(4, 300, 400)))
    assert (p.min(), p.max()) == (0, 255)
    assert np.all(p == p[:1, ..., :1])
    other = film(apply, clip_of(picture(1, 300, 400)), video="other")
    assert abs(np.corrcoef(p[0, ..., 0].ravel(), other[0, ..., 0].ravel())[0, 1]) < 0.6


@pytest.mark.parametrize(
    ("height", "options", "period"), [(720, {}, 100), (360, {}, 50), (360, {"reference": 0}, 100)]
)
def test_the_period_grows_with_the_frame(apply, clip_of, height, options, period):
    """Half of Perlin noise's power lies below 1 / period; so its correlation is gone by .7 of a period."""
    widths = []
    for seed in range(6):
        p = film(apply, clip_of(np.zeros((1, height, 900, 3), np.uint8)), seed=seed, **options)[0, ..., 0]
        even = p - p.mean()
        correlation = [np.mean(even[:, :-d] * even[:, d:]) for d in range(1, 2 * period, 2)] / even.var()
        widths.append(1 + 2 * np.argmax(correlation < 0.5))
    assert 0.2 * period < np.mean(widths) < 0.5 * period


@pytest.mark.parametrize(
    "options",
    [{"film": 1.1}, {"threshold": 256}, {"gain": -1}, {"glow": 65}, {"sigma": 0}, {"reference": -1}],
)
def test_reflect_refuses_what_it_cannot_do(build, options):
    with pytest.raises(UsageError, match="reflect must be"):
        build("reflect", **options)
