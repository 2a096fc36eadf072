"""Noises of the category occlusion: something stands in the way."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness import Clip, Draws, UsageError

from .detectors import SALIENCY, check_name, find_detector, read_box
from .frames import on_frames
from .variates import uniforms

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame

    from .detectors import Box

_CENTRED = 0.4
"""Share of the area that is hidden where no main object is found."""


class RandomBlock:
    """A black rectangle somewhere in the picture.

    Definition: sides floor(U(least, most) * H) and floor(U(least, most) * W), at least 1 pixel, each
    drawn by itself; every place inside the frame is equally likely. All its pixels become 0.
    Options: least and most, shares of a side, 0 < least <= most <= 1.
    Draws: per frame, sides and place.
    Source: NRVL (.3 to .7).
    """

    version = 1

    def __init__(self, least: float = 0.3, most: float = 0.7) -> None:
        if not 0 < least <= most <= 1:
            raise UsageError(
                f"least and most of random_block must be 0 < least <= most <= 1, not {least:g} and "
                f"{most:g}: try least=0.3 most=0.7"
            )
        self.least = least
        self.most = most

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        height, width = clip.frames.shape[1:3]

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            tall, wide, down, across = uniforms(draws.frame(slot), 4).tolist()
            top, bottom = self._interval(height, tall, down)
            left, right = self._interval(width, wide, across)
            _blacken(source, (left, top, right, bottom), out)

        return on_frames(clip, hit, corrupt)

    def _interval(self, side: int, length: float, place: float) -> tuple[int, int]:
        """Where the rectangle begins and ends along one axis, by two draws from U(0, 1)."""
        long = max(1, int(side * (self.least + (self.most - self.least) * length)))
        start = int((side - long + 1) * place)
        return start, start + long


class TargetBlock:
    """The main object hidden behind a black rectangle.

    Definition: all pixels of the box that a detector finds become 0. Where it finds nothing, a box of
    40% of the area in the middle does.
    Options: detector, either ``saliency`` (the spectral residual's box of 20 to 50% of the area; no
    weights) or a function of yours, package.module:function. It is given a frame, uint8 [H, W, 3] RGB,
    read-only, maybe in several threads at a time, and returns (left, top, right, bottom) in pixels,
    right and bottom exclusive, or None. It should return the same box for the same frame.
    Notes: ``target_block`` holds the detector's name, the box of each hit frame by its position in the
    clip, and the positions where nothing was found.
    Draws: nothing.
    Source: NRVL, which asks YOLOv8n and leaves a frame as it is when that finds nothing.
    """

    version = 1

    def __init__(self, detector: str = SALIENCY) -> None:
        check_name(detector)
        self.detector = detector

    def check(self) -> None:
        """Raise UsageError when the detector cannot be loaded."""
        find_detector(self.detector)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        height, width = clip.frames.shape[1:3]
        detect = find_detector(self.detector)
        boxes: dict[int, Box] = {}
        centred: list[int] = []

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            box = read_box(detect(source), height, width, self.detector)
            if box is None:
                box = _middle(height, width)
                centred.append(slot)
            boxes[slot] = box
            _blacken(source, box, out)

        result = on_frames(clip, hit, corrupt)
        found = {
            "detector": self.detector,
            "boxes": {str(slot): list(boxes[slot]) for slot in sorted(boxes)},
            "centred": sorted(centred),
        }
        return replace(result, notes={**clip.notes, "target_block": found})


def _middle(height: int, width: int) -> Box:
    """A box of 40% of the area in the middle of the frame, of the frame's shape."""
    tall, wide = (max(1, round(side * math.sqrt(_CENTRED))) for side in (height, width))
    top, left = (height - tall) // 2, (width - wide) // 2
    return left, top, left + wide, top + tall


def _blacken(source: Frame, box: Box, out: Frame) -> None:
    """out = source with 0 inside the box."""
    left, top, right, bottom = box
    np.copyto(out, source)
    out[top:bottom, left:right] = 0
