"""A folder of pictures that a texture may be cut from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from harness import UsageError

if TYPE_CHECKING:
    from harness.types import Frame

_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})
_MARGIN = 1.1
"""How much larger than the frame a picture is made, so that there is something to choose."""


def listed(folder: Path) -> list[Path]:
    """The pictures in a folder by name, at least one. Raises UsageError where there are none."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: give pictures= a folder with pictures")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS and path.is_file())
    if not found:
        raise UsageError(
            f"{folder} holds no pictures: put some there that end in {', '.join(sorted(_ENDINGS))}"
        )
    return found


def digest(folder: Path) -> str:
    """A hash of the pictures' bytes, in the order of their names. Raises UsageError like ``listed``."""
    total = blake2b(digest_size=16)
    for path in listed(folder):
        total.update(blake2b(path.read_bytes()).digest())
    return total.hexdigest()


def crop(folder: Path, height: int, width: int, draws: Sequence[float]) -> Frame:
    """uint8 [height, width, 3] RGB, a part of one of the pictures.

    draws: three numbers in 0..1, for the picture, the row and the column. A picture that is larger than
    the frame keeps its size but for a tenth. Raises UsageError for a file that is no picture.
    """
    import cv2
    import numpy as np

    paths = listed(folder)
    path = paths[int(draws[0] * len(paths))]
    data = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise UsageError(f"{path} cannot be read as a picture: replace it or take it out of the folder")
    factor = _MARGIN * max(1.0, height / picture.shape[0], width / picture.shape[1])
    size = (math.ceil(picture.shape[1] * factor), math.ceil(picture.shape[0] * factor))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    top = int(draws[1] * (large.shape[0] - height + 1))
    left = int(draws[2] * (large.shape[1] - width + 1))
    part = large[top : top + height, left : left + width]
    return np.ascontiguousarray(cv2.cvtColor(part, cv2.COLOR_BGR2RGB))
