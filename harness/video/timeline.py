"""When each frame of a file is shown, and which packet holds it: read from the packets, not decoded.

Headers lie or are missing; packets are what the decoder will get. Packets are numbered in file order
(the order they are decoded in), frames in the order they are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.video.opening import Opened, packets_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frames

    Times = npt.NDArray[np.float64]
    """float64 [N]: seconds from the first frame of the file, ascending."""

_LONGEST = 30 * 24 * 3600.0
"""Seconds that a video may last."""

Choice = Callable[["Times", float], list[int]]
"""From the times of all frames and the frame rate to the positions wanted, ascending."""


class Surprise(Exception):  # noqa: N818
    """The packets of a file do not say which frames come out of it: it must be decoded to know."""


class OtherPackets(Surprise):
    """The packets read are not those that were listed."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The wanted frames of a file, uint8 [T, H, W, 3] RGB; ``times`` are those of all its frames."""

    frames: Frames
    indices: list[int]
    times: Times
    fps: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """The packets of a stream and the frames they hold.

    pts, sizes: int64 [P], time stamp and bytes of each packet. keys: numbers of the packets that
    decoding can start at, ascending. hidden: packets decoded but not shown. packets: int64 [N], the
    packet of each frame, or -1 where the file was cut before it. times: float64 [N], seconds from the
    first frame. fps: frames a second.
    """

    pts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    keys: tuple[int, ...]
    hidden: frozenset[int]
    packets: npt.NDArray[np.int64]
    times: Times
    fps: float


@dataclass(frozen=True, slots=True)
class Packets:
    """Time stamp and bytes of each packet in file order; which are keyframes, and which not shown."""

    stamps: list[int | None]
    sizes: list[int]
    keys: list[int]
    hidden: list[int]


def read_packets(opened: Opened) -> Packets:
    """Go through the whole file, without decoding."""
    found = Packets([], [], [], [])
    for number, packet in enumerate(packets_of(opened)):
        if packet.is_keyframe:
            found.keys.append(number)
        if packet.is_discard:
            found.hidden.append(number)
        found.stamps.append(packet.pts)
        found.sizes.append(packet.size)
    return found


def timeline_of(found: Packets, opened: Opened) -> Timeline:
    """The frames that the packets hold, in the order shown.

    Raises Surprise when time stamps are missing or repeated, when they cannot be those of the frames,
    or when the stream does not begin with a keyframe; then the frames must be counted by decoding.
    Raises ValueError when they span more than a month.
    """
    import numpy as np

    container, stream = opened
    if None in found.stamps:
        raise Surprise("packets without a time stamp")
    pts = np.array(found.stamps, np.int64)
    packets = np.setdiff1d(np.arange(len(pts)), np.array(found.hidden, np.int64))
    packets = packets[np.argsort(pts[packets], kind="stable")]
    shown = pts[packets]
    if (np.diff(shown) == 0).any():
        raise Surprise("two packets with the same time stamp")
    if len(shown) and (found.keys[:1] != [0] or shown[0] < pts[0]):
        raise Surprise("frames before the first keyframe")
    if container.format.name == "avi" and stream.codec_context.has_b_frames and (np.diff(pts) > 0).all():
        # AVI says when packets are decoded, not when they are shown.
        raise Surprise("frames in another order than their time stamps")
    base = stream.time_base
    # Multiplied before it is divided: exact integers, rounded once.
    times = checked((shown - shown[:1]) * base.numerator / base.denominator)
    return Timeline(
        pts=pts,
        sizes=np.array(found.sizes, np.int64),
        keys=tuple(found.keys),
        hidden=frozenset(found.hidden),
        packets=packets,
        times=times,
        fps=frame_rate(stream, times),
    )


def checked(times: Times) -> Times:
    """The same times. Raises ValueError when they make no sense, as those of damaged tables."""
    if len(times) and not 0 <= times[-1] <= _LONGEST:
        raise ValueError(f"its time stamps make no sense, the last is at {times[-1]:.0f} seconds")
    return times


def frame_rate(stream: Any, times: Times) -> float:
    """Frames a second: as the header says where the times bear it out, else as they say."""
    told = float(stream.average_rate or stream.guessed_rate or 25)
    if len(times) < 2 or times[-1] <= 0:
        return told
    measured = (len(times) - 1) / float(times[-1])
    return told if abs(told / measured - 1) < 0.05 else measured


def with_lost(times: Times, fps: float, count: int) -> Times:
    """Times with those of ``count`` more frames behind the last, at the frame rate."""
    import numpy as np

    last = times[-1] if len(times) else 0.0
    return np.append(times, last + np.arange(1, count + 1) / fps)
