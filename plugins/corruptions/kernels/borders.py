"""What lies beyond the edge of a picture: its mirror image about the outermost pixels."""

from __future__ import annotations

from .compiling import compiled


@compiled
def mirror(position: int, size: int) -> int:
    """Where a position outside 0..size-1 is found inside: ...2 1 [0 1 2] 1 0 1 2...

    NumPy's "reflect", OpenCV's BORDER_REFLECT_101. Any distance, any size from 1.
    """
    if size == 1:
        return 0
    period = 2 * (size - 1)
    inside = abs(position) % period
    return min(inside, period - inside)
