"""The videos that decoding is measured on, made here: a pan over clouds, with grain and a moving disk."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

RATE = 30


@dataclass(frozen=True)
class Subject:
    """A video to measure on: H.264 of x264's medium preset, a keyframe at least every 250 frames."""

    seconds: int
    width: int
    height: int
    b_frames: int
    seed: int = 1

    @property
    def name(self) -> str:
        kind = "B-frames" if self.b_frames else "no B-frames"
        return f"{self.seconds} s {self.height}p, {kind}"

    def made(self, folder: Path) -> Path:
        """The file, made unless the folder has it already."""
        path = folder / f"{self.seconds}s-{self.height}p-{self.b_frames}b-{self.seed}.mp4"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part.mp4")
            self._write(unfinished)
            unfinished.rename(path)
        return path

    def _write(self, path: Path) -> None:
        scene, grain = _scene(self.width, self.height, self.seed)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
            stream.codec_context.time_base = Fraction(1, RATE)
            stream.codec_context.options = {"preset": "medium", "crf": "23", "bf": str(self.b_frames)}
            for number in range(self.seconds * RATE):
                pixels = _picture(scene, grain, number, self.width, self.height)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())


SUBJECTS = (
    Subject(10, 1280, 720, 3),
    Subject(10, 1280, 720, 0),
    Subject(60, 1920, 1080, 3),
    Subject(60, 1920, 1080, 0),
)


def _scene(width: int, height: int, seed: int) -> tuple[npt.NDArray[np.uint8], list[npt.NDArray[np.uint8]]]:
    """Clouds half as wide again as the picture, and a few sheets of grain."""
    rng = np.random.default_rng(seed)
    size = (width * 3 // 2, height * 3 // 2)
    clouds = np.zeros((size[1], size[0], 3), np.float32)
    for cell in (4, 16, 64, 256):
        coarse = rng.standard_normal((size[1] // cell + 2, size[0] // cell + 2, 3)).astype(np.float32)
        clouds += cell**0.5 * cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    scene = cv2.normalize(clouds, None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)
    return scene, [rng.integers(0, 12, (height, width, 3), np.uint8) for _ in range(4)]


def _picture(
    scene: npt.NDArray[np.uint8],
    grain: list[npt.NDArray[np.uint8]],
    number: int,
    width: int,
    height: int,
) -> npt.NDArray[np.uint8]:
    seconds = number / RATE
    right = int(width / 4 * (1 + np.sin(0.7 * seconds)))
    down = int(height / 4 * (1 + np.cos(0.5 * seconds)))
    shown = cv2.add(scene[down : down + height, right : right + width], grain[number % len(grain)])
    across, along = 0.5 + 0.4 * np.sin(1.3 * seconds), 0.5 + 0.4 * np.cos(1.7 * seconds)
    cv2.circle(shown, (int(width * across), int(height * along)), height // 8, (230, 40, 40), -1)
    return shown
