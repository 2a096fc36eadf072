"""Small videos of every kind, and the plain way to decode them: all frames from the first on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

HEIGHT, WIDTH = 64, 96
_BLOCKS = np.random.default_rng(0).integers(16, 240, (20, 24, 3), np.uint8)
_SCENE = np.kron(_BLOCKS, np.ones((8, 8, 1), np.uint8))


def picture(number: int) -> npt.NDArray[np.uint8]:
    """uint8 [64, 96, 3]: a pan over blocks of colour, different for every number up to 400."""
    down, right = int(40 + 40 * np.sin(number * 0.05)), int(44 + 44 * np.cos(number * 0.07))
    shown = _SCENE[down : down + HEIGHT, right : right + WIDTH].copy()
    shown[:8, :72] = np.repeat([255 * (number >> bit & 1) for bit in range(9)], 8)[None, :, None]
    return shown


def write(
    path: Path,
    count: int = 48,
    codec: str = "libx264",
    options: str = "",
    stamps: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 30),
    pix_fmt: str = "yuv420p",
    muxing: str = "",
    bit_rate: int = 0,
    title: str = "",
) -> Path:
    """A video of ``count`` pictures at 30 a second, or shown at ``stamps`` of ``time_base``.

    options: for the encoder, "name=value name=value"; muxing: the same for the container.
    """
    with av.open(str(path), "w", options=_pairs(muxing)) as container:
        container.metadata.update({"title": title} if title else {})
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
        stream.codec_context.time_base = time_base
        stream.codec_context.options = _pairs(options)
        if bit_rate:
            stream.codec_context.bit_rate = bit_rate
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts = number if stamps is None else stamps[number]
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def sequential(path: Path) -> list[npt.NDArray[np.uint8]]:
    """Every frame of a file in the order the decoder gives them: one thread, no seeking, upright."""
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        stream.codec_context.thread_count = 1
        return [
            np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4)
            for frame in container.decode(stream)
        ]


def _pairs(words: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words.split())


_X265 = "x265-params=log-level=none:keyint=16:min-keyint=16:scenecut=0"
_X265_OPEN = "x265-params=log-level=none:keyint=15:min-keyint=15:scenecut=0:bframes=4:b-adapt=0:open-gop=1"
_SVT = "preset=10 crf=40 svtav1-params=keyint=16"
_UNEVEN = tuple(int(stamp) for stamp in np.cumsum(np.random.default_rng(3).integers(1, 200, 48)))

WELL_BEHAVED: dict[str, dict[str, object]] = {
    "h264_b_frames.mp4": {"options": "g=16 bf=3"},
    "h264_no_b_frames.mp4": {"options": "g=16 bf=0"},
    "h264_many_b_frames.mp4": {"options": "g=16 bf=8 x264-params=b-adapt=0"},
    "h264_no_pyramid.mp4": {"options": "g=16 bf=3 x264-params=b-pyramid=none:b-adapt=0"},
    "h264_open_gop.mp4": {"options": "g=12 bf=3 x264-params=open-gop=1:b-adapt=0"},
    "h264_open_gop.mkv": {"options": "g=12 bf=3 x264-params=open-gop=1:b-adapt=0"},
    "h264_open_gop.ts": {"options": "g=12 bf=3 x264-params=open-gop=1:b-adapt=0"},
    "h264_interlaced.mp4": {"options": "g=16 x264-params=tff=1:bframes=3"},
    "h264_slices.mp4": {"options": "g=16 slices=4"},
    "h264_intra.mp4": {"options": "g=1"},
    "h264_one_keyframe.mp4": {"options": "g=9999 sc_threshold=0"},
    "h264_10_bits.mp4": {"options": "g=16", "pix_fmt": "yuv420p10le"},
    "h264_444.mp4": {"options": "g=16", "pix_fmt": "yuv444p"},
    "h264_fragments.mp4": {"options": "g=16", "muxing": "movflags=frag_keyframe+empty_moov"},
    "h264_negative_delays.mp4": {"options": "g=16", "muxing": "movflags=negative_cts_offsets"},
    "h264_no_edit_list.mp4": {"options": "g=16", "muxing": "use_editlist=0"},
    "h264_hidden_frames.mp4": {"options": "g=16", "stamps": range(-10, 38)},
    "h264_late_start.mp4": {"options": "g=16", "stamps": range(1000, 1048)},
    "h264_uneven.mp4": {"options": "g=16", "stamps": _UNEVEN, "time_base": Fraction(1, 1000)},
    "h264_uneven.mkv": {"options": "g=16", "stamps": _UNEVEN, "time_base": Fraction(1, 1000)},
    "h264_uneven.ts": {"options": "g=16", "stamps": _UNEVEN, "time_base": Fraction(1, 1000)},
    "h264.mov": {"options": "g=16"},
    "h264.flv": {"options": "g=16"},
    "h264_no_b_frames.avi": {"options": "g=16 bf=0"},
    "hevc.mp4": {"codec": "libx265", "options": f"{_X265}:open-gop=0"},
    "hevc_10_bits.mp4": {"codec": "libx265", "options": _X265, "pix_fmt": "yuv420p10le"},
    "hevc_open_gop.mp4": {"codec": "libx265", "options": _X265_OPEN},
    "hevc_open_gop.ts": {"codec": "libx265", "options": _X265_OPEN},
    "hevc_layers.mp4": {"codec": "libx265", "options": f"{_X265}:bframes=7:b-adapt=0:temporal-layers=3"},
    "hevc_layers.ts": {"codec": "libx265", "options": f"{_X265}:bframes=7:b-adapt=0:temporal-layers=3"},
    "av1.mp4": {"codec": "libsvtav1", "options": _SVT},
    "av1_low_delay.webm": {"codec": "libsvtav1", "options": f"{_SVT}:pred-struct=1"},
    "vp9.webm": {"codec": "libvpx-vp9", "options": "g=16 cpu-used=8 lag-in-frames=12 auto-alt-ref=1 crf=40"},
    "mpeg4.avi": {"codec": "mpeg4", "options": "bf=2 g=12", "bit_rate": 500_000},
    "mpeg4.mp4": {"codec": "mpeg4", "options": "bf=2 g=12", "bit_rate": 500_000},
    "mpeg2.ts": {"codec": "mpeg2video", "options": "bf=2 g=12", "bit_rate": 500_000},
    "mpeg2.mpg": {"codec": "mpeg2video", "options": "bf=2 g=12", "bit_rate": 500_000},
    "wmv2.wmv": {"codec": "wmv2", "options": "g=12", "bit_rate": 500_000},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "gif.gif": {"codec": "gif", "pix_fmt": "rgb8"},
}
"""Videos that can be decoded from their keyframes: file name -> how ``write`` makes it."""

MISLEADING: dict[str, dict[str, object]] = {
    "raw.h264": {"options": "g=16 bf=3"},
    "raw.hevc": {"codec": "libx265", "options": _X265},
    "h264_b_frames.avi": {"options": "g=16 bf=3"},
    "h264_refresh.mp4": {"options": "g=16 bf=0 intra-refresh=1"},
    "h264_refresh.ts": {"options": "g=16 bf=0 intra-refresh=1"},
    "repeated_stamps.mkv": {
        "options": "g=16 bf=0",
        "stamps": range(0, 48 * 6, 6),
        "time_base": Fraction(1, 10_000),
    },
}
"""Videos whose packets do not say which frame is shown when, or where decoding can start."""
