"""What a cache may hold: JSON values of exact Python types, so that what is read is what was stored.

A NumPy number or a tuple would pass through JSON or pickle as something else, and a later reader
would meet it first; it is refused where it enters instead.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DEPTH = 32
"""Lists and dictionaries inside one another, the record itself included."""

_LEAVES = frozenset({str, float, bool, type(None)})
_BOUND = 2**63


def check_key(key: object) -> None:
    """Raise TypeError unless ``key`` is an int of 64 bits (no bool) or a str."""
    if type(key) is not str and not (type(key) is int and -_BOUND <= key < _BOUND):
        raise TypeError(f"a key must be a str or an int of 64 bits, not {_kind(key)}")


def check_record(record: object) -> None:
    """Raise TypeError, naming the place, unless ``record`` is a dict of plain values.

    Plain are None, bool, int of 64 bits, float, str, list, and dict with str keys; subclasses are not.
    """
    if type(record) is not dict:
        raise TypeError(f"a record must be a dict, not {_kind(record)}")
    _check(record, "", DEPTH - 1)


@contextmanager
def many_objects() -> Iterator[None]:
    """While inside, no search for cycles: it would walk all records again and again as they grow."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check(value: Any, place: str, depth: int) -> None:
    kind = type(value)
    if kind in _LEAVES or (kind is int and -_BOUND <= value < _BOUND):
        return
    if kind is not list and kind is not dict:
        raise TypeError(
            f"{place.lstrip('.')} is {_kind(value)}, which is not plain JSON data: convert it first"
        )
    if depth < 0:
        raise TypeError(f"{place.lstrip('.')} lies more than {DEPTH} levels deep")
    if kind is list:
        for index, item in enumerate(value):
            if type(item) not in _LEAVES:
                _check(item, f"{place}[{index}]", depth - 1)
        return
    for name, item in value.items():
        if type(name) is not str:
            raise TypeError(f"a key in {place.lstrip('.') or 'the record'} is {_kind(name)}, not a str")
        if type(item) not in _LEAVES:
            _check(item, f"{place}.{name}", depth - 1)


def _kind(value: object) -> str:
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"{name} beyond 64 bits" if kind is int else name
