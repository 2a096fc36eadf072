"""Every frame is that of a plain decode from the beginning, however it was reached."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from videos import MISLEADING, WELL_BEHAVED, sequential, write

from harness import DecodeError
from harness.video import by_pyav, plain, quick, table
from harness.video.timeline import Decoded, Packets


def taking(wanted: list[int]) -> Callable[..., list[int]]:
    return lambda times, fps: wanted


def choices(count: int, seed: str) -> list[list[int]]:
    """Some to decode: all, one, a few, the last, a run."""
    rng = random.Random(seed)
    few = [sorted(rng.sample(range(count), size)) for size in (1, 3, 6)]
    start = rng.randrange(count - 5)
    return [list(range(count)), *few, [count - 1], list(range(start, start + 5))]


def assert_equal(decoded: Decoded, expected: list[np.ndarray]) -> None:
    assert len(decoded.times) == len(expected)
    assert len(decoded.frames) == len(decoded.indices)
    for slot, index in enumerate(decoded.indices):
        assert np.array_equal(decoded.frames[slot], expected[index]), index


@pytest.mark.parametrize("name", WELL_BEHAVED)
def test_few_frames_equal_those_of_a_plain_decode(
    made: Callable[[str], Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(name)
    expected = sequential(path)
    # The plain way must not be needed: it is right, and slow.
    monkeypatch.setattr(plain, "count_frames", None)
    for number, wanted in enumerate(choices(len(expected), name)):
        monkeypatch.setattr(by_pyav, "threads", lambda number=number: 1 + number % 4)
        decoded = by_pyav.decode(path, taking(wanted))
        assert_equal(decoded, expected)
        assert (np.diff(decoded.times) > 0).all()


@pytest.mark.parametrize("name", MISLEADING)
def test_files_that_mislead_are_decoded_the_plain_way(made: Callable[[str], Path], name: str) -> None:
    path = made(name)
    expected = sequential(path)
    assert len(expected) == 48
    for wanted in choices(len(expected), name):
        decoded = by_pyav.decode(path, taking(wanted))
        assert_equal(decoded, expected)
        assert (np.diff(decoded.times) >= 0).all()


@pytest.mark.parametrize("name", ["mpeg2.ts", "h264_open_gop.ts", "hevc_open_gop.ts"])
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_streams_that_begin_in_the_middle(
    made: Callable[[str], Path], name: str, share: float, tmp_path: Path
) -> None:
    data = made(name).read_bytes()
    head, start = data[: 3 * 188], int(len(data) * share) // 188 * 188
    path = tmp_path / name
    path.write_bytes(head + data[start:])
    expected = sequential(path)
    assert 0 < len(expected) < 48
    decoded = by_pyav.decode(path, taking([len(expected) - 1]))
    assert len(decoded.times) == len(expected)
    assert np.array_equal(decoded.frames[0], expected[-1])


@pytest.mark.parametrize("name", ["h264_open_gop.mp4", "hevc_open_gop.mp4"])
def test_streams_that_begin_with_pictures_of_the_group_before(
    made: Callable[[str], Path], name: str, tmp_path: Path
) -> None:
    path = tmp_path / "rest.mkv"
    with av.open(str(made(name))) as source, av.open(str(path), "w") as target:
        packets = [packet for packet in source.demux(source.streams.video[0]) if packet.size]
        second = [number for number, packet in enumerate(packets) if packet.is_keyframe][1]
        assert packets[second + 1].pts < packets[second].pts
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in packets[second:]:
            packet.stream = stream
            target.mux(packet)
    expected = sequential(path)
    decoded = by_pyav.decode(path, taking([0, 2, len(expected) - 1]))
    assert_equal(decoded, expected)


def test_keyframes_that_are_none(tmp_path: Path) -> None:
    path = write(tmp_path / "lying.mp4", 48, "mpeg4", "g=12", bit_rate=500_000)
    # Without its table of keyframes every packet of an MP4 file counts as one.
    path.write_bytes(path.read_bytes().replace(b"stss", b"free"))
    assert_equal(by_pyav.decode(path, taking([5, 20, 47])), sequential(path))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_changes_nothing(
    made: Callable[[str], Path], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_pyav, "threads", lambda: threads)
    path = made("h264_b_frames.mp4")
    assert_equal(by_pyav.decode(path, taking([3, 20, 21, 22, 40])), sequential(path))


def test_a_frame_may_be_wanted_more_than_once(made: Callable[[str], Path]) -> None:
    path = made("h264_b_frames.mp4")
    decoded = by_pyav.decode(path, taking([5, 5, 20, 5]))
    assert decoded.frames.shape[0] == 4
    assert_equal(decoded, sequential(path))


def test_packets_that_are_not_as_listed_are_read_again(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*arguments: object) -> Packets:
        found = table.listed_packets(*arguments)
        assert found is not None
        return Packets([stamp + 1 for stamp in found.stamps], found.sizes, found.keys, found.hidden)

    monkeypatch.setattr(by_pyav, "listed_packets", wrong)
    monkeypatch.setattr(plain, "count_frames", None)
    path = made("h264_b_frames.mp4")
    assert_equal(by_pyav.decode(path, taking([3, 20, 40])), sequential(path))


def test_unneeded_pictures_are_not_decoded(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made("h264_no_pyramid.mp4")
    fed: list[int] = []

    class Counting(quick.Reader):
        def _numbered(self, start: int, last: int) -> Iterator[tuple[int, Any]]:
            skip = self._disposable
            for number, packet in super()._numbered(start, last):
                if number == last or not skip(packet):
                    fed.append(number)
                yield number, packet

    monkeypatch.setattr(quick, "Reader", Counting)
    by_pyav.decode(path, taking([15]))
    # One keyframe every 16 frames; of the 16, three of four are B-frames that nothing refers to.
    assert len(fed) <= 6


def damaged(path: Path, spot: float, length: int, target: Path) -> Path:
    """A copy with ``length`` bytes overwritten, ``spot`` of the way through its coded pictures."""
    data = bytearray(path.read_bytes())
    start, end = (data.find(name) for name in (b"mdat", b"moov"))
    place = int(start + spot * (end - start)) if start >= 0 else int(spot * len(data))
    data[place : place + length] = b"\xff" * length
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_damage_is_an_error_where_it_matters_and_nothing_elsewhere(
    tmp_path: Path, codec: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_pyav, "threads", lambda: threads)
    options = {"libx264": "g=24 bf=2", "mpeg4": "g=12 sc_threshold=1000000000"}[codec]
    whole = write(tmp_path / "whole.mp4", 96, codec, options, bit_rate=500_000)
    expected = sequential(whole)
    path = damaged(whole, 0.55, 1500, tmp_path / "damaged.mp4")
    for wanted in ([2, 20], [75, 95]):
        assert_equal(by_pyav.decode(path, taking(wanted)), expected)
    with pytest.raises(DecodeError, match=r"damaged.mp4 is damaged or cut short: frame \d+ of 96"):
        by_pyav.decode(path, taking(list(range(48, 72))))


def told(path: Path, errors: str = "") -> bool:
    """Whether FFmpeg reports any damage in a plain decode. errors: what to detect and how."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        if errors:
            stream.codec_context.options = {"err_detect": errors}
        try:
            for packet in container.demux(stream):
                if packet.is_corrupt or any(frame.is_corrupt for frame in packet.decode()):
                    return True
        except av.error.FFmpegError:
            return True
    return False


@pytest.mark.parametrize("name", ["h264_b_frames.mp4", "mpeg4.mp4", "mpeg2.mpg", "av1.mp4"])
def test_no_damage_that_is_told_of_passes(
    made: Callable[[str], Path], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Threads inside one decoder, where H.264 is decoded by them, may miss some.
    monkeypatch.setattr(by_pyav, "threads", lambda: 1 if name.startswith("h264") else 3)
    outcomes = set()
    for spot in np.linspace(0.1, 0.8, 12):
        path = damaged(made(name), spot, 4, tmp_path / name)
        try:
            by_pyav.decode(path, lambda times, fps: list(range(len(times))))
            outcomes.add((told(path), "passed"))
        except DecodeError:
            outcomes.add((told(path), "refused"))
    assert (True, "refused") in outcomes
    assert outcomes <= {(True, "refused"), (False, "passed")}


def test_threads_notice_the_errors_that_stop_a_strict_decoder(
    made: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_pyav, "threads", lambda: 4)
    seen = 0
    for spot in np.linspace(0.05, 0.9, 16):
        path = damaged(made("h264_no_pyramid.mp4"), spot, 4, tmp_path / "damaged.mp4")
        if told(path, "explode"):
            seen += 1
            with pytest.raises(DecodeError):
                by_pyav.decode(path, lambda times, fps: list(range(len(times))))
    assert seen


def test_a_hole_in_a_transport_stream_is_damage(made: Callable[[str], Path], tmp_path: Path) -> None:
    whole = made("h264_open_gop.ts")
    expected, data = sequential(whole), whole.read_bytes()
    path = tmp_path / "hole.ts"
    for hole in range(len(data) // 376 * 188, len(data) // 376 * 188 + 4 * 188, 188):
        path.write_bytes(data[:hole] + data[hole + 188 :])
        assert told(path)
        with pytest.raises(DecodeError, match="damaged"):
            by_pyav.decode(path, lambda times, fps: list(range(len(times))))
        assert_equal(by_pyav.decode(path, taking([1, 2])), expected)


def test_a_picture_that_changes_its_size_is_an_error(tmp_path: Path) -> None:
    small, large = tmp_path / "small.h264", tmp_path / "both.h264"
    write(small, 10, options="bf=0")
    with av.open(str(large), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((128, 160, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    large.write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(DecodeError, match=r"both.h264 cannot be decoded: the picture size changes"):
        by_pyav.decode(large, taking([1, 15]))


def test_threads_are_a_share_of_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    for ranks, threads in (("", 8), ("nonsense", 8), ("0", 8), ("1", 8), ("4", 4), ("64", 1)):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", ranks)
        assert by_pyav.threads() == threads, ranks
