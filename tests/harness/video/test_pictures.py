"""A folder of numbered pictures is shown like a video."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import picture

from harness.errors import DecodeError
from harness.sampling import Sampling
from harness.types import Video
from harness.video import content_digest, decode, decode_windows, foresee

FOUR = Sampling(nframe=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve pictures, counted from 1, and a file that is none."""
    made = tmp_path / "shown"
    made.mkdir()
    for number in range(12):
        cv2.imwrite(str(made / f"{number + 1:05d}.png"), picture(number)[:, :, ::-1])
    (made / "notes.txt").write_text("not a picture")
    return made


def test_frames_times_and_positions(folder: Path) -> None:
    clip = decode(Video(folder, "shown", fps=3.0), FOUR)
    assert clip.indices.tolist() == [2, 4, 7, 9]
    assert clip.times.tolist() == pytest.approx([2 / 3, 4 / 3, 7 / 3, 3])
    assert clip.fps == 3.0
    assert np.array_equal(clip.frames, np.stack([picture(number) for number in (2, 4, 7, 9)]))


def test_a_part_of_it(folder: Path) -> None:
    clip = decode(Video(folder, "shown", 1.0, 3.0, fps=3.0), FOUR)
    assert clip.indices.tolist() == [4, 5, 6, 7]
    shown, windows = decode_windows(Video(folder, "shown", fps=3.0), FOUR, 1.0)
    assert [shown.indices[window].tolist() for window in windows] == [
        [0, 1, 2],
        [2, 3, 4],
        [5, 6, 7],
        [7, 8, 9],
    ]


def test_numbers_order_them_not_letters(tmp_path: Path) -> None:
    for number in (2, 10, 1):
        cv2.imwrite(str(tmp_path / f"frame{number}.JPG"), np.full((8, 8, 3), number * 20, np.uint8))
    clip = decode(Video(tmp_path, "shown", fps=1.0), Sampling(fps=1))
    assert [round(float(frame.mean()), -1) for frame in clip.frames] == [20, 40, 200]


def test_its_size_is_foreseen(folder: Path) -> None:
    assert foresee(Video(folder, "shown", fps=3.0), FOUR) == (4, 64, 96)
    assert foresee(Video(folder, "shown", 1.0, 3.0, 3.0), Sampling(fps=3)) == (6, 64, 96)
    (folder / "00001.png").write_bytes(b"")
    assert foresee(Video(folder, "shown", fps=3.0), FOUR) == (0, 0, 0)


def test_its_digest_follows_names_and_bytes(folder: Path) -> None:
    before = content_digest(folder)
    assert before != "missing"
    (folder / "notes.txt").write_text("not a picture either")
    assert content_digest(folder) == before
    cv2.imwrite(str(folder / "00003.png"), picture(99)[:, :, ::-1])
    changed = content_digest(folder)
    assert changed != before
    (folder / "00003.png").rename(folder / "00013.png")
    assert content_digest(folder) not in (before, changed)


@pytest.mark.parametrize("damage", ["empty", "torn", "another size", "no picture", "no folder", "no pace"])
def test_what_cannot_be_shown_is_one_video(folder: Path, damage: str) -> None:
    video = Video(folder, "shown", fps=3.0)
    target = folder / "00003.png"
    if damage == "empty":
        target.write_bytes(b"")
    elif damage == "torn":
        target.write_bytes(b"\x89PNG")
    elif damage == "another size":
        cv2.imwrite(str(target), np.zeros((8, 8, 3), np.uint8))
    elif damage == "no picture":
        for path in folder.glob("*.png"):
            path.unlink()
        assert content_digest(folder) == "missing"
    elif damage == "no folder":
        video = Video(folder / "none", "none", fps=3.0)
    else:
        video = Video(folder, "shown")
    with pytest.raises(DecodeError) as caught:
        decode(video, FOUR)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
