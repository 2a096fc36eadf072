import numpy as np
import pytest
from scipy.stats import kstest

from harness import Draws, UsageError
from harness.options import convert


def test_flicker_gains_follow_their_definition(apply, clip_of):
    """A grey clip's frames tell the gains: 1 + .5 N(0, 1), .1 away from 1, not below 0."""
    count = 4000
    frames = np.full((count, 1, 1, 3), 80, np.uint8)
    gains = apply("flicker", clip_of(frames)).frames[:, 0, 0, 0] / 80
    assert len(np.unique(gains)) > 150
    change = gains - 1
    assert np.abs(change).min() == pytest.approx(0.1, abs=0.01)
    small = np.abs(np.abs(change) - 0.1) < 0.006
    assert np.mean(small) == pytest.approx(0.1585, abs=0.03)  # P(|.5 N| < .1), and the level 88 or 72 itself
    assert np.mean(gains == 0) == pytest.approx(0.0228, abs=0.01)
    kept = change[(gains > 0) & ~small]
    spread = np.random.default_rng(0).normal(0, 0.5, 400_000)
    spread = spread[(spread > -1) & (np.abs(spread) > 0.1063)]
    assert kstest(kept, spread).pvalue > 1e-3


def test_flicker_is_one_gain_rounded_and_clipped(apply, clip_of):
    """For each frame there is a gain that explains all 256 levels."""
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    out = apply("flicker", clip_of(levels.repeat(40, axis=0))).frames
    assert np.array_equal(out[..., 0], out[..., 1])
    assert np.array_equal(out[..., 0], out[..., 2])
    level = np.arange(1, 256)
    for after in out[..., 0].reshape(40, -1)[:, 1:].astype(int):
        least = ((after - 0.5) / level).max()
        most = ((after + 0.5) / level)[after < 255].min()
        assert least <= most
    assert np.any(out == 255)
    assert np.all(out[:, 0, 0] == 0)


def test_flicker_gain_stays_off_1_and_at_0(build):
    flicker = build("flicker")
    assert [flicker.gain(n) for n in (-3.0, -2.0, -0.1, -0.0, 0.1, 0.4, 1.0)] == pytest.approx(
        [0, 0, 0.9, 0.9, 1.1, 1.2, 1.5]
    )
    assert build("flicker", sigma=0.2, least=0.3).gain(0.5) == pytest.approx(1.3)


def test_flicker_gives_every_frame_its_own_gain(apply, clip_of):
    frames = np.full((6, 8, 8, 3), 100, np.uint8)
    out = apply("flicker", clip_of(frames)).frames
    assert len({frame.tobytes() for frame in out}) == 6
    assert all(len(np.unique(frame)) == 1 for frame in out)


@pytest.mark.parametrize("options", [{"sigma": -0.1}, {"least": -0.1}, {"sigma": float("nan")}])
def test_flicker_refuses_negative_options(build, options):
    with pytest.raises(UsageError, match="flicker must be 0 or more"):
        build("flicker", **options)


@pytest.mark.parametrize(
    ("options", "shift"),
    [({}, 0.5), ({"shift": 0.2}, 0.2), *(({"severity": s}, s / 10) for s in (1, 2, 3, 4, 5))],
)
def test_bright_transform_raises_the_largest_channel(apply, clip_of, picture, options, shift):
    frames = picture(2, 40, 60)
    out = apply("bright_transform", clip_of(frames), **options).frames
    largest = frames.max(axis=3).astype(np.float64)
    assert np.abs(out.max(axis=3) - np.minimum(255, largest + 255 * shift)).max() <= 0.5
    lit = largest > 0
    before = frames[lit] / largest[lit][:, None]
    after = out[lit] / out[lit].max(axis=1, keepdims=True)
    bound = 1 / out[lit].max(axis=1, keepdims=True)
    assert np.all(np.abs(before - after) <= bound)


@pytest.mark.parametrize("shift", [-0.1, 1.1, float("nan")])
def test_bright_transform_refuses_a_shift_outside_the_range(build, shift):
    with pytest.raises(UsageError, match="from 0 to 1"):
        build("bright_transform", shift=shift)


def test_contrast_is_one_gain_about_each_channels_mean(apply, clip_of, picture):
    frames = picture(12, 40, 60)
    out = apply("contrast", clip_of(frames)).frames
    gains = []
    for before, after in zip(frames.astype(np.float64), out.astype(np.float64), strict=True):
        mean = before.mean(axis=(0, 1))
        kept = (after > 0) & (after < 255)
        away = (before - mean)[kept]
        gains.append((away * (after - mean)[kept]).sum() / (away**2).sum())
        exact = np.clip(mean + gains[-1] * (before - mean), 0, 255)
        assert np.abs(after - exact).max() <= 1
    assert len({round(gain, 2) for gain in gains}) > 6
    assert all(0.19 <= gain <= 0.61 or 1.69 <= gain <= 5.01 for gain in gains)


def test_contrast_gains_follow_their_definition(build, monkeypatch, clip_of):
    """A coin between two ranges; within each the logarithm is uniform."""
    used = []
    monkeypatch.setattr(
        "harness_plugins.corruptions.lighting.scale_channels",
        lambda source, gains, offsets, out: used.append(gains),
    )
    clip = clip_of(np.zeros((4000, 1, 1, 3), np.uint8))
    build("contrast").apply(clip, np.arange(4000), Draws(0, "v", "contrast", 1))
    gains = np.array(used)
    assert np.all(gains == gains[:, :1])
    flat, harsh = gains[gains[:, 0] < 1, 0], gains[gains[:, 0] > 1, 0]
    assert abs(len(flat) / 4000 - 0.5) < 0.03
    for drawn, least, most in ((flat, 0.2, 0.6), (harsh, 1.7, 5.0)):
        assert kstest(np.log(drawn / least) / np.log(most / least), "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("severity", "gain"), [(1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1), (5, 0.05)])
def test_contrast_at_a_severity_is_fixed(apply, clip_of, picture, severity, gain):
    frames = picture(3, 40, 60)
    out = apply("contrast", clip_of(frames), severity=severity).frames
    mean = frames.mean(axis=(1, 2), keepdims=True)
    assert np.abs(out - (mean + gain * (frames - mean))).max() <= 0.501


@pytest.mark.parametrize(
    "options",
    [{"flat": (0.0, 0.5)}, {"flat": (0.6, 0.2)}, {"harsh": (2.0, 101.0)}, {"harsh": (float("nan"), 2.0)}],
)
def test_contrast_refuses_ranges_that_are_none(build, options):
    with pytest.raises(UsageError, match="least and most"):
        build("contrast", **options)


def test_contrast_ranges_can_be_typed(build):
    options = convert(type(build("contrast")), {"flat": "0.1,0.2"}, "contrast")
    assert options["flat"] == (0.1, 0.2)
    assert build("contrast", **options).gain(0.1, 0.5) == pytest.approx(np.sqrt(0.02))


def test_color_shift_gains_are_uniform_and_independent(apply, clip_of):
    frames = np.full((3000, 1, 1, 3), 120, np.uint8)
    gains = apply("color_shift", clip_of(frames)).frames[:, 0, 0, :] / 120.0
    for channel in gains.T:
        spread = (
            channel + np.random.default_rng(0).uniform(-0.5, 0.5, len(channel)) / 120
        )  # undo the rounding
        assert kstest(spread, "uniform", (0, 2)).pvalue > 1e-3
    assert np.abs(np.corrcoef(gains.T) - np.eye(3)).max() < 0.08


def test_color_shift_is_a_gain_per_channel(apply, clip_of):
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3).repeat(10, axis=0)
    out = apply("color_shift", clip_of(levels), spread=0.5).frames.reshape(10, 256, 3).astype(np.float64)
    level = np.arange(1, 256)[:, None]
    for after in out[:, 1:]:
        least = ((after - 0.501) / level).max(axis=0)
        most = np.where(after < 255, (after + 0.501) / level, 2).min(axis=0)
        assert np.all(least <= most)
        assert np.all((most > 0.49) & (least < 1.51))


@pytest.mark.parametrize("spread", [0, -1, 1.5, float("nan")])
def test_color_shift_refuses_a_spread_outside_its_range(build, spread):
    with pytest.raises(UsageError, match="spread"):
        build("color_shift", spread=spread)


@pytest.mark.parametrize(("name", "least", "most"), [("overexposure", 1.1, 1.4), ("underexposure", 0.6, 0.9)])
def test_exposures_are_powers_drawn_uniformly(apply, clip_of, name, least, most):
    levels = np.array([0, 1, 20, 45], np.uint8).reshape(1, 1, 4, 1).repeat(3, axis=3)
    out = apply(name, clip_of(levels.repeat(2000, axis=0))).frames
    assert np.all(out == out[..., :1])
    assert np.all(out[:, 0, :2, 0] == [0, 1])
    powers = np.log(out[:, 0, 2:, 0]) / np.log([20, 45])
    assert np.abs(powers[:, 0] - powers[:, 1]).max() < 0.05
    assert kstest((powers[:, 1] - least) / (most - least), "uniform").statistic < 0.06


def test_exposures_go_their_way(apply, clip_of, picture):
    frames = picture(5, 40, 60)
    brighter = apply("overexposure", clip_of(frames)).frames
    darker = apply("underexposure", clip_of(frames)).frames
    assert np.all(brighter >= frames)
    assert np.all(darker <= frames)
    assert np.mean(brighter == 255) > 0.2
    assert darker.max() <= 147


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("overexposure", {"least": 0.9}),
        ("overexposure", {"most": 11.0}),
        ("overexposure", {"least": 1.5}),
        ("underexposure", {"least": 0.0}),
        ("underexposure", {"most": 1.1}),
        ("underexposure", {"least": float("nan")}),
    ],
)
def test_exposures_refuse_powers_of_the_other_kind(build, name, options):
    with pytest.raises(UsageError, match="least <= most"):
        build(name, **options)
