"""The order of frames, shuffled: for each place in a clip, which of its frames is shown there.

An order is int64 [T]: place i shows frame order[i]. The temporal noises make one each and apply it
with ``shown``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness import Clip

if TYPE_CHECKING:
    import numpy.typing as npt

    Order = npt.NDArray[np.int64]


def derangement(generator: np.random.Generator, count: int) -> Order:
    """An order of ``count`` >= 2 things in which none is at its own place, all such equally likely.

    Orders are drawn until one of them fits; one in e does.
    """
    if count < 2:
        raise ValueError(f"{count} things cannot all change their places")
    places = np.arange(count)
    while True:
        order = np.argsort(generator.bit_generator.random_raw(count), kind="stable")
        if np.all(order != places):
            return order.astype(np.int64)


def moved(count: int, places: Order, order: Order) -> Order:
    """The order of ``count`` frames in which only those at ``places`` move among these.

    order: as long as places; places[i] shows what was at places[order[i]].
    """
    result = np.arange(count)
    result[places] = places[order]
    return result


def nearest(places: Order, candidates: Order) -> Order:
    """For each place the candidate nearest to it, the earlier one of two; candidates: at least one."""
    ascending = np.sort(candidates)
    distances = np.abs(places[:, None] - ascending[None, :])
    return ascending[np.argmin(distances, axis=1)]


def shown(clip: Clip, order: Order) -> Clip:
    """A new clip of the frames in this order; times and positions stay those of the places."""
    return replace(clip, frames=np.take(clip.frames, order, axis=0))
