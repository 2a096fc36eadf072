"""Frosted glass: a blur, pixels mixed up with others nearby, and the blur again.

Mixing is a gather: in every pass each pixel takes the colour of one drawn from the square around it,
all at once. Exchanging pixels one after another, as the definition is usually programmed, cannot be
done in any order but one; a gather can, and displaces colours by the same distances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .gaussian_blur import gaussian_blur
from .margins import mirrored
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    Colours = npt.NDArray[np.uint32]
    Roam = tuple[int, float]


def blur_glass(source: Frame, sigma: float, roam: Roam, passes: int, key: np.uint64, out: Frame) -> None:
    """out = source blurred, mixed ``passes`` times within ``roam``, and blurred; borders reflected.

    sigma: of the two Gaussian blurs, in pixels, above 0; each is rounded to whole grey levels. passes: 1
    or more. Any H, W >= 1.
    """
    mixed = np.empty(source.shape, np.uint8)
    gaussian_blur(source, sigma, out)
    mix(out, *roam, passes, key, mixed)
    gaussian_blur(mixed, sigma, out)


def roam_within(delta: float, times: float) -> Roam:
    """How far to look for a pixel, along either axis: at most so many pixels, and a half-width.

    A number drawn evenly from minus to plus the half-width and rounded has ``times`` the standard
    deviation that the whole numbers -delta..delta have, for which the half-width is delta + 1/2: lengths
    can be scaled by any factor, though pixels are whole. delta, times: above 0.
    """
    variance = delta * (delta + 1) / 3 * times * times
    most = 1
    while most * (most + 1) / 3 < variance:
        most += 1
    inner = (most - 1) * most * (2 * most - 1) / 6  # the squares below most**2
    half = (most * most * (most - 0.5) - inner) / (most * most - variance)
    return most, min(half, most + 0.5)


@compiled
def mix(source: Frame, most: int, half: float, passes: int, key: np.uint64, out: Frame) -> None:
    """out = source after ``passes`` times: each pixel becomes one of those around it.

    most, half: see ``roam_within``. A step down or across has the probability it should have to within
    1/65536. A pass computes more than the picture, as the next one looks up to ``most`` beyond. Pixel x
    of row y of pass k (all from 0) takes half x % 2 of word x // 2 of its row, lower first, its 16
    lower bits for the step across; rows are numbered k * (H + 2 passes * most) + y and have as many
    words as the widest needs.
    """
    height, width, _ = source.shape
    side = 2 * most + 1
    margin = passes * most
    rows = mirrored(-margin, height + 2 * margin, height)
    columns = mirrored(-margin, width + 2 * margin, width)
    # Of the padded source and of the result of each pass, the rows that the next pass looks at.
    rings = np.empty((passes + 1, side, columns.size), np.uint32)
    words = np.empty((columns.size + 1) // 2, np.uint64)
    for i in range(rows.size):
        _pack(source[rows[i]], columns, rings[0, i % side])
        for k in range(passes):
            y = i - (k + 1) * 2 * most
            if y < 0:
                break
            first = (k * rows.size + y) * words.size
            target = rings[k + 1, y % side][: columns.size - (k + 1) * 2 * most]
            _gather(rings[k], half, y, key, first, words, target)
            if k == passes - 1:
                _unpack(target, out[y])


@compiled
def _pack(row: Frame, columns: npt.NDArray[np.int64], packed: Colours) -> None:
    """A row of pixels [W, 3] as one number a pixel, beyond both ends as ``columns`` say."""
    for x in range(packed.size):
        pixel = row[columns[x]]
        packed[x] = np.uint32(pixel[0]) | (np.uint32(pixel[1]) << 8) | (np.uint32(pixel[2]) << 16)


@compiled
def _unpack(packed: Colours, row: Frame) -> None:
    for x in range(packed.size):
        row[x, 0] = np.uint8(packed[x])
        row[x, 1] = np.uint8(packed[x] >> np.uint32(8))
        row[x, 2] = np.uint8(packed[x] >> np.uint32(16))


@compiled
def _gather(
    ring: Colours,
    half: float,
    y: int,
    key: np.uint64,
    first: int,
    words: npt.NDArray[np.uint64],
    out: Colours,
) -> None:
    """out[x] = a pixel drawn from rows y..y + n - 1 and columns x..x + n - 1, n = ring.shape[0]."""
    side, stride = ring.shape
    starts = np.empty(side, np.uint32)
    for down in range(side):
        starts[down] = (y + down) % side * stride
    for i in range((out.size + 1) // 2):
        words[i] = word(key, first + i)
    halves = words.view(np.uint32)
    # Steps are counted from 0; both in units of 2**-32.
    slope = np.uint64(2 * half * 65536 + 0.5)
    least = np.uint64((side / 2 - half) * 4294967296 + 0.5)
    downs = np.empty(out.size, np.uint32)
    places = np.empty(out.size, np.uint32)
    for x in range(out.size):
        drawn = np.uint64(halves[x])
        downs[x] = np.uint32(((drawn >> np.uint64(16)) * slope + least) >> np.uint64(32))
        across = ((drawn & np.uint64(0xFFFF)) * slope + least) >> np.uint64(32)
        places[x] = np.uint32(x) + np.uint32(across)
    colours = ring.reshape(-1)
    for x in range(out.size):
        out[x] = colours[starts[downs[x]] + places[x]]
