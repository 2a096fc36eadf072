"""Falling snow alone: coarse normal noise above a threshold, smeared the way it falls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .compiling import compiled
from .normal_noise import normal_magnitudes
from .words import word

if TYPE_CHECKING:
    import numpy.typing as npt

    Layer = npt.NDArray[np.uint16]
    Offsets = npt.NDArray[np.int64]

_STEPS = 60
"""Steps per standard deviation in which the noise is drawn: the 255 of a byte reach 4.25 of them."""
WHITE = 255 << 7
"""Brightness is counted in units of 1/128 grey level: 1 on a scale of 0..1, in these."""


@dataclass(frozen=True, slots=True)
class Flakes:
    """mean, deviation: of the normal noise, on a scale of 0..1; what is below ``threshold`` is 0.
    zoom: distance of the noise's nodes in pixels, at least 1. radius, sigma: of the smear, in pixels,
    2 radius + 1 taps. keep: weight of the picture against its whitened self, 0..1."""

    mean: float
    deviation: float
    zoom: float
    threshold: float
    radius: int
    sigma: float
    keep: float


def falling(key: np.uint64, flakes: Flakes, angle: float, height: int, width: int) -> Layer:
    """uint16 [height, width], 0..WHITE: noise on a grid of nodes, joined by straight lines, 0 below the
    threshold, at most 1, smeared with one half of a Gaussian.

    angle: -3 pi / 4 .. -pi / 4; flakes have come straight down for -pi / 2, from the left for less, from
    the right for more. The noise goes on beyond the picture, so no border shows. On flakes of 8 pixels and
    more neighbouring taps share a weight: less than a grey level on average, up to 20 at sharp edges.
    """
    group = _group(flakes.zoom)
    taps = 2 * flakes.radius + 1
    # The layer reaches beyond the picture by as much as flakes may come from.
    top, aside = _move(taps + group, angle)
    layer = np.empty((height + top, width + abs(aside)), np.uint16)
    _fall(
        key,
        normal_magnitudes(_STEPS),
        round(_spacing(height, flakes.zoom) * 65536),
        round(_spacing(width, flakes.zoom) * 65536),
        round(WHITE * flakes.mean),
        round(WHITE * flakes.deviation / _STEPS * 256),
        round(WHITE * flakes.threshold),
        layer,
    )
    for k in range(group.bit_length() - 1):
        _double(layer, *_move(1 << k, angle))
    moves = np.array([_move(i, angle) for i in range(0, taps, group)], np.int64)
    out = np.empty((height, width), np.uint16)
    _blur(layer, top, max(0, aside), moves, _weights(taps, flakes.sigma, group), out)
    return out


def _spacing(size: int, zoom: float) -> float:
    """Nodes per pixel: where ``size`` / zoom nodes are stretched over the pixels, both ends on nodes."""
    nodes = math.ceil(size / zoom)
    pixels = round(nodes * zoom)
    return (nodes - 1) / (pixels - 1) if nodes > 1 else 1 / zoom


def _group(zoom: float) -> int:
    """How many neighbouring taps may share a weight: up to a quarter of a flake."""
    return 1 << max(0, int(zoom / 4).bit_length() - 1)


def _move(taps: int, angle: float) -> tuple[int, int]:
    """How far down and to the right the picture moves in so many taps."""
    return -math.ceil(taps * math.sin(angle) - 0.5), -math.ceil(taps * math.cos(angle) - 0.5)


def _weights(taps: int, sigma: float, group: int) -> npt.NDArray[np.uint16]:
    """Half a Gaussian in units of 1/65536, that of each group of taps together."""
    shares = [math.exp(-0.5 * (i / sigma) * (i / sigma)) for i in range(taps)]
    unit = 65536 / math.fsum(shares)
    sums = [math.fsum(shares[i : i + group]) for i in range(0, taps, group)]
    return np.array([min(65535, round(unit * share)) for share in sums], np.uint16)


@compiled
def _fall(
    key: np.uint64,
    magnitudes: npt.NDArray[np.uint8],
    down: int,
    across: int,
    mean: int,
    deviation: int,
    threshold: int,
    layer: Layer,
) -> None:
    """Flakes before they are smeared. down, across: nodes per pixel, in units of 1/65536."""
    height, width = layer.shape
    node, behind = np.empty(width, np.uint64), np.empty(width, np.int32)
    for x in range(width):
        node[x] = (x * across) >> 16
        behind[x] = ((x * across) & 65535) >> 1
    stride = ((((width - 1) * across) >> 16) + 5) // 4
    drawn, steps = np.empty(4 * stride, np.int32), np.empty(4 * stride - 1, np.int32)
    rows = np.empty((2, width), np.int16)
    held = np.full(2, -1, np.int64)
    most = np.int32(WHITE)
    for y in range(height):
        line, below = (y * down) >> 16, np.int32(((y * down) & 65535) >> 1)
        for n in range(line, line + 2):
            if held[n & 1] == n:
                continue
            held[n & 1] = n
            for i in range(stride):
                bits = word(key, n * stride + i)
                for k in range(4):
                    piece = np.int64((bits >> np.uint64(16 * k)) & np.uint64(0xFFFF))
                    far = np.int32(magnitudes[piece >> 1]) << np.int32(6)
                    drawn[4 * i + k] = far if piece & 1 else -far
            for i in range(steps.size):
                steps[i] = drawn[i + 1] - drawn[i]
            row = rows[n & 1]
            for x in range(width):
                row[x] = drawn[node[x]] + ((steps[node[x]] * behind[x]) >> np.int32(15))
        upper, lower = rows[line & 1], rows[(line + 1) & 1]
        target = layer[y]
        for x in range(width):
            # Units of 1/64 of a step of the noise, then of brightness: 31 bits in between.
            apart = np.int32(lower[x]) - np.int32(upper[x])
            mixed = np.int32(upper[x]) + ((apart * below) >> np.int32(15))
            value = np.int32(mean) + ((mixed * np.int32(deviation)) >> np.int32(14))
            target[x] = np.uint16(min(value, most) if value >= threshold else 0)


@compiled
def _double(layer: Layer, down: int, across: int) -> None:
    """Mix the layer with itself, moved; down: above 0. What has nothing to be mixed with stays."""
    width = layer.shape[1]
    here, there = max(0, across), max(0, -across)
    size = width - abs(across)
    for y in range(layer.shape[0] - 1, down - 1, -1):
        row, other = layer[y, here : here + size], layer[y - down, there : there + size]
        for x in range(size):
            row[x] = (row[x] + other[x]) >> 1


@compiled
def _blur(
    layer: Layer, top: int, left: int, moves: Offsets, weights: npt.NDArray[np.uint16], out: Layer
) -> None:
    """out = the sum of the layer, moved and weighted; its pixel (0, 0) is (top, left) of the layer."""
    height, width = out.shape
    # Each product loses half a unit on average.
    loss = np.uint16(weights.size // 2)
    for y in range(height):
        total = out[y]
        total[:] = loss
        for i in range(weights.size):
            from_x = left - moves[i, 1]
            taken = layer[y + top - moves[i, 0], from_x : from_x + width]
            weight = np.uint32(weights[i])
            for x in range(width):
                total[x] += np.uint16((np.uint32(taken[x]) * weight) >> np.uint32(16))
