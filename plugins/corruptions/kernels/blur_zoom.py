"""Zoom blur: the mean of a picture and its enlargements about the centre, by bilinear interpolation.

Each enlargement is separable. A row of the source is stretched sideways once per enlargement, and serves
the one or two rows of the result that need it. Stretching looks like fetching every pixel from a place of
its own, but the place moves on with the pixel and only now and then stays behind by one: between those
moments a row is a shifted copy, blended with one shifted by a pixel more, and that is vector code. Rows
are then weighted and summed, weight of the row and share of the mean in one factor. All of it in whole
numbers of 16 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .compiling import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from harness.types import Frame


MOST_ZOOMS = 32
"""The number of images above which the losses of 16-bit arithmetic would count."""
_STEP = 32
"""Values handled at a time. A run is done in whole steps; what is too much the next run sets right."""


class Enlargements(NamedTuple):
    """Where the pixels of the enlargements of a picture come from. n: of those by more than 1.

    runs: int64 [n, m, 3], of each stretch in which rows are shifted evenly: where it begins in a row of
    the result, where in a row of the source, and how many values it has, rounded up to whole steps. counts:
    int64 [n], how many of the m there are. parts: uint16 [n, 3 W + _STEP], how far beyond its place in the
    source each value comes from, in units of 1/256. rows: int64 [n, H], the source row before each row.
    weights: uint16 [n, H, 2], of that row and of the next in the mean over all images, and plain, of the
    source itself, in units of 2**-16.
    """

    runs: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    parts: npt.NDArray[np.uint16]
    rows: npt.NDArray[np.int64]
    weights: npt.NDArray[np.uint16]
    plain: int


def enlargements(height: int, width: int, zooms: Sequence[float]) -> Enlargements:
    """What ``blur_zoom`` needs for pictures of one size.

    zooms: factors of 1 or more, at most ``MOST_ZOOMS`` of them; a factor of 1 is the source once more.
    """
    enlarging = [zoom for zoom in zooms if zoom > 1]
    images = len(zooms) + 1
    found = Enlargements(
        np.empty((len(enlarging), width, 3), np.int64),
        np.empty(len(enlarging), np.int64),
        np.zeros((len(enlarging), 3 * width + _STEP), np.uint16),
        np.empty((len(enlarging), height), np.int64),
        np.empty((len(enlarging), height, 2), np.uint16),
        65536 - round(65536 * len(enlarging) / images),
    )
    for k, zoom in enumerate(enlarging):
        columns, beyond = _positions(width, zoom)
        starts = np.flatnonzero(np.diff(columns, prepend=-2) != 1)
        lengths = np.diff(3 * starts, append=3 * width)
        found.counts[k] = len(starts)
        found.runs[k, : len(starts), 0] = 3 * starts
        found.runs[k, : len(starts), 1] = 3 * columns[starts]
        found.runs[k, : len(starts), 2] = -(-lengths // _STEP) * _STEP
        found.parts[k, : 3 * width] = np.rint(256 * beyond).repeat(3)
        found.rows[k], beyond = _positions(height, zoom)
        # Shares that sum to 2**16 over all images.
        share = round(65536 * (k + 1) / images) - round(65536 * k / images)
        found.weights[k, :, 1] = np.rint(share * beyond)
        found.weights[k, :, 0] = share - found.weights[k, :, 1]
    return found


def blur_zoom(source: Frame, enlarged: Enlargements, out: Frame) -> None:
    """out = mean of the source and its enlargements, rounded.

    An enlargement by z shows at p what the source has at c + (p - c) / z, c being the centre, interpolated
    linearly between pixels. Any H, W >= 1. Before the rounding the result is within .5 grey levels of the
    exact mean on any picture, and within .15 on photographs.
    """
    _accumulate(source, *enlarged, out)


def _positions(size: int, zoom: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """For each pixel of an enlarged line: the source pixel before it, and how far beyond it lies."""
    centre = (size - 1) / 2
    exact = centre + (np.arange(size) - centre) / zoom
    before = np.clip(np.floor(exact).astype(np.int64), 0, max(0, size - 2))
    return before, exact - before


@compiled
def _stretch(
    line: npt.NDArray[np.uint8],
    runs: npt.NDArray[np.int64],
    count: int,
    parts: npt.NDArray[np.uint16],
    out: npt.NDArray[np.uint16],
) -> None:
    """out = the enlarged row in units of 1/256 grey level, up to _STEP values more than it has."""
    for i in range(count):
        start = np.uint64(runs[i, 0])
        left = np.uint64(runs[i, 1])
        right = left + np.uint64(3)
        for j in range(runs[i, 2]):
            at = np.uint64(j)  # indices without a sign need no check for being negative
            value = np.uint16(line[left + at])
            rise = np.uint16(np.uint16(line[right + at]) - value)  # below 0 it wraps, as does its product
            out[start + at] = np.uint16(np.uint16(value << np.uint16(8)) + rise * parts[start + at])


@compiled
def _accumulate(
    source: Frame,
    runs: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    parts: npt.NDArray[np.uint16],
    rows: npt.NDArray[np.int64],
    weights: npt.NDArray[np.uint16],
    plain: int,
    out: Frame,
) -> None:
    """Sums are in units of 1/256 grey level."""
    height, width, channels = source.shape
    size = width * channels
    zooms = counts.size
    lines = source.reshape(height, size)
    result = out.reshape(height, size)
    # A source row, and room for what runs read beyond its end.
    line = np.zeros(size + channels + _STEP, np.uint8)
    # The two stretched rows that an enlargement needs at a time, the even and the odd one.
    stretched = np.empty((zooms, 2, size + _STEP), np.uint16)
    held = np.full((zooms, 2), -1, np.int64)
    total = np.empty(size, np.uint16)
    # Each product loses half a unit on average.
    loss = np.uint16(zooms)
    share = np.uint32(plain)
    for y in range(height):
        own = lines[y]
        for j in range(size):
            value = np.uint16(np.uint16(own[j]) << np.uint16(8))
            total[j] = np.uint16(np.uint16((np.uint32(value) * share) >> np.uint32(16)) + loss)
        for k in range(zooms):
            first = rows[k, y]
            second = min(first + 1, height - 1)
            for row in range(first, second + 1):
                if held[k, row & 1] != row:
                    needed = lines[row]
                    for j in range(size):
                        line[j] = needed[j]
                    _stretch(line, runs[k], counts[k], parts[k], stretched[k, row & 1])
                    held[k, row & 1] = row
            upper = stretched[k, first & 1]
            lower = stretched[k, second & 1]
            above = np.uint32(weights[k, y, 0])
            below = np.uint32(weights[k, y, 1])
            for j in range(size):
                total[j] += np.uint16((np.uint32(upper[j]) * above) >> np.uint32(16))
                total[j] += np.uint16((np.uint32(lower[j]) * below) >> np.uint32(16))
        target = result[y]
        for j in range(size):
            target[j] = np.uint8(np.uint16(total[j] + np.uint16(128)) >> np.uint16(8))
