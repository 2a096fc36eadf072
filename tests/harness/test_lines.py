"""A journal's lines: what goes in comes out, and damage costs the records it touches, no other."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.lines import _seal, line, parse, texts

KEYS = st.integers(-(2**63), 2**63 - 1) | st.text()
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.dictionaries(st.text(), VALUES, max_size=6)


def made(key: Any, stamp: int, record: dict[str, Any]) -> bytes:
    key_text, record_text = texts(key, record)
    return line(key_text, stamp, record_text)


def answer(number: int) -> dict[str, Any]:
    return {"status": "ok", "prediction": f"Antwort {number}\tné\n"}


LINES = [made(number, number, answer(number)) for number in range(4)]
WHOLE = b"".join(LINES)
STARTS = [sum(map(len, LINES[:number])) for number in range(len(LINES) + 1)]


@settings(max_examples=200)
@given(st.lists(st.tuples(KEYS, RECORDS), max_size=5))
def test_what_goes_in_comes_out(items: list[Any]) -> None:
    contents = parse(b"".join(made(key, n, record) for n, (key, record) in enumerate(items)))
    assert [(entry.key, entry.record) for entry in contents.entries] == items
    assert [type(entry.key) for entry in contents.entries] == [type(key) for key, _ in items]
    assert contents.damaged == 0


def test_cut_anywhere_all_whole_records_come_back() -> None:
    for cut in range(len(WHOLE) + 1):
        contents = parse(WHOLE[:cut])
        # The newline alone may be missing.
        whole = [number for number in range(len(LINES)) if STARTS[number + 1] - 1 <= cut]
        assert [(entry.key, entry.record) for entry in contents.entries] == [(n, answer(n)) for n in whole]
        assert contents.damaged == 0


def test_any_wrong_byte_anywhere_costs_its_own_record_at_most() -> None:
    """All 255 wrong values of every byte; of the newline, too, which stands between two records."""
    for position in range(len(WHOLE)):
        touched = next(n for n in range(len(LINES)) if position < STARTS[n + 1])
        others = {n: answer(n) for n in range(len(LINES)) if n != touched}
        for value in set(range(256)) - {WHOLE[position]}:
            contents = parse(WHOLE[:position] + bytes([value]) + WHOLE[position + 1 :])
            found = {entry.key: entry.record for entry in contents.entries}
            assert {**found, touched: answer(touched)} == {**others, touched: answer(touched)}
            assert contents.damaged or touched == len(LINES) - 1, "damage is reported, a torn tail is not"


def test_bytes_that_vanish_or_come_in_cost_their_own_record_at_most() -> None:
    for position in range(len(WHOLE)):
        touched = next(n for n in range(len(LINES)) if position < STARTS[n + 1])
        expected = {n: answer(n) for n in range(len(LINES)) if n != touched}
        for inserted, skipped in [(b"", 1), (b"\t", 0), (b"\n", 0), (b"\0\0", 0), (b"[1]\t\n", 0)]:
            contents = parse(WHOLE[:position] + inserted + WHOLE[position + skipped :])
            found = {entry.key: entry.record for entry in contents.entries}
            assert found == {number: answer(number) for number in found}, "nothing is made up"
            assert set(expected) <= set(found)


@pytest.mark.parametrize(
    "text",
    [
        "7",
        "[]",
        "[1, 2]",
        "[1, 2, 3]",
        '[1, "2", {}]',
        "[1, true, {}]",
        "[1, 2, {}, 4]",
        "[1.5, 2, {}]",
        "[true, 2, {}]",
        "[null, 2, {}]",
        '{"a": 1, "b": 2, "c": 3}',
        f"[1, 2, {{}}{'[' * 100_000}",
        f'[1, 2, {{"a": {"[" * 500}{"]" * 500}}}]',
        f'[1, 2, {{"a": {10**30}}}]',
        f'[1, 2, {{"a": {"9" * 5000}}}]',
        f"[{10**30}, 2, {{}}]",
        "[1, -1, {}]",
        f"[1, {2**63}, {{}}]",
        f"[1, {'9' * 4000}, {{}}]",
    ],
)
def test_foreign_lines_with_a_good_checksum_are_damage(text: str) -> None:
    contents = parse(_seal(text))
    assert (contents.entries, contents.damaged) == ([], 1)


def test_random_bytes_never_raise() -> None:
    draw = random.Random(1)
    whole = b"".join(_seal(f'[{n},{n},{{"status":"ok"}}]') for n in range(8))
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            at = draw.randrange(len(data))
            data[at : at + draw.randint(0, 9)] = draw.randbytes(draw.randint(0, 9))
        for entry in parse(bytes(data)).entries:
            assert entry.record == {"status": "ok"} and entry.key == entry.stamp
