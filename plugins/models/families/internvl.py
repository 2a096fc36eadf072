"""InternVL3 and InternVL3.5 in their transformers form: each frame of a clip is one tile under its number.

Source: the model cards of OpenGVLab/InternVL3-8B and OpenGVLab/InternVL3-8B-hf, whose video examples show
"Frame1: <image>" and so on, each frame resized to one tile; images are cut into up to twelve.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .piecewise import Piecewise


class InternVL(Piecewise):
    """The processor writes the numbers of the frames."""

    whole: Mapping[str, Any] = {"crop_to_patches": False}
