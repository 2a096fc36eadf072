"""Where each token of a Qwen2.5-VL prompt stands in time, height and width (M-RoPE).

Computed here, and handed to transformers ready-made, because its own computation differed from
version to version (fractions of a second dropped, text that starts inside a long video), and the same
weights must give the same answers under all of them. The rule is that of the Qwen2-VL report,
section 2.1, with Qwen2.5-VL's absolute time: text counts up by one on all three axes; a picture keeps
one time while its rows and columns count up; a video's time moves by ``seconds * tokens_per_second``
from one pair of frames to the next; and whatever follows starts one above the largest number so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_ROUNDING = 1e-4
"""Kept from falling to the next lower whole number by float rounding: 2.9999998 is 3."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One picture or video as the language model sees it: tokens in time, height and width.

    step: what its time grows by from one token layer to the next; may be a fraction.
    """

    time: int
    height: int
    width: int
    step: float = 0.0

    @property
    def size(self) -> int:
        return self.time * self.height * self.width


def positions(visual: Sequence[bool], grids: Sequence[Grid]) -> npt.NDArray[np.int64]:
    """Positions of one prompt's tokens: int64 [3, L], rows time, height, width.

    visual: for each token whether it stands for a piece of a picture or video. grids: the pictures
    and videos in the order shown. Raises ValueError when the two do not fit.
    """
    import numpy as np

    left = iter(grids)
    pieces: list[npt.NDArray[np.int64]] = []
    base = 0
    for is_visual, run in groupby(visual):
        length = sum(1 for _ in run)
        for piece in _visual(length, left) if is_visual else (np.tile(np.arange(length), (3, 1)),):
            pieces.append(piece + base)
            base = int(pieces[-1].max()) + 1
    if next(left, None) is not None:
        raise ValueError("more pictures than the prompt has room for")
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((3, 0), np.int64)


def _visual(length: int, left: Iterator[Grid]) -> Iterator[npt.NDArray[np.int64]]:
    import numpy as np

    while length > 0:
        grid = next(left, None)
        if grid is None or grid.size > length:
            raise ValueError(f"{length} visual tokens, but the next picture is {grid}")
        time = np.floor(np.arange(grid.time) * grid.step + _ROUNDING).astype(np.int64)
        axes = np.meshgrid(time, np.arange(grid.height), np.arange(grid.width), indexing="ij")
        yield np.stack(axes).reshape(3, -1).astype(np.int64)
        length -= grid.size
