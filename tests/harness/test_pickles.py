"""The final pickle: the same bytes for the same content, and nothing but plain data ever read back."""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import random
import struct
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.pickles import _Plain, dump, is_ours, load
from harness.plain import DEPTH

KEYS = st.integers(-(2**63), 2**63 - 1) | st.text()
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.dictionaries(KEYS, st.dictionaries(st.text(), VALUES, max_size=5), max_size=5)

P4 = b"\x80\x04"
SMALL = {3: {"status": "ok", "prediction": "né"}, "a": {"n": [1, -70000, 2**40, 1.5, None, True, False, {}]}}


def seal(pickled: bytes) -> bytes:
    """What a forger would do: the right checksum around any pickle."""
    return pickled + b"\nvidharness cache 1 " + blake2b(pickled, digest_size=16).hexdigest().encode() + b"\n"


@settings(max_examples=150)
@given(RECORDS)
def test_what_goes_in_comes_out_and_anybody_can_open_it(records: dict[Any, Any]) -> None:
    data = dump(records)
    assert load(data) == records == pickle.loads(data) == pickle.load(io.BytesIO(data))
    assert [type(key) for key in load(data)] == [
        type(key) for key in sorted(records, key=lambda k: (isinstance(k, str), k))
    ]


@settings(max_examples=100)
@given(RECORDS, st.randoms())
def test_equal_content_gives_equal_bytes(records: dict[Any, Any], draw: random.Random) -> None:
    keys = list(records)
    draw.shuffle(keys)
    again = load(dump({key: records[key] for key in keys}))
    assert dump(again) == dump(records)


def test_shared_strings_do_not_show() -> None:
    text = "".join(["long ", "answer"])
    shared = dump({1: {"a": text, "b": text}, 2: {"a": text}})
    apart = dump({2: {"a": "long" + " answer"[:]}, 1: {"a": f"long {'answer'}", "b": text[:4] + text[4:]}})
    assert shared == apart


def test_keys_are_sorted_numbers_by_value_before_strings() -> None:
    keys: list[Any] = ["10", 10, "2", 2, -1, ""]
    assert list(pickle.loads(dump({key: {} for key in keys}))) == [-1, 2, 10, "", "10", "2"]


def test_long_content_round_trips() -> None:
    records = {n: {"text": "x" * n * 300, "list": list(range(n))} for n in range(0, 400, 7)}
    assert load(dump(records)) == records


def test_files_of_ours_are_known_by_their_end() -> None:
    assert is_ours(dump(SMALL)) and is_ours(dump({}))
    assert not is_ours(pickle.dumps(SMALL)) and not is_ours(b"")


def test_every_truncation_is_found() -> None:
    data = dump(SMALL)
    for size in range(len(data)):
        with pytest.raises(ValueError, match="cut short"):
            load(data[:size])


def test_every_flipped_bit_is_found() -> None:
    data = dump(SMALL)
    for position in range(len(data)):
        for bit in range(8):
            broken = bytearray(data)
            broken[position] ^= 1 << bit
            with pytest.raises(ValueError, match=r"damaged|cut short"):
                load(bytes(broken))


class Call:
    """Pickles as a call of ``function``."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def _deep(levels: int) -> bytes:
    return P4 + b"]" * levels + b"a" * (levels - 1) + b"."


def _record(value: bytes) -> bytes:
    """A pickle of ``{1: {"a": VALUE}}``."""
    return P4 + b"}K\x01}\x8c\x01a" + value + b"ss."


HOSTILE = {
    "empty list": P4 + b"].",
    "a number": P4 + b"K\x01.",
    "no pickle": b"",
    "text": b"hello",
    "protocol 2": pickle.dumps({1: {}}, 2),
    "protocol 5": pickle.dumps({1: {}}, 5),
    "protocol 77": b"\x80\x4d}.",
    "a set": pickle.dumps({1: {"a": {1}}}, 4),
    "a tuple": _record(b"(K\x01K\x02t"),
    "bytes": pickle.dumps({1: {"a": b"x"}}, 4),
    "a date": pickle.dumps({1: {"a": date(2020, 1, 1)}}, 4),
    "memo of ours": pickle.dumps({1: {"a": 1}}, 4),
    "huge memo index": _record(b"Nr\xff\xff\xff\xff"),
    "huge memo index, text": _record(b"Np4294967295\n"),
    "huge text": _record(b"X\xff\xff\xff\xff"),
    "huge text, 8 bytes": _record(b"\x8d" + struct.pack("<Q", 2**62) + b"x"),
    "huge bytes": _record(b"\x8e" + struct.pack("<Q", 2**62) + b"x"),
    "huge bytearray": _record(b"\x96" + struct.pack("<Q", 2**34) + b"x"),
    "huge frame": P4 + b"\x95" + struct.pack("<Q", 2**62) + b"}.",
    "long frame": P4 + b"\x95" + struct.pack("<Q", 50) + b"}.",
    "huge integer": _record(b"\x8b" + struct.pack("<i", 2**31 - 1)),
    "nine bytes of integer": _record(b"\x8a\x09" + b"\x01" * 9),
    "integer in digits": _record(b"I" + b"9" * 5000 + b"\n"),
    "long in digits": _record(b"L" + b"9" * 5000 + b"L\n"),
    "persistent": _record(b"Pid\n"),
    "persistent, binary": _record(b"NQ"),
    "extension": _record(b"\x82\x01"),
    "global": b"\x80\x04cos\nsystem\n.",
    "instance": P4 + b"(ios\nsystem\n.",
    "stack global": P4 + b"\x8c\x02os\x8c\x06system\x93.",
    "build": _record(b"}}b"),
    "duplicate": _record(b"}2"),
    "bad utf-8": _record(b"\x8c\x01\xff"),
    "bool key": P4 + b"}\x88}s.",
    "float key": P4 + b"}G\0\0\0\0\0\0\0\0}s.",
    "none key": P4 + b"}N}s.",
    "list key": P4 + b"}]}s.",
    "number in place of a record": P4 + b"}K\x01K\x01s.",
    "number as a name": P4 + b"}K\x01}K\x01K\x01ss.",
    "deep list": _deep(200_000),
    "deep record": P4 + b"}K\x01" + b"}\x8c\x01a" * 100_000 + b"N" + b"s" * 100_001 + b".",
    "a little too deep": P4 + b"}K\x01" + b"}\x8c\x01a" * (DEPTH + 1) + b"N" + b"s" * (DEPTH + 2) + b".",
    "empty stack": P4 + b"ss.",
    "no mark": P4 + b"}u.",
    "odd items": P4 + b"}(K\x01u.",
    "append to a dict": P4 + b"}K\x01a.",
    "nothing": P4 + b".",
    "two pickles": P4 + b"}." + P4 + b"}.",
    "bytes after the end": P4 + b"}.}",
    "no stop": P4 + b"}",
    "cut argument": P4 + b"}J\x01.",
    "newer mark inside": P4 + b"}\nvidharness cache 1 0.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_crafted_files_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^it"):
        load(seal(HOSTILE[name]))
    with pytest.raises(ValueError, match="cut short or was written by another program"):
        load(HOSTILE[name])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_calls_are_never_made(tmp_path: Path, protocol: int) -> None:
    flag = tmp_path / "flag"
    for call in (
        Call(os.system, f"touch {flag}"),
        Call(eval, f"open({str(flag)!r}, 'w')"),
        Call(os.mkdir, str(flag)),
    ):
        for value in (call, {1: {"a": call}}, {1: call}):
            with pytest.raises(ValueError, match=r"^it"):
                load(seal(pickle.dumps(value, protocol)))
            assert not flag.exists()
    pickle.loads(pickle.dumps(call, protocol))
    assert flag.exists(), "the call itself works"


@pytest.fixture
def extension() -> Iterator[int]:
    """An extension code that has been used before, so that unpickling would not look its class up."""
    copyreg.add_extension("os", "mkdir", 240)
    assert pickle.loads(b"\x82\xf0.") is os.mkdir
    yield 240
    copyreg.remove_extension("os", "mkdir", 240)
    copyreg.clear_extension_cache()


def test_registered_extensions_are_out_of_reach(tmp_path: Path, extension: int) -> None:
    name = str(tmp_path / "made").encode()
    call = bytes([0x82, extension, 0x8C, len(name)]) + name + b"\x85R"
    with pytest.raises(ValueError, match="opcode 0x82"):
        load(seal(_record(call)))
    assert not (tmp_path / "made").exists()


def test_the_unpickler_itself_finds_nothing() -> None:
    """The bolt behind the scan."""
    for crafted in (b"cos\nsystem\n.", P4 + b"\x8c\x02os\x8c\x06system\x93.", pickle.dumps(date(2020, 1, 1))):
        with pytest.raises(pickle.UnpicklingError, match=r"it names (os\.system|datetime\.date)"):
            _Plain(io.BytesIO(crafted)).load()
    for crafted in (b"Pid\n.", P4 + b"NQ."):
        with pytest.raises(pickle.UnpicklingError, match="persistent"):
            _Plain(io.BytesIO(crafted)).load()


def test_mutations_with_a_good_checksum_give_records_or_a_sentence() -> None:
    draw = random.Random(7)
    whole = dump(SMALL).partition(b"\nvidharness")[0]
    opcodes = bytes(code[0] for code in vars(pickle).values() if isinstance(code, bytes) and len(code) == 1)
    read = 0
    for _ in range(6000):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(data))
            data[at : at + draw.randint(0, 2)] = draw.choices(
                opcodes + bytes(range(256)), k=draw.randint(0, 2)
            )
        try:
            records = load(seal(bytes(data)))
        except ValueError as error:
            assert str(error).startswith("it")
        else:
            read += 1
            assert load(dump(records)) == records
    assert read > 100, "some mutations only change a text or a number"
