"""Files that end too early: their frames keep their positions, and those behind the end are an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from videos import sequential, write

from harness import DecodeError, Sampling, Video
from harness.video import by_pyav, decode

CUTTABLE = {
    "fast.mp4": {"options": "g=8", "muxing": "movflags=faststart"},
    "whole.mkv": {"options": "g=8"},
    "whole.webm": {"codec": "libvpx-vp9", "options": "g=8 cpu-used=8 crf=40"},
    "mpeg4.avi": {"codec": "mpeg4", "options": "g=8 bf=2", "bit_rate": 500_000},
    "reordered.avi": {"options": "g=8 bf=3"},
}


@pytest.mark.parametrize("name", CUTTABLE)
@pytest.mark.parametrize("kept", [0.5, 0.75])
def test_frames_before_the_cut_are_right_and_those_behind_it_an_error(
    tmp_path: Path, name: str, kept: float
) -> None:
    path = write(tmp_path / name, 80, **CUTTABLE[name])
    expected, data = sequential(path), path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    seen: list[int] = []

    def first(times: np.ndarray, fps: float) -> list[int]:
        seen.append(len(times))
        return [1, 6, 12]

    decoded = by_pyav.decode(path, first)
    # Matroska names a duration, not a number of frames.
    assert abs(seen[-1] - 80) <= 1
    for slot, index in enumerate((1, 6, 12)):
        assert np.array_equal(decoded.frames[slot], expected[index])
    for index in (70, 79):
        with pytest.raises(DecodeError, match=rf"cut short: frame {index} of \d+"):
            by_pyav.decode(path, lambda times, fps, index=index: [1, index])
    with pytest.raises(DecodeError, match="cut short"):
        decode(Video(path, "v"), Sampling(nframe=8))


def test_the_frame_that_is_cut_through_is_not_shown(made: Callable[[str], Path], tmp_path: Path) -> None:
    path = write(tmp_path / "fast.mp4", 40, options="g=8 bf=0", muxing="movflags=faststart")
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with pytest.raises(DecodeError, match="frame 39 of 40"):
        by_pyav.decode(path, lambda times, fps: [39])
    by_pyav.decode(path, lambda times, fps: [38])


@pytest.mark.parametrize("change", [-7, 1000])
def test_a_count_in_the_header_is_not_believed(tmp_path: Path, change: int) -> None:
    path = write(tmp_path / "lying.avi", 40, "mpeg4", "g=8", bit_rate=500_000)
    data = bytearray(path.read_bytes())
    stream_header = data.index(b"strh") + 8 + 32
    assert int.from_bytes(data[stream_header : stream_header + 4], "little") == 40
    data[stream_header : stream_header + 4] = (40 + change).to_bytes(4, "little")
    path.write_bytes(data)
    clip = decode(Video(path, "v"), Sampling(nframe=3))
    assert clip.indices.tolist() == [10, 20, 30]


def test_an_endless_matroska_file_is_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "live.mkv", 40, options="g=8", muxing="live=1")
    clip = decode(Video(path, "v"), Sampling(nframe=3))
    assert clip.indices.tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    "name", ["h264_b_frames.mp4", "h264_open_gop.mkv", "mpeg4.avi", "h264_fragments.mp4"]
)
def test_bytes_behind_the_end_do_no_harm(made: Callable[[str], Path], name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(made(name).read_bytes() + bytes(1000))
    clip = decode(Video(path, "v"), Sampling(nframe=3))
    assert clip.indices.tolist() == [12, 24, 36]
