import numpy as np
import pytest
from scipy.stats import chisquare, kurtosis, norm, poisson

from harness import UsageError


def residual(apply, clip_of, level, shape, **options):
    """What gaussian adds to a grey clip, and the clip's frames."""
    frames = np.full((*shape, 3), level, np.uint8)
    return apply("gaussian", clip_of(frames), **options).frames.astype(np.int64) - level


@pytest.mark.parametrize(("severity", "share"), [(1, 0.08), (2, 0.12), (3, 0.18), (4, 0.26), (5, 0.38)])
def test_gaussian_follows_the_normal_distribution(apply, clip_of, severity, share):
    sigma = 255 * share
    noise = residual(apply, clip_of, 128, (2, 256, 256), severity=severity)
    edges = np.arange(-60, 61, 2) + 0.5
    inside = noise[(noise > edges[0]) & (noise < edges[-1])]
    counts, _ = np.histogram(inside, edges)
    expected = np.diff(norm.cdf(edges, scale=sigma))
    assert abs(len(inside) / noise.size - expected.sum()) < 5e-3
    assert chisquare(counts, expected / expected.sum() * len(inside)).pvalue > 1e-3


def test_gaussian_moments_and_tails(apply, clip_of):
    noise = residual(apply, clip_of, 128, (4, 256, 256), severity=1)
    assert abs(noise.mean()) < 0.1
    assert abs(noise.std() / 20.4 - 1) < 0.005
    assert abs(kurtosis(noise.ravel())) < 0.03
    beyond = np.mean(np.abs(noise) > 3 * 20.4)
    assert abs(beyond / 0.0027 - 1) < 0.1


def test_gaussian_default_is_sigma_100_and_clips(apply, clip_of):
    from_black = residual(apply, clip_of, 0, (2, 256, 256))
    assert abs(np.mean(from_black == 0) - norm.cdf(0.005)) < 5e-3
    assert abs(np.mean(from_black >= 100) - norm.sf(0.995)) < 5e-3
    from_grey = residual(apply, clip_of, 128, (2, 256, 256))
    assert abs(np.mean(from_grey == 127) - norm.sf(1.265)) < 5e-3
    assert abs(np.mean(from_grey == -128) - norm.cdf(-1.275)) < 5e-3


def test_gaussian_is_white(apply, clip_of):
    """No correlation between pixels, channels, frames; no line in the spectrum."""
    noise = residual(apply, clip_of, 128, (3, 512, 512), severity=1) / 20.4
    bound = 5 / np.sqrt(noise[0, ..., 0].size)
    for one, other in [
        (noise[:, 1:], noise[:, :-1]),
        (noise[:, :, 1:], noise[:, :, :-1]),
        (noise[:, 1:, 1:], noise[:, :-1, :-1]),
        (noise[..., 0], noise[..., 1]),
        (noise[..., 0], noise[..., 2]),
        (noise[..., 1], noise[..., 2]),
        (noise[0], noise[1]),
        (noise[0], noise[2]),
    ]:
        assert abs(np.mean(one * other)) < bound
        assert abs(np.mean((one**2 - 1) * (other**2 - 1))) < 2 * bound
    flat = noise[0].ravel()
    for lag in range(1, 40):
        assert abs(np.mean(flat[lag:] * flat[:-lag])) < bound
    power = np.abs(np.fft.fft2(noise[0, ..., 1])) ** 2 / noise[0, ..., 1].size
    assert power.max() < np.log(power.size) + 8


def test_gaussian_differs_between_frames_videos_and_seeds(apply, clip_of):
    base = residual(apply, clip_of, 128, (2, 128, 128), severity=1)
    others = [
        base[::-1],
        residual(apply, clip_of, 128, (2, 128, 128), severity=1, video="w"),
        residual(apply, clip_of, 128, (2, 128, 128), severity=1, seed=1),
    ]
    for other in others:
        assert abs(np.corrcoef(base.ravel(), other.ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("sigma", [0, -1, float("nan"), float("inf")])
def test_gaussian_refuses_a_sigma_that_is_none(build, sigma):
    with pytest.raises(UsageError, match="sigma"):
        build("gaussian", sigma=sigma)


def grey(level, height=256, width=256, count=1):
    return np.full((count, height, width, 3), level, np.uint8)


@pytest.mark.parametrize("p", [0.02, 0.7, 1.0])
def test_impulse_turns_half_of_its_share_black_and_half_white(apply, clip_of, p):
    out = apply("impulse", clip_of(grey(90, count=3)), p=p).frames
    assert np.array_equal(out.min(axis=-1), out.max(axis=-1))
    noise = 3 * np.sqrt(p / 2 / out[..., 0].size) + 1e-4
    assert abs(np.mean(out[..., 0] == 0) - p / 2) < noise
    assert abs(np.mean(out[..., 0] == 255) - p / 2) < noise
    assert set(np.unique(out)) <= {0, 90, 255}


def test_impulse_keeps_the_other_pixels(apply, clip_of, picture):
    frames = picture(1, 100, 130)
    out = apply("impulse", clip_of(frames), p=0.3).frames
    hit = np.all(out == 0, axis=-1) | np.all(out == 255, axis=-1)
    assert abs(hit.mean() - 0.3) < 0.02
    assert np.array_equal(out[~hit], frames[~hit])


@pytest.mark.parametrize(("severity", "p"), [(1, 0.03), (2, 0.06), (3, 0.09), (4, 0.17), (5, 0.27)])
def test_impulse_with_severity_hits_channels_one_by_one(apply, clip_of, severity, p):
    hit = apply("impulse", clip_of(grey(90, count=2)), severity=severity).frames != 90
    assert abs(hit.mean() - p) < 4 * np.sqrt(p / hit.size)
    assert abs(np.corrcoef(hit[..., 0].ravel(), hit[..., 1].ravel())[0, 1]) < 0.02
    together = apply("impulse", clip_of(grey(90)), severity=severity, shared=True).frames != 90
    assert np.array_equal(together[..., 0], together[..., 2])


@pytest.mark.parametrize("grainy", ["impulse", "speckle", "poisson"])
def test_draws_are_white_and_differ_between_frames_videos_and_seeds(apply, clip_of, grainy):
    """No correlation between neighbouring sites (grains of 2 by default), frames, videos, seeds."""
    base = apply(grainy, clip_of(grey(100, count=2))).frames[:, ::2, ::2, 1].astype(np.float64)
    others = [
        apply(grainy, clip_of(grey(100, count=2)), **other).frames[:, ::2, ::2, 1]
        for other in ({"video": "w"}, {"seed": 1})
    ]
    pairs = [
        (base[:, 1:], base[:, :-1]),
        (base[:, :, 1:], base[:, :, :-1]),
        (base[:, 1:, 1:], base[:, :-1, :-1]),
        (base[0], base[1]),
        *((base, other) for other in others),
    ]
    for one, other in pairs:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(base[0].size)


@pytest.mark.parametrize("p", [0, -0.1, 1.01, float("nan")])
def test_impulse_refuses_what_is_no_share(build, p):
    with pytest.raises(UsageError, match="p of impulse"):
        build("impulse", p=p)


@pytest.mark.parametrize(
    ("options", "sigma"), [({}, 0.7), ({"sigma": 0.2}, 0.2), ({"severity": 1}, 0.15), ({"severity": 4}, 0.45)]
)
def test_speckle_gains_follow_the_normal_distribution(apply, clip_of, options, sigma):
    level = 100
    out = apply("speckle", clip_of(grey(level, count=4)), **options).frames
    drawn = out[:, ::2, ::2, 0].ravel().astype(np.float64)
    edges = np.arange(0.5, 255, 6)
    expected = np.diff(norm.cdf(edges, loc=level, scale=sigma * level))
    counts, _ = np.histogram(drawn, edges)
    many = expected * drawn.size > 10
    inside = counts[many].sum()
    assert abs(inside / drawn.size - expected[many].sum()) < 5e-3
    assert chisquare(counts[many], expected[many] / expected[many].sum() * inside).pvalue > 1e-3
    assert abs(np.mean(drawn == 255) - norm.sf((254.5 - level) / (sigma * level))) < 5e-3
    assert abs(np.mean(drawn == 0) - norm.cdf((0.5 - level) / (sigma * level))) < 5e-3


def test_speckle_is_one_gain_per_grain_for_all_channels(apply, clip_of):
    frames = np.tile(np.array([20, 40, 60], np.uint8), (1, 61, 83, 1))
    out = apply("speckle", clip_of(frames), sigma=0.2).frames[0].astype(np.float64)
    blocks = out[:60, :82].reshape(30, 2, 41, 2, 3)
    assert np.all(blocks == blocks[:, :1, :, :1])
    assert np.abs(out / frames[0] - (out / frames[0]).mean(axis=-1, keepdims=True)).max() < 0.04
    assert len(np.unique(blocks[:, 0, :, 0, 2])) > 50


def test_speckle_with_severity_draws_for_every_value(apply, clip_of):
    out = apply("speckle", clip_of(grey(100)), severity=3).frames[0].astype(np.float64)
    for one, other in [(out[1:], out[:-1]), (out[:, 1:], out[:, :-1]), (out[..., 0], out[..., 1])]:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02
    coarse = apply("speckle", clip_of(grey(100)), severity=3, grain=4, shared=True).frames[0]
    blocks = coarse.reshape(64, 4, 64, 4, 3)
    assert np.all(blocks == blocks[:, :1, :, :1, :1])


@pytest.mark.parametrize("options", [{"sigma": 0}, {"sigma": float("inf")}, {"grain": 0}, {"grain": -2}])
def test_speckle_refuses_what_it_cannot_do(build, options):
    with pytest.raises(UsageError, match="of speckle must be"):
        build("speckle", **options)


@pytest.mark.parametrize(
    ("options", "rate"),
    [({}, 0.01), ({"severity": 1}, 60 / 255), ({"severity": 5}, 3 / 255), ({"rate": 1.0}, 1.0)],
)
@pytest.mark.parametrize("level", [1, 60, 200, 255])
def test_poisson_follows_its_distribution(apply, clip_of, options, rate, level):
    out = apply("poisson", clip_of(grey(level, count=2)), **options).frames
    photons = np.arange(2000)
    share = np.bincount(
        np.minimum(255, np.floor(photons / rate + 0.5)).astype(int), poisson.pmf(photons, rate * level), 256
    )
    counts = np.bincount(out.ravel(), minlength=256)
    assert counts[share == 0].sum() == 0
    often = share * out.size > 20
    expected = share[often] * counts[often].sum() / share[often].sum()
    assert abs(counts[often].sum() / out.size - share[often].sum()) < 1e-3
    if often.sum() > 1:
        assert chisquare(counts[often], expected).pvalue > 1e-3


def test_poisson_leaves_black_alone_and_keeps_the_mean(apply, clip_of):
    assert not apply("poisson", clip_of(grey(0))).frames.any()
    out = apply("poisson", clip_of(grey(60)), severity=1).frames
    assert abs(out.mean() - 60) < 0.3
    assert abs(out.std() - np.sqrt(60 * 255 / 60)) < 0.3


def test_poisson_draws_for_every_channel(apply, clip_of):
    out = apply("poisson", clip_of(grey(100))).frames[0].astype(np.float64)
    assert abs(np.corrcoef(out[..., 0].ravel(), out[..., 1].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("rate", [0, -1, 10.5, float("nan")])
def test_poisson_refuses_rates_it_cannot_draw(build, rate):
    with pytest.raises(UsageError, match="rate of poisson"):
        build("poisson", rate=rate)
