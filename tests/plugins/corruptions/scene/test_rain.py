import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from harness import UsageError


def light(apply, clip_of, shape, **options):
    """What the streaks alone add to black frames, [T, H, W]."""
    out = apply("rainy", clip_of(np.zeros((*shape, 3), np.uint8)), haze=0, **options).frames
    assert np.all(out == out[..., :1])
    return out[..., 0].astype(np.float64)


def runs(lit):
    """Lengths of the runs of True down the columns that touch neither end."""
    steps = np.diff(np.pad(lit, ((1, 1), (0, 0))).astype(int).T)
    first, last = (np.argwhere(steps == sign) for sign in (1, -1))
    inside = (first[:, 1] > 0) & (last[:, 1] < len(lit))
    return (last - first)[inside, 1]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.1])
def test_streaks_lie_on_their_share_of_the_pixels_everywhere(apply, clip_of, share):
    """Softened, a streak keeps more than 10 grey levels and leaves less than 8 beside it."""
    lit = light(apply, clip_of, (2, 720, 900), slant=0, share=share) > 8
    parts = lit.reshape(2, 4, 180, 5, 180).mean(axis=(0, 2, 4))
    assert lit.mean() == pytest.approx(share, rel=0.05)
    assert np.all(np.abs(parts - share) <= 5 * np.sqrt(30 * share / (2 * 180 * 180)))


@pytest.mark.parametrize(
    ("height", "options", "shortest", "longest"),
    [
        (720, {}, 11, 44),
        (360, {}, 6, 22),
        (360, {"reference": 0}, 11, 44),
        (300, {"reference": 100}, 33, 132),
    ],
)
def test_lengths_grow_with_the_frame(apply, clip_of, height, options, shortest, longest):
    found = runs(light(apply, clip_of, (1, height, 3000), slant=0, share=0.004, **options)[0] > 8)
    lone = np.sort(found)[: -len(found) // 10]  # two in line are seldom, and longer
    assert shortest <= lone[0] <= 1.15 * shortest
    assert 0.85 * longest <= lone[-1] <= longest
    assert np.median(found) == pytest.approx((shortest + longest) / 2, rel=0.15)


def test_a_streak_fades_and_is_soft(apply, clip_of):
    """The mean of all streaks: from .7 to .2, 80 grey levels each, weighed by how many are so long."""
    rain = light(apply, clip_of, (1, 720, 4000), share=0.01)[0]
    density = -np.log(0.99) / 27.5
    assert rain.mean() == pytest.approx(density * 27.5 * 80 * 0.45, rel=0.02)
    assert rain.max() == pytest.approx(80 * 0.7 * gaussian_filter(np.eye(1, 9, 4), 0.5, axes=1).max(), abs=6)
    upright = light(apply, clip_of, (1, 720, 4000), share=0.002, slant=0)[0]
    column, beside = upright[:, 1:-1], (upright[:, :-2] + upright[:, 2:]) / 2
    lone = column > 40
    assert (beside[lone] / column[lone]).mean() == pytest.approx(np.exp(-2), rel=0.1)
    fading = np.diff(column, axis=0)[lone[:-1] & (column[1:] > 10)]
    assert np.mean(fading < 0) > 0.9


@pytest.mark.parametrize("slant", [-0.5, 0.0, 0.13, 1.0])
def test_streaks_lean(apply, clip_of, slant):
    rain = light(apply, clip_of, (1, 300, 800), slant=slant, reference=0)[0]
    rain -= rain.mean()
    shifts = np.arange(-12, 13)
    product = [np.mean(rain[:-8, 12:-12] * np.roll(rain, -s, axis=1)[8:, 12:-12]) for s in shifts]
    assert shifts[np.argmax(product)] == pytest.approx(8 * slant, abs=0.6)


def test_haze_moves_the_picture_towards_grey(apply, clip_of, picture):
    frames = picture(1, 40, 60)
    out = apply("rainy", clip_of(frames), share=0, haze=0.15).frames
    assert np.abs(out - (0.85 * frames + 18)).max() <= 0.55
    assert np.abs(apply("rainy", clip_of(frames), share=0, haze=1).frames.astype(int) - 120).max() == 0


def test_rain_moves(apply, clip_of):
    rain = light(apply, clip_of, (4, 200, 300)).reshape(4, -1)
    assert np.abs(np.corrcoef(rain) - np.eye(4)).max() < 0.03


def test_bright_pixels_clip(apply, clip_of):
    out = apply("rainy", clip_of(np.full((1, 90, 90, 3), 250, np.uint8)), haze=0, share=0.5).frames
    assert out.min() == 250
    assert out.max() == 255


@pytest.mark.parametrize(
    "options",
    [{"share": 1}, {"share": -0.1}, {"slant": 1.1}, {"haze": 2}, {"haze": float("nan")}, {"reference": -1}],
)
def test_rainy_refuses_what_makes_no_rain(build, options):
    with pytest.raises(UsageError, match="rainy must be"):
        build("rainy", **options)
