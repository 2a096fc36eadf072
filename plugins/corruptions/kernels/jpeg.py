"""JPEG and back, by libjpeg-turbo. simplejpeg reads and writes RGB in place; OpenCV swaps and copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import simplejpeg

if TYPE_CHECKING:
    from harness.types import Frame


def encode(source: Frame, quality: int) -> bytes:
    """A baseline JPEG file, 4:2:0. quality: libjpeg's, 1 to 100. ``source`` is contiguous.

    Raises ValueError for a frame of more than 65535 pixels in a direction: JPEG has no number for it.
    """
    data: bytes = simplejpeg.encode_jpeg(source, quality, colorspace="RGB", colorsubsampling="420")
    return data


def recompress(source: Frame, quality: int, out: Frame) -> None:
    """out = source as JPEG leaves it. Both are contiguous."""
    data = encode(source, quality)
    simplejpeg.decode_jpeg(data, colorspace="RGB", fastdct=False, fastupsample=False, buffer=out)
