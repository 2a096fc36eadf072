"""Scenes: repeatable, apart, balanced, and drawn so that nothing overlaps."""

from collections import Counter
from hashlib import blake2b
from itertools import combinations

import pytest
from harness_plugins.datasets.shapes_questions import questions
from harness_plugins.datasets.shapes_scene import (
    COLOURS,
    COUNTS,
    DIRECTIONS,
    ROTATION,
    SIDE,
    SILHOUETTES,
    VERSION,
    deal,
    draw_scene,
)

GOLDEN = {1: "1e1491bb79b1c4c8"}
"""Version -> digest of scenes and questions. A change needs a new version, or old files are reused."""


def test_scenes_and_questions_of_a_version_never_change() -> None:
    digest = blake2b(digest_size=8)
    for split in ("test", "train"):
        for index in (0, 1, 7, 8, 119, 19_999):
            asked = [(question.text, question.answer) for question in questions(split, index)]
            digest.update(repr((draw_scene(split, index), asked)).encode())
    assert digest.hexdigest() == GOLDEN[VERSION]


def test_scene_depends_on_its_number_alone() -> None:
    late = draw_scene("test", 77)
    for index in (3, 76, 78):
        draw_scene("test", index)
    assert draw_scene("test", 77) == late


def test_splits_and_videos_share_no_scene() -> None:
    scenes = [repr(draw_scene(split, index)) for split in ("test", "train") for index in range(300)]
    assert len(set(scenes)) == len(scenes)


@pytest.mark.parametrize("split", ["test", "train"])
def test_shapes_stay_inside_and_never_touch(split: str) -> None:
    for index in range(400):
        scene = draw_scene(split, index)
        for shape in scene.shapes:
            for x, y in (shape.start, shape.end):
                assert shape.radius + 1 <= min(x, y) and max(x, y) <= SIDE - shape.radius - 1
        for one, other in combinations(scene.shapes, 2):
            # The mover keeps to its half, so boxes swept from start to end must be apart on one axis.
            gaps = []
            for axis in (0, 1):
                low_one, high_one = sorted((one.start[axis], one.end[axis]))
                low_other, high_other = sorted((other.start[axis], other.end[axis]))
                gaps.append(max(low_one - high_other, low_other - high_one) - one.radius - other.radius)
            assert max(gaps) >= 2, (index, one, other)


def test_scene_keeps_what_the_questions_rely_on() -> None:
    for index in range(400):
        scene = draw_scene("train", index)
        assert len({shape.colour for shape in scene.shapes}) == len(scene.shapes)
        assert set(SILHOUETTES) - {shape.silhouette for shape in scene.shapes}
        radii = sorted(shape.radius for shape in scene.shapes)
        assert radii[-1] >= 1.35 * radii[-2]
        assert radii[0] >= 14
        axis = 0 if scene.direction in ("left", "right") else 1
        sign = 1 if scene.direction in ("right", "down") else -1
        assert sign * (scene.mover.end[axis] - scene.mover.start[axis]) >= 45
        assert scene.mover.end[1 - axis] == scene.mover.start[1 - axis]
        corner = scene.still[0].start[axis]
        far, near = (abs(end[axis] - corner) for end in (scene.mover.start, scene.mover.end))
        assert (near < far) == scene.ahead


@pytest.mark.parametrize("values", [DIRECTIONS, COLOURS, COUNTS])
def test_dealing_is_even_in_every_rotation(values: tuple[object, ...]) -> None:
    for first in range(ROTATION):
        dealt = [deal("test", first + ROTATION * turn, "x", values) for turn in range(5 * len(values))]
        assert set(Counter(dealt).values()) == {5}
    piles = {
        tuple(deal("test", first + ROTATION * turn, "x", values) for turn in range(12)) for first in range(8)
    }
    assert len(piles) > 1


def test_attributes_are_dealt_independently() -> None:
    pairs = Counter((s.light, s.direction) for s in (draw_scene("train", index) for index in range(800)))
    assert len(pairs) == 8
    assert max(pairs.values()) < 1.5 * min(pairs.values())
