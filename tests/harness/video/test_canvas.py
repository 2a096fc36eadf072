"""Where decoded frames are put."""

import numpy as np
import pytest

from harness.video.canvas import Canvas


def test_frames_lie_in_the_order_of_their_names_however_they_come() -> None:
    canvas = Canvas([7, 3, 7])
    assert canvas.missing == [3, 7]
    for name in (7, 3):
        canvas.put(name, np.full((2, 4, 3), name, np.uint8))
    assert canvas.missing == []
    assert canvas.frames[:, 0, 0, 0].tolist() == [7, 3, 7]


def test_frames_of_different_sizes_do_not_fit() -> None:
    canvas = Canvas([0, 1])
    canvas.put(0, np.zeros((2, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="size changes"):
        canvas.put(1, np.zeros((4, 2, 3), np.uint8))
