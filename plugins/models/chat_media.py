"""Frames as chat servers take them: as an image each, as one video, or as a sequence of images.

What is sent can be decoded to the very pixels that were given, except for JPEG and ``yuv420``.
"""

from __future__ import annotations

from base64 import b64encode
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from harness import Clip

if TYPE_CHECKING:
    from harness.types import Frame, Frames

ImageFormat = Literal["png", "jpeg"]
VideoFormat = Literal["rgb", "yuv420"]
JPEG_QUALITY = 95
VIDEO_QUALITY = 12
"""x264's CRF of ``yuv420``: 0 is lossless but for the colours, 18 hardly visible."""
_BT601 = 6
"""FFmpeg's AVCOL_SPC_SMPTE170M, what its conversion from RGB makes."""


def data_url(frame: Frame, image_format: ImageFormat = "png", long_side: int | None = None) -> str:
    """A frame (uint8 [H, W, 3] RGB) as a ``data:`` URL; PNG keeps every bit of the pixels sent.

    ``long_side`` scales down by area averaging and never up.
    """
    return f"data:image/{image_format};base64,{_image(shrunk(frame, long_side), image_format)}"


def sequence_url(frames: Frames, image_format: ImageFormat = "png", long_side: int | None = None) -> str:
    """Frames (uint8 [T, H, W, 3] RGB) as the list of images that vLLM and LMDeploy take for a video.

    Both call it ``video/jpeg`` and open each image by what it holds, be it JPEG or PNG.
    """
    images = (_image(shrunk(frame, long_side), image_format) for frame in frames)
    return f"data:video/jpeg;base64,{','.join(images)}"


def sequence_timing(clip: Clip, places: bool = True) -> dict[str, Any]:
    """When a clip's frames were, in the words of vLLM and LMDeploy; all of them are to be used.

    places: as places in their video at its own rate, which vLLM takes; else as the rate of the frames.
    """
    if not places:
        return {"num_frames": -1, "fps": sampled_rate(clip)}
    # A frame of a short video may be there several times; vLLM wants no fewer in the video than are sent.
    total = max(int(clip.indices.max()) + 1, len(clip.indices))
    return {
        "num_frames": -1,
        "fps": clip.fps,
        "frames_indices": clip.indices.tolist(),
        "total_num_frames": total,
        "duration": total / clip.fps,
        "do_sample_frames": False,
    }


def video_url(
    clip: Clip, video_format: VideoFormat = "rgb", fps: float | None = None, long_side: int | None = None
) -> str:
    """A clip as one H.264 video in MP4, a ``data:`` URL; a frame of it for each of the clip.

    fps: frames a second, by default as many as were sampled.
    """
    frames = [shrunk(frame, long_side) for frame in clip.frames]
    encoded = encode_video(frames, sampled_rate(clip) if fps is None else fps, video_format)
    return f"data:video/mp4;base64,{b64encode(encoded).decode()}"


def sampled_rate(clip: Clip) -> float:
    """Frames a second between the first and the last one of a clip; 1.0 where that says nothing."""
    span = float(clip.times[-1] - clip.times[0])
    return (len(clip.times) - 1) / span if span > 0 else 1.0


def encode_video(frames: list[Frame], fps: float, video_format: VideoFormat) -> bytes:
    """Frames of one size (uint8 [H, W, 3] RGB) as H.264 in MP4.

    ``rgb`` is lossless: the profile High 4:4:4 Predictive with RGB planes, which FFmpeg and what is built
    on it decode. ``yuv420`` is what everything decodes: colours at half resolution, and lossy; a side of an
    odd length is made even by repeating its last pixels.
    """
    import av
    import numpy as np

    height, width = frames[0].shape[:2]
    exact = video_format == "rgb"
    even = (0, 0) if exact else (height % 2, width % 2)
    # Lossless, slower presets save a tenth of the bytes for six times the time.
    quality = (
        {"preset": "ultrafast", "qp": "0"} if exact else {"preset": "veryfast", "crf": str(VIDEO_QUALITY)}
    )
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        rate = Fraction(fps).limit_denominator(100_000)
        stream: Any = container.add_stream("libx264rgb" if exact else "libx264", rate=rate)
        stream.height, stream.width = height + even[0], width + even[1]
        stream.pix_fmt = "rgb24" if exact else "yuv420p"
        if not exact:
            # Said, lest a decoder take large frames for BT.709.
            stream.codec_context.colorspace = _BT601
        stream.options = {**quality, "threads": "1"}  # many clips are encoded at once
        for frame in frames:
            padded = np.pad(frame, ((0, even[0]), (0, even[1]), (0, 0)), mode="edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(padded, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def shrunk(frame: Frame, long_side: int | None) -> Frame:
    """The frame with at most ``long_side`` pixels on its longer side, by area averaging."""
    import cv2
    import numpy as np

    height, width = frame.shape[:2]
    if long_side is None or max(height, width) <= long_side:
        return frame
    scale = long_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _image(frame: Frame, image_format: ImageFormat) -> str:
    import cv2

    settings = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if image_format == "jpeg" else []
    _, encoded = cv2.imencode(f".{image_format}", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), settings)
    return b64encode(encoded.tobytes()).decode()
