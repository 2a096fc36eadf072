import numpy as np
import pytest
from scipy.stats import kstest

from harness import UsageError


def spread(frame):
    """Standard deviations of a bright spot's light, down and across."""
    light = frame[..., 0].astype(np.float64)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]]
    total = light.sum()
    return tuple(np.sqrt((light * (p - (light * p).sum() / total) ** 2).sum() / total) for p in (y, x))


def spot(height, width, side):
    frames = np.zeros((1, height, width, 3), np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    frames[:, top : top + side, left : left + side] = 255
    return frames


@pytest.mark.parametrize(
    ("options", "height", "sigma"),
    [
        ({}, 720, 20.0),
        ({}, 360, 10.0),
        ({}, 180, 5.0),
        ({"reference": 0}, 360, 20.0),
        ({"severity": 3}, 224, 3.0),
        ({"severity": 3}, 448, 6.0),
        ({"severity": 5, "reference": 0}, 448, 6.0),
        ({"sigma": 7.0, "reference": 100}, 300, 21.0),
    ],
)
def test_gaussian_blur_spreads_light_by_sigma_scaled(apply, clip_of, options, height, sigma):
    side = max(7, int(2 * sigma))
    frames = spot(height, height + 64, side)
    out = apply("gaussian_blur", clip_of(frames), **options).frames[0]
    expected = np.sqrt(sigma**2 + (side**2 - 1) / 12)
    assert spread(out) == pytest.approx((expected, expected), rel=0.01)


@pytest.mark.parametrize(
    "options", [{"sigma": 0}, {"sigma": -2}, {"sigma": float("nan")}, {"sigma": 721}, {"reference": -1}]
)
def test_gaussian_blur_refuses_what_it_cannot_do(build, options):
    with pytest.raises(UsageError, match="gaussian_blur must be"):
        build("gaussian_blur", **options)


@pytest.mark.parametrize(
    ("blur", "options"),
    [
        *(
            (blur, options)
            for blur in ("gaussian_blur", "motion_blur", "defocus_blur", "glass_blur")
            for options in ({}, {"reference": 0}, {"severity": 5})
        ),
        ("zoom_blur", {}),
        ("zoom_blur", {"severity": 2}),
    ],
)
@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_blurs_keep_a_grey_picture(apply, clip_of, blur, options, level):
    frames = np.full((1, 50, 61, 3), level, np.uint8)
    assert np.array_equal(apply(blur, clip_of(frames), **options).frames, frames)


def light_of_a_point(apply, clip_of, blur, height, **options):
    """What a blur makes of one bright pixel: float64 [H - 1, H - 1], summing to 1.

    Read from a picture whose lower right quarter is white, by differences in both directions: the
    light of a single pixel would be rounded away.
    """
    frames = np.zeros((1, height, height, 3), np.uint8)
    frames[:, height // 2 :, height // 2 :] = 255
    out = apply(blur, clip_of(frames), **options).frames[0, ..., 1].astype(np.float64) / 255
    return np.diff(np.diff(out, axis=0), axis=1)


@pytest.mark.parametrize(
    ("options", "height", "taps"),
    [({}, 720, 72), ({}, 360, 36), ({}, 1080, 108), ({"reference": 0}, 360, 72), ({"taps": 9}, 720, 9)],
)
def test_motion_blur_is_an_even_line_down_to_the_right(apply, clip_of, options, height, taps):
    """A white column of pixels spreads over as many columns as there are taps, each as bright."""
    frames = np.zeros((1, height, height, 3), np.uint8)
    middle = height // 2
    frames[:, :, middle] = 255
    out = apply("motion_blur", clip_of(frames), **options).frames[0, middle, :, 0].astype(int)
    lit = np.flatnonzero(out)
    assert lit.size == taps
    assert lit[-1] - lit[0] == taps - 1
    assert np.abs(out[lit] - 255 / taps).max() <= 0.5 + 1e-3
    assert abs(lit.mean() - middle) <= 0.5
    falling, rising = (
        apply("motion_blur", clip_of(255 * line[None, ..., None].repeat(3, -1)), **options).frames[0]
        for line in (np.eye(height, dtype=np.uint8), np.eye(height, dtype=np.uint8)[:, ::-1])
    )
    assert falling[middle, middle, 0] == 255  # along the line nothing changes
    assert rising[middle, height - 1 - middle, 0] == round(255 / taps)


def test_motion_blur_takes_a_tap_at_least(apply, clip_of, picture):
    frames = picture(1, 4, 5)
    assert np.array_equal(apply("motion_blur", clip_of(frames)).frames, frames)


@pytest.mark.parametrize(
    ("severity", "sigma", "radius"), [(1, 3, 10), (2, 5, 15), (3, 8, 15), (4, 12, 15), (5, 15, 20)]
)
@pytest.mark.parametrize("options", [{"reference": 0}, {}])
def test_motion_blur_with_severity_trails_like_a_gaussian(apply, clip_of, severity, sigma, radius, options):
    """A white column tells the line's profile from the side; its angle is drawn for each frame."""
    height, width = 448, 300
    times = 300 / 224 if not options else 1
    frames = np.zeros((6, height, width, 3), np.uint8)
    frames[:, :, 200:210] = 255
    out = apply("motion_blur", clip_of(frames), severity=severity, **options).frames
    profiles = out[:, height // 2, :, 0].astype(np.float64) / 2550
    means = (profiles * np.arange(width)).sum(axis=1) - 204.5
    steps = np.arange(2 * round(radius * times) + 1)
    share = np.exp(-0.5 * (steps / (sigma * times)) ** 2)
    reach = (steps * share).sum() / share.sum()
    assert np.all(means < 0)  # light is taken from the right
    turns = -means / reach
    assert np.all((turns > np.cos(np.pi / 4) - 0.06) & (turns < 1.06))
    assert np.ptp(turns) > 0.02


def test_motion_blur_draws_angles_evenly(apply, clip_of):
    """Where a white point's light ends up, frame by frame."""
    frames = np.zeros((300, 99, 99, 3), np.uint8)
    frames[:, 49, 49] = 255
    out = apply("motion_blur", clip_of(frames), severity=5, reference=0).frames[..., 0]
    rows, columns = np.mgrid[:99, :99] - 49
    far = (out > 0) & (np.hypot(rows, columns) > 12)
    angles = [np.degrees(np.arctan2(-rows[f], -columns[f])).mean() for f in far]
    assert min(angles) < -42
    assert max(angles) > 42
    assert kstest(angles, "uniform", args=(-45, 90)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("options", "height", "radius", "edge"),
    [
        ({}, 720, 10.0, 0.5),
        ({}, 360, 5.0, 0.5),
        ({}, 1080, 15.0, 0.5),
        ({"reference": 0}, 200, 10.0, 0.5),
        ({"severity": 1}, 224, 3.0, 0.1),
        ({"severity": 3}, 448, 12.0, 0.5),
        ({"severity": 5, "reference": 0}, 300, 10.0, 0.5),
        ({}, 36, 1.0, 0.5),
    ],
)
def test_defocus_blur_is_a_disk_of_the_radius_scaled(apply, clip_of, options, height, radius, edge):
    """The light of a corner, twice differenced, is the disk itself."""
    light = light_of_a_point(apply, clip_of, "defocus_blur", height, **options)
    at = np.arange(height - 1) - (height // 2 - 1)
    assert light.sum() == pytest.approx(1, abs=0.01)
    reach = int(radius)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = rows[rows**2 + columns**2 <= radius**2]
    beside = np.exp(-0.5 / edge**2)
    expected = np.mean(inside**2.0) + 2 * beside / (1 + 2 * beside)
    for axis in (0, 1):
        profile = light.sum(axis=1 - axis)
        assert (profile * at).sum() == pytest.approx(0, abs=0.02 * radius)
        assert (profile * at**2).sum() == pytest.approx(expected, rel=0.02, abs=0.02)
        assert np.abs(profile[np.abs(at) > reach + 1]).max() == 0


@pytest.mark.parametrize(
    ("options", "height", "sigma", "delta", "passes", "times"),
    [
        ({}, 720, 1.5, 4, 2, 1),
        ({}, 1080, 1.5, 4, 2, 1.5),
        ({}, 360, 1.5, 4, 2, 0.5),
        ({"reference": 0}, 300, 1.5, 4, 2, 1),
        ({"severity": 3}, 224, 1.0, 2, 3, 1),
        ({"severity": 4}, 448, 1.1, 3, 2, 2),
        ({"severity": 2, "reference": 0}, 300, 0.9, 2, 1, 1),
    ],
)
def test_glass_blur_spreads_light_by_both_blurs_and_all_passes(
    apply, clip_of, options, height, sigma, delta, passes, times
):
    """The mean profile across an edge, differenced, is the spread of light."""
    expected = times**2 * (2 * sigma**2 + passes * delta * (delta + 1) / 3)
    frames = np.zeros((1, height, height, 3), np.uint8)
    frames[:, :, height // 2 :] = 255
    for axis in (0, 1):
        out = apply("glass_blur", clip_of(frames), **options).frames[0, ..., 1]
        light = np.diff(out.mean(axis=axis)) / 255
        away = np.arange(height - 1) - (height // 2 - 1)
        assert light.sum() == pytest.approx(1)
        assert (light * away).sum() == pytest.approx(0, abs=0.3)
        assert (light * away**2).sum() == pytest.approx(expected, rel=0.06)
        frames = frames.transpose(0, 2, 1, 3)


def test_glass_blur_moves_colours_whole(apply, clip_of):
    """With hardly any blur every pixel is one of the picture's, from no further than the passes reach."""
    frames = np.random.default_rng(0).integers(0, 256, (1, 60, 70, 3), dtype=np.uint8)
    out = apply("glass_blur", clip_of(frames), sigma=0.01, delta=2, passes=1, reference=0).frames[0]
    near = np.lib.stride_tricks.sliding_window_view(frames[0], (5, 5), axis=(0, 1))
    found = np.any(np.all(near == out[2:-2, 2:-2, :, None, None], axis=2), axis=(2, 3))
    assert found.all()
    assert np.mean(np.all(out == frames[0], axis=-1)) < 0.08


def test_glass_blur_draws_anew_for_every_frame_video_and_seed(apply, clip_of, picture):
    frames = picture(1, 60, 80).repeat(2, axis=0)
    one, two = apply("glass_blur", clip_of(frames), reference=0).frames
    assert not np.array_equal(one, two)
    for other in ({"video": "w"}, {"seed": 1}):
        assert not np.array_equal(apply("glass_blur", clip_of(frames), reference=0, **other).frames[0], one)


@pytest.mark.parametrize(
    ("severity", "zooms"),
    [
        (None, np.arange(1, 1.305, 0.03)),
        (1, np.arange(1, 1.115, 0.01)),
        (2, np.arange(1, 1.155, 0.01)),
        (3, np.arange(1, 1.205, 0.02)),
        (4, np.arange(1, 1.245, 0.02)),
        (5, np.arange(1, 1.305, 0.03)),
    ],
)
def test_zoom_blur_zooms_as_listed(build, severity, zooms):
    assert build("zoom_blur", severity=severity).zooms == pytest.approx(zooms)


def test_zoom_blur_pulls_away_from_the_centre(apply, clip_of):
    """A white column d from the centre leaves one image at each d * zoom, the last one at 1.3 d."""
    d = 320
    frames = np.zeros((1, 41, 1001, 3), np.uint8)
    frames[:, :, 500 + d - 2 : 500 + d + 3] = 255
    out = apply("zoom_blur", clip_of(frames)).frames[0, 20, :, 0].astype(np.float64)
    factors = 1 + 0.03 * np.arange(11)
    assert out.max() == pytest.approx(2 / 12 * 255, abs=0.5)
    assert out.sum() == pytest.approx(255 / 12 * 5 * (1 + factors.sum()), rel=0.02)
    lit = np.flatnonzero(out)
    groups = np.split(lit, np.flatnonzero(np.diff(lit) > 1) + 1)
    centres = [(out[g] * (g - 500)).sum() / out[g].sum() for g in groups]
    assert centres == pytest.approx(d * factors, abs=0.2)


@pytest.mark.parametrize(
    ("blur", "options"),
    [
        ("motion_blur", {"taps": 0}),
        ("motion_blur", {"taps": 721}),
        ("motion_blur", {"reference": -1}),
        ("defocus_blur", {"radius": -1}),
        ("defocus_blur", {"radius": 181}),
        ("defocus_blur", {"radius": float("nan")}),
        ("glass_blur", {"sigma": 0}),
        ("glass_blur", {"delta": 73}),
        ("glass_blur", {"passes": 0}),
        ("glass_blur", {"passes": 11}),
        ("glass_blur", {"reference": -720}),
        ("zoom_blur", {"zoom": 1}),
        ("zoom_blur", {"zoom": 4.5}),
        ("zoom_blur", {"step": 0}),
        ("zoom_blur", {"step": 0.005}),
        ("zoom_blur", {"step": 0.4}),
        ("zoom_blur", {"zoom": float("nan")}),
    ],
)
def test_blurs_refuse_what_they_cannot_do(build, blur, options):
    with pytest.raises(UsageError, match=f"of {blur} must be .*: try "):
        build(blur, **options)
