"""As much of AV1's headers as tells whether later pictures can refer to a picture.

Source: AV1 Bitstream and Decoding Process Specification, 5.3 (units), 5.5 (sequence header) and 5.9.2
(frame header). A picture that refreshes none of the eight reference slots leaves nothing behind: what
AV1 carries from one picture to the next, it carries in those slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6
_KEY, _SWITCH = 0, 3
_SELECT = 2
_HEAD = 48
"""Bytes of a unit that hold all that is read of it."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """What of the sequence header decides where in a frame header the refreshed slots stand."""

    screen_content_tools: int
    integer_motion: int
    frame_id_bits: int
    order_hint_bits: int


class Bits:
    """Bits read one after another; zeros past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data.ljust(_HEAD, b"\0"), "big")
        self._left = 8 * max(_HEAD, len(data))

    def take(self, count: int = 1) -> int:
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1) if self._left >= 0 else 0


def sequence_in(data: bytes) -> Sequence | None:
    """The sequence header among some units; None where there is none, or one of another kind.

    Of another kind are still pictures, and streams with a decoder model, whose frame headers are longer.
    """
    for kind, head in _units(memoryview(data)):
        if kind == _SEQUENCE:
            return _sequence(Bits(head))
    return None


def disposable_unit(data: memoryview, sequence: Sequence) -> bool:
    """Whether all pictures of a temporal unit (a packet) are such that nothing can refer to them."""
    found = False
    for kind, head in _units(data):
        if kind == _SEQUENCE:
            return False
        if kind in (_FRAME, _FRAME_HEADER):
            found = True
            if _refreshed(Bits(head), sequence):
                return False
    return found


def _units(data: memoryview) -> Iterator[tuple[int, bytes]]:
    """Type and first bytes of each unit (OBU)."""
    spot = 0
    while spot < len(data):
        header = data[spot]
        spot += 1 + (header >> 2 & 1)
        length, shift = len(data) - spot, 0
        if header >> 1 & 1:
            length = 0
            while spot < len(data):
                byte = data[spot]
                length |= (byte & 127) << shift
                shift += 7
                spot += 1
                if byte < 128:
                    break
        yield header >> 3 & 15, bytes(data[spot : spot + min(length, _HEAD)])
        spot += length


def _sequence(bits: Bits) -> Sequence | None:
    bits.take(3)  # profile
    still, reduced = bits.take(), bits.take()
    if still or reduced:
        return None
    if bits.take():  # timing information
        bits.take(64)
        if bits.take() or bits.take():  # ticks per picture, whose length varies; decoder model
            return None
    delays = bits.take()
    for _ in range(bits.take(5) + 1):  # operating points
        bits.take(12)
        if bits.take(5) > 7:
            bits.take()
        if delays and bits.take():
            bits.take(4)
    width, height = bits.take(4) + 1, bits.take(4) + 1
    bits.take(width)
    bits.take(height)
    frame_id = 0
    if bits.take():
        frame_id = bits.take(4) + 2
        frame_id += bits.take(3) + 1
    bits.take(3 + 4)  # tools that frame headers mention later
    order_hint = bits.take()
    if order_hint:
        bits.take(2)
    screen = _SELECT if bits.take() else bits.take()
    motion = _SELECT
    if screen and not bits.take():
        motion = bits.take()
    return Sequence(screen, motion, frame_id, bits.take(3) + 1 if order_hint else 0)


def _refreshed(bits: Bits, sequence: Sequence) -> int:
    """The slots that a picture refreshes, a bit each."""
    if bits.take():  # shows a picture again, which may refresh all
        return 0xFF
    kind, shown = bits.take(2), bits.take()
    if not shown:
        bits.take()
    if kind == _SWITCH or (kind == _KEY and shown):
        return 0xFF
    resilient = bits.take()
    bits.take()  # probabilities fixed within the picture
    screen = bits.take() if sequence.screen_content_tools == _SELECT else sequence.screen_content_tools
    if screen and sequence.integer_motion == _SELECT:
        bits.take()
    bits.take(sequence.frame_id_bits + 1 + sequence.order_hint_bits)
    if kind != 2 and not resilient and kind != 0:
        bits.take(3)
    return bits.take(8)
