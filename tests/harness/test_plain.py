"""Only plain data enters a cache, and what does not is named by its place."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.plain import DEPTH, check_key, check_record
from harness.types import Status


@pytest.mark.parametrize("key", [0, -1, 2**63 - 1, -(2**63), "", "3", "é\n\ud800"])
def test_keys_are_ints_or_strings(key: Any) -> None:
    check_key(key)


@pytest.mark.parametrize(
    "key", [True, 2**63, -(2**63) - 1, 1.0, None, b"a", (1,), np.int64(3), np.str_("a"), Status.OK]
)
def test_other_keys_are_refused(key: Any) -> None:
    with pytest.raises(TypeError, match=r"must be a str or an int of 64 bits"):
        check_key(key)


def test_json_values_pass() -> None:
    check_record({"a": None, "b": [True, 1, -1.5, "x", float("inf")], "c": {"d": {"": []}}})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.float64(1), "numpy.float64"),
        (np.int64(1), "numpy.int64"),
        (np.bool_(True), "numpy.bool"),
        (np.str_("a"), "numpy.str_"),
        (np.zeros(2), "numpy.ndarray"),
        ((1, 2), "tuple"),
        ({1}, "set"),
        (b"a", "bytes"),
        (Status.OK, "Status"),
        (enum.IntEnum("E", "A").A, "E"),
        (2**63, "beyond 64 bits"),
        (-(2**63) - 1, "beyond 64 bits"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [0, v], lambda v: {"in": [v]}])
def test_other_values_are_refused_by_place(value: Any, said: str, wrap: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=said) as raised:
        check_record({"notes": wrap(value)})
    assert str(raised.value).startswith("notes")


def test_the_place_is_named() -> None:
    with pytest.raises(TypeError, match=r"^notes\.angle\[1\] is tuple"):
        check_record({"notes": {"angle": [0, ()]}})


@pytest.mark.parametrize("record", [{1: 2}, {"a": {None: 1}}, {"a": [{2: 1}]}, {np.str_("a"): 1}])
def test_names_are_strings(record: Any) -> None:
    with pytest.raises(TypeError, match="not a str"):
        check_record(record)


@pytest.mark.parametrize("record", [[], None, "a", 1])
def test_a_record_is_a_dict(record: Any) -> None:
    with pytest.raises(TypeError, match="must be a dict"):
        check_record(record)


def test_depth_is_bounded_cycles_included() -> None:
    record: dict[str, Any] = {}
    for _ in range(DEPTH - 1):
        record = {"a": record}
    check_record(record)
    with pytest.raises(TypeError, match="levels deep"):
        check_record({"a": record})
    loop: dict[str, Any] = {}
    loop["loop"] = [loop]
    with pytest.raises(TypeError, match="levels deep"):
        check_record(loop)
