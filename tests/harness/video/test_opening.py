"""Opening files that PyAV by itself stumbles over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from videos import write

from harness import Sampling, Video
from harness.video import decode
from harness.video.opening import Opened, packets_of


def test_titles_in_any_encoding_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mkv", 10, title="QQQQ")
    assert b"QQQQ" in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(b"QQQQ", b"\xff\xe9\xe8\xff"))
    assert decode(Video(path, "v"), Sampling(nframe=1)).indices.tolist() == [5]


def test_streams_that_begin_late_do_not_end_the_reading() -> None:
    def demux(_: object) -> Iterator[SimpleNamespace]:
        yield from (SimpleNamespace(size=size) for size in (7, 0, 9))
        raise IndexError

    found = list(packets_of(Opened(SimpleNamespace(demux=demux), None)))
    assert [packet.size for packet in found] == [7, 9]
