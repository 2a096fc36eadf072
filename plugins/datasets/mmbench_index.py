"""Reads the index of a ``video_pkl`` chunk, a pickle of ``{name: bytes of an mp4}``, without unpickling.

A pickle is a program; of a downloaded one nothing may run. The few instructions that a dictionary of
byte strings needs are read here one by one and whatever else stands in the file is refused. A video's
bytes are only noted as a place in the file, so that chunks of gigabytes are indexed in moments.
Instructions after CPython's ``Lib/pickletools.py``.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from harness import UsageError

LONGEST_NAME = 800
"""Bytes of a name; what is longer is no file name and is not read."""


@dataclass(frozen=True, slots=True)
class Span:
    """A byte string's place in a file."""

    start: int
    length: int


def spans(path: Path) -> dict[str, Span]:
    """Where each video of a chunk lies, by its name in the chunk.

    Raises UsageError when the file is cut off, damaged, or anything but such a dictionary.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path.stat().st_size).read()
    except NotAChunkError as error:
        raise UsageError(
            f"{path} is no chunk of MMBench-Video ({error}) and nothing in it was run: download it again, "
            "or remove it to do without its videos"
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


class NotAChunkError(Exception):
    """Why a file is no chunk."""


_MARK = object()
_SIZES: Mapping[bytes, str] = {
    b"\x8c": "<B", b"X": "<I", b"\x8d": "<Q",  # text of up to 2^8, 2^32, 2^64 bytes
    b"C": "<B", b"B": "<I", b"\x8e": "<Q", b"\x96": "<Q",  # the same for bytes, and a bytearray
    b"q": "<B", b"r": "<I", b"h": "<B", b"j": "<I",  # remember a value, fetch it again
    b"\x80": "<B", b"\x95": "<Q",  # version, frame
}  # fmt: skip
_TEXT, _BYTES, _STORE, _FETCH = b"X\x8c\x8d", b"CB\x8e\x96", b"qr", b"hj"


class _Reader:
    """The machine for one file: a stack, a memory, and spans instead of byte strings."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        self.stack: list[object] = []
        self.memory: dict[int, object] = {}
        self.found: dict[str, Span] = {}

    def read(self) -> dict[str, Span]:
        """Until the instruction that ends a pickle."""
        while (code := self._take(1)) != b".":
            self._step(code)
        if self.stack != [self.found]:
            raise NotAChunkError("it is not one dictionary")
        return self.found

    def _step(self, code: bytes) -> None:
        number = self._number(_SIZES[code]) if code in _SIZES else 0
        if code in _TEXT:
            self.stack.append(self._text(number))
        elif code in _BYTES:
            self.stack.append(self._span(number))
        elif code in _STORE or code == b"\x94":
            self.memory[number if code in _STORE else len(self.memory)] = self._top()
        elif code in _FETCH:
            if number not in self.memory:
                raise NotAChunkError("it is damaged")
            self.stack.append(self.memory[number])
        elif code == b"}" and not self.stack:
            self.stack.append(self.found)
        elif code == b"(":
            self.stack.append(_MARK)
        elif code == b"s":
            self._put(self.stack[-2:])
            del self.stack[-2:]
        elif code == b"u" and _MARK in self.stack:
            place = len(self.stack) - 1 - self.stack[::-1].index(_MARK)
            self._put(self.stack[place + 1 :])
            del self.stack[place:]
        elif code not in b"\x80\x95":
            raise NotAChunkError(f"it holds the instruction {code!r}, which no such dictionary needs")

    def _put(self, items: list[object]) -> None:
        for name, span in zip(items[::2], items[1::2], strict=False):
            if not isinstance(name, str) or not isinstance(span, Span):
                raise NotAChunkError("it maps other things than names to videos")
            self.found[name] = span
        if len(items) % 2:
            raise NotAChunkError("it is damaged")

    def _top(self) -> object:
        if not self.stack:
            raise NotAChunkError("it is damaged")
        return self.stack[-1]

    def _text(self, length: int) -> str:
        if length > LONGEST_NAME:
            raise NotAChunkError("a name in it is too long")
        try:
            return self._take(length).decode()
        except UnicodeDecodeError:
            raise NotAChunkError("a name in it is not text") from None

    def _span(self, length: int) -> Span:
        span = Span(self.file.tell(), length)
        if length > self.size - span.start:
            raise NotAChunkError("it is cut off")
        self.file.seek(length, os.SEEK_CUR)
        return span

    def _number(self, form: str) -> int:
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def _take(self, length: int) -> bytes:
        taken = self.file.read(length)
        if len(taken) < length:
            raise NotAChunkError("it is cut off")
        return taken
