"""How large a clip will be, from what the head of its file says."""

from __future__ import annotations

from math import ceil
from typing import Any

from harness.errors import DecodeError
from harness.sampling import Sampling
from harness.types import Video
from harness.video import pictures
from harness.video.opening import open_container

_SECONDS = 10.0
"""For which a file may take to open, before it counts as one that cannot be opened."""


def foresee(video: Video, sampling: Sampling, window: float = 0.0) -> tuple[int, int, int] | None:
    """Frames, height and width of the clip that ``sampling`` gives (before rotation); 0 if it cannot open.

    window: seconds before each frame whose frames are decoded as well, as by ``decode_windows``.
    None where the head does not say. Heads know the size of the pictures, and err by a few frames about
    their number. Reads no more than a player does before it shows anything: about a millisecond.
    """
    import av

    if video.fps is not None and video.path.is_dir():
        return _of_pictures(video, video.fps, sampling, window)
    if not video.path.is_file():  # opening a named pipe would wait for somebody to write to it
        return 0, 0, 0
    try:
        with open_container(video.path, timeout=_SECONDS) as container:
            stream: Any = container.streams.best("video")
            if stream is None:
                return 0, 0, 0
            height, width = stream.height, stream.width
            fps = float(stream.average_rate or stream.guessed_rate or 25)
            end = max(float(container.duration or 0) / av.time_base, stream.frames / fps)
    except (av.error.FFmpegError, OSError, ValueError):
        return 0, 0, 0
    if not width or not height or (sampling.fps is not None and not end):
        return None
    return _count(video, sampling, window, end, fps), height, width


def _of_pictures(video: Video, fps: float, sampling: Sampling, window: float) -> tuple[int, int, int]:
    try:
        paths = pictures.listed(video.path)
        height, width = pictures.read(paths[0]).shape[:2]
    except (DecodeError, OSError, IndexError):
        return 0, 0, 0
    return _count(video, sampling, window, len(paths) / fps, fps), height, width


def _count(video: Video, sampling: Sampling, window: float, end: float, fps: float) -> int:
    seconds = min(end, video.end or end) - (video.start or 0.0)
    chosen = sampling.indices(max(1, round(seconds * fps)), fps)
    if not window:
        return len(chosen)
    first = round((video.start or 0.0) * fps)
    # The frame that is exactly as old as the window is long is not in it.
    back = max(1, ceil(window * fps - 1e-3))
    shown = (first + number for number in chosen)
    return len({other for number in shown for other in range(max(0, number - back + 1), number + 1)})
