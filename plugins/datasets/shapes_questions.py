"""The questions of ShapesVideo: two dozen kinds over the nine coarse groups, each with one true answer.

Wordings are few and plain, and name the choices wherever a word has synonyms, because answers are
compared word by word and a very small model has to learn to read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from harness.seeds import generator

from .shapes_scene import (
    COLOURS,
    DIRECTIONS,
    LIGHTS,
    OPPOSITE,
    ROTATION,
    SILHOUETTES,
    STYLES,
    VERSION,
    Scene,
    Split,
    choose,
    deal,
    draw_scene,
)

if TYPE_CHECKING:
    import numpy as np

INSTRUCTION = "Answer with one word."
"""What a model is told after each question; judges never see it."""

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
YES_NO = ("yes", "no")
EDGES = {"left": "left", "right": "right", "up": "top", "down": "bottom"}
PLACES = {"left": "left of", "right": "right of", "up": "above", "down": "below"}
CORNERS = {"circle": "zero", "square": "four", "triangle": "three", "cross": "twelve"}
PURPOSES = {"circle": "wheel", "square": "window", "triangle": "roof", "cross": "propeller"}
LOOKALIKES = {
    "red": "tomato",
    "orange": "carrot",
    "yellow": "lemon",
    "green": "grass",
    "blue": "sea",
    "purple": "plum",
}

Filling = tuple[Mapping[str, str], str]
"""What goes into the slots of a wording, and the answer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of question.

    name: unique. label: its fine dimension. wording: the question, with ``{slots}``. answers: all the
    answers there are. ask: (scene, hint, draws) -> filling; the hint is yes or no, dealt evenly, for a
    question that can be turned so that this is its answer. slots: what each slot may hold.
    """

    name: str
    label: str
    wording: str
    answers: tuple[str, ...]
    ask: Callable[[Scene, str, np.random.Generator], Filling]
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one video."""

    kind: Kind
    text: str
    answer: str


def questions(split: Split, index: int) -> Iterator[Question]:
    """The questions of one video: all kinds in training, three that rotate from video to video in test."""
    scene = draw_scene(split, index)
    kinds = KINDS if split == "train" else KINDS[index % ROTATION :: ROTATION]
    draws = generator("ShapesVideo", VERSION, split, "questions", index)
    for kind in kinds:
        hint = deal(split, index, kind.name, YES_NO) if kind.answers == YES_NO else ""
        filling, answer = kind.ask(scene, hint, draws)
        yield Question(kind, kind.wording.format(**filling), answer)


def texts() -> Iterator[str]:
    """Every question and every answer that can occur, and the instruction: all a tokenizer must know."""
    yield INSTRUCTION
    for kind in KINDS:
        for values in product(*kind.slots.values()):
            yield kind.wording.format(**dict(zip(kind.slots, values, strict=True)))
        yield from kind.answers


def _plain(answer: Callable[[Scene], str]) -> Callable[[Scene, str, np.random.Generator], Filling]:
    """A question without slots, whose answer the scene alone decides."""
    return lambda scene, _hint, _draws: ({}, answer(scene))


def _identity(scene: Scene, _hint: str, draws: np.random.Generator) -> Filling:
    shape = choose(scene.still, draws)
    return {"colour": shape.colour}, shape.silhouette


def _beside(scene: Scene, _hint: str, draws: np.random.Generator) -> Filling:
    """The halves never touch, so along this axis every still shape is on the same, clear side."""
    first, second = ("left", "right") if scene.side in ("left", "right") else ("up", "down")
    filling = {
        "first": PLACES[first].removesuffix(" of"),
        "second": PLACES[second],
        "colour": choose(scene.still, draws).colour,
    }
    return filling, PLACES[scene.side].removesuffix(" of")


def _corner(scene: Scene, _hint: str, _draws: np.random.Generator) -> Filling:
    along = scene.direction if scene.ahead else OPPOSITE[scene.direction]
    ends = {EDGES[along], EDGES[OPPOSITE[scene.side]]}
    row, column = ("top" if "top" in ends else "bottom"), ("left" if "left" in ends else "right")
    return {"corner": f"{row} {column}"}, scene.still[0].colour


def _has_colour(scene: Scene, hint: str, draws: np.random.Generator) -> Filling:
    present = [shape.colour for shape in scene.shapes]
    return {"colour": choose(_pool(COLOURS, present, hint), draws)}, hint


def _has_silhouette(scene: Scene, hint: str, draws: np.random.Generator) -> Filling:
    present = [shape.silhouette for shape in scene.shapes]
    return {"silhouette": choose(_pool(SILHOUETTES, present, hint), draws)}, hint


def _has_motion(scene: Scene, hint: str, draws: np.random.Generator) -> Filling:
    return {"way": choose(_pool(DIRECTIONS, [scene.direction], hint), draws)}, hint


def _pool(every: tuple[str, ...], present: list[str], hint: str) -> list[str]:
    return [name for name in every if (name in present) == (hint == "yes")]


def _approach(scene: Scene, _hint: str, _draws: np.random.Generator) -> Filling:
    return {"colour": scene.still[0].colour}, "yes" if scene.ahead else "no"


def _size(scene: Scene, _hint: str, draws: np.random.Generator) -> Filling:
    """Still shapes may be alike in size, so the biggest shape is always one of the two compared."""
    if scene.biggest is scene.mover:
        return {"colour": choose(scene.still, draws).colour}, "bigger"
    return {"colour": scene.biggest.colour}, "smaller"


_COLOUR = {"colour": COLOURS}
_WAYS = "left, right, up or down"
_SHAPES = "circle, square, triangle or cross"

KINDS: tuple[Kind, ...] = (
    Kind(
        "scene",
        "Video Scene",
        "Is it day or night?",
        LIGHTS,
        _plain(lambda scene: scene.light),
    ),
    Kind(
        "style",
        "Video Style",
        "Is the background plain, striped or dotted?",
        STYLES,
        _plain(lambda scene: scene.style),
    ),
    Kind(
        "silhouette",
        "Object Recognition",
        f"Which shape is moving: {_SHAPES}?",
        SILHOUETTES,
        _plain(lambda scene: scene.mover.silhouette),
    ),
    Kind(
        "colour",
        "Attribute Recognition",
        "What colour is the moving shape?",
        COLOURS,
        _plain(lambda scene: scene.mover.colour),
    ),
    Kind(
        "direction",
        "Event Recognition",
        f"Which way does the moving shape go: {_WAYS}?",
        DIRECTIONS,
        _plain(lambda scene: scene.direction),
    ),
    Kind(
        "count",
        "Counting",
        "How many shapes are there?",
        ("two", "three", "four"),
        _plain(lambda scene: NUMBERS[len(scene.shapes)]),
    ),
    Kind(
        "beside",
        "Spatial Relationship",
        "Is the moving shape {first} or {second} the {colour} shape?",
        ("left", "right", "above", "below"),
        _beside,
        {"first": ("left", "above"), "second": ("right of", "below"), **_COLOUR},
    ),
    Kind(
        "corner",
        "Spatial Relationship",
        "What colour is the shape at the {corner}?",
        COLOURS,
        _corner,
        {"corner": ("top left", "top right", "bottom left", "bottom right")},
    ),
    Kind(
        "absent colour",
        "Hallucination",
        "Is there a shape that is {colour}?",
        YES_NO,
        _has_colour,
        _COLOUR,
    ),
    Kind(
        "absent silhouette",
        "Hallucination",
        "Is there a {silhouette}?",
        YES_NO,
        _has_silhouette,
        {"silhouette": SILHOUETTES},
    ),
    Kind(
        "absent motion",
        "Hallucination",
        "Does any shape move {way}?",
        YES_NO,
        _has_motion,
        {"way": DIRECTIONS},
    ),
    Kind(
        "double",
        "Mathematical Calculation",
        "What is two times the number of shapes?",
        ("four", "six", "eight"),
        _plain(lambda scene: NUMBERS[2 * len(scene.shapes)]),
    ),
    Kind(
        "rest",
        "Mathematical Calculation",
        "How many shapes are left if the moving shape is taken away?",
        ("one", "two", "three"),
        _plain(lambda scene: NUMBERS[len(scene.still)]),
    ),
    Kind(
        "biggest",
        "Physical Property",
        "What colour is the biggest shape?",
        COLOURS,
        _plain(lambda scene: scene.biggest.colour),
    ),
    Kind(
        "purpose",
        "Function Reasoning",
        "What could the moving shape be used as: wheel, window, roof or propeller?",
        tuple(PURPOSES.values()),
        _plain(lambda scene: PURPOSES[scene.mover.silhouette]),
    ),
    Kind(
        "identity",
        "Identity Reasoning",
        f"I am {{colour}}. What am I: {_SHAPES}?",
        SILHOUETTES,
        _identity,
        _COLOUR,
    ),
    Kind(
        "sky",
        "Natural Relation",
        "What shines on this scene, the sun or the moon?",
        ("sun", "moon"),
        _plain(lambda scene: "sun" if scene.light == "day" else "moon"),
    ),
    Kind(
        "approach",
        "Physical Relation",
        "Is the moving shape coming nearer to the {colour} shape?",
        YES_NO,
        _approach,
        _COLOUR,
    ),
    Kind(
        "size",
        "Physical Relation",
        "Is the moving shape bigger or smaller than the {colour} shape?",
        ("bigger", "smaller"),
        _size,
        _COLOUR,
    ),
    Kind(
        "lookalike",
        "Common Sense Reasoning",
        "What has the colour of the moving shape: tomato, carrot, lemon, grass, sea or plum?",
        tuple(LOOKALIKES.values()),
        _plain(lambda scene: LOOKALIKES[scene.mover.colour]),
    ),
    Kind(
        "corners",
        "Common Sense Reasoning",
        "How many corners has the moving shape: zero, three, four or twelve?",
        tuple(CORNERS.values()),
        _plain(lambda scene: CORNERS[scene.mover.silhouette]),
    ),
    Kind(
        "backwards",
        "Counterfactual Reasoning",
        f"Which way would the moving shape go if the video ran backwards: {_WAYS}?",
        DIRECTIONS,
        _plain(lambda scene: OPPOSITE[scene.direction]),
    ),
    Kind(
        "push",
        "Causal Reasoning",
        "From which side is the moving shape being pushed: left, right, top or bottom?",
        tuple(EDGES.values()),
        _plain(lambda scene: EDGES[OPPOSITE[scene.direction]]),
    ),
    Kind(
        "next edge",
        "Future Prediction",
        "Which edge will the moving shape reach next: left, right, top or bottom?",
        tuple(EDGES.values()),
        _plain(lambda scene: EDGES[scene.direction]),
    ),
)
"""All kinds, grouped by coarse dimension: no group has as many as ``ROTATION``, so the three kinds a test
video is asked come from different groups."""
