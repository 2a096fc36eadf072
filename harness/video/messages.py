"""What passes between this process and those that decode for it: pickled values, arrays as they are.

Arrays go through the socket beside the pickle: that costs two copies, as little as mapping fresh shared
memory does, and leaves nothing to clean up whoever dies.
"""

from __future__ import annotations

import pickle
import socket
from typing import Any

_WORD = 8
"""Bytes of a length."""


def send(to: socket.socket, value: Any) -> None:
    """Send a value. Raises OSError when there is nobody to read it."""
    arrays: list[pickle.PickleBuffer] = []
    text = pickle.dumps(value, protocol=5, buffer_callback=arrays.append)
    parts = [memoryview(text), *(array.raw() for array in arrays)]
    to.sendall(b"".join(number.to_bytes(_WORD, "little") for number in (len(parts), *map(len, parts))))
    for part in parts:
        to.sendall(part)


def receive(source: socket.socket) -> Any:
    """The next value. Raises EOFError when the other side has gone, TimeoutError and OSError."""
    import numpy as np

    (count,) = _words(source, 1)
    # NumPy asks the system for large pages, which are quicker to fill.
    text, *arrays = (np.empty(size, np.uint8) for size in _words(source, count))
    for part in (text, *arrays):
        _fill(source, memoryview(part.data))
    return pickle.loads(text.data, buffers=arrays)


def _words(source: socket.socket, count: int) -> list[int]:
    data = bytearray(count * _WORD)
    _fill(source, memoryview(data))
    return [int.from_bytes(data[spot : spot + _WORD], "little") for spot in range(0, len(data), _WORD)]


def _fill(source: socket.socket, view: memoryview) -> None:
    while view:
        got = source.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
