"""Where decoded frames are put: one array, filled from several threads."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.types import Frame, Frames


class Canvas:
    """Room for the frames called ``names`` (packet numbers, or positions), in that order.

    A name may come more than once. The array is made when the first frame shows how large they are.
    """

    def __init__(self, names: Sequence[int]) -> None:
        self._slots: dict[int, list[int]] = {}
        for slot, name in enumerate(names):
            self._slots.setdefault(name, []).append(slot)
        self._count = len(names)
        self._missing = set(names)
        self._lock = Lock()
        self._frames: Frames | None = None

    @property
    def missing(self) -> list[int]:
        """The names of the frames that are not there, ascending."""
        return sorted(self._missing)

    @property
    def frames(self) -> Frames:
        """uint8 [T, H, W, 3] RGB, in the order of the names; only once nothing is missing."""
        assert self._frames is not None
        assert not self._missing
        return self._frames

    def put(self, name: int, pixels: Frame) -> None:
        """Copy a frame to its places. Raises ValueError when its size is not that of the others."""
        import numpy as np

        with self._lock:
            if self._frames is None:
                self._frames = np.empty((self._count, *pixels.shape), np.uint8)
            if pixels.shape != self._frames.shape[1:]:
                raise ValueError("the picture size changes within the video")
            self._missing.discard(name)
        for slot in self._slots[name]:
            self._frames[slot] = pixels


class Painter:
    """Turns FFmpeg's frames into RGB. One for each thread: it keeps the tables made for the last frame."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()

    def pixels(self, frame: Any) -> Frame:
        """uint8 [H, W, 3] RGB as a player shows it: the display matrix's quarter turns applied."""
        import numpy as np

        rgb = self._reformatter.reformat(frame, format="rgb24", threads=1)
        turns = round(float(frame.rotation) / 90)
        return np.rot90(np.asarray(rgb.to_ndarray(), np.uint8), turns)
