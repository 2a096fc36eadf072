from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from harness_plugins.poolings.mixing import mix, srgb_light


def random_frames(count, height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def random_weights(count, seed=0):
    weights = np.random.default_rng(seed).random(count)
    return weights / weights.sum()


def srgb_level(light):
    """The level of some light, by the inverse of the transfer function."""
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 31])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 5), (40, 61)])
def test_levels_are_mixed_and_rounded(count, height, width):
    frames, weights = random_frames(count, height, width), random_weights(count)
    exact = np.tensordot(weights, frames.astype(np.float64), 1)
    mixed = mix(frames, weights)
    assert mixed.dtype == np.uint8
    assert mixed.shape == (height, width, 3)
    assert np.abs(mixed - exact).max() < 0.5001


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 31])
def test_light_is_mixed_and_rounded_to_the_nearest_level(count):
    frames, weights = random_frames(count, 40, 61), random_weights(count)
    if count > 4:
        frames[:, :20] //= 16  # where levels lie closest
    exact = srgb_level(np.tensordot(weights, srgb_light(frames), 1))
    assert np.abs(mix(frames, weights, linear_light=True) - exact).max() < 0.5005


def test_transfer_function_against_points_of_the_standard():
    assert srgb_light([0, 255]) == pytest.approx([0, 1])
    assert srgb_light(255 * 0.04045) == pytest.approx(0.04045 / 12.92)
    assert srgb_light(188) == pytest.approx(0.5029, abs=1e-4)
    assert srgb_level(srgb_light(np.arange(256))) == pytest.approx(np.arange(256), abs=1e-3)


@pytest.mark.parametrize("linear_light", [False, True])
def test_frames_that_agree_stay_as_they_are(linear_light):
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    for count in (1, 2, 3, 30, 999):
        frames = np.repeat(levels, count, axis=0)
        assert np.array_equal(mix(frames, random_weights(count), linear_light), levels[0])


def test_black_and_white_meet_where_light_says():
    frames = np.zeros((2, 1, 1, 3), np.uint8)
    frames[1] = 255
    half = np.array([0.5, 0.5])
    assert mix(frames, half)[0, 0, 0] == 128
    assert mix(frames, half, linear_light=True)[0, 0, 0] == 188


@pytest.mark.parametrize("linear_light", [False, True])
def test_memory_is_read_whatever_it_is_like_and_never_written(linear_light):
    frames, weights = random_frames(9, 20, 30), random_weights(5)
    odd = frames[::2, ::-1, ::3]
    before = frames.copy()
    plain = mix(np.ascontiguousarray(odd), weights, linear_light)
    assert np.array_equal(mix(odd, weights, linear_light), plain)
    locked = np.ascontiguousarray(odd)
    locked.flags.writeable = False
    assert np.array_equal(mix(locked, weights, linear_light), plain)
    assert np.array_equal(frames, before)
    whole = mix(frames, random_weights(9), linear_light)
    assert not np.shares_memory(whole, frames)
    frames[:] = frames  # still writable: only a view of it was locked


def test_threads_do_not_matter():
    windows = [random_frames(6, 70, 90, seed) for seed in range(8)]
    weights = random_weights(6)
    alone = [mix(window, weights, True) for window in windows]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda window: mix(window, weights, True), windows))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))
