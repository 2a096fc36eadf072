"""The ways to decode that are compared: each takes a file and frame positions and gives RGB frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from harness.video import by_pyav

Frames = npt.NDArray[np.uint8]
Way = Callable[[Path, Sequence[int]], Frames]

THREADS = 2
OURS = "vidharness"


def ways() -> dict[str, Way]:
    """Ours, and those of the others that are installed."""
    found: dict[str, Way] = {OURS: ours, "PyAV seeking": pyav_seeking}
    if find_spec("decord"):
        found["decord"] = decord
    return found


def ours(path: Path, positions: Sequence[int]) -> Frames:
    return by_pyav.decode(path, lambda *_: list(positions)).frames


def pyav_seeking(path: Path, positions: Sequence[int]) -> Frames:
    """What one writes with PyAV: the packets' times, then a seek for each keyframe that is needed."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        stamps = sorted(packet.pts for packet in packets)
        keys = sorted(packet.pts for packet in packets if packet.is_keyframe)
        stream.thread_type, stream.codec_context.thread_count = "FRAME", THREADS
        found = {}
        wanted = [stamps[position] for position in positions]
        for _, group in groupby(wanted, lambda stamp: max(key for key in keys if key <= stamp)):
            pending = set(group)
            container.seek(min(pending), stream=stream)
            for frame in container.decode(stream):
                if frame.pts in pending:
                    found[frame.pts] = frame.to_ndarray(format="rgb24")
                    pending.discard(frame.pts)
                if not pending:
                    break
        return np.stack([found[stamp] for stamp in wanted])


def decord(path: Path, positions: Sequence[int]) -> Frames:
    from decord import VideoReader

    frames: Frames = VideoReader(str(path), num_threads=THREADS).get_batch(list(positions)).asnumpy()
    return frames
