from itertools import pairwise

import av
import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from harness import UsageError


def psnr(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other.astype(float)) ** 2))


@pytest.fixture
def numbered(clip_of):
    """A clip whose frame i is of grey level i."""

    def make(count, height, width):
        levels = np.arange(count, dtype=np.uint8)[:, None, None, None]
        return clip_of(np.broadcast_to(levels, (count, height, width, 3)).copy())

    return make


def test_rolling_shutter_lags_line_by_line(apply, numbered):
    """Some side has lag 0, and from it on the lag is min(b, floor(2 b i / (n - 1))) with b = min(t, 10)."""
    height, width = 41, 61
    lags = 14 - apply("rolling_shutter", numbered(15, height, width), [14]).frames[14, ..., 0].astype(int)
    across = len(np.unique(lags[0])) > 1
    lines = lags[0] if across else lags[:, 0]
    assert np.array_equal(lags, np.broadcast_to(lines if across else lines[:, None], lags.shape))
    lines = lines if lines[0] == 0 else lines[::-1]
    count = len(lines)
    assert lines.tolist() == [min(10, int(20 * i / (count - 1))) for i in range(count)]


def test_rolling_shutter_begins_at_every_side(apply, numbered):
    sides = []
    for video in map(str, range(400)):
        frame = apply("rolling_shutter", numbered(4, 9, 9), [3], video=video).frames[3, ..., 0]
        edges = [frame[0, 4], frame[-1, 4], frame[4, 0], frame[4, -1]]
        first, last = frame[4].max() > frame[4].min(), frame[:, 4].max() > frame[:, 4].min()
        assert first != last
        sides.append(next(i for i in ((2, 3) if first else (0, 1)) if edges[i] == 3))
    assert chisquare(np.bincount(sides, minlength=4)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("slot", "options", "lags"),
    [
        (0, {}, [0, 0, 0, 0, 0]),
        (1, {}, [0, 0, 1, 1, 1]),
        (4, {}, [0, 2, 4, 4, 4]),
        (40, {}, [0, 5, 10, 10, 10]),
        (40, {"lag": 4, "factor": 1.0}, [0, 1, 2, 3, 4]),
        (40, {"lag": 4, "factor": 0.5}, [0, 0, 1, 1, 2]),
    ],
)
def test_lags(build, slot, options, lags):
    assert build("rolling_shutter", **options).lags(5, slot).tolist() == lags
    assert build("rolling_shutter", **options).lags(1, slot).tolist() == [0]


def test_rolling_shutter_reads_clean_frames(apply, clip_of, picture):
    """What other frames become does not show in a frame: lines come from the input."""
    clip = clip_of(picture(5, 30, 40))
    alone = apply("rolling_shutter", clip, [4]).frames[4]
    assert np.array_equal(apply("rolling_shutter", clip, [1, 2, 3, 4]).frames[4], alone)


@pytest.mark.parametrize("options", [{"lag": 0}, {"factor": 0}, {"factor": -1}, {"factor": float("inf")}])
def test_rolling_shutter_refuses(build, options):
    with pytest.raises(UsageError, match="rolling_shutter must be"):
        build("rolling_shutter", **options)


def striped(apply, clip_of, shape, **options):
    """Frames of random pixels, what bit_error makes of them, and the boxes it changed as slices."""
    frames = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    out = apply("bit_error", clip_of(frames), **options).frames
    boxes = []
    for changed in np.any(frames != out, axis=-1):
        rows, columns = (np.flatnonzero(changed.any(axis=1 - axis)) for axis in (0, 1))
        # An outermost column may happen to be its own stripe's: then the box lacks a pixel or a few.
        boxes.append((slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)))
    return frames, out, boxes


def test_bit_error_fills_stripes_with_columns_of_the_block(apply, clip_of):
    frames, out, boxes = striped(apply, clip_of, (12, 200, 300), width=10, reference=0)
    inner = 0
    for before, after, box in zip(frames, out, boxes, strict=True):
        columns = before[box].transpose(1, 0, 2)
        found = after[box].transpose(1, 0, 2)
        edges = 1 + np.flatnonzero(np.any(found[1:] != found[:-1], axis=(1, 2)))
        assert np.all(np.diff(edges) % 10 == 0)
        known = {column.tobytes() for column in columns}
        inner += np.mean([column.tobytes() in known for column in found])
    assert inner / len(frames) > 0.99


def test_bit_error_block_follows_its_definition(apply, clip_of):
    shape = np.array([96, 128])
    _, _, boxes = striped(apply, clip_of, (400, *shape))
    starts = np.array([[side.start for side in box] for box in boxes])
    stops = np.array([[side.stop for side in box] for box in boxes])
    sizes = (stops - starts) / shape
    assert sizes.min() > 0.23
    assert sizes.max() <= 0.51
    places = (starts + 0.5) / (shape - (stops - starts) + 1)
    for axis in (0, 1):
        assert kstest(sizes[:, axis], "uniform", (0.25, 0.25)).pvalue > 1e-3
        assert kstest(places[:, axis], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(sizes.T)[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("options", "stripe"), [({}, 5), ({"width": 4}, 2), ({"width": 3, "reference": 0}, 3)]
)
def test_bit_error_stripes_scale_with_the_frame(apply, clip_of, options, stripe):
    _, (out,), (box,) = striped(apply, clip_of, (1, 360, 500), **options)
    edges = 1 + np.flatnonzero(np.any(out[box][:, 1:] != out[box][:, :-1], axis=(0, 2)))
    assert np.gcd.reduce(np.diff(edges)) == stripe


@pytest.mark.parametrize("options", [{"width": 0}, {"reference": -1}])
def test_bit_error_refuses(build, options):
    with pytest.raises(UsageError, match="bit_error must be"):
        build("bit_error", **options)


def test_h265_quality_falls_with_the_rate_factor(apply, clip_of, picture):
    clip = clip_of(picture(4, 96, 130))
    quality = [
        psnr(apply("h265_artifacts", clip, crf=crf).frames, clip.frames) for crf in (0, 32, 38, 45, 51)
    ]
    assert quality[0] > 30
    assert all(better > worse + 1 for better, worse in pairwise(quality)), quality
    assert np.array_equal(apply("h265_artifacts", clip).frames, apply("h265_artifacts", clip, crf=51).frames)


def test_h265_frames_come_back_in_their_places(apply, clip_of):
    """Grey levels survive even the worst rate, and so do edges of odd pictures."""
    frames = np.zeros((9, 33, 47, 3), np.uint8)
    frames[:] = (20 + 25 * np.arange(9, dtype=np.uint8))[:, None, None, None]
    out = apply("h265_artifacts", clip_of(frames)).frames.astype(int)
    assert np.abs(out - frames).max() < 12


def test_h265_predicts_from_frame_to_frame(apply, clip_of, picture):
    """A still clip is coded as one: later frames show what the first one became."""
    still = np.repeat(picture(1, 64, 96), 5, axis=0)
    out = apply("h265_artifacts", clip_of(still)).frames.astype(int)
    assert np.abs(out[4] - out[0]).mean() < 0.3 * np.abs(out[0] - still[0]).mean()


def test_h265_is_unavailable_without_its_encoder(apply, build, clip_of, picture, monkeypatch):
    assert build("h265_artifacts").check() is None
    assert build("h265_artifacts").identity()["encoder"].startswith("x265 (build ")
    monkeypatch.setattr(av, "codecs_available", {"libx264", "hevc"})
    assert build("h265_artifacts").identity() == {}
    with pytest.raises(UsageError, match=r"h265_artifacts is unavailable.*libx265") as told:
        build("h265_artifacts").check()
    assert "\n" not in str(told.value)
    with pytest.raises(UsageError, match="libx265"):
        apply("h265_artifacts", clip_of(picture(2, 20, 20)))


@pytest.mark.parametrize("crf", [-1, 52])
def test_h265_refuses_a_factor_off_the_scale(build, crf):
    with pytest.raises(UsageError, match="0 to 51"):
        build("h265_artifacts", crf=crf)
