"""Every answer, found again by somebody who sees only eight decoded frames and the question's text."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from harness_plugins.datasets.shapes import ShapesVideo
from harness_plugins.datasets.shapes_questions import KINDS
from harness_plugins.datasets.shapes_render import encode, render
from harness_plugins.datasets.shapes_scene import draw_scene

from harness import Sampling

HUES = {"red": (-8, 6), "orange": (9, 21), "yellow": (24, 34), "green": (45, 85), "blue": (105, 124)}
HUES["purple"] = (135, 158)
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
BACK = {"left": "right", "right": "left", "up": "down", "down": "up"}
EDGE = {"left": "left", "right": "right", "up": "top", "down": "bottom"}


@dataclass(frozen=True)
class Blob:
    """One colour's pixels: centre (x, y) in the first and last frame, width, and silhouette."""

    first: tuple[float, float]
    last: tuple[float, float]
    width: float
    silhouette: str

    @property
    def travel(self) -> float:
        return float(np.hypot(self.last[0] - self.first[0], self.last[1] - self.first[1]))


@dataclass(frozen=True)
class Seen:
    """What a viewer makes of a video."""

    blobs: dict[str, Blob]
    light: str
    style: str

    @property
    def moving(self) -> str:
        return max(self.blobs, key=lambda colour: self.blobs[colour].travel)

    @property
    def direction(self) -> str:
        blob = self.blobs[self.moving]
        x, y = blob.last[0] - blob.first[0], blob.last[1] - blob.first[1]
        return ("right" if x > 0 else "left") if abs(x) > abs(y) else ("down" if y > 0 else "up")


def decode(path: Path) -> npt.NDArray[np.uint8]:
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    return np.stack([frames[index] for index in Sampling(nframe=8).indices(len(frames), 12)])


def masks(frame: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.bool_]]:
    """Colour name -> its pixels, for the colours that cover more than an edge."""
    hue, saturation, value = cv2.split(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV))
    turned = np.where(hue > 170, hue.astype(int) - 180, hue.astype(int))
    vivid = (saturation > 150) & (value > 120)
    found = {name: vivid & (turned >= low) & (turned <= high) for name, (low, high) in HUES.items()}
    return {name: mask for name, mask in found.items() if mask.sum() > 150}


def box(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns of the largest connected piece."""
    _, _, pieces, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    left, top, width, height, _ = max(pieces[1:], key=lambda piece: piece[4])
    return slice(top, top + height), slice(left, left + width)


def silhouette(mask: npt.NDArray[np.bool_]) -> str:
    piece = mask[box(mask)]
    size = len(piece) // 4
    top, bottom = piece[:size, :size].mean(), piece[-size:, :size].mean()
    if bottom > 0.5:
        return "square" if top > 0.5 else "triangle"
    return "cross" if top < 0.25 and piece.mean() < 0.7 else "circle"


def look(frames: npt.NDArray[np.uint8]) -> Seen:
    first, last = masks(frames[0]), masks(frames[-1])
    assert set(first) == set(last)
    blobs = {}
    for colour in first:
        boxes = [box(mask[colour]) for mask in (first, last)]
        centres = [((c.start + c.stop) / 2, (r.start + r.stop) / 2) for r, c in boxes]
        width = boxes[0][1].stop - boxes[0][1].start
        blobs[colour] = Blob(centres[0], centres[1], width, silhouette(first[colour]))
    covered = cv2.dilate(np.any([*first.values()], axis=0).astype(np.uint8), np.ones((9, 9)))
    ground = frames[0].mean(axis=2)[covered == 0]
    light = "day" if np.median(ground) > 128 else "night"
    marked = (np.abs(ground - np.median(ground)) > 15).mean()
    return Seen(blobs, light, "plain" if marked < 0.02 else "dotted" if marked < 0.2 else "striped")


def answer(seen: Seen, kind: str, text: str) -> str:
    """The answer, from the text and what was seen."""
    moving = seen.blobs[seen.moving]
    named = next((seen.blobs[c] for c in HUES if re.search(rf"\b{c}\b", text) and c in seen.blobs), None)
    match kind:
        case "scene":
            return seen.light
        case "sky":
            return {"day": "sun", "night": "moon"}[seen.light]
        case "style":
            return seen.style
        case "silhouette":
            return moving.silhouette
        case "purpose":
            uses = {"circle": "wheel", "square": "window", "triangle": "roof", "cross": "propeller"}
            return uses[moving.silhouette]
        case "corners":
            corners = {"circle": "zero", "square": "four", "triangle": "three", "cross": "twelve"}
            return corners[moving.silhouette]
        case "identity":
            assert named
            return named.silhouette
        case "colour":
            return seen.moving
        case "lookalike":
            things = ("tomato", "carrot", "lemon", "grass", "sea", "plum")
            return dict(zip(HUES, things, strict=True))[seen.moving]
        case "direction":
            return seen.direction
        case "backwards":
            return BACK[seen.direction]
        case "next edge":
            return EDGE[seen.direction]
        case "push":
            return EDGE[BACK[seen.direction]]
        case "count":
            return NUMBERS[len(seen.blobs)]
        case "double":
            return NUMBERS[2 * len(seen.blobs)]
        case "rest":
            return NUMBERS[len(seen.blobs) - 1]
        case "biggest":
            return max(seen.blobs, key=lambda colour: seen.blobs[colour].width)
        case "size":
            assert named
            return "bigger" if moving.width > named.width else "smaller"
        case "beside":
            assert named
            axis, words = (0, ("left", "right")) if "left" in text else (1, ("above", "below"))
            sides = {int(moment[axis] > named.first[axis]) for moment in (moving.first, moving.last)}
            assert len(sides) == 1
            return words[sides.pop()]
        case "corner":
            row, column = re.findall(r"top|bottom|left|right", text)
            target = (112 * (column == "right"), 112 * (row == "bottom"))
            still = [colour for colour in seen.blobs if colour != seen.moving]
            return min(still, key=lambda c: np.hypot(*np.subtract(seen.blobs[c].first, target)))
        case "absent colour":
            return "yes" if named else "no"
        case "absent silhouette":
            return "yes" if any(blob.silhouette in text for blob in seen.blobs.values()) else "no"
        case "absent motion":
            return "yes" if seen.direction in text else "no"
        case "approach":
            assert named
            far = np.hypot(*np.subtract(moving.first, named.first))
            return "yes" if np.hypot(*np.subtract(moving.last, named.first)) < far else "no"
    raise AssertionError(kind)


@cache
def viewed(path: Path) -> Seen:
    return look(decode(path))


@pytest.mark.parametrize(("split", "videos"), [("test", 120), ("train", 24)])
def test_answers_can_be_read_off_eight_frames(split: str, videos: int, tmp_path: Path) -> None:
    samples = ShapesVideo(split=split, videos=videos, data_root=tmp_path).samples()
    assert {sample.meta["kind"] for sample in samples} == {kind.name for kind in KINDS}
    for sample in samples:
        found = answer(viewed(sample.video.path), sample.meta["kind"], sample.question)
        assert found == sample.answer, (sample.video.key, sample.question)


def test_file_is_a_plain_two_second_film(tmp_path: Path) -> None:
    encode(render(draw_scene("test", 0)), tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate) == (112, 112, 12)
        times = [frame.time for frame in file.decode(stream)]
    assert times == pytest.approx([number / 12 for number in range(24)])


def test_encoding_is_close_and_repeatable(tmp_path: Path) -> None:
    frames = render(draw_scene("test", 3))
    for name in ("a.mp4", "b.mp4"):
        encode(frames, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    sampled = frames[Sampling(nframe=8).indices(24, 12)]
    assert np.abs(decode(tmp_path / "a.mp4").astype(int) - sampled).mean() < 4


def test_motion_is_smooth_and_the_rest_is_still() -> None:
    scene = draw_scene("test", 3)
    frames = render(scene)
    middles = []
    for frame in frames:
        rows, columns = box(masks(frame)[scene.mover.colour])
        middles.append((columns.start + columns.stop + rows.start + rows.stop) / 2)
    steps = np.abs(np.diff(middles))
    assert steps.min() >= 1 and steps.max() <= 4
    changed = (frames != frames[0]).any(axis=(0, 3))
    half = {"left": changed[:, 56:], "right": changed[:, :56], "up": changed[56:], "down": changed[:56]}
    assert not half[scene.side].any() and changed.any()
