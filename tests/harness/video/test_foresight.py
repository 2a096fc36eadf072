"""How large a clip will be, before it is decoded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from videos import WELL_BEHAVED

from harness import Sampling, Video
from harness.errors import DecodeError
from harness.video import decode, decode_windows, foresee

Made = Callable[[str], Path]


@pytest.mark.parametrize("name", sorted(WELL_BEHAVED))
def test_size_and_number_are_those_of_the_clip(made: Made, name: str) -> None:
    video = Video(made(name), name)
    for sampling in (Sampling(nframe=6), Sampling(fps=5), Sampling(fps=10, max_frames=4)):
        foreseen = foresee(video, sampling)
        assert foreseen is not None
        count, *size = foreseen
        clip = decode(video, sampling)
        assert tuple(size) == clip.frames.shape[1:3]
        if sampling.nframe or sampling.max_frames:
            assert count == len(clip.frames)
        else:
            assert abs(count - len(clip.frames)) <= 2


def test_a_part_of_a_video_has_the_frames_of_that_part(made: Made) -> None:
    video = Video(made("h264_b_frames.mp4"), "x", start=0.4, end=1.2)
    assert foresee(video, Sampling(fps=10)) == (8, *decode(video, Sampling(fps=10)).frames.shape[1:3])


@pytest.mark.parametrize("window", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("part", [{}, {"start": 0.4, "end": 1.2}])
def test_the_frames_of_windows_are_counted_once(made: Made, window: float, part: dict[str, float]) -> None:
    for name in ("h264_b_frames.mp4", "mpeg4.avi"):
        video = Video(made(name), name, **part)
        for sampling in (Sampling(nframe=3), Sampling(fps=4)):
            clip, _ = decode_windows(video, sampling, window)
            assert foresee(video, sampling, window) == clip.frames.shape[:3]


def test_real_and_odd_videos_have_the_area_that_was_foreseen(shared_data: Path) -> None:
    seen = 0
    for path in sorted(shared_data.rglob("*.m*")):
        try:
            clip = decode(Video(path, "x"), Sampling(nframe=3))
        except DecodeError:
            continue
        foreseen = foresee(Video(path, "x"), Sampling(nframe=3))
        assert foreseen is not None
        count, height, width = foreseen
        assert count * height * width * 3 == clip.frames.nbytes, path.name
        seen += 1
    assert seen > 5


def test_what_cannot_be_opened_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("broken")
    os.mkfifo(tmp_path / "pipe.mp4")
    for name in ("text.mp4", "missing.mp4", "pipe.mp4"):
        assert foresee(Video(tmp_path / name, name), Sampling(fps=1)) == (0, 0, 0)
