"""From a video file to a clip: the only place that decodes.

PyAV (FFmpeg) is the default; decord is an option that returns the same frame positions. The frames are
those that decoding the whole file from its beginning would give, bit for bit; ``quick`` reaches them
without decoding what they do not need, and where a file does not behave as its packets promise,
``plain`` decodes it from the beginning after all.
"""

from __future__ import annotations

from harness.video.clips import DEFAULT_DECODER, check_decoder, decode, decode_windows
from harness.video.digest import content_digest
from harness.video.foresight import foresee
from harness.video.processes import Decoding, Here, decoding

__all__ = [
    "DEFAULT_DECODER",
    "Decoding",
    "Here",
    "check_decoder",
    "content_digest",
    "decode",
    "decode_windows",
    "decoding",
    "foresee",
]
