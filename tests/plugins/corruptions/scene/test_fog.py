import numpy as np
import pytest
from harness_plugins.corruptions.kernels.fog import add_fog
from harness_plugins.corruptions.kernels.plasma import plasma

from harness import Clip, UsageError


def veil(apply, clip, strength=3.0, **options):
    """P of every frame, [T, H, W], within 1/190: told by white frames, which become (1 + s P) / (1 + s)."""
    white = Clip(np.full_like(clip.frames, 255), clip.times, clip.indices, clip.fps)
    out = apply("foggy", white, strength=strength, **options).frames[..., 0] / 255
    return (out * (1 + strength) - 1) / strength


def at(times, height, width):
    count = len(times)
    frames = np.zeros((count, height, width, 3), np.uint8)
    return Clip(frames, np.array(times, np.float64), np.arange(count), 25.0)


@pytest.mark.parametrize("brightest", [1, 60, 255])
@pytest.mark.parametrize("strength", [0.0, 1.5, 3.0])
def test_it_is_the_formula(apply, clip_of, picture, brightest, strength):
    frames = (picture(2, 60, 90).astype(np.float64) * brightest / 255).astype(np.uint8)
    frames[1] //= 2  # the brightest pixel counts frame by frame
    p = veil(apply, clip_of(frames))
    out = apply("foggy", clip_of(frames), strength=strength).frames
    for frame, fog, foggy in zip(frames, p, out, strict=True):
        most = frame.max() / 255
        expected = 255 * (frame / 255 + strength * fog[..., None]) * most / max(1e-9, most + strength)
        assert np.abs(foggy - expected).max() < 1.1


def test_black_stays_black(apply, clip_of):
    assert not apply("foggy", clip_of(np.zeros((2, 30, 40, 3), np.uint8))).frames.any()


def test_fog_drifts_slowly_along_a_line(apply):
    """The fog of a later moment is that of an earlier one, moved by speed times the short side."""
    height, width = 128, 256
    p = veil(apply, at([0, 1, 2, 60], height, width), speed=0.05)
    coherent = [np.corrcoef(p[0].ravel(), later.ravel())[0, 1] for later in p]
    assert 1 > coherent[1] > coherent[2] > 0.8
    assert coherent[3] < 0.8

    def gap(one, other, down, across):
        inner = one[32:-32, 32:-32]
        return np.abs(inner - other[32 + down : down - 32 or None, 32 + across : across - 32 or None]).mean()

    moves = {(d, a): gap(p[0], p[1], d, a) for d in range(-16, 17) for a in range(-16, 17)}
    down, across = min(moves, key=moves.__getitem__)
    assert np.hypot(down, across) == pytest.approx(0.05 * height, abs=1.5)
    assert gap(p[1], p[2], down, across) < 0.02 < gap(p[1], p[2], -down, -across)


def test_the_fog_of_a_moment_does_not_depend_on_the_other_frames(apply):
    one, other = veil(apply, at([3, 5], 40, 70)), veil(apply, at([5, 9, 11], 40, 70))
    assert np.array_equal(one[1], other[0])


def test_videos_have_their_own_fog(apply):
    clip = at([0], 128, 128)
    p = [veil(apply, clip, video=f"{i}")[0].ravel() for i in range(12)]
    assert np.abs(np.corrcoef(p) - np.eye(12)).mean() < 0.5
    assert len({one.tobytes() for one in p}) == 12


def test_a_place_in_the_map_is_a_shift_of_it():
    fog = plasma(np.uint64(5), 1.7)
    white = np.full((64, 96, 3), 255, np.uint8)
    whole, part = np.empty_like(white), np.empty_like(white)
    add_fog(white, fog, 512, (0, 0), 3.0, whole)
    add_fog(white, fog, 512, (10 << 16, (512 + 7) << 16), 3.0, part)
    assert np.array_equal(part[:-10, :-7], whole[10:, 7:])
    assert np.abs(whole[..., 0] - 255 * (1 + 3 * (fog[:64, :96] / 65535)) / 4).max() < 0.55


@pytest.mark.parametrize(
    "options", [{"strength": -1}, {"decay": 0.9}, {"speed": float("nan")}, {"speed": -1}, {"severity": 6}]
)
def test_foggy_refuses_what_is_no_fog(build, options):
    with pytest.raises(UsageError, match="must be"):
        build("foggy", **options)
