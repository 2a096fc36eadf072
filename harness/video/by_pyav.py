"""Decoding with PyAV, FFmpeg's libraries: quickly where the file allows it, else from its beginning."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from harness.errors import DecodeError
from harness.video import plain, quick
from harness.video.canvas import Canvas
from harness.video.cut import frames_before_cut
from harness.video.opening import Opened, open_video
from harness.video.table import listed_packets
from harness.video.timeline import (
    Choice,
    Decoded,
    OtherPackets,
    Surprise,
    Timeline,
    read_packets,
    timeline_of,
    with_lost,
)

_MOST_THREADS = 8


def decode(path: Path, choose: Choice) -> Decoded:
    """The frames that ``choose`` picks. Raises DecodeError."""
    import av

    try:
        try:
            return _quickly(path, choose)
        except Surprise:
            return _plainly(path, choose)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise DecodeError(f"{path.name} cannot be decoded: {_reason(error)}") from error


def frames_of(path: Path, opened: Opened, listed: bool = True) -> Timeline:
    """The frames of a file, those counted in that were cut off.

    listed: by the tables of the file, where it has any to trust, else by going through its packets.
    Raises DecodeError when there are none, and Surprise.
    """
    import numpy as np

    packets = listed_packets(path, opened) if listed else None
    if packets is not None:
        return timeline_of(packets, opened)
    packets = read_packets(opened)
    timeline = timeline_of(packets, opened)
    found = len(timeline.packets)
    if not found:
        raise DecodeError(f"{path.name} holds no frames")
    lost = max(0, frames_before_cut(path, opened, len(packets.sizes), timeline.fps) - found)
    return replace(
        timeline,
        packets=np.append(timeline.packets, np.full(lost, -1)),
        times=with_lost(timeline.times, timeline.fps, lost),
    )


def _quickly(path: Path, choose: Choice) -> Decoded:
    try:
        return _by_keyframes(path, choose, listed=True)
    except OtherPackets:
        return _by_keyframes(path, choose, listed=False)


def _by_keyframes(path: Path, choose: Choice, listed: bool) -> Decoded:
    with open_video(path) as opened:
        timeline = frames_of(path, opened, listed)
        indices = choose(timeline.times, timeline.fps)
        names = timeline.packets[indices].tolist()
        if -1 in names:
            raise lost_frame(path, indices[names.index(-1)], len(timeline.packets))
        canvas = Canvas(names)
        quick.read_frames(path, opened, timeline, canvas, threads())
    return Decoded(canvas.frames, indices, timeline.times, timeline.fps)


def _plainly(path: Path, choose: Choice) -> Decoded:
    times, fps, unusable = plain.count_frames(path)
    if not len(times):
        raise DecodeError(f"{path.name} holds no frames")
    indices = choose(times, fps)
    for index in indices:
        if unusable[index]:
            raise lost_frame(path, index, len(times))
    canvas = Canvas(indices)
    plain.read_frames(path, canvas)
    return Decoded(canvas.frames, indices, times, fps)


def threads() -> int:
    """Threads for one video: this process's share of the processors it may use, at most 8."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("LOCAL_WORLD_SIZE", "")
    ranks = max(1, int(told)) if told.isdigit() else 1
    return min(_MOST_THREADS, max(1, processors // ranks))


def lost_frame(path: Path, index: int, total: int) -> DecodeError:
    """What to raise for a frame that cannot be had."""
    return DecodeError(f"{path.name} is damaged or cut short: frame {index} of {total} cannot be decoded")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
