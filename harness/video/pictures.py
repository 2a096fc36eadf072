"""A folder of numbered pictures in place of a video, as data sets publish what they may not show as film."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DecodeError
from harness.video.canvas import Canvas
from harness.video.timeline import Choice, Decoded

if TYPE_CHECKING:
    from harness.types import Frame

_NUMBERED = re.compile(r".*?(\d+)\.(?:jpe?g|png|webp)", re.IGNORECASE)


def listed(folder: Path) -> list[Path]:
    """The pictures in the order of the last number in their names. Raises OSError."""
    found = [(match, path) for path in folder.iterdir() if (match := _NUMBERED.fullmatch(path.name))]
    return [path for _, path in sorted(found, key=lambda item: (int(item[0][1]), item[1].name))]


def decode(folder: Path, fps: float, choose: Choice) -> Decoded:
    """The pictures that ``choose`` picks; picture i, from 0, is shown at i / fps seconds.

    Raises OSError, and DecodeError when there are none, or one cannot be read or has another size.
    """
    import numpy as np

    paths = listed(folder)
    if not paths:
        raise DecodeError(f"{folder.name} is no file that holds a video, and no folder of numbered pictures")
    times = np.arange(len(paths)) / fps
    indices = choose(times, fps)
    canvas = Canvas(indices)
    try:
        for index in canvas.missing:
            canvas.put(index, read(paths[index]))
    except ValueError as error:
        raise DecodeError(f"{folder.name} cannot be shown: {error}") from error
    return Decoded(canvas.frames, indices, times, fps)


def read(path: Path) -> Frame:
    """uint8 [H, W, 3] RGB. Raises OSError, and DecodeError when it is no picture."""
    import cv2
    import numpy as np

    data = np.fromfile(path, np.uint8)
    # OpenCV says of some damage that it is an error, of other damage nothing.
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise DecodeError(f"{path.parent.name}/{path.name} is no picture")
    return np.ascontiguousarray(pixels[:, :, ::-1], np.uint8)
