"""Frames of another video: fitted to a size, and generated where there is no other video."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from harness.types import Frame

_BARS = (
    (235, 235, 235),
    (230, 200, 20),
    (20, 180, 200),
    (30, 170, 40),
    (190, 40, 180),
    (200, 40, 30),
    (30, 50, 190),
)
"""Colours of the generated clip, RGB."""
_CYCLE = 16
"""Frames after which the generated clip repeats."""


def fit(source: Frame, out: Frame) -> None:
    """out = the largest centred part of ``source`` that has the shape of ``out``, scaled to its size.

    Any two sizes. Bilinear, but where a side is more than halved the mean over each pixel's area; the
    part is of whole pixels, so that its shape is right to within one of them.
    """
    height, width = out.shape[:2]
    rows, columns = source.shape[:2]
    if rows * width < columns * height:
        part = (rows, min(columns, max(1, round(rows * width / height))))
    else:
        part = (min(rows, max(1, round(columns * height / width))), columns)
    top, left = (rows - part[0]) // 2, (columns - part[1]) // 2
    inner = source[top : top + part[0], left : left + part[1]]
    if part == (height, width):
        out[:] = inner
        return
    halved = part[0] > 2 * height or part[1] > 2 * width
    cv2.resize(inner, (width, height), dst=out, interpolation=cv2.INTER_AREA if halved else cv2.INTER_LINEAR)


def draw_generated(number: int, out: Frame) -> None:
    """out = frame ``number`` of a clip of colour bars, drifting to the left behind a circling dark disk.

    The same at any time; it fills any size.
    """
    height, width = out.shape[:2]
    step = number % _CYCLE
    bars = (np.arange(width) + width * step // _CYCLE) * len(_BARS) // width % len(_BARS)
    out[:] = np.array(_BARS, np.uint8)[bars]
    angle = 2 * math.pi * step / _CYCLE
    centre = (width / 2 + width / 4 * math.cos(angle), height / 2 + height / 4 * math.sin(angle))
    cv2.circle(out, (round(centre[0]), round(centre[1])), max(1, min(height, width) // 6), (16, 16, 16), -1)
