from itertools import pairwise

import numpy as np
import pytest
from harness_plugins.corruptions.scene.shadow import bounce

from harness import Clip, UsageError


def white(times, height, width):
    count = len(times)
    frames = np.full((count, height, width, 3), 255, np.uint8)
    return Clip(frames, np.array(times, np.float64), np.arange(count), 25.0)


def mask(apply, clip, **options):
    """M of every frame: what is missing from white is strength times it."""
    return (255 - apply("shadow", clip, strength=1, **options).frames[..., 0].astype(np.float64)) / 255


def test_it_darkens_by_strength(apply, clip_of, picture):
    clip = clip_of(picture(2, 180, 240))
    m = mask(apply, Clip(np.full_like(clip.frames, 255), clip.times, clip.indices, clip.fps))[..., None]
    assert (m.min(), m.max()) == (0, 1)
    for strength in (0.0, 0.3, 0.7):
        out = apply("shadow", clip, strength=strength).frames
        assert np.abs(out - clip.frames * (1 - strength * m)).max() < 1.1


def test_ellipses_are_as_large_and_where_they_should_be(apply):
    """Over many videos: area pi a b, a ~ U(1/4, 1/2) W, b alike; those that lie inside, in the middle."""
    height, width = 240, 360
    areas, centres = [], []
    y, x = np.mgrid[:height, :width]
    for video in range(150):
        m = mask(apply, white([0], height, width), video=f"{video}")[0]
        areas.append(m.mean())
        if not (m[0].any() or m[-1].any() or m[:, 0].any() or m[:, -1].any()):
            centres.append([(m * y).sum() / m.sum() / height, (m * x).sum() / m.sum() / width])
    assert min(areas) > np.pi / 16 * 0.6
    assert max(areas) < np.pi / 4
    assert np.mean(areas) == pytest.approx(np.pi * 0.375**2 * 0.93, rel=0.08)  # some lies outside
    assert len(centres) > 5
    assert np.all(np.abs(np.array(centres) - 0.5) <= 0.26)
    assert np.std(centres) > 0.05


@pytest.mark.parametrize(
    ("height", "options", "sigma"),
    [
        (720, {}, 8.0),
        (360, {}, 4.1),
        (360, {"reference": 0}, 8.0),
        (90, {}, 1.4),
        (20, {}, 0.8),
        (360, {"blur": 5}, 0.8),
    ],
)
def test_edges_are_blurred_by_sigma(build, apply, height, options, sigma):
    from harness_plugins.corruptions.frames import scale

    shadow = build("shadow", **options)
    clip = white([0], height, height)
    assert shadow.sigma(scale(clip.frames, shadow.reference)) == pytest.approx(sigma)
    if height >= 300:
        m = mask(apply, clip, **options)[0]
        steepest = np.hypot(*np.gradient(m)).max()
        assert steepest == pytest.approx(1 / (sigma * np.sqrt(2 * np.pi)), rel=0.1 if sigma > 2 else 0.3)


def test_it_drifts_slowly_in_a_straight_line_and_turns_back(apply):
    clip = white([0, 1, 2, 3, 1000], 200, 300)
    m = mask(apply, clip, speed=0.02)
    steps = [np.abs(a - b).mean() for a, b in pairwise(m)]
    assert 0 < max(steps[:3]) < 0.05
    assert np.array_equal(m[0], mask(apply, clip, speed=0)[4])
    again = mask(apply, white([3, 7], 200, 300), speed=0.02)
    assert np.array_equal(again[0], m[3])


def test_bounce_goes_to_and_fro():
    assert [bounce(way, 0.5) for way in (0, 0.2, 0.5, 0.75, 1, 1.25, -0.25, 100.125)] == pytest.approx(
        [0, 0.2, 0.5, 0.25, 0, 0.25, 0.25, 0.125]
    )


@pytest.mark.parametrize("options", [{"strength": 1.1}, {"blur": 0}, {"speed": -1}, {"reference": -1}])
def test_shadow_refuses_what_it_cannot_do(build, options):
    with pytest.raises(UsageError, match="shadow must be"):
        build("shadow", **options)
