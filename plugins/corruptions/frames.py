"""The walk over a clip that most noises share: hit frames go through a function, the rest are copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness import Clip

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.types import Frame, Frames


def on_frames(clip: Clip, hit: npt.NDArray[np.int64], corrupt: Callable[[Frame, Frame, int], None]) -> Clip:
    """A new clip in which ``corrupt(source, out, slot)`` has written every hit frame.

    source: the frame at ``slot`` of the input, uint8 [H, W, 3], C-contiguous and read-only, whatever
    the memory of the clip is like, so that compiled code meets one type of array only. out: where
    the result goes, same shape, C-contiguous, uninitialised. Frames are independent of each other.
    """
    result = np.empty(clip.frames.shape, np.uint8)
    chosen = frozenset(hit.tolist())
    for slot, frame in enumerate(clip.frames):
        if slot in chosen:
            source = np.ascontiguousarray(frame)
            source.flags.writeable = False  # of this view, not of the clip
            corrupt(source, result[slot], slot)
        else:
            result[slot] = frame
    return replace(clip, frames=result)


def scale(frames: Frames, reference: float) -> float:
    """What a length in pixels, stated for a short side of ``reference``, is multiplied by here.

    A reference of 0 means that the length is meant in pixels of whatever frame it meets.
    """
    return min(frames.shape[1:3]) / reference if reference else 1.0
