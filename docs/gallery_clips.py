"""The clips of the gallery: slow camera moves over photographs, and generated scenes.

The photographs come with scikit-image, inside its package, and are in the public domain, so that anyone
can make the same pictures anywhere and pass them on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from harness_plugins.datasets.shapes_render import FPS, render
from harness_plugins.datasets.shapes_scene import draw_scene

from harness import Clip

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frames

FRAMES = 8

Size = tuple[int, int]
"""Width and height in pixels."""
View = tuple[float, float, float]
"""What the camera sees of a photograph: the middle (x, y) and the width, in pixels of the photograph."""


@dataclass(frozen=True, slots=True)
class Move:
    """A camera move over one of scikit-image's photographs, evenly from ``start`` to ``end``.

    name: both of the photograph in ``skimage.data`` and, as a key, of the clip.
    """

    name: str
    credit: str
    start: View
    end: View

    def clip(self, size: Size) -> Clip:
        """The move as 8 frames of ``size``, one a second."""
        import skimage.data

        photograph = getattr(skimage.data, self.name)()
        views = np.linspace(self.start, self.end, FRAMES)
        return _clip(np.stack([_seen(photograph, view, size) for view in views]), 1.0)


ASTRONAUT = Move("astronaut", "Eileen Collins, by NASA, public domain", (222, 118, 300), (256, 146, 508))
ROCKET = Move("rocket", "Falcon 9 with DSCOVR, by SpaceX, public domain", (250, 280, 480), (390, 255, 420))
COFFEE = Move("coffee", "a cup of coffee, by Rachel Michetti, CC0", (240, 215, 400), (380, 190, 400))
CAT = Move("chelsea", "Chelsea the cat, by Stefan van der Walt, CC0", (225, 130, 440), (210, 120, 320))
PHOTOGRAPHS = (ASTRONAUT, ROCKET, COFFEE, CAT)

SCENES = (0, 5)
"""Numbers of the generated scenes: test videos of ShapesVideo, a bright and a dark one."""


def shapes(number: int) -> Clip:
    """8 frames, evenly spread, of a test video of ShapesVideo, as drawn (not encoded): 112 x 112."""
    frames = render(draw_scene("test", number))
    chosen = np.linspace(0, len(frames) - 1, FRAMES).round().astype(np.int64)
    return _clip(frames[chosen], FPS * (FRAMES - 1) / (len(frames) - 1))


def _clip(frames: Frames, rate: float) -> Clip:
    return Clip(frames, np.arange(len(frames)) / rate, np.arange(len(frames)), rate)


def _seen(photograph: Frames, view: npt.NDArray[np.float64], size: Size) -> npt.NDArray[np.uint8]:
    """uint8 [H, W, 3]: the part of the photograph that a view shows, at ``size``."""
    import cv2

    x, y, across = view.tolist()
    width, height = size
    step = across / width
    to_photograph = np.array([[step, 0, x - step * (width - 1) / 2], [0, step, y - step * (height - 1) / 2]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(photograph, to_photograph, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(seen, np.uint8)
