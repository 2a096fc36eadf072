"""Decoding with decord, for those who compare with results made with it.

PyAV says which frames a file holds and when they are shown, so positions and times are the same with
both; decord gives the pixels, bit-equal for 8-bit progressive video (10-bit and interlaced video it
converts in its own way). It is read from the first frame on: where it seeks or skips, it gives wrong
frames of files with open groups of pictures, temporal layers or edit lists, of AVI, WMV and MPEG
program streams. MPEG transport streams it reads wrongly from the start (refused), AV1 and raw streams not
at all, and it does not say when a frame is damaged.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DecodeError
from harness.video import plain
from harness.video.by_pyav import frames_of, lost_frame, threads
from harness.video.canvas import Canvas
from harness.video.opening import open_video
from harness.video.timeline import Choice, Decoded, Surprise

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.video.timeline import Times


def decode(path: Path, choose: Choice) -> Decoded:
    """The frames that ``choose`` picks. Raises DecodeError."""
    import av
    import decord

    try:
        times, fps, there = _frames(path)
        indices = choose(times, fps)
        for index in indices:
            if not there[index]:
                raise lost_frame(path, index, len(times))
        canvas = Canvas(indices)
        reader = decord.VideoReader(str(path), num_threads=threads())
        for index in range(max(indices) + 1):
            frame = reader.next()
            if index in indices:
                canvas.put(index, frame.asnumpy())
    except StopIteration as error:
        raise lost_frame(path, canvas.missing[0], len(times)) from error
    except (av.error.FFmpegError, decord.DECORDError, RuntimeError, OSError, ValueError) as error:
        # decord begins with the time and the place in its own source, and goes on with a stack trace.
        reason = re.sub(r"^\[[\d:]+\] \S+:\d+: ", "", str(error).strip().partition("\n")[0])
        raise DecodeError(
            f"{path.name} cannot be decoded by decord, try --decoder pyav ({reason})"
        ) from error
    return Decoded(canvas.frames, indices, times, fps)


def _frames(path: Path) -> tuple[Times, float, npt.NDArray[np.bool_]]:
    """Times of all frames, the frame rate, and which frames are in the file. Raises DecodeError."""
    with open_video(path) as opened:
        if opened.container.format.name == "mpegts":
            raise DecodeError(
                f"{path.name} is an MPEG transport stream, of which decord gives wrong frames: "
                "use --decoder pyav"
            )
        try:
            timeline = frames_of(path, opened)
            return timeline.times, timeline.fps, timeline.packets >= 0
        except Surprise:
            times, fps, unusable = plain.count_frames(path)
            return times, fps, ~unusable
