"""Shadow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness import Clip, Draws, UsageError

from ..frames import on_frames, scale
from ..kernels.shadow import Ellipse, cast_shadow
from ..severity import NRVL_SIDE
from ..variates import uniforms
from .ranges import within

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame


class Shadow:
    """One large soft shadow, which drifts slowly over the picture.

    Definition: round(x (1 - strength M)). M is an ellipse, 1 inside and 0 outside, blurred with a
    Gaussian as wide as OpenCV makes it for a kernel of ``blur`` pixels (51: sigma 8). Its half-axes are
    U(1/4, 1/2) of the width and of the height, turned by any angle; its centre is in the middle half
    of the frame in both directions and moves by ``speed`` short sides a second in a straight line,
    turned back where it would leave the middle half, so that the shadow at a moment is the same
    whichever frames are sampled. Before the rounding within 1 grey level for sigmas of 2 pixels and
    more, within 4 below.
    Options: strength, 0 to 1. blur in pixels, 1 to 720, at a short side of ``reference`` pixels; it grows
    with the frame's, odd and at least 3; 0 takes it as pixels of the frame, whatever its size.
    speed, 0 to 1000.
    Draws: per video, the ellipse, where it is at 0 seconds and in which direction it moves.
    Source: NRVL, which draws another ellipse for every frame.
    """

    version = 1

    def __init__(
        self, strength: float = 0.7, blur: float = 51.0, speed: float = 0.02, reference: int = NRVL_SIDE
    ) -> None:
        self.strength = within("shadow", "strength", strength, 0, 1)
        self.blur = within("shadow", "blur", blur, 1, NRVL_SIDE)
        self.speed = within("shadow", "speed", speed, 0, 1000)
        if reference < 0:
            raise UsageError(f"reference of shadow must be 0 or more, not {reference}: try 720")
        self.reference = reference

    def sigma(self, factor: float) -> float:
        """Standard deviation of the edge in pixels, where lengths are multiplied by ``factor``."""
        size = max(3, 2 * round((self.blur * factor - 1) / 2) + 1)
        return 0.3 * ((size - 1) / 2 - 1) + 0.8

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        height, width = clip.frames.shape[1:3]
        sigma = self.sigma(scale(clip.frames, self.reference))
        x, y, across, down, turn, way = uniforms(draws.video(), 6).tolist()
        pace = self.speed * min(height, width)
        pace_x, pace_y = pace * math.cos(2 * math.pi * way), pace * math.sin(2 * math.pi * way)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            time = float(clip.times[slot])
            ellipse = Ellipse(
                x=width * (0.25 + bounce(x / 2 + pace_x * time / width, 0.5)) - 0.5,
                y=height * (0.25 + bounce(y / 2 + pace_y * time / height, 0.5)) - 0.5,
                half_width=width * (0.25 + across / 4),
                half_height=height * (0.25 + down / 4),
                angle=math.pi * turn,
            )
            cast_shadow(source, ellipse, sigma, self.strength, out)

        return on_frames(clip, hit, corrupt)


def bounce(way: float, room: float) -> float:
    """Where something is that has gone this way from 0, between walls at 0 and ``room``."""
    place = way % (2 * room)
    return min(place, 2 * room - place)
