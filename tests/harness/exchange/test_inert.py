"""Pickles read as data: the same values as Python's own reader gives, and nothing is ever run."""

from __future__ import annotations

import pickle
import sys
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from fuzzing import soup
from hostile import Hostile, pickles
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.exchange import inert
from harness.exchange.inert import Called, read

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
KEYS = st.integers(-(2**63), 2**63 - 1) | st.text() | st.booleans() | st.none() | st.floats(allow_nan=False)
VALUES = st.recursive(
    KEYS | st.binary() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner) | st.lists(inner, max_size=5).map(tuple),
    max_leaves=15,
)


@settings(max_examples=150)
@given(VALUES, st.sampled_from(PROTOCOLS))
def test_plain_values_are_read_as_python_reads_them(value: Any, protocol: int) -> None:
    assert read(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_shared_stays_shared(protocol: int) -> None:
    text = "a long answer"
    assert read(pickle.dumps([{1: text}, {1: text}, (text, [text])], protocol)) == [
        {1: text},
        {1: text},
        (text, [text]),
    ]
    loop: list[Any] = []
    loop.append(loop)
    found = read(pickle.dumps(loop, protocol))
    assert found[0] is found


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        *(np.dtype(kind).type(7) for kind in "bhilqBHILQefd"),
        np.bool_(True),
        np.str_("né 日本"),
        np.str_(""),
        np.float64("inf"),
        np.array([5], ">i4")[0],
        np.array(["big"], ">U3")[0],
    ],
    ids=lambda value: f"{value.dtype.str}",
)
def test_numpys_scalars_are_numbers_and_text(value: Any, protocol: int) -> None:
    found = read(pickle.dumps({value: value}, protocol))
    assert found == {value.item(): value.item()}
    assert {type(item) for pair in found.items() for item in pair} <= {int, float, bool, str}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_an_ordered_dictionary_is_a_dictionary(protocol: int) -> None:
    assert read(pickle.dumps(OrderedDict({3: "a"}), protocol)) == {3: "a"}


def test_numpy_is_not_needed_for_that() -> None:
    assert "numpy" not in vars(inert)


def test_what_a_pickle_names_is_neither_imported_nor_called() -> None:
    sys.modules.pop("antigravity", None)
    assert read(b"cantigravity\ngeohash\n.").name == "antigravity.geohash"
    found = read(b"\x80\x04\x8c\x0bantigravity\x8c\x07geohash\x93K\x01\x85R.")
    assert (found.name, found.arguments) == ("antigravity.geohash", (1,))
    assert "antigravity" not in sys.modules
    assert isinstance(read(pickle.dumps(Hostile(sys.exit, 3))), Called)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ends too early|exhausted"),
        (b"\x80\x04K", "no whole pickle"),
        (b"\x80\x04}]K\x01s.", "keys are neither numbers nor text"),
        (b"\x80\x04})K\x01s.", "keys are neither numbers nor text"),
        (b"\x80\x04}\x8a\x09" + b"\x01" * 9 + b"Ns.", "keys are neither numbers nor text"),
        (b"\x82\x01.", "EXT1 at byte 0"),
        (b"Pid\n.", "PERSID at byte 0"),
        (b"\x80\x04]Na}b.", "gives a state to what has none"),
        (b"\x80\x04NNR.", "calls what cannot be called"),
        (b"\x80\x04N).", "no whole pickle"),
        (b"\x80\x04h\x07.", "no whole pickle"),
        (b"\x80\x04Na.", "no whole pickle"),
        (b"\x80\x04NNa.", "appends to what is no list"),
        (b"\x80\x04K\x01K\x02K\x03s.", "sets an item of what is no dictionary"),
        (b"I" + b"9" * 5000 + b"\n.", "no whole pickle"),
    ],
)
def test_what_is_no_data_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        read(data)
    assert str(raised.value).startswith("it ")


def test_a_file_of_too_many_opcodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inert, "MOST_OPCODES", 1000)
    assert len(read(pickle.dumps([True] * 900))) == 900
    with pytest.raises(ValueError, match="larger than any file of answers"):
        read(pickle.dumps([True] * 1100))


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.randoms().map(lambda draw: soup(draw)))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except ValueError as error:
        assert str(error).startswith("it ")


def test_the_crafted_ones_are_read_as_data_or_refused() -> None:
    for data in pickles():
        try:
            read(data)
        except ValueError as error:
            assert str(error).startswith("it ")
