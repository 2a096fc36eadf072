"""Who says where the main object of a frame is: our own saliency, or a function of the user's."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness import UsageError

from .kernels.saliency import salient_box

if TYPE_CHECKING:
    from harness.types import Frame

    Box = tuple[int, int, int, int]
    Detector = Callable[[Frame], Any]

SALIENCY = "saliency"
"""What the detector without weights is called."""

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def check_name(name: str) -> None:
    """Raise UsageError unless ``name`` is SALIENCY or looks like ``package.module:function``."""
    if name != SALIENCY and not _DOTTED.fullmatch(name):
        raise UsageError(
            f"detector of target_block must be {SALIENCY} or package.module:function, not {name!r}"
        )


def find_detector(name: str) -> Detector:
    """The function called ``name``; its module is imported. Raises UsageError when there is none."""
    if name == SALIENCY:
        return salient_box
    module, _, path = name.partition(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:  # a module of the user's may fail in any way
        raise UsageError(
            f"cannot load the detector {name} of target_block: {type(error).__name__}: {error}"
        ) from error
    if not callable(found):
        raise UsageError(f"the detector {name} of target_block is no function: name one that can be called")
    detector: Detector = found
    return detector


def read_box(found: Any, height: int, width: int, name: str) -> Box | None:
    """What a detector returned, in whole pixels and cut off at the frame; None if nothing is left.

    found: None, or four numbers (left, top, right, bottom) in pixels. Pixels that a box covers in part
    belong to it. Raises UsageError for anything else.
    """
    if found is None:
        return None
    try:
        left, top, right, bottom = (float(number) for number in found)
    except (TypeError, ValueError):
        left = math.nan
    if not (math.isfinite(left) and math.isfinite(top) and math.isfinite(right) and math.isfinite(bottom)):
        raise UsageError(
            f"the detector {name} of target_block returned {found!r}: it must return None or four numbers, "
            "left, top, right, bottom"
        )
    box = (
        max(0, math.floor(left)),
        max(0, math.floor(top)),
        min(width, math.ceil(right)),
        min(height, math.ceil(bottom)),
    )
    return box if box[0] < box[2] and box[1] < box[3] else None
