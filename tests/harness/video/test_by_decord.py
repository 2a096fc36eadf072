"""decord returns the same positions, times and, where it converts colours alike, the same bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from videos import write

from harness import Clip, DecodeError, Sampling, Video
from harness.video import decode

pytest.importorskip("decord", reason="decord is an extra, and has no package for this machine")

SAME_BITS = [
    "h264_b_frames.mp4",
    "h264_no_b_frames.mp4",
    "h264_open_gop.mp4",
    "h264_open_gop.mkv",
    "h264_fragments.mp4",
    "h264_hidden_frames.mp4",
    "h264_late_start.mp4",
    "h264_uneven.mp4",
    "h264_uneven.mkv",
    "h264_no_b_frames.avi",
    "h264_b_frames.avi",
    "h264_refresh.mp4",
    "h264.mov",
    "h264.flv",
    "hevc.mp4",
    "hevc_open_gop.mp4",
    "hevc_layers.mp4",
    "vp9.webm",
    "mpeg4.avi",
    "mpeg4.mp4",
    "mpeg2.mpg",
    "wmv2.wmv",
    "mjpeg.avi",
]


def both(path: Path, sampling: Sampling) -> tuple[Clip, Clip]:
    ours, theirs = (decode(Video(path, "v"), sampling, decoder) for decoder in ("pyav", "decord"))
    assert np.array_equal(ours.indices, theirs.indices)
    assert np.array_equal(ours.times, theirs.times)
    assert ours.fps == theirs.fps
    assert ours.frames.shape == theirs.frames.shape
    return ours, theirs


@pytest.mark.parametrize("name", SAME_BITS)
def test_the_same_frames(made: Callable[[str], Path], name: str) -> None:
    ours, theirs = both(made(name), Sampling(nframe=7))
    assert np.array_equal(ours.frames, theirs.frames)


@pytest.mark.parametrize("name", ["h264_10_bits.mp4", "hevc_10_bits.mp4", "h264_interlaced.mp4"])
def test_the_same_frames_in_other_colours(made: Callable[[str], Path], name: str) -> None:
    ours, theirs = (clip.frames.astype(int) for clip in both(made(name), Sampling(nframe=7)))
    for slot, frame in enumerate(theirs):
        distances = np.abs(ours - frame).mean(axis=(1, 2, 3))
        assert distances.argmin() == slot


def test_rotation_and_real_files(shared_data: Path) -> None:
    for folder, names in (
        ("odd_videos", ["video_0.mov", "video_90.mov", "video_180.mov", "video_270.mov", "unordered.mov"]),
        ("mmbench_video_mini/video", ["nasa_mirror.mp4", "pancake.mp4", "frame_titles_hevc.mp4"]),
    ):
        for name in names:
            ours, theirs = both(shared_data / folder / name, Sampling(nframe=5))
            assert np.array_equal(ours.frames, theirs.frames), name


def test_repeated_frames(tmp_path: Path) -> None:
    ours, theirs = both(write(tmp_path / "v.mp4", 2), Sampling(nframe=5))
    assert np.array_equal(ours.frames, theirs.frames)


@pytest.mark.parametrize("name", ["h264_open_gop.ts", "mpeg2.ts", "hevc_open_gop.ts"])
def test_transport_streams_are_refused(made: Callable[[str], Path], name: str) -> None:
    with pytest.raises(DecodeError, match=r"transport stream.*--decoder pyav"):
        decode(Video(made(name), "v"), Sampling(nframe=3), "decord")


@pytest.mark.parametrize("name", ["av1.mp4", "raw.h264"])
def test_what_decord_cannot_read_is_one_sentence(made: Callable[[str], Path], name: str) -> None:
    with pytest.raises(
        DecodeError, match=rf"{name} cannot be decoded by decord, try --decoder pyav"
    ) as caught:
        decode(Video(made(name), "v"), Sampling(nframe=3), "decord")
    assert "\n" not in str(caught.value)
    assert ".cc:" not in str(caught.value)


def test_frames_behind_a_cut_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mkv", 60, options="g=8")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DecodeError, match=r"cut short: frame \d+ of 60"):
        decode(Video(path, "v"), Sampling(nframe=8), "decord")


def test_a_missing_file_is_a_decode_error(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="cannot be opened"):
        decode(Video(tmp_path / "none.mp4", "v"), Sampling(nframe=3), "decord")
