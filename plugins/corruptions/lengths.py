"""Options that are lengths: what frame size they are stated for, and which of them make sense."""

from __future__ import annotations

from harness import UsageError

from .severity import IMAGENET_SIDE, NRVL_SIDE, Severity


def reference_side(noise: str, given: int | None, severity: Severity | None) -> int:
    """The short side in pixels that a noise's lengths are stated for; 0 for that of any frame.

    Unless ``given``, the size of the source the lengths come from. Raises UsageError below 0.
    """
    if given is None:
        return NRVL_SIDE if severity is None else IMAGENET_SIDE
    if given < 0:
        raise UsageError(f"reference of {noise} must be 0 or more, not {given}: try reference={NRVL_SIDE}")
    return given


def check_length(noise: str, option: str, length: float, widest: float, sensible: float) -> None:
    """Raises UsageError for a length that is not above 0 and at most ``widest``."""
    if not 0 < length <= widest:
        raise UsageError(
            f"{option} of {noise} must be above 0 and at most {widest:g}, not {length:g}: "
            f"try {option}={sensible:g}"
        )
