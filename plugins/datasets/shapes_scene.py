"""The scenes of ShapesVideo: what is in video number ``index`` of a split, before any pixel is drawn.

One shape travels along one half of the picture; one to three others stand still in the other half, at
least one of them in a corner. Nothing ever overlaps, exactly one shape is the biggest, no two share a
colour, and one of the four silhouettes is always absent: so every question of ``shapes_questions`` has
one true answer in every scene.

What the answers depend on is not drawn independently but dealt like cards: among the videos that are
asked the same questions (every ``ROTATION``-th), each run of n takes each of n values once. That keeps
the answers balanced in a small test set, and a scene still depends on nothing but (version, split,
index).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from harness.seeds import generator

if TYPE_CHECKING:
    import numpy as np

VERSION = 1
"""Changes whenever a scene, a pixel or a question changes: the files of each version lie apart."""

Split = Literal["test", "train"]
SIDE = 112
"""Width and height in pixels."""
ROTATION = 8
"""How many videos in a row are asked different questions before the questions start again."""

SILHOUETTES = ("circle", "square", "triangle", "cross")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
LIGHTS = ("day", "night")
STYLES = ("plain", "striped", "dotted")
DIRECTIONS = ("left", "right", "up", "down")
OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}
COUNTS = (2, 3, 4)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape: half its width, and its centre (x, y) in the first and the last frame, in pixels."""

    silhouette: str
    colour: str
    radius: float
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a video shows. ``still[0]`` stands in a corner of the half that ``mover`` never enters.

    direction: where the mover goes. side: the half it keeps to, ``up`` or ``down`` when it travels
    left or right, else ``left`` or ``right``. ahead: whether it goes towards ``still[0]``.
    """

    light: str
    style: str
    direction: str
    side: str
    ahead: bool
    mover: Shape
    still: tuple[Shape, ...]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """All shapes, the moving one first."""
        return (self.mover, *self.still)

    @property
    def biggest(self) -> Shape:
        return max(self.shapes, key=lambda shape: shape.radius)


def deal(split: Split, index: int, what: str, values: Sequence[T]) -> T:
    """The value of ``what`` for one video; equally frequent among every ``ROTATION``-th video."""
    turn, pile = divmod(index, ROTATION)
    block, place = divmod(turn, len(values))
    words = generator("ShapesVideo", VERSION, split, what, pile, block).bit_generator.random_raw(len(values))
    return values[sorted(range(len(values)), key=words.tolist().__getitem__)[place]]


def choose(values: Sequence[T], draws: np.random.Generator) -> T:
    """One of the values, evenly; one double of the stream."""
    return values[int(draws.random() * len(values))]


def draw_scene(split: Split, index: int) -> Scene:
    """The scene of one video, the same on every machine."""
    draws = generator("ShapesVideo", VERSION, split, "scene", index)
    courses = [
        (way, side) for way in DIRECTIONS for side in DIRECTIONS if _horizontal(way) != _horizontal(side)
    ]
    direction, side = deal(split, index, "course", courses)
    count = deal(split, index, "count", COUNTS)
    ahead = deal(split, index, "ahead", (True, False))
    silhouettes = _silhouettes(deal(split, index, "silhouette", SILHOUETTES), count, draws)
    colours = _colours(deal(split, index, "colour", COLOURS), count, draws)
    big = (
        0 if deal(split, index, "mover is biggest", (True, False)) else 1 + int(draws.random() * (count - 1))
    )
    radii = _radii(count, big, draws)
    tracks = [_track(radii[0], draws), *((spot, spot) for spot in _spots(radii[1:], ahead, draws))]
    shapes = []
    for number, (track, radius) in enumerate(zip(tracks, radii, strict=True)):
        across = 28 + (2 * draws.random() - 1) * max(0.0, 26 - radius)
        mine = number == 0
        start, end = (_place(along, across, direction, side, mine) for along in track)
        shapes.append(Shape(silhouettes[number], colours[number], radius, start, end))
    return Scene(
        light=deal(split, index, "light", LIGHTS),
        style=deal(split, index, "style", STYLES),
        direction=direction,
        side=side,
        ahead=ahead,
        mover=shapes[0],
        still=tuple(shapes[1:]),
    )


def _horizontal(direction: str) -> bool:
    return direction in ("left", "right")


def _silhouettes(first: str, count: int, draws: np.random.Generator) -> list[str]:
    """The mover's, then the others' out of three of the four: one is always absent."""
    absent = choose([name for name in SILHOUETTES if name != first], draws)
    present = [name for name in SILHOUETTES if name != absent]
    return [first, *(choose(present, draws) for _ in range(count - 1))]


def _colours(first: str, count: int, draws: np.random.Generator) -> list[str]:
    chosen = [first]
    while len(chosen) < count:
        chosen.append(choose([name for name in COLOURS if name not in chosen], draws))
    return chosen


def _radii(count: int, big: int, draws: np.random.Generator) -> list[float]:
    """One clearly bigger than the rest, all as large as a half of the picture has room for."""
    small, large = (14.0, 20.0) if count == max(COUNTS) else (16.0, 24.0)
    return [(large if number == big else small) + draws.random() / 2 for number in range(count)]


def _track(radius: float, draws: np.random.Generator) -> tuple[float, float]:
    """Where the mover starts and ends along its way, in pixels from the side it comes from.

    It never passes a corner shape, so that coming nearer and going away are unmistakable.
    """
    start = max(radius + 2, 26) + 6 * draws.random()
    return start, SIDE - max(radius + 2, 26) - 3 * draws.random()


def _spots(radii: Sequence[float], ahead: bool, draws: np.random.Generator) -> list[float]:
    """Where the still shapes stand along the mover's way: the first at one end, then towards the other."""
    gap = (SIDE - 2 * sum(radii)) / (len(radii) + 1)
    spots: list[float] = []
    if len(radii) == max(COUNTS) - 1:
        edge = 0.0
        for radius in radii:
            spots.append(edge + gap + radius)
            edge += gap + 2 * radius
    else:
        for end, radius in enumerate(radii):
            spot = radius + 2 + draws.random() * max(0.0, 25 - radius)
            spots.append(SIDE - spot if end else spot)
    return [SIDE - spot for spot in spots] if ahead else spots


def _place(along: float, across: float, direction: str, side: str, mine: bool) -> tuple[float, float]:
    """(x, y) of a point ``along`` the way and ``across`` its half, the mover's half or the other."""
    if direction in ("left", "up"):
        along = SIDE - along
    if (side in ("left", "up")) != mine:
        across = SIDE - across
    return (along, across) if _horizontal(direction) else (across, along)
