"""Which packets need not be decoded: pictures that no other picture refers to, as the stream itself says.

Read from the headers of the pictures, not from what a container claims. H.264 (ITU-T H.264, 7.4.1):
``nal_ref_idc`` is 0. HEVC (ITU-T H.265, 7.4.2.2): a sub-layer non-reference picture in the highest
temporal sub-layer; in a lower one, pictures of a higher one may refer to it. AV1: see ``av1``. In other
codecs such a picture changes what later ones decode to (VP9 carries its probabilities on), or nothing
says which they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from harness.video.av1 import Sequence, disposable_unit, sequence_in

_H264_PICTURES = range(1, 6)
_H264_KNOWN = range(1, 24)
_HEVC_PICTURES = range(32)
_HEVC_NON_REFERENCE = range(0, 16, 2)
_HEVC_PARAMETERS = 33


def disposable_packets(decoder: Any) -> Callable[[Any], bool]:
    """The test for packets on their way into ``decoder``: true where all pictures in it are disposable.

    False for whatever it does not understand.
    """
    name = decoder.codec.canonical_name
    head = bytes(decoder.extradata or b"")
    if name == "h264":
        size = head[4] % 4 + 1 if len(head) > 4 and head[0] == 1 else 0
        return lambda packet: _disposable_h264(memoryview(packet), size)
    if name == "hevc":
        size = head[21] % 4 + 1 if len(head) > 22 and head[0] == 1 else 0
        highest = _highest_sub_layer(head, size)
        return lambda packet: _disposable_hevc(memoryview(packet), size, highest)
    if name == "av1" and (sequence := sequence_in(head[4:] if head[:1] == b"\x81" else head)):
        return partial(_disposable_av1, sequence)
    return lambda _: False


def _disposable_h264(data: memoryview, size: int) -> bool:
    found = False
    for spot in _units(data, size, 1):
        kind = data[spot] & 31
        found = found or kind in _H264_PICTURES
        if kind not in _H264_KNOWN or (kind in _H264_PICTURES and data[spot] >> 5):
            return False
    return found


def _disposable_hevc(data: memoryview, size: int, highest: int) -> bool:
    found = False
    for spot in _units(data, size, 2):
        kind = data[spot] >> 1 & 63
        if kind in _HEVC_PICTURES:
            found = True
            if kind not in _HEVC_NON_REFERENCE or (data[spot + 1] & 7) - 1 != highest:
                return False
    return found


def _disposable_av1(sequence: Sequence, packet: Any) -> bool:
    return disposable_unit(memoryview(packet), sequence)


def _units(data: memoryview, size: int, header: int) -> list[int]:
    """Where the NAL units of a packet begin; none where their lengths do not add up.

    size: bytes of the length in front of each; 0 where start codes part them. header: their least length.
    """
    units = []
    spot = 0
    if not size:
        text = bytes(data)
        while 0 <= (spot := text.find(b"\0\0\1", spot)) < len(text) - 3 - header:
            spot += 3
            units.append(spot)
        return units
    while spot < len(data):
        length = int.from_bytes(data[spot : spot + size], "big")
        spot += size
        units.append(spot)
        spot += length
        if length < header or spot > len(data):
            return []
    return units


def _highest_sub_layer(head: bytes, size: int) -> int:
    """The highest temporal sub-layer that an HEVC stream's extradata allows for; -1 when it says nothing."""
    try:
        return max((unit[2] >> 1 & 7 for unit in _parameter_sets(head, size)), default=-1)
    except IndexError:  # it breaks off
        return -1


def _parameter_sets(head: bytes, size: int) -> Iterator[bytes]:
    """The sequence parameter sets in an HEVC stream's extradata, each from its NAL unit header on."""
    if not size:
        view = memoryview(head)
        yield from (head[spot:] for spot in _units(view, 0, 2) if head[spot] >> 1 & 63 == _HEVC_PARAMETERS)
        return
    spot = 23
    for _ in range(head[22]):
        kind, count = head[spot] & 63, int.from_bytes(head[spot + 1 : spot + 3], "big")
        spot += 3
        for _ in range(count):
            length = int.from_bytes(head[spot : spot + 2], "big")
            if kind == _HEVC_PARAMETERS:
                yield head[spot + 2 : spot + 2 + length]
            spot += 2 + length
