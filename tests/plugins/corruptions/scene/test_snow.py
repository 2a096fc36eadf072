import math

import numpy as np
import pytest
from harness_plugins.corruptions.kernels import flakes as module
from harness_plugins.corruptions.kernels.flakes import Flakes
from harness_plugins.corruptions.kernels.snow import snow
from scipy.ndimage import zoom

from harness import UsageError

GENTLE, WILD = Flakes(0.1, 0.3, 3, 0.5, 10, 4, 0.8), Flakes(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55)


def fallen(source, flakes, angle, seed=1):
    out = np.empty_like(source)
    snow(source, np.uint64(seed), flakes, angle, out)
    return out


def on_black(flakes, angle, seed=1, shape=(240, 300)):
    """The flakes and their half-turn alone, [H, W], grey levels."""
    whole = Flakes(
        *(flakes.mean, flakes.deviation, flakes.zoom, flakes.threshold), flakes.radius, flakes.sigma, 1.0
    )
    return fallen(np.zeros((*shape, 3), np.uint8), whole, angle, seed)[..., 0].astype(np.float64)


def plainly(flakes, angle, generator, shape=(240, 300)):
    """The same straight from the definition, what falls out on one side coming in on the other."""
    height, width = shape
    nodes = generator.normal(
        flakes.mean, flakes.deviation, [math.ceil(s / flakes.zoom) for s in (height, width)]
    )
    layer = zoom(nodes, flakes.zoom, order=1)[:height, :width]
    layer = np.where(layer < flakes.threshold, 0, np.minimum(layer, 1))
    weights = np.exp(-0.5 * (np.arange(2 * flakes.radius + 1) / flakes.sigma) ** 2)
    moves = [(-round(i * math.sin(angle)), -round(i * math.cos(angle))) for i in range(len(weights))]
    total = (
        sum(w * np.roll(layer, move, (0, 1)) for w, move in zip(weights, moves, strict=True)) / weights.sum()
    )
    total *= 255
    return np.clip(total + total[::-1, ::-1], 0, 255)


@pytest.mark.parametrize("angle", [-135, -90, -60])
@pytest.mark.parametrize("flakes", [GENTLE, Flakes(0.2, 0.3, 2, 0.5, 12, 4, 0.7), WILD])
def test_flakes_are_those_of_the_definition(flakes, angle):
    """Moments, and correlations along and across the fall, over some keys."""

    def portrait(pictures):
        rows = []
        for one in pictures:
            even = one - one.mean()
            down, across = (np.mean(even * np.roll(even, step, axis)) for step, axis in ((6, 0), (6, 1)))
            near = np.mean(even * np.roll(even, 1, 1))
            rows.append(
                [
                    one.mean(),
                    one.std(),
                    np.mean(one < 0.5) * 50,
                    *(np.array([down, across, near]) / one.std()),
                ]
            )
        return np.mean(rows, axis=0)

    ours = portrait([on_black(flakes, math.radians(angle), seed) for seed in range(6)])
    random = np.random.default_rng(3)
    theirs = portrait([plainly(flakes, math.radians(angle), random) for _ in range(6)])
    assert np.abs(ours - theirs).max() < 0.8, (ours, theirs)


def test_the_half_turn_is_the_same_snow():
    one = on_black(WILD, -1.2)
    assert np.array_equal(one, one[::-1, ::-1])


def test_a_flake_falls_where_the_angle_says():
    """One half of a Gaussian: bright where a flake was, fading the way it came from."""
    rare = Flakes(0, 0.3, 4, 1.0, 12, 6, 1.0)
    steps = range(1, 12)
    for angle, (down, across) in {-90: (1, 0), -135: (1, 1), -45: (1, -1)}.items():
        one = on_black(rare, math.radians(angle), shape=(600, 800))
        along = [np.mean(one * np.roll(one, (k * down, k * across), (0, 1))) for k in steps]
        astray = [np.mean(one * np.roll(one, (k * down, (1 - abs(across)) * k), (0, 1))) for k in steps]
        assert sum(along) > 1.3 * sum(astray) or across


def test_the_picture_is_whitened_by_its_grey(picture):
    frame = picture(1, 50, 70)[0]
    x = frame / 255
    grey = x @ [0.299, 0.587, 0.114]
    for keep in (0.0, 0.55, 0.8, 1.0):
        out = fallen(frame, Flakes(0, 0.01, 3, 0.9, 5, 4, keep), -1.5)
        white = np.maximum(x, 1.5 * grey[..., None] + 0.5)
        expected = np.minimum(1, keep * x + (1 - keep) * white)
        assert np.abs(out - 255 * expected).max() < 1


def test_nothing_shows_at_the_borders():
    rows = np.mean([on_black(WILD, -0.8, seed) for seed in range(30)], axis=0)
    middle = rows[60:-60, 60:-60].mean()
    for border in (rows[:8], rows[-8:], rows[:, :8], rows[:, -8:]):
        assert border.mean() == pytest.approx(middle, rel=0.05)


def test_snow_moves_and_turns(apply, clip_of):
    frames = np.zeros((6, 200, 200, 3), np.uint8)
    flat = apply("snow", clip_of(frames)).frames[..., 0].reshape(6, -1).astype(np.float64)
    assert np.abs(np.corrcoef(flat) - np.eye(6)).max() < 0.1


def test_what_is_scaled(build):
    assert build("snow").scaled(0.5) == Flakes(0.55, 0.3, 2.5, 0.85, 6, 6, 0.55)
    assert build("snow", severity=3).scaled(2.0) == Flakes(0.55, 0.3, 8, 0.9, 24, 16, 0.7)
    assert build("snow", severity=2).scaled(0.25) == Flakes(0.2, 0.3, 2, 0.5, 3, 1, 0.7)
    assert (build("snow").reference, build("snow", severity=1).reference) == (720, 224)
    with pytest.raises(UsageError, match="reference of snow"):
        build("snow", reference=-1)


@pytest.mark.parametrize("angle", [-130, -90, -60])
def test_taps_that_share_a_weight_do_what_each_alone_does(angle):
    """Four taps of 81 together, on flakes of 17 pixels."""
    nodes = np.random.default_rng(1).normal(0.55, 0.3, (25, 30))
    field = zoom(nodes, 17, order=1)
    layer = (module.WHITE * np.where(field < 0.9, 0, np.minimum(field, 1))).astype(np.uint16)
    assert module._group(17.0) == 4
    found = []
    for group in (1, 4):
        mixed = layer.copy()
        for k in range(group.bit_length() - 1):
            module._double(mixed, *module._move(1 << k, math.radians(angle)))
        moves = np.array([module._move(i, math.radians(angle)) for i in range(0, 81, group)], np.int64)
        out = np.empty((300, 300), np.uint16)
        module._blur(mixed, 100, 100, moves, module._weights(81, 26.0, group), out)
        found.append(out / 128)
    assert found[0].std() > 15
    assert np.abs(found[0] - found[1]).mean() < 1
    assert np.abs(found[0] - found[1]).max() < 20
