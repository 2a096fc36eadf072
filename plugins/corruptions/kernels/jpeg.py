"""JPEG and back, by the encoder and decoder that OpenCV carries (libjpeg-turbo)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.types import Frame


def encode(source: Frame, quality: int) -> npt.NDArray[np.uint8]:
    """uint8 [n]: the bytes of a baseline JPEG file, 4:2:0. quality: libjpeg's, 1 to 100."""
    settings = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    ]
    encoded, data = cv2.imencode(".jpg", cv2.cvtColor(source, cv2.COLOR_RGB2BGR), settings)
    if not encoded:
        raise ValueError(f"OpenCV cannot write a JPEG of {source.shape[1]}x{source.shape[0]} pixels")
    return data


def recompress(source: Frame, quality: int, out: Frame) -> None:
    """out = source as JPEG leaves it."""
    decoded = cv2.imdecode(encode(source, quality), cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError("OpenCV cannot read the JPEG it wrote")
    cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, dst=out)
