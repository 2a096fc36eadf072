"""ImageNet-C's five severities, and what they mean in pixels.

Source: Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", ICLR 2019 (arXiv 1903.12261). Its constants are stated for images of 224 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

from harness import UsageError

Severity = Literal[1, 2, 3, 4, 5]
Parameters = TypeVar("Parameters")

IMAGENET_SIDE = 224
"""Short side, in pixels, at which ImageNet-C's lengths are meant."""
NRVL_SIDE = 720
"""Short side, in pixels, at which the default lengths are meant."""


def at_severity(severity: Severity | None, table: Sequence[Parameters], default: Parameters) -> Parameters:
    """The entry of ``table`` (five, mildest first) for a severity; ``default`` for None.

    Raises UsageError for anything but None and 1..5.
    """
    if severity is None:
        return default
    if isinstance(severity, bool) or severity not in (1, 2, 3, 4, 5):
        raise UsageError(f"severity must be 1, 2, 3, 4 or 5, not {severity!r}")
    return table[severity - 1]
