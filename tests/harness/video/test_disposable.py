"""Which packets may be left out: what the streams say, and nothing on garbage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.video.disposable import disposable_packets
from harness.video.opening import open_video


def judge(codec: str, extradata: bytes) -> Callable[[bytes], bool]:
    return disposable_packets(
        SimpleNamespace(codec=SimpleNamespace(canonical_name=codec), extradata=extradata)
    )


def lengths(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def codes(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)


AVCC = bytes([1, 100, 0, 31, 0xFF, 0xE1])
SPS = bytes([33 << 1, 1])  # the header of an HEVC sequence parameter set
B, P, IDR, SEI = b"\x01body", b"\x41body", b"\x65body", b"\x06\x05\x01\x80"


@pytest.mark.parametrize(("pack", "extradata"), [(lengths, AVCC), (codes, b""), (codes, codes(b"\x67\x64"))])
def test_h264_pictures_without_references(pack: Callable[..., bytes], extradata: bytes) -> None:
    disposable = judge("h264", extradata)
    for units, expected in (
        ((B,), True),
        ((SEI, B, B), True),
        ((P,), False),
        ((IDR,), False),
        ((B, P), False),  # two fields, one referred to
        ((SEI,), False),
        ((b"\x00body", B), False),  # no such unit
        ((), False),
    ):
        assert disposable(pack(*units)) is expected, units


def test_h264_lengths_that_do_not_add_up() -> None:
    disposable = judge("h264", AVCC)
    assert disposable(lengths(B))
    assert not disposable(lengths(B)[:-1])
    assert not disposable(lengths(B) + b"\0")
    assert not disposable(lengths(B, b""))


def hvcc(layers: int) -> bytes:
    sps = SPS + bytes([(layers - 1) << 1, 0])
    return bytes([1]) + bytes(20) + bytes([0x0F, 1, 33, 0, 1]) + len(sps).to_bytes(2, "big") + sps


def hevc(kind: int, layer: int = 0) -> bytes:
    return bytes([kind << 1, layer + 1]) + b"body"


@pytest.mark.parametrize(("pack", "one", "three"), [
    (lengths, hvcc(1), hvcc(3)),
    (codes, codes(SPS + b"\x00\x00"), codes(SPS + b"\x04\x00")),
])  # fmt: skip
def test_hevc_pictures_without_references(pack: Callable[..., bytes], one: bytes, three: bytes) -> None:
    trailing_n, trailing_r, leading_n, keyframe = 0, 1, 8, 19
    flat, layered = judge("hevc", one), judge("hevc", three)
    assert flat(pack(hevc(trailing_n)))
    assert flat(pack(hevc(39), hevc(leading_n)))  # behind a remark
    assert not flat(pack(hevc(trailing_r)))
    assert not flat(pack(hevc(keyframe)))
    assert not flat(pack(hevc(39)))
    # Pictures of a higher sub-layer may refer to it.
    assert not layered(pack(hevc(trailing_n, 0)))
    assert not layered(pack(hevc(trailing_n, 1)))
    assert layered(pack(hevc(trailing_n, 2)))


@pytest.mark.parametrize("extradata", [b"", hvcc(1)[:24], hvcc(1)[:-2], codes(b"\x40\x01")])
def test_hevc_that_does_not_tell_its_layers(extradata: bytes) -> None:
    pack = lengths if extradata[:1] == b"\1" else codes
    assert not judge("hevc", extradata)(pack(hevc(0)))


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("h264_b_frames.mp4", True),
        ("h264_open_gop.ts", True),
        ("h264_no_b_frames.mp4", False),
        ("h264_intra.mp4", False),
        ("hevc.mp4", True),
        ("hevc_layers.ts", True),
        ("av1.mp4", True),
        ("av1_low_delay.webm", True),
        ("vp9.webm", False),
        ("mpeg2.ts", False),
    ],
)
def test_real_streams(made: Callable[[str], Path], name: str, some: bool) -> None:
    with open_video(made(name)) as (container, stream):
        disposable = disposable_packets(stream.codec_context)
        found = [disposable(packet) for packet in container.demux(stream) if packet.size]
    assert any(found) is some
    assert not all(found)


@given(st.sampled_from(["h264", "hevc", "av1"]), st.binary(max_size=60), st.binary(max_size=200))
def test_garbage_is_no_error(codec: str, extradata: bytes, data: bytes) -> None:
    judge(codec, extradata)(data)
    judge("h264", AVCC)(data)
    judge("hevc", hvcc(1))(data)
    judge("av1", bytes.fromhex("8100000a0b00000004 3c7e7e6f5bf0"))(data)
