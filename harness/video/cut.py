"""Files that end too early: how many frames they held before they were cut.

A download that broke off, a disk that ran full: what is left often decodes. Counting only what is left
would show other moments than the whole file does, so the lost frames are counted, too, and asking
for one of them is an error. A file counts as cut only when its own structure runs past its end;
a header that merely names another number of frames is not believed.
"""

from __future__ import annotations

from pathlib import Path

from harness.video.opening import Opened

_MOST = 10_000_000
"""Frames beyond which a header is not believed: four days at 30 a second."""
_EBML, _SEGMENT = bytes.fromhex("1A45DFA3"), bytes.fromhex("18538067")


def frames_before_cut(path: Path, opened: Opened, packets: int, fps: float) -> int:
    """About how many frames the file held when it was whole; 0 when it is not known to be cut.

    packets: how many the file still holds, damaged ones included.
    """
    container, stream = opened
    names = container.format.name.split(",")
    size = path.stat().st_size
    if "mp4" in names and len(stream.index_entries) > packets:
        entries = list(stream.index_entries)
        if any(entry.pos + entry.size > size for entry in entries):
            return sum(not entry.is_discard for entry in entries)
    told = 0
    if "matroska" in names and _matroska_end(path) > size:
        told = round((container.duration or 0) / 1e6 * fps)
    if "avi" in names and _riff_end(path) > size:
        told = int(stream.frames)
    return told if told < _MOST else 0


def _matroska_end(path: Path) -> int:
    """Where the segment of a Matroska file ends; 0 when it does not say."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.startswith(_EBML):
        return 0
    length, spot = _number(head, 4)
    spot += length
    if head[spot : spot + 4] != _SEGMENT:
        return 0
    length, spot = _number(head, spot + 4)
    return spot + length if length else 0


def _number(data: bytes, spot: int) -> tuple[int, int]:
    """A variable-length number and where it ends; 0 stands for the value reserved for "unknown"."""
    if spot >= len(data) or not data[spot]:
        return 0, spot
    width = 9 - data[spot].bit_length()
    bits = 7 * width
    value = int.from_bytes(data[spot : spot + width], "big") & ((1 << bits) - 1)
    return (0 if value == (1 << bits) - 1 else value), spot + width


def _riff_end(path: Path) -> int:
    with path.open("rb") as file:
        head = file.read(8)
    return 8 + int.from_bytes(head[4:8], "little") if head[:4] == b"RIFF" else 0
