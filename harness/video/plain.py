"""Decoding a file from its beginning, frame after frame: what always works, and what all else must equal.

For files whose packets do not say which frames come out of them: raw streams without time stamps,
streams that begin in the middle, containers that store another order. The frames are counted in a first
pass and taken in a second, by one thread, since only then is it certain which packet an error belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.video.canvas import Canvas, Painter
from harness.video.cut import frames_before_cut
from harness.video.opening import Opened, open_video, packets_of
from harness.video.timeline import checked, frame_rate, with_lost

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.video.timeline import Times

_REORDERED = 16
"""Frames that a decoder may give out before one that it decoded earlier."""


def count_frames(path: Path) -> tuple[Times, float, npt.NDArray[np.bool_]]:
    """The times of all frames that come out of a file, the frame rate, and which cannot be had.

    Those are the damaged ones, all that may refer to one, and those behind the end of a file that was
    cut short. A frame without a time stamp is shown a tick of the frame rate after the one before it.
    Raises what PyAV raises, and ValueError when the time stamps make no sense.
    """
    import numpy as np

    seconds: list[float] = []
    keys: list[int] = []
    errors: list[int] = []
    with open_video(path) as opened:
        stream = opened.stream
        tick = 1 / float(stream.average_rate or 25)
        for frame, damaged in _frames(opened):
            if damaged:
                errors.append(len(seconds))
            elif frame.key_frame:
                keys.append(len(seconds))
            if frame is not None and frame.pts is not None:
                seconds.append(float(frame.pts * stream.time_base))
            else:
                seconds.append(seconds[-1] + tick if seconds else 0.0)
        times = checked(np.sort(np.array(seconds)) - min(seconds, default=0.0))
        fps = frame_rate(stream, times)
        lost = max(0, frames_before_cut(path, opened, len(seconds), fps) - len(seconds))
    unusable = np.zeros(len(times), bool)
    for error in errors:
        end = next((key for key in keys if key > error + _REORDERED), len(times))
        unusable[max(0, error - _REORDERED) : end] = True
    return with_lost(times, fps, lost), fps, np.append(unusable, np.ones(lost, bool))


def read_frames(path: Path, canvas: Canvas) -> None:
    """Put the frames that ``canvas`` misses (names are positions). Raises what PyAV raises."""
    painter = Painter()
    wanted = set(canvas.missing)
    with open_video(path) as opened:
        for position, (frame, _) in enumerate(islice(_frames(opened), max(wanted) + 1)):
            if position in wanted:
                canvas.put(position, painter.pixels(frame))


def _frames(opened: Opened) -> Iterator[tuple[Any, bool]]:
    """All frames in the order the decoder gives them, and whether there is damage at that place.

    None stands in place of a frame that it cannot decode.
    """
    from av.error import FFmpegError

    decoder = opened.stream.codec_context
    decoder.thread_count = 1
    broken = False
    for packet in chain(packets_of(opened), [None]):
        broken = broken or (packet is not None and packet.is_corrupt)
        try:
            for frame in decoder.decode(packet):
                yield frame, broken or frame.is_corrupt
                broken = False
        except FFmpegError:
            yield None, True
