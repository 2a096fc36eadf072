"""A pickle of unknown origin read as data: nothing it names is imported, nothing it calls is called.

Python's unpickler is a machine that runs what the file says. This one knows the same opcodes and builds
only None, bool, int, float, str, bytes, list, tuple and dict; where the file names or calls something, an
inert :class:`Called` stands in its place. NumPy's scalars, which prediction files of other tools are full
of, are the exception: their bytes are read here, without NumPy. Time and memory are linear in the size
of the file: a length that is longer than the file, or a memo that is larger, is only a number.
"""

from __future__ import annotations

import pickletools
import struct
from dataclasses import dataclass
from typing import Any

MOST_OPCODES = 5_000_000
"""A prediction file takes about four per answer; each of these can cost 64 bytes of memory."""

_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = frozenset(
    code.name
    for code in pickletools.opcodes
    if code.arg is not None
    and not code.stack_before
    and code.name not in ("GLOBAL", "INST", "PERSID", "EXT1", "EXT2", "EXT4", "PROTO", "FRAME")
    and not code.name.endswith(("GET", "PUT"))
)
"""Opcodes that push their argument."""
_KEYS = (str, int, float, bytes, bool, type(None))
_NUMBERS = {"i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q"} | {
    "f2": "e",
    "f4": "f",
    "f8": "d",
    "b1": "?",
}
"""NumPy's names of plain types, and how ``struct`` reads their bytes."""
_SCALAR = {"numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"}


@dataclass(eq=False, slots=True)
class Called:
    """Stands for what a pickle names, or for what a call of that would have made."""

    name: str
    arguments: tuple[Any, ...] | None = None
    state: Any = None


def read(data: bytes) -> Any:
    """What a pickle of any protocol holds. Raises ValueError saying what is wrong with it."""
    try:
        return _Machine().run(data)
    except (ValueError, IndexError, KeyError, TypeError, struct.error) as error:
        if str(error).startswith("it "):
            raise
        raise ValueError(f"it is no whole pickle ({str(error)[:80] or 'it ends too early'})") from error


class _Machine:
    """The stack, with those below its marks, and the memo."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        for count, (code, argument, position) in enumerate(pickletools.genops(data)):
            name = code.name
            if name in _LITERALS:
                self._stack.append(argument)
            elif name in _CONSTANTS:
                self._stack.append(_CONSTANTS[name])
            elif name == "STOP":
                (result,) = self._stack
                return result
            elif (step := getattr(self, f"_{name.lower()}", None)) is not None:
                step(argument)
            elif name not in ("PROTO", "FRAME"):
                raise ValueError(f"it holds what a data file has no need of ({name} at byte {position})")
            if count > MOST_OPCODES:
                raise ValueError(f"it is larger than any file of answers: more than {MOST_OPCODES} opcodes")
        raise ValueError("it ends too early")

    # One method for each opcode, by its name; the argument is what follows it in the file.

    def _mark(self, _: Any) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _to_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _pop(self, _: Any) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._to_mark()

    def _pop_mark(self, _: Any) -> None:
        self._to_mark()

    def _dup(self, _: Any) -> None:
        self._stack.append(self._stack[-1])

    def _put(self, number: int) -> None:
        self._memo[number] = self._stack[-1]

    _binput = _long_binput = _put

    def _memoize(self, _: Any) -> None:
        self._put(len(self._memo))

    def _get(self, number: int) -> None:
        self._stack.append(self._memo[number])

    _binget = _long_binget = _get

    def _empty_list(self, _: Any) -> None:
        self._stack.append([])

    def _empty_dict(self, _: Any) -> None:
        self._stack.append({})

    def _list(self, _: Any) -> None:
        items = self._to_mark()
        self._stack.append(items)

    def _tuple(self, _: Any) -> None:
        items = self._to_mark()
        self._stack.append(tuple(items))

    def _dict(self, _: Any) -> None:
        items = self._to_mark()
        self._stack.append({})
        self._set(items)

    def _tuple1(self, _: Any) -> None:
        self._stack[-1:] = [(self._stack[-1],)]

    def _tuple2(self, _: Any) -> None:
        self._stack[-2:] = [(self._stack[-2], self._stack[-1])]

    def _tuple3(self, _: Any) -> None:
        self._stack[-3:] = [(self._stack[-3], self._stack[-2], self._stack[-1])]

    def _append(self, _: Any) -> None:
        self._extend([self._stack.pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._to_mark())

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is list:
            target.extend(items)
        elif not isinstance(target, Called):
            raise ValueError("it appends to what is no list")

    def _setitem(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set([key, value])

    def _setitems(self, _: Any) -> None:
        self._set(self._to_mark())

    def _set(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Called):
            return
        if type(target) is not dict:
            raise ValueError("it sets an item of what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Hashing a tuple would walk all that is in it, and that can be made endless.
            if type(key) not in _KEYS or (type(key) is int and key.bit_length() > 64):
                raise ValueError("it has a dictionary whose keys are neither numbers nor text")
            target[key] = value

    def _global(self, name: str) -> None:
        self._stack.append(Called(".".join(name.split(" "))))

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise ValueError("it names something that has no name")
        self._stack.append(Called(f"{module}.{name}"))

    def _reduce(self, _: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if not isinstance(function, Called) or type(arguments) is not tuple:
            raise ValueError("it calls what cannot be called")
        self._stack.append(_stand_in(function.name, arguments))

    _newobj = _reduce

    def _build(self, _: Any) -> None:
        state = self._stack.pop()
        if not isinstance(self._stack[-1], Called):
            raise ValueError("it gives a state to what has none")
        self._stack[-1].state = state


def _stand_in(name: str, arguments: tuple[Any, ...]) -> Any:
    """What stands for a call: the value of a NumPy scalar, an empty dict, the bytes of old protocols."""
    if name in _SCALAR and len(arguments) == 2:
        return _scalar(*arguments)
    if name == "collections.OrderedDict" and not arguments:
        return {}
    if name == "__builtin__.bytes" and not arguments:
        return b""
    if name == "_codecs.encode" and arguments[1:] == ("latin1",) and type(arguments[0]) is str:
        return arguments[0].encode("latin-1")
    if name == "copy_reg._reconstructor" and arguments and isinstance(arguments[0], Called):
        name = arguments[0].name
    return Called(name, arguments)


def _scalar(kind: Any, data: Any) -> Any:
    """The number or text of a NumPy scalar."""
    state = kind.state if isinstance(kind, Called) and kind.name == "numpy.dtype" else None
    if type(state) is tuple and len(state) > 1 and kind.arguments and type(data) is bytes:
        code, big = kind.arguments[0], state[1] == ">"
        if type(code) is str and code in _NUMBERS:
            (value,) = struct.unpack(f"{'>' if big else '<'}{_NUMBERS[code]}", data)
            return value
        if type(code) is str and code.startswith("U"):
            return data.decode("utf-32-be" if big else "utf-32-le").rstrip("\0")
    return Called("numpy.generic")
