"""What MP4 tables list is what a pass over the packets finds, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from videos import WELL_BEHAVED, write

from harness import DecodeError, Sampling, Video
from harness.video import decode
from harness.video.opening import open_video
from harness.video.table import listed_packets
from harness.video.timeline import Packets, read_packets

ORDINARY = [name for name in WELL_BEHAVED if name.endswith((".mp4", ".mov"))]
UNUSUAL = [
    "h264_fragments.mp4",
    "h264_hidden_frames.mp4",
    "h264_open_gop.mkv",
    "h264_open_gop.ts",
    "mpeg4.avi",
]


def listed(path: Path) -> Packets | None:
    with open_video(path) as opened:
        return listed_packets(path, opened)


def read(path: Path) -> Packets:
    with open_video(path) as opened:
        return read_packets(opened)


@pytest.mark.parametrize("name", [name for name in ORDINARY if name not in UNUSUAL])
def test_the_tables_list_what_is_there(made: Callable[[str], Path], name: str) -> None:
    assert listed(made(name)) == read(made(name))


@pytest.mark.parametrize("name", UNUSUAL)
def test_tables_that_do_not_say_it_all_are_not_used(made: Callable[[str], Path], name: str) -> None:
    assert listed(made(name)) is None


def test_real_files(shared_data: Path) -> None:
    files = [*shared_data.rglob("*.mp4"), *shared_data.rglob("*.mov")]
    assert len(files) >= 10
    for path in files:
        assert listed(path) == read(path), path.name


def test_a_file_cut_short_is_not_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", muxing="movflags=faststart")
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    assert listed(path) is None


def changed(path: Path, box: bytes, spot: int, value: int) -> Path:
    """The same file with four bytes of the box changed, ``spot`` bytes into its content."""
    data = bytearray(path.read_bytes())
    place = data.rindex(box) + 4 + spot
    data[place : place + 4] = value.to_bytes(4, "big")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("count", [0, 2, 0x7FFFFFFF, 0xFFFFFFFF])
def test_runs_that_do_not_add_up_are_not_used(tmp_path: Path, count: int) -> None:
    path = write(tmp_path / "v.mp4", options="bf=3")
    assert listed(path) is not None
    assert listed(changed(path, b"ctts", 8, count)) is None


@pytest.mark.parametrize("size", [0, 4, 0x7FFFFFFF])
@pytest.mark.parametrize("box", [b"ctts", b"trak", b"moov"])
def test_boxes_of_impossible_sizes_are_not_used(tmp_path: Path, box: bytes, size: int) -> None:
    path = changed(write(tmp_path / "v.mp4", options="bf=3"), box, -8, size)
    try:
        found = listed(path)
    except (av.error.FFmpegError, DecodeError):
        return
    assert found is None or found == read(path)


def test_the_video_itself_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", 200, options="g=20 bf=3")
    expected = read(path)
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    keep = start + 4000
    data[keep:end] = bytes(end - keep)
    path.write_bytes(data)
    assert listed(path) == expected


def test_the_track_is_that_of_the_video(tmp_path: Path) -> None:
    path = tmp_path / "both.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48000)
        video = container.add_stream("libx264", rate=30, options={"bf": "3", "g": "10"})
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        for number in range(30):
            grey = np.full((64, 64, 3), 8 * number, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1600), np.float32), "fltp", "stereo")
            frame.sample_rate = 48000
            container.mux(sound.encode(frame))
        container.mux(video.encode())
        container.mux(sound.encode())
    assert listed(path) == read(path)
    clip = decode(Video(path, "v"), Sampling(nframe=5))
    assert [round(frame.mean() / 8) for frame in clip.frames] == clip.indices.tolist()
