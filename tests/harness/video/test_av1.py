"""AV1's headers, written bit by bit, tell which pictures leave nothing behind."""

from __future__ import annotations

import pytest

from harness.video.av1 import Sequence, disposable_unit, sequence_in

KEY, INTER, INTRA_ONLY, SWITCH = 0, 1, 2, 3
DELIMITER, SEQUENCE, HEADER, TILES, FRAME, PADDING = 2, 1, 3, 4, 6, 15


def bits(*fields: tuple[int, int]) -> bytes:
    """(value, width) after (value, width), filled up with ones: a reader that goes astray finds those."""
    text = "".join(f"{value:0{width}b}" for value, width in fields if width)
    text += "1" * (-len(text) % 8 + 64)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def unit(kind: int, content: bytes, extended: bool = False) -> bytes:
    length = len(content)
    sizes = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return bytes([kind << 3 | extended << 2 | 2]) + b"\0" * extended + sizes + content


def sequence_header(
    still: int = 0, timing: int = 0, identities: int = 0, hints: int = 1, screen: int = 2, motion: int = 2
) -> bytes:
    fields = [(0, 3), (still, 1), (0, 1), (timing, 1)]
    if timing:
        fields += [(1, 32), (30, 32), (0, 1), (0, 1)]
    fields += [(1, 1), (1, 5)]  # display delays; two operating points
    fields += [(0, 12), (9, 5), (0, 1), (1, 1), (5, 4)]
    fields += [(0, 12), (7, 5), (0, 1)]
    fields += [(9, 4), (8, 4), (639, 10), (359, 9), (identities, 1)]
    if identities:
        fields += [(5, 4), (2, 3)]
    fields += [(0, 3), (0, 4), (hints, 1)]
    if hints:
        fields += [(0, 2)]
    fields += [(1, 1)] if screen == 2 else [(0, 1), (screen, 1)]
    if screen:
        fields += [(1, 1)] if motion == 2 else [(0, 1), (motion, 1)]
    if hints:
        fields += [(6, 3)]
    return unit(SEQUENCE, bits(*fields))


PLAIN = Sequence(screen_content_tools=2, integer_motion=2, frame_id_bits=0, order_hint_bits=7)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (sequence_header(), PLAIN),
        (sequence_header(timing=1), PLAIN),
        (sequence_header(identities=1), Sequence(2, 2, 10, 7)),
        (sequence_header(hints=0), Sequence(2, 2, 0, 0)),
        (sequence_header(screen=0), Sequence(0, 2, 0, 7)),
        (sequence_header(screen=1, motion=0), Sequence(1, 0, 0, 7)),
        (sequence_header(still=1), None),
        (unit(DELIMITER, b"") + sequence_header(), PLAIN),
        (unit(DELIMITER, b""), None),
        (b"", None),
    ],
)
def test_sequence_headers(header: bytes, expected: Sequence | None) -> None:
    assert sequence_in(header) == expected


def picture(sequence: Sequence, kind: int, refreshed: int, shown: int = 1, resilient: int = 0) -> bytes:
    fields = [(0, 1), (kind, 2), (shown, 1)]
    if not shown:
        fields += [(1, 1)]
    if kind != SWITCH and not (kind == KEY and shown):
        fields += [(resilient, 1)]
    fields += [(0, 1)]
    screen = sequence.screen_content_tools
    if screen == 2:
        fields += [(1, 1)]
        screen = 1
    if screen and sequence.integer_motion == 2:
        fields += [(0, 1)]
    fields += [(0, sequence.frame_id_bits), (0, 1), (0, sequence.order_hint_bits)]
    if kind == INTER and not resilient:
        fields += [(0, 3)]
    return bits(*fields, (refreshed, 8))


SEQUENCES = [PLAIN, Sequence(0, 2, 0, 7), Sequence(1, 0, 10, 4), Sequence(2, 1, 0, 0)]


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("resilient", [0, 1])
def test_pictures_that_refresh_no_slot(sequence: Sequence, resilient: int) -> None:
    for kind, shown, refreshed, expected in (
        (INTER, 1, 0, True),
        (INTER, 1, 4, False),
        (INTER, 1, 128, False),
        (INTER, 0, 0, True),
        (INTER, 0, 1, False),
        (INTRA_ONLY, 1, 0, True),
        (INTRA_ONLY, 1, 1, False),
        (KEY, 0, 0, True),
        (KEY, 1, 0, False),
        (SWITCH, 1, 0, False),
    ):
        frame = unit(FRAME, picture(sequence, kind, refreshed, shown, resilient))
        assert disposable_unit(memoryview(frame), sequence) is expected, (kind, shown, refreshed)


def test_units_are_disposable_when_all_their_pictures_are() -> None:
    spare, kept = (unit(FRAME, picture(PLAIN, INTER, refreshed)) for refreshed in (0, 2))
    again = unit(HEADER, bits((1, 1), (3, 3)))
    for data, expected in (
        (unit(DELIMITER, b"") + spare, True),
        (unit(PADDING, b"x" * 200) + spare + spare, True),
        (unit(HEADER, picture(PLAIN, INTER, 0)) + unit(TILES, b"x" * 300), True),
        (unit(FRAME, picture(PLAIN, INTER, 0), extended=True), True),
        (spare + kept, False),
        (kept + spare, False),
        (spare + again, False),
        (sequence_header() + spare, False),
        (unit(DELIMITER, b""), False),
        (b"", False),
        (bytes([FRAME << 3]) + picture(PLAIN, INTER, 0), True),  # the last unit needs no length
    ):
        assert disposable_unit(memoryview(data), PLAIN) is expected, data
