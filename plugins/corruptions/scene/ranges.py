"""Options that must lie in a range: refused with a sentence that says so."""

from __future__ import annotations

from harness import UsageError


def within(noise: str, option: str, value: float, least: float, most: float) -> float:
    """``value``, if least <= value <= most. Raises UsageError otherwise, also for not-a-number."""
    if not least <= value <= most:
        raise UsageError(f"{option} of {noise} must be {least:g} to {most:g}, not {value:g}")
    return value
