"""Scenes of ShapesVideo as pixels, and pixels as H.264 files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .shapes_scene import SIDE, Scene, Shape

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame, Frames

FPS = 12
FRAMES = 24
SHIFT = 4
"""OpenCV takes coordinates as integers of 1/16 pixel, for smooth motion."""

PAINT = {
    "red": (225, 25, 35),
    "orange": (255, 135, 0),
    "yellow": (255, 235, 40),
    "green": (30, 165, 60),
    "blue": (30, 80, 245),
    "purple": (165, 40, 200),
}
GROUND = {"day": ((205, 225, 240), (165, 195, 220)), "night": ((12, 14, 40), (46, 50, 88))}
"""Light -> colour of the background, and of the stripes or dots on it."""


def render(scene: Scene) -> Frames:
    """The whole video: uint8 [FRAMES, SIDE, SIDE, 3] RGB."""
    import numpy as np

    ground = _ground(scene)
    for shape in scene.still:
        _draw(ground, shape, 0.0)
    frames = np.empty((FRAMES, SIDE, SIDE, 3), np.uint8)
    for number, frame in enumerate(frames):
        frame[:] = ground
        _draw(frame, scene.mover, number / (FRAMES - 1))
    return frames


def encode(frames: Frames, path: Path) -> None:
    """Write uint8 [T, H, W, 3] RGB, T >= 1, H and W even, as an H.264 mp4; equal frames give equal bytes.

    For that the encoder works in one thread and does not look ahead: x264's lookahead decides a little
    differently from call to call on pictures as small as ours (seen with build 165).
    """
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as file:
        stream = file.add_stream("libx264", rate=FPS)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"crf": "15", "preset": "superfast", "tune": "zerolatency"}
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode(None))


def _ground(scene: Scene) -> Frame:
    import cv2
    import numpy as np

    base, mark = GROUND[scene.light]
    ground = np.empty((SIDE, SIDE, 3), np.uint8)
    ground[:] = base
    if scene.style == "striped":
        for left in range(0, SIDE, 16):
            ground[:, left : left + 6] = mark
    elif scene.style == "dotted":
        for x in range(8, SIDE, 16):
            for y in range(8, SIDE, 16):
                cv2.circle(ground, (x, y), 3, mark, cv2.FILLED, cv2.LINE_AA)
    return ground


def _draw(frame: Frame, shape: Shape, moment: float) -> None:
    """Draw the shape as it stands at ``moment``, 0 at the first frame and 1 at the last."""
    import cv2
    import numpy as np

    start, end = np.array(shape.start), np.array(shape.end)
    centre = start + (end - start) * moment
    paint = PAINT[shape.colour]
    if shape.silhouette == "circle":
        x, y = _fixed(centre)
        cv2.circle(
            frame, (int(x), int(y)), round(shape.radius * 2**SHIFT), paint, cv2.FILLED, cv2.LINE_AA, SHIFT
        )
    else:
        outline = _fixed(centre + shape.radius * np.array(OUTLINES[shape.silhouette]))
        cv2.fillPoly(frame, [outline], paint, cv2.LINE_AA, SHIFT)


def _fixed(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Positions in OpenCV's fixed point. The middle of the first pixel is (.5, .5) here, (0, 0) there."""
    import numpy as np

    fixed: npt.NDArray[np.int32] = np.rint((points - 0.5) * 2**SHIFT).astype(np.int32)
    return fixed


ARM = 0.36
"""Half the width of the cross's arms, as a share of its radius."""

OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "triangle": ((0, -1), (1, 1), (-1, 1)),
    "cross": (
        (-ARM, -1),
        (ARM, -1),
        (ARM, -ARM),
        (1, -ARM),
        (1, ARM),
        (ARM, ARM),
        (ARM, 1),
        (-ARM, 1),
        (-ARM, ARM),
        (-1, ARM),
        (-1, -ARM),
        (-ARM, -ARM),
    ),
}
"""Corners of each silhouette in a box from -1 to 1, y pointing down."""
