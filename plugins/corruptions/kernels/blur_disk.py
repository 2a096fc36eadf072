"""Defocus: the mean of a picture over a disk, by what enters and leaves as the disk moves down a row.

A disk of radius r covers about 3.1 r**2 pixels, but when it moves down by one it loses the 2 r + 1 pixels
of its upper rim and gains those of its lower rim; the sum over the disk is thus kept up to date exactly,
in whole numbers. The edge is smoothed by a bell of three taps each way, in units of 1/128 grey level.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .margins import load_rows, mirrored, row_ring

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Rows = npt.NDArray[np.uint16]
    Rims = npt.NDArray[np.int16 | np.int32]

_NARROW_RADIUS = 63
"""Up to this radius a rim's sum of 8-bit values fits in 16 bits with a sign."""


def disk_reach(radius: float) -> npt.NDArray[np.int64]:
    """int64 [r + 1], r = floor(radius): rows of the disk above its middle row, at columns 0..r from it.

    The disk is all whole (y, x) with x**2 + y**2 <= radius**2.
    """
    return np.array(
        [math.isqrt(math.floor(radius * radius - x * x)) for x in range(math.floor(radius) + 1)], np.int64
    )


def edge_weight(sigma: float) -> float:
    """The weight on either side of the middle in a Gaussian of three taps; sigma in pixels, above 0."""
    beside = math.exp(-0.5 / sigma / sigma)
    return beside / (1 + 2 * beside)


def blur_disk(source: Frame, radius: float, edge: float, out: Frame) -> None:
    """out = source convolved with a disk whose edge is smoothed, borders reflected, rounded.

    radius: pixels, 1 or more. edge: standard deviation in pixels of the Gaussian that smooths the disk,
    above 0 and at most .5; it is cut after one pixel. Any H, W >= 1. Before the rounding the result is
    within .03 grey levels of the exact convolution with that kernel.
    """
    reach = disk_reach(radius)
    kind = np.int16 if reach.size <= _NARROW_RADIUS + 1 else np.int32
    rim = np.empty(source.shape[1] * source.shape[2], kind)
    _convolve(source, reach, rim, round(65536 * edge_weight(edge)), out)


@compiled
def _blend(middle: Rows, before: Rows, after: Rows, beside: int, out: Rows) -> None:
    """out = the bell of three taps, ``beside`` being the outer ones' weight in units of 2**-16."""
    weight = np.uint32(beside)
    rest = np.uint32(65536 - 2 * beside)
    for j in range(out.size):
        pair = np.uint16(before[j] + after[j])
        own = np.uint16((np.uint32(middle[j]) * rest) >> np.uint32(16))
        others = np.uint16((np.uint32(pair) * weight) >> np.uint32(16))
        # Each of the two products has lost half a unit on average.
        out[j] = np.uint16(np.uint16(own + others) + np.uint16(1))


@compiled
def _cross_rim(
    ring: npt.NDArray[np.uint8],
    lines: npt.NDArray[np.int64],
    reach: npt.NDArray[np.int64],
    channels: int,
    rim: Rims,
) -> None:
    """rim = what the sum over the disk gains as the disk comes down to a row.

    lines: places in the ring of the rows of the rows from radius + 1 above to radius below that row.
    """
    size = rim.size
    radius = reach.size - 1
    for x in range(radius + 1):
        entering = ring[lines[radius + 1 + reach[x]]]
        leaving = ring[lines[radius - reach[x]]]
        left, right = (radius - x) * channels, (radius + x) * channels
        here, there = entering[left : left + size], entering[right : right + size]
        gone, away = leaving[left : left + size], leaving[right : right + size]
        if x == 0:
            for j in range(size):
                rim[j] = np.int16(here[j]) - np.int16(gone[j])
        else:
            for j in range(size):
                rim[j] += np.int16(np.int16(here[j]) + np.int16(there[j])) - np.int16(
                    np.int16(gone[j]) + np.int16(away[j])
                )


@compiled
def _update(total: npt.NDArray[np.int32], rim: Rims, share: np.float32, mean: Rows) -> None:
    """Add the rim to the sum over the disk; ``share`` turns a sum into a mean in units of 1/128."""
    for j in range(mean.size):
        total[j] += np.int32(rim[j])
        mean[j] = np.uint16(np.int32(np.float32(total[j]) * share + np.float32(0.5)))


@compiled
def _round(smooth: Rows, target: npt.NDArray[np.uint8]) -> None:
    for j in range(target.size):
        target[j] = np.uint8(np.uint16(smooth[j] + np.uint16(64)) >> np.uint16(7))


@compiled
def _convolve(source: Frame, reach: npt.NDArray[np.int64], rim: Rims, beside: int, out: Frame) -> None:
    """``rim``: room for a row of differences, of a type that holds twice 255 * reach.size."""
    height, width, channels = source.shape
    size = width * channels
    radius = reach.size - 1
    ring = row_ring(source, radius + 1, radius)
    # Row y + d is ring[lines[y + d + radius + 1]], and has its mean where around[y + d + 1] says.
    lines = mirrored(-radius - 1, height + 2 * radius + 1, height) % ring.shape[0]
    sides = mirrored(-radius, width + 2 * radius, width)
    loaded = load_rows(source, 0, radius + 2, sides, ring)
    around = mirrored(-1, height + 2, height)
    beyond = mirrored(-1, width + 2, width)
    result = out.reshape(height, size)
    # The sum over the disk starts one row above the picture.
    total = np.zeros(size, np.int32)
    area = 0
    for x in range(-radius, radius + 1):
        for y in range(-reach[abs(x)], reach[abs(x)] + 1):
            row = ring[lines[y + radius]][(radius + x) * channels : (radius + x) * channels + size]
            for j in range(size):
                total[j] += np.int32(row[j])
            area += 1
    share = np.float32(128.0 / area)
    means = np.empty((3, size), np.uint16)
    column = np.empty(size + 2 * channels, np.uint16)
    inside = column[channels : channels + size]
    smooth = np.empty(size, np.uint16)
    for y in range(height + 1):
        if y < height:
            loaded = load_rows(source, loaded, y + radius + 2, sides, ring)
            _cross_rim(ring, lines[y:], reach, channels, rim)
            _update(total, rim, share, means[y % 3])
        if y > 0:
            # With the mean of row y there is all that row y - 1 of the result needs.
            _blend(means[(y - 1) % 3], means[around[y - 1] % 3], means[around[y + 1] % 3], beside, inside)
            for c in range(channels):
                column[c] = inside[beyond[0] * channels + c]
                column[channels + size + c] = inside[beyond[width + 1] * channels + c]
            _blend(inside, column[:size], column[2 * channels :], beside, smooth)
            _round(smooth, result[y - 1])
