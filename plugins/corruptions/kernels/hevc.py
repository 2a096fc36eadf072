"""HEVC and back, in memory, by libx265 and FFmpeg's decoder."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from harness.types import Frames

ENCODER = "libx265"
_LEAST_SIDE = 64
"""Below 16 pixels the encoder refuses pictures, and below 64 it writes beyond its own buffers."""
_SETTINGS = "pools=none:frame-threads=1:keyint=-1:scenecut=0:log-level=none"
"""One thread, for the bytes must not depend on their number; one key frame, at the beginning."""
_NAME = re.compile(rb"x265 \(build \d+\)[^:]*")


def available() -> bool:
    """Whether this FFmpeg has the encoder."""
    return ENCODER in av.codecs_available


def encoder_name() -> str:
    """Which libx265 this is, as it signs its streams, e.g. ``x265 (build 216) - 4.2``: its bytes differ."""
    encoder = _encoder(_LEAST_SIDE, _LEAST_SIDE, 51)
    frame = av.VideoFrame(_LEAST_SIDE, _LEAST_SIDE, "yuv420p")
    frame.pts = 0
    signed = _NAME.search(
        b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    )
    return signed.group().decode() if signed else f"libavcodec {av.library_versions['libavcodec']}"


def recompress(frames: Frames, crf: int) -> Frames:
    """All frames as one HEVC stream, 8 bits, 4:2:0, preset ultrafast, leaves them: a new array.

    frames: uint8 [T, H, W, 3]. crf: the encoder's constant rate factor, 0 to 51. Sides that are odd
    or below 64 pixels are filled up with the outermost pixels for the encoder and cut off again.
    """
    count, height, width = frames.shape[:3]
    rows, columns = (max(_LEAST_SIDE, side + side % 2) for side in (height, width))
    encoder = _encoder(columns, rows, crf)
    decoder = av.CodecContext.create("hevc", "r")
    decoder.thread_count = 1
    result = np.empty((count, height, width, 3), np.uint8)
    missing = set(range(count))

    def read(packet: av.Packet | None) -> None:
        for decoded in decoder.decode(packet):
            result[decoded.pts] = decoded.to_ndarray(format="rgb24")[:height, :width]
            missing.discard(decoded.pts)

    for number, frame in enumerate(frames):
        padded = np.pad(frame, ((0, rows - height), (0, columns - width), (0, 0)), "edge")
        picture = av.VideoFrame.from_ndarray(padded, format="rgb24").reformat(format="yuv420p")
        picture.pts = number
        for packet in encoder.encode(picture):
            read(packet)
    for packet in encoder.encode(None):
        read(packet)
    read(None)
    if missing:
        raise ValueError(f"{ENCODER} lost frames {sorted(missing)}")
    return result


def _encoder(width: int, height: int, crf: int) -> av.VideoCodecContext:
    encoder = av.CodecContext.create(ENCODER, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"preset": "ultrafast", "crf": str(crf), "x265-params": _SETTINGS}
    return encoder
