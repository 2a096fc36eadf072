"""From a video and a frame setting to a clip: the right frames at the right times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from videos import HEIGHT, WIDTH, sequential, write

from harness import DecodeError, Sampling, UsageError, Video
from harness.video import check_decoder, decode, decode_windows


@pytest.mark.parametrize("gop", [1, 5, 250])
@pytest.mark.parametrize("bframes", [0, 3])
def test_frames_times_and_indices_belong_together(tmp_path: Path, gop: int, bframes: int) -> None:
    path = write(tmp_path / "v.mp4", 30, options=f"g={gop} bf={bframes}")
    clip = decode(Video(path, "v"), Sampling(nframe=5))
    assert clip.indices.tolist() == [5, 10, 15, 20, 25]
    assert clip.indices.dtype == np.int64
    expected = sequential(path)
    assert np.array_equal(clip.frames, np.stack([expected[index] for index in clip.indices]))
    assert clip.times == pytest.approx([i / 30 for i in clip.indices])
    assert clip.frames.shape == (5, HEIGHT, WIDTH, 3)
    assert clip.frames.dtype == np.uint8
    assert clip.fps == pytest.approx(30)


@pytest.mark.parametrize("name", ["v.mkv", "v.mp4"])
def test_uneven_frames_keep_their_times_whatever_rate_the_header_claims(tmp_path: Path, name: str) -> None:
    stamps = [0, 100, 130, 160, 1000, 1040, 2000]
    path = write(tmp_path / name, len(stamps), stamps=stamps, time_base=Fraction(1, 1000))
    clip = decode(Video(path, "v"), Sampling(nframe=6))
    assert clip.times == pytest.approx([stamps[i] / 1000 for i in clip.indices])
    assert clip.fps == pytest.approx(3, rel=0.05)


def test_start_and_end_cut_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", 30)
    clip = decode(Video(path, "v", start=10 / 30, end=20 / 30), Sampling(nframe=4))
    assert clip.indices.tolist() == [12, 14, 16, 18]
    assert clip.times == pytest.approx([index / 30 for index in (12, 14, 16, 18)])


def test_a_part_behind_the_end_is_the_last_frame(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", 30)
    clip = decode(Video(path, "v", start=100, end=200), Sampling(nframe=2))
    assert clip.indices.tolist() == [29, 29]


def test_too_short_a_video_repeats_frames_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", 1)
    clip = decode(Video(path, "v"), Sampling(nframe=8))
    assert clip.indices.tolist() == [0] * 8
    assert clip.notes["repeated_frames"] == 7
    assert (clip.frames == clip.frames[0]).all()


@pytest.mark.parametrize("sampling", [Sampling(nframe=4), Sampling(fps=3)])
def test_windows_hold_the_frames_of_the_seconds_before(tmp_path: Path, sampling: Sampling) -> None:
    stamps = np.cumsum(np.random.default_rng(1).integers(10, 90, 60)).tolist()
    path = write(tmp_path / "v.mkv", 60, options="g=9", stamps=stamps, time_base=Fraction(1, 1000))
    seconds = np.array(stamps) / 1000 - stamps[0] / 1000
    clip, windows = decode_windows(Video(path, "v"), sampling, 0.5)
    expected = sequential(path)
    assert np.array_equal(clip.frames, np.stack([expected[index] for index in clip.indices]))
    chosen = decode(Video(path, "v"), sampling).indices
    assert len(windows) == len(chosen)
    for window, last in zip(windows, chosen, strict=True):
        inside = (seconds <= seconds[last]) & (seconds > seconds[last] - 0.5)
        assert clip.indices[window].tolist() == np.flatnonzero(inside).tolist()


def test_a_window_of_nothing_is_the_frame_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", 30)
    clip, windows = decode_windows(Video(path, "v"), Sampling(nframe=2), 0)
    assert clip.indices.tolist() == [10, 20]
    assert [window.tolist() for window in windows] == [[0], [1]]


def test_real_files_equal_a_sequential_decode(shared_data: Path) -> None:
    files = sorted(shared_data.rglob("*.mp4")) + sorted(shared_data.rglob("*.mov"))
    assert len(files) >= 10
    for path in files:
        if path.name == "corrupted.mp4":
            continue
        expected = sequential(path)
        clip = decode(Video(path, path.stem), Sampling(nframe=8))
        assert clip.indices.tolist() == Sampling(nframe=8).indices(len(expected), clip.fps), path.name
        for slot, index in enumerate(clip.indices):
            assert np.array_equal(clip.frames[slot], expected[index]), (path.name, index)


@pytest.mark.parametrize(("name", "portrait"), [("0", False), ("180", False), ("90", True), ("270", True)])
def test_rotation_is_applied(shared_data: Path, name: str, portrait: bool) -> None:
    clip = decode(Video(shared_data / "odd_videos" / f"video_{name}.mov", name), Sampling(nframe=1))
    height, width = clip.frames.shape[1:3]
    assert (height > width) is portrait


def test_of_several_video_streams_the_best_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "two.mp4"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=30) for _ in range(2)]
        for stream, width in zip(streams, (64, 128), strict=True):
            stream.width, stream.height, stream.pix_fmt = width, width, "yuv420p"
        streams[0].disposition, streams[1].disposition = 0, Disposition.default.value
        for stream, width in zip(streams, (64, 128), strict=True):
            for _ in range(5):
                noise = np.random.default_rng(0).integers(0, 255, (width, width, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
            container.mux(stream.encode())
    clip = decode(Video(path, "v"), Sampling(nframe=1))
    assert clip.frames.shape[1:3] == (128, 128)


def test_a_broken_file_is_a_decode_error_in_one_line(shared_data: Path, tmp_path: Path) -> None:
    broken = shared_data / "odd_videos" / "corrupted.mp4"
    empty, text, missing = tmp_path / "empty.mp4", tmp_path / "text.mp4", tmp_path / "missing.mp4"
    empty.touch()
    text.write_text("not a video")
    for path in (broken, empty, text, missing):
        with pytest.raises(DecodeError, match=path.name) as caught:
            decode(Video(path, "v"), Sampling(nframe=8))
        assert "\n" not in str(caught.value)


def test_a_sound_file_holds_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(DecodeError, match="no video"):
        decode(Video(path, "s"), Sampling(nframe=8))


def test_a_file_of_no_frames_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "none.mp4", muxing="movflags=faststart")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 4])
    with pytest.raises(DecodeError, match=r"none.mp4 holds no frames"):
        decode(Video(path, "v"), Sampling(nframe=8))


def test_time_stamps_that_make_no_sense_are_an_error(tmp_path: Path) -> None:
    stamps, time_base = [0, 1000, 40 * 86400 * 1000], Fraction(1, 1000)
    path = write(tmp_path / "v.mkv", 3, options="bf=0", stamps=stamps, time_base=time_base)
    with pytest.raises(DecodeError, match=r"v.mkv cannot be decoded: its time stamps make no sense"):
        decode(Video(path, "v"), Sampling(fps=1))


def test_unknown_decoder_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="pyav or decord"):
        check_decoder("ffmpeg")


def test_a_decoder_that_is_not_installed_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'vidharness\[decord\]'"):
        check_decoder("decord")
