"""The final form of a cache: a pickled dict that anybody opens with one ``pickle.load``.

Reading it back trusts nothing. A line after the pickle (``pickle.load`` never looks at it) carries a
checksum, which finds files that are cut short or damaged; then only the opcodes that plain data need
are let through, so that a crafted file finds no class, no call, no reference and no large allocation
to use; then the result is checked like a record that enters.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NoReturn

from harness.lines import Key, Record, order
from harness.plain import check_key, check_record, many_objects

_MARK = b"\nvidharness cache 1 "
_DIGEST = 32

_SKIP = {
    opcode[0]: size
    for size, opcodes in {
        0: (
            *(
                pickle.EMPTY_DICT,
                pickle.EMPTY_LIST,
                pickle.MARK,
                pickle.NONE,
                pickle.NEWTRUE,
                pickle.NEWFALSE,
            ),
            *(pickle.SETITEM, pickle.SETITEMS, pickle.APPEND, pickle.APPENDS),
        ),
        1: (pickle.BININT1,),
        2: (pickle.BININT2,),
        4: (pickle.BININT,),
        8: (pickle.BINFLOAT, pickle.FRAME),
    }.items()
    for opcode in opcodes
}
"""Opcodes with an argument of fixed size, and that size in bytes."""
_COUNTED = {pickle.LONG1[0]: 1, pickle.SHORT_BINUNICODE[0]: 1, pickle.BINUNICODE[0]: 4}
"""Opcodes whose argument begins with its length, and the bytes that length takes."""


def dump(records: Mapping[Key, Record]) -> bytes:
    """The file for ``records``: equal records give equal bytes, whatever their order or history.

    Keys are sorted, ints by value before strs. ``records`` must be plain (:mod:`harness.plain`) and
    have sorted keys inside, as they come out of a journal.
    """
    keys = sorted(records, key=order)
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=4)
    # No memo: its references would depend on which equal strings happen to be one object.
    pickler.fast = True
    pickler.dump({key: records[key] for key in keys})
    data = buffer.getvalue()
    return data + _MARK + _digest(data) + b"\n"


def load(data: bytes) -> dict[Key, Record]:
    """The records of a file that :func:`dump` made. Raises ValueError saying what is wrong with it."""
    pickled, mark, line = data.rpartition(_MARK)
    if not mark or len(line) != _DIGEST + 1:
        raise ValueError("it is cut short or was written by another program")
    if line != _digest(pickled) + b"\n":
        raise ValueError("it is damaged: its checksum does not match")
    _scan(pickled)
    try:
        with many_objects():
            records = _Plain(io.BytesIO(pickled)).load()
            if type(records) is not dict:
                raise TypeError(f"it holds a {type(records).__name__}, not a dict")
            for key, record in records.items():
                check_key(key)
                check_record(record)
    except Exception as error:
        raise ValueError(f"it holds something else than records ({error})") from error
    return records


def is_ours(data: bytes) -> bool:
    """Whether the end of a file says that :func:`dump` made it; no more than that."""
    return _MARK in data[-2 * (len(_MARK) + _DIGEST) :]


class _Plain(pickle.Unpickler):
    """Finds no class and no persistent object. The scan lets no such opcode get here; this is the bolt."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError(f"it names a persistent object, {pid!r:.40}")


def _scan(data: bytes) -> None:
    """Raise ValueError unless ``data`` is one pickle of plain values that are written out in full."""
    if data[:2] != pickle.PROTO + b"\x04":
        raise ValueError("it is no pickle of protocol 4")
    skip, counted = _SKIP, _COUNTED
    position, last = 2, len(data) - 1
    while position < last:
        opcode = data[position]
        position += 1
        size = skip.get(opcode)
        if size is None:
            width = counted.get(opcode)
            if width is None:
                raise ValueError(
                    f"it holds more than plain data (opcode {opcode:#04x} at byte {position - 1})"
                )
            size = int.from_bytes(data[position : position + width], "little")
            if size > 8 and opcode == pickle.LONG1[0]:
                raise ValueError(f"it holds an integer beyond 64 bits at byte {position - 1}")
            position += width
        position += size
    if position != last or data[last:] != pickle.STOP:
        raise ValueError("its pickle does not end where it should")


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST // 2).hexdigest().encode()
