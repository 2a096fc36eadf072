"""A video reference and a frame setting in, a clip out: which frames, and who decodes them."""

from __future__ import annotations

import importlib.util
import stat
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import DecodeError, UsageError
from harness.sampling import Sampling
from harness.types import Clip, Video
from harness.video import by_decord, by_pyav, pictures
from harness.video.timeline import Choice, Decoded

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from harness.video.timeline import Times

DEFAULT_DECODER = "pyav"


def decode(video: Video, sampling: Sampling, decoder: str = DEFAULT_DECODER) -> Clip:
    """Decode the frames that ``sampling`` chooses, at native resolution, rotation applied.

    Positions count the frames between ``video.start`` and ``video.end`` (seconds) when given.
    Raises DecodeError when the file is missing, empty or holds no video, or when a chosen frame is
    damaged or lies past the end of a file that was cut short; UsageError when the decoder is unknown
    or not installed.
    """
    return _decode(video, lambda times, fps: _choose(video, sampling, times, fps), decoder)


def decode_windows(
    video: Video, sampling: Sampling, seconds: float, decoder: str = DEFAULT_DECODER
) -> tuple[Clip, list[npt.NDArray[np.int64]]]:
    """Decode, for each frame that ``sampling`` chooses, that frame and those up to ``seconds`` before it.

    Returns the clip of all these frames, each once, and per chosen frame the positions in the clip of
    its window, oldest first: those with time in (t - seconds, t], so at least the frame itself.
    Raises like ``decode``.
    """
    import numpy as np

    chosen: list[int] = []
    first: list[int] = []

    def choose(times: Times, fps: float) -> list[int]:
        chosen[:] = _choose(video, sampling, times, fps)
        # A microsecond of slack: 0.7 - 0.3 must not let in the frame at 0.4 by rounding.
        starts = np.searchsorted(times, times[chosen] - seconds + 1e-6, side="right")
        first[:] = np.minimum(starts, chosen).tolist()
        return sorted({j for i, start in zip(chosen, first, strict=True) for j in range(start, i + 1)})

    clip = _decode(video, choose, decoder)
    spots = np.searchsorted(clip.indices, [first, chosen])
    return clip, [np.arange(start, end + 1) for start, end in spots.T]


def check_decoder(decoder: str) -> None:
    """Raise UsageError unless ``decoder`` is known and installed; imports nothing."""
    if decoder not in _DECODERS:
        raise UsageError(f"unknown decoder {decoder!r}: choose {' or '.join(_DECODERS)}")
    if decoder == "decord" and importlib.util.find_spec("decord") is None:
        raise UsageError("decord is not installed: pip install 'vidharness[decord]', or --decoder pyav")


def _decode(video: Video, choose: Choice, decoder: str) -> Clip:
    check_decoder(decoder)
    try:
        found = video.path.stat()
        if video.fps is not None and stat.S_ISDIR(found.st_mode):
            return _clip(pictures.decode(video.path, video.fps, choose))
        if not stat.S_ISREG(found.st_mode):
            # Opening a named pipe would wait for somebody to write to it.
            raise DecodeError(f"{video.path.name} is no file that holds a video")
        if found.st_size == 0:
            raise DecodeError(f"{video.path.name} is empty")
    except OSError as error:
        raise DecodeError(f"{video.path.name} cannot be opened: {error.strerror}") from error
    try:
        decoded = _DECODERS[decoder](video.path, choose)
    except MemoryError as error:
        raise DecodeError(f"{video.path.name} needs more memory than there is") from error
    return _clip(decoded)


def _clip(decoded: Decoded) -> Clip:
    import numpy as np

    indices = np.array(decoded.indices, np.int64)
    notes: dict[str, Any] = {}
    repeated = len(indices) - len(set(decoded.indices))
    if repeated:
        notes["repeated_frames"] = repeated
    return Clip(decoded.frames, decoded.times[indices], indices, decoded.fps, notes)


def _choose(video: Video, sampling: Sampling, times: Times, fps: float) -> list[int]:
    """Frame positions in the file: the sampling rule over the part between start and end."""
    import numpy as np

    first, last = 0, len(times)
    if video.start is not None:
        first = min(int(np.searchsorted(times, video.start)), len(times) - 1)
    if video.end is not None:
        last = int(np.searchsorted(times, video.end))
    last = max(last, first + 1)
    return [first + i for i in sampling.indices(last - first, fps)]


_DECODERS: Mapping[str, Callable[[Path, Choice], Decoded]] = {
    "pyav": by_pyav.decode,
    "decord": by_decord.decode,
}
