"""Fog."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness import Clip, Draws

from ..frames import on_frames
from ..kernels.fog import add_fog
from ..kernels.plasma import SIDE, plasma
from ..kernels.stretching import UNIT
from ..severity import Severity, at_severity
from ..variates import key, uniforms
from .ranges import within

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame

_FOG_SEVERITY = ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))
"""ImageNet-C's strengths and decays."""


class Foggy:
    """Fog in patches, which drifts slowly over the picture.

    Definition: round((x + strength P) m / (m + strength)), x on a scale of 0..1, m the largest x of
    the frame. P is a map of the diamond-square algorithm, from 0 to 1, whose side is the next power of
    two from the frame's longer side on and whose opposite edges join; the frame shows its upper left
    part at 0 seconds. It moves by ``speed`` short sides a second in a straight line, so that the
    fog at a moment is the same whichever frames are sampled. P is computed on 512 nodes a side and
    interpolated, which at a decay of 1.4 leaves out what is below .4 grey levels.
    Options: strength of the fog, 0 to 1000. decay, by whose square the map's irregularities
    shrink when their size is halved, 1 to 100. speed, 0 to 1000. severity 1..5 replaces strength and
    decay by ImageNet-C's: (1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4).
    Draws: per video, the map and the direction in which it drifts.
    Source: NRVL (strength 3, decay 1.4), whose fog stands still; map and severities ImageNet-C
    (arXiv 1903.12261).
    """

    version = 1

    def __init__(
        self,
        strength: float = 3.0,
        decay: float = 1.4,
        speed: float = 0.02,
        severity: Severity | None = None,
    ) -> None:
        self.strength, self.decay = at_severity(severity, _FOG_SEVERITY, (strength, decay))
        within("foggy", "strength", strength, 0, 1000)
        within("foggy", "decay", decay, 1, 100)
        self.speed = within("foggy", "speed", speed, 0, 1000)

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        height, width = clip.frames.shape[1:3]
        side = 1 << (max(height, width) - 1).bit_length()
        generator = draws.video()
        fog = plasma(key(generator), self.decay)
        (turn,) = uniforms(generator, 1).tolist()
        # Units of the map that pass over the upper left pixel in a second, down and across.
        pace = self.speed * min(height, width) * SIDE * UNIT / side
        down, across = pace * math.sin(2 * math.pi * turn), pace * math.cos(2 * math.pi * turn)

        def corrupt(source: Frame, out: Frame, slot: int) -> None:
            time = float(clip.times[slot])
            add_fog(source, fog, side, (round(down * time), round(across * time)), self.strength, out)

        return on_frames(clip, hit, corrupt)
