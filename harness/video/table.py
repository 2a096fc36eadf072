"""The packets of an MP4 or QuickTime file as its own tables list them, read without reading the video.

Going through all packets means going through the whole file, a gigabyte for an hour, which a network
disk takes long for; the tables are a megabyte and FFmpeg has read them. It tells all of a packet but when
it is shown; that is in the box ``ctts`` (ISO/IEC 14496-12, 8.6.1.3) and read here. What is listed is
compared with every packet that is decoded later, and not used at all for files that are out of the
ordinary: fragmented, cut short, or with frames hidden by an edit list.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.video.opening import Opened, packets_of
from harness.video.timeline import Packets

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_MOST = 1 << 28
"""Bytes of tables that are read into memory at most."""


def listed_packets(path: Path, opened: Opened) -> Packets | None:
    """All packets of the stream in file order; None where the tables are missing or not to be trusted."""
    import numpy as np

    container, stream = opened
    if "mp4" not in container.format.name.split(","):
        return None
    entries = [(entry.timestamp, entry.size, entry.pos, entry.flags) for entry in stream.index_entries]
    if not entries or len(entries) != stream.frames:
        return None
    decoded, sizes, places, flags = np.array(entries, np.int64).T
    keys = flags & 1
    if (flags != keys).any() or (sizes <= 0).any() or (places + sizes > path.stat().st_size).any():
        return None
    delays = _delays(path, stream.id, len(entries))
    first = next(packets_of(opened), None)
    if delays is None or first is None or first.pts is None or first.size != sizes[0]:
        return None
    stamps = decoded + delays
    return Packets(
        (stamps + first.pts - stamps[0]).tolist(), sizes.tolist(), np.flatnonzero(keys).tolist(), []
    )


def _delays(path: Path, track: int, count: int) -> npt.NDArray[np.int64] | None:
    """From decoding to showing, int64 [count] ticks; None where the tables do not say it of each packet."""
    import numpy as np

    with path.open("rb") as file:
        moov = _top_box(file, path.stat().st_size, b"moov")
    if not moov or any(name == b"mvex" for name, _ in _boxes(moov)):
        return None
    for name, trak in _boxes(moov):
        if name != b"trak" or _track_number(trak) != track:
            continue
        table = trak
        for step in (b"mdia", b"minf", b"stbl"):
            table = next((inner for name, inner in _boxes(table) if name == step), b"")
        runs = next((inner for name, inner in _boxes(table) if name == b"ctts"), None)
        if runs is None:
            return np.zeros(count, np.int64)
        pairs = np.frombuffer(runs[8 : 8 + len(runs[8:]) // 8 * 8], ">i4").reshape(-1, 2).astype(np.int64)
        if (pairs[:, 0] < 0).any() or pairs[:, 0].sum() != count:
            return None
        return np.repeat(pairs[:, 1], pairs[:, 0])
    return None


def _track_number(trak: bytes) -> int:
    head = next((inner for name, inner in _boxes(trak) if name == b"tkhd"), b"")
    spot = 20 if head[:1] == b"\1" else 12
    return int.from_bytes(head[spot : spot + 4], "big")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each box; ends where lengths make no sense."""
    spot = 0
    while spot + 8 <= len(data):
        size = int.from_bytes(data[spot : spot + 4], "big")
        if size < 8:
            return
        yield data[spot + 4 : spot + 8], data[spot + 8 : spot + size]
        spot += size


def _top_box(file: Any, end: int, wanted: bytes) -> bytes:
    """The content of a box at the top level of a file; empty when there is none, or a huge one."""
    spot = 0
    while spot + 8 <= end:
        file.seek(spot)
        head = file.read(16)
        size, inner = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, inner = int.from_bytes(head[8:16], "big"), 16
        if head[4:8] == wanted and inner <= size <= _MOST:
            file.seek(spot + inner)
            return bytes(file.read(size - inner))
        if size < inner:
            return b""
        spot += size
    return b""
