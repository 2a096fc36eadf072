"""Which packets are read for the wanted frames, and by whom."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from harness.video.groups import Group, groups_of, share
from harness.video.timeline import Timeline


def timeline(pts: list[int], keys: tuple[int, ...]) -> Timeline:
    stamps = np.array(pts)
    return Timeline(
        stamps, np.ones_like(stamps), keys, frozenset(), np.argsort(stamps), np.sort(stamps) / 1.0, 1.0
    )


def test_each_wanted_packet_starts_at_the_keyframe_before_it() -> None:
    closed = timeline([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], (0, 4, 8))
    assert groups_of(closed, [1, 2, 4, 9]) == [Group(0, (1, 2)), Group(4, (4,)), Group(8, (9,))]


def test_a_frame_shown_before_its_keyframe_starts_at_the_one_before() -> None:
    # Packet 3 is the keyframe shown at 5; packets 4 and 5 follow it in the file and are shown before it.
    leading = timeline([0, 2, 1, 5, 3, 4, 6], (0, 3))
    assert groups_of(leading, [4, 6]) == [Group(0, (4,)), Group(3, (6,))]


def group(start: int, work: int) -> Group:
    return Group(start, (start + work - 1,))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_threads_are_shared_and_every_group_is_read_once(threads: int) -> None:
    for works in ([250], [250, 50], [100, 100, 100, 100], [10, 300, 20, 40, 60], [1] * 30):
        groups = [group(1000 * number, work) for number, work in enumerate(works)]
        lanes, each = share(groups, threads)
        assert len(lanes) * each <= threads
        assert sorted(chain(*lanes), key=lambda one: one.start) == groups
        assert all(lane == sorted(lane, key=lambda one: one.start) for lane in lanes)


def test_even_groups_are_read_side_by_side_and_a_long_one_by_threads_together() -> None:
    assert share([group(0, 200), group(300, 200)], 2)[1] == 1
    lanes, each = share([group(0, 250), group(300, 20)], 2)
    assert (len(lanes), each) == (1, 2)
    lanes, each = share([group(0, 5), group(300, 5)], 2)
    assert len(lanes) == 1  # opening the file twice takes longer
