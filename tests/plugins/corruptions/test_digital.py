import cv2
import numpy as np
import pytest
from scipy.stats import chisquare

from harness import UsageError


@pytest.mark.parametrize(
    ("options", "share"), [({}, 0.8), ({"p": 0.3}, 0.3), ({"p": 1.0}, 1.0), ({"p": 0.0}, 0.0)]
)
def test_random_pixel_replaces_its_share(apply, clip_of, options, share):
    frames = np.full((2, 300, 400, 3), 99, np.uint8)
    out = apply("random_pixel", clip_of(frames), **options).frames
    changed = np.any(out != 99, axis=3)
    assert abs(changed.mean() - share) < 4 * np.sqrt(max(share * (1 - share), 1e-9) / changed.size) + 1e-6


def test_random_pixel_colours_are_uniform_and_independent(apply, clip_of):
    frames = np.zeros((1, 500, 500, 3), np.uint8)
    colours = apply("random_pixel", clip_of(frames), p=1.0).frames[0].reshape(-1, 3)
    for channel in colours.T:
        assert chisquare(np.bincount(channel, minlength=256)).pvalue > 1e-3
    assert np.abs(np.corrcoef(colours.T) - np.eye(3)).max() < 0.01
    flat = colours.ravel().astype(np.float64)
    for lag in range(1, 30):
        assert abs(np.corrcoef(flat[lag:], flat[:-lag])[0, 1]) < 0.01


def test_random_pixel_chooses_pixels_without_a_pattern(apply, clip_of):
    out = apply("random_pixel", clip_of(np.full((2, 400, 400, 3), 99, np.uint8)), p=0.5).frames
    chosen = np.any(out != 99, axis=3) - 0.5
    for other in (chosen[:, 1:], chosen[:, :, 1:]):
        same = chosen[:, : other.shape[1], : other.shape[2]]
        assert abs(np.mean(4 * same * other)) < 0.01
    assert abs(np.mean(4 * chosen[0] * chosen[1])) < 0.01
    # Nor does the choice tell the colour.
    kept_colours = out[chosen > 0]
    assert abs(kept_colours.mean() - 127.5) < 1


@pytest.mark.parametrize("name", ["random_pixel", "edge_sawtooth"])
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_probability_lies_between_0_and_1(build, name, p):
    with pytest.raises(UsageError, match=f"p of {name} must be from 0 to 1"):
        build(name, p=p)


def test_resolution_degrade_keeps_what_is_coarse_and_nothing_fine(apply, clip_of):
    """Waves of 120 pixels stay nearly as they are; noise loses its roughness, along both axes."""
    y, x = np.mgrid[:240, :360]
    waves = 127 + 50 * np.sin(2 * np.pi * x / 120) + 50 * np.cos(2 * np.pi * y / 120)
    frames = np.repeat(waves[None, ..., None], 3, axis=3).astype(np.uint8)
    out = apply("resolution_degrade", clip_of(frames)).frames.astype(int)
    assert np.abs(out - frames)[:, 20:-20, 20:-20].max() <= 4
    noise = np.random.default_rng(0).integers(0, 256, (1, 240, 360, 3), dtype=np.uint8)
    out = apply("resolution_degrade", clip_of(noise)).frames.astype(int)
    for axis in (1, 2):
        assert np.diff(out, axis=axis).std() < np.diff(noise.astype(int), axis=axis).std() / 8


@pytest.mark.parametrize(("share", "side", "left"), [(0.1, 720, 72), (0.1, 75, 7), (0.1, 9, 1), (0.3, 10, 3)])
def test_resolution_degrade_leaves_a_share_of_each_side(apply, clip_of, share, side, left):
    """What comes out is linear in ``left`` squared numbers: the rank of a matrix tells."""
    noise = np.random.default_rng(0).integers(0, 256, (1, side, side, 1), dtype=np.uint8).repeat(3, axis=3)
    out = apply("resolution_degrade", clip_of(noise), share=share).frames[0, ..., 0]
    strengths = np.linalg.svd(out.astype(np.float64), compute_uv=False)
    if left < side // 2:
        assert strengths[left:].max() < 0.1 * strengths[:left].mean() + 2 * np.sqrt(side)
    assert np.sum(strengths > strengths[left - 1] * 0.999) == left


def test_stretch_squish_blurs_one_axis_alone(apply, clip_of):
    """Noise keeps its roughness along one axis; a coin says which, once per video."""
    frames = np.random.default_rng(0).integers(0, 256, (3, 120, 150, 3), dtype=np.uint8)
    axes = []
    for video in range(40):
        out = apply("stretch_squish", clip_of(frames), video=f"v{video}").frames.astype(np.float64)
        rough = [[np.diff(frame, axis=axis).std() for axis in (0, 1)] for frame in out]
        chosen = {int(one > other) for one, other in rough}
        assert all(min(pair) < max(pair) / 4 for pair in rough)
        assert len(chosen) == 1
        axes.append(chosen.pop())
    assert 10 < sum(axes) < 30


@pytest.mark.parametrize("name", ["resolution_degrade", "stretch_squish"])
@pytest.mark.parametrize("share", [0, -0.1, 1, 2, float("nan")])
def test_a_share_of_a_side_is_less_than_all(build, name, share):
    with pytest.raises(UsageError, match=f"share of {name}"):
        build(name, share=share)


def edge_clip(clip_of):
    """A white square on black, four frames, and where OpenCV's morphology wants random pixels."""
    frames = np.zeros((4, 200, 300, 3), np.uint8)
    frames[:, 50:150, 80:220] = 255
    edges = cv2.Canny(frames[0, ..., 0], 50, 150)
    wide = cv2.dilate(edges, np.ones((2, 2), np.uint8)) > 0
    return clip_of(frames), wide, (cv2.dilate(wide.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~wide


def test_edge_sawtooth_frays_edges_and_30_percent_around_them(apply, clip_of):
    clip, wide, ring = edge_clip(clip_of)
    out = apply("edge_sawtooth", clip).frames
    changed = np.any(out != clip.frames, axis=3)
    assert not changed[:, ~(wide | ring)].any()
    assert changed[:, wide].mean() > 0.99
    assert abs(changed[:, ring].mean() - 0.3) < 0.03
    assert abs(apply("edge_sawtooth", clip, p=0.8).frames[:, ring].mean() - 127.5) < 15
    assert len({frame.tobytes() for frame in out}) == 4


def test_edge_sawtooth_colours_are_random(apply, clip_of):
    clip, wide, _ = edge_clip(clip_of)
    colours = apply("edge_sawtooth", clip).frames[:, wide].reshape(-1, 3)
    counts = np.stack([np.bincount(channel // 16, minlength=16) for channel in colours.T])
    assert all(chisquare(row).pvalue > 1e-3 for row in counts)
    assert np.abs(np.corrcoef(colours.T) - np.eye(3)).max() < 0.06


def test_edge_sawtooth_leaves_a_frame_without_edges(apply, clip_of):
    frames = np.full((1, 50, 60, 3), 90, np.uint8)
    assert np.array_equal(apply("edge_sawtooth", clip_of(frames)).frames, frames)


@pytest.mark.parametrize(
    "options", [{"low": -1.0}, {"low": 200.0}, {"high": float("inf")}, {"high": float("nan")}]
)
def test_edge_sawtooth_refuses_thresholds_out_of_order(build, options):
    with pytest.raises(UsageError, match="low <= high"):
        build("edge_sawtooth", **options)


def test_color_quantized_has_eight_levels(apply, clip_of):
    frames = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    out = apply("color_quantized", clip_of(frames)).frames
    assert np.unique(out).tolist() == [0, 36, 73, 109, 146, 182, 219, 255]
    assert np.abs(out.astype(int) - frames).max() <= 18
    assert np.unique(apply("color_quantized", clip_of(frames), levels=3).frames).tolist() == [0, 128, 255]


@pytest.mark.parametrize("levels", [1, 0, 257])
def test_color_quantized_refuses_too_few_or_too_many_levels(build, levels):
    with pytest.raises(UsageError, match="2 to 256"):
        build("color_quantized", levels=levels)


def moves(apply, clip_of, height, width, **options):
    """Standard deviations of how far elastic moves pixels, down and across, away from the borders."""
    y, x = np.mgrid[:height, :width]
    found = []
    for ramp, length in ((y, height), (x, width)):
        # A triangle of slope 2 tells positions to half a pixel and never leaves 0..255.
        slope = 2 * np.abs((ramp + 60) % 120 - 60)
        frames = np.repeat((60 + slope)[None, ..., None], 3, axis=3).repeat(3, axis=0).astype(np.uint8)
        out = apply("elastic", clip_of(frames), **options).frames[..., 0].astype(np.float64)
        margin = max(4, length // 20)
        turn = (ramp % 60 > 25) & (ramp % 60 < 35)  # away from the corners of the triangle
        inner = np.zeros_like(turn)
        inner[margin:-margin, margin:-margin] = True
        found.append((out - frames[..., 0])[:, turn & inner].std() / 2)
    return found


@pytest.mark.parametrize(
    ("options", "size", "sigma"),
    [
        ({}, (720, 1280), 1.83),
        ({}, (360, 640), 0.916),
        ({"reference": 0}, (360, 640), 1.83),
        ({"severity": 3}, (224, 400), 1.29),
        ({"severity": 5}, (448, 800), 3.66),
        ({"severity": 5, "reference": 0}, (448, 800), 1.83),
    ],
)
def test_elastic_moves_pixels_as_far_as_its_definition_says(apply, clip_of, options, size, sigma):
    down, across = moves(apply, clip_of, *size, **options)
    assert down == pytest.approx(sigma, rel=0.12)
    assert across == pytest.approx(sigma, rel=0.12)


def test_elastic_pulls_each_frame_its_own_way(apply, clip_of, picture):
    frames = picture(1, 60, 80).repeat(3, axis=0)
    out = apply("elastic", clip_of(frames), severity=5).frames
    assert len({frame.tobytes() for frame in out}) == 3


@pytest.mark.parametrize(
    "options", [{"alpha": 0}, {"alpha": 101}, {"alpha": float("nan")}, {"reference": -1}, {"reference": 31}]
)
def test_elastic_refuses_what_it_cannot_do(build, options):
    with pytest.raises(UsageError, match="of elastic must be"):
        build("elastic", **options)
