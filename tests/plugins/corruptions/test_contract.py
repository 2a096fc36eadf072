"""What every noise must do, whatever it does to the picture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.interfaces import Corruption
from harness.options import accepts, describe
from harness.seeds import hit_frames

REARRANGING: frozenset[str] = frozenset({"frame_replace", "frame_repeat", "temporal_jitter"})
"""Noises whose result for one frame depends on which others are hit."""

DEFAULT_IS_WORST: frozenset[str] = frozenset({"bright_transform", "foggy", "frost", "zoom_blur"})
"""Noises whose default is what they are at severity 5."""

EVEN: frozenset[tuple[str, int]] = frozenset({("snow", 2), ("frost", 3)})
"""Severities after which ImageNet-C's own next one is no farther from the picture."""


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return 10 * np.log10(255**2 / error)


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, list[int], int]:
    """Frames of any small size, some of them hit in any order, and a seed."""
    count, height, width = draw(st.integers(1, 5)), draw(st.integers(1, 40)), draw(st.integers(1, 40))
    content = draw(st.sampled_from(["noise", "black", "white"]))
    shape = (count, height, width, 3)
    if content == "noise":
        frames = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, shape, dtype=np.uint8)
    else:
        frames = np.full(shape, 255 * (content == "white"), np.uint8)
    hit = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True))
    return frames, hit, draw(st.integers(0, 2**31))


@given(case=cases())
@settings(max_examples=40, deadline=None)
def test_shape_type_purity_and_untouched_frames(noise, apply, clip_of, case):
    frames, hit, seed = case
    before = frames.copy()
    clip = clip_of(frames)
    out = apply(noise, clip, hit, seed=seed)
    assert out.frames.shape == frames.shape
    assert out.frames.dtype == np.uint8
    assert not np.shares_memory(out.frames, frames)
    assert np.array_equal(frames, before)
    rest = np.setdiff1d(np.arange(len(frames)), hit)
    assert np.array_equal(out.frames[rest], frames[rest])
    assert np.array_equal(out.times, clip.times)
    assert np.array_equal(out.indices, clip.indices)
    assert out.fps == clip.fps
    assert out.notes.items() >= clip.notes.items()
    again = apply(noise, clip, hit, seed=seed)
    assert np.array_equal(again.frames, out.frames)
    if noise not in REARRANGING:
        assert np.array_equal(apply(noise, clip, hit[::-1], seed=seed).frames, out.frames)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 97), (97, 1), (2, 3), (64, 1000), (1000, 9)])
def test_any_size_also_where_lengths_do_not_shrink_with_it(
    noise, build, apply, clip_of, picture, height, width
):
    frames = picture(2, height, width)
    options = {"reference": 0} if accepts(type(build(noise)), "reference") else {}
    assert apply(noise, clip_of(frames), **options).frames.shape == frames.shape


def test_it_is_a_corruption_and_says_what_it_does(noise, build):
    plugin = build(noise)
    assert isinstance(plugin, Corruption)
    assert type(plugin.version) is int
    assert plugin.version >= 1
    for part in ("Definition:", "Draws:", "Source:"):
        assert part in type(plugin).__doc__
    assert all(option.name in type(plugin).__doc__ for option in describe(type(plugin)))


def test_it_changes_every_hit_frame(noise, apply, clip_of, picture):
    frames = picture(6, 40, 60)
    hit = [4, 1, 5, 2, 3]  # one is left, and not the first: noises may need other frames, or earlier ones
    out = apply(noise, clip_of(frames), hit).frames
    assert all(psnr(frames[i], out[i]) < 40 for i in hit)


def test_smaller_ratios_lie_within_larger_ones(noise, apply, clip_of, picture):
    if noise in REARRANGING:
        pytest.skip("its frames depend on each other")
    clip = clip_of(picture(8, 24, 32))
    chosen = {ratio: hit_frames(5, "v", 8, ratio) for ratio in (0.3, 0.6, 0.9)}
    out = {ratio: apply(noise, clip, hit, seed=5).frames for ratio, hit in chosen.items()}
    assert np.array_equal(out[0.3][chosen[0.3]], out[0.9][chosen[0.3]])
    assert np.array_equal(out[0.6][chosen[0.6]], out[0.9][chosen[0.6]])


def test_memory_layout_does_not_matter(noise, apply, clip_of, picture):
    frames = picture(4, 30, 50)[::2, ::-1, ::2]
    assert not frames.flags.c_contiguous
    plain = apply(noise, clip_of(np.ascontiguousarray(frames))).frames
    assert np.array_equal(apply(noise, clip_of(frames)).frames, plain)
    locked = np.ascontiguousarray(frames)
    locked.flags.writeable = False
    assert np.array_equal(apply(noise, clip_of(locked)).frames, plain)
    frames[:] = frames  # still writable: only a view of it was locked


def test_threads_and_order_do_not_matter(noise, apply, clip_of, picture):
    clip = clip_of(picture(4, 70, 90))
    videos = [f"video {i}" for i in range(8)]
    alone = [apply(noise, clip, [2, 0], video=video).frames for video in videos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda v: apply(noise, clip, [2, 0], video=v).frames, reversed(videos)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, reversed(together), strict=True))


def test_a_large_frame(noise, apply, clip_of, picture):
    frames = np.repeat(np.repeat(picture(2, 135, 240), 16, axis=1), 16, axis=2)
    out = apply(noise, clip_of(frames), [1]).frames
    assert out.shape == (2, 2160, 3840, 3)
    assert psnr(out[1], frames[1]) < 40


def test_severities_grow(graded, apply, clip_of, picture):
    clip = clip_of(picture(2, 112, 150))
    quality = [psnr(apply(graded, clip, severity=s).frames, clip.frames) for s in (1, 2, 3, 4, 5)]
    steps = [step for s, step in enumerate(pairwise(quality), 1) if (graded, s) not in EVEN]
    assert all(milder > worse + 0.1 for milder, worse in steps), quality
    assert quality[0] > quality[-1] + 1


def test_without_severity_the_default_holds(graded, apply, clip_of, picture):
    clip = clip_of(picture(1, 112, 150))
    plain = apply(graded, clip).frames
    assert np.array_equal(apply(graded, clip, severity=None).frames, plain)
    same = [s for s in (1, 2, 3, 4, 5) if np.array_equal(apply(graded, clip, severity=s).frames, plain)]
    assert same == ([5] if graded in DEFAULT_IS_WORST else [])
