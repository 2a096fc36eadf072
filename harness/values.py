"""Values people type: from text to what a type hint asks for, from a type to words, and to JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as AbstractSequence
from enum import Enum
from numbers import Integral, Real
from pathlib import Path, PurePath
from typing import Any, Literal, Union, get_args, get_origin

from harness.errors import UsageError
from harness.sampling import Sampling

_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    None: "none",
    types.NoneType: "none",
    Sampling: "frames (8frame, 1fps)",
    Any: "anything",
    dict: "a JSON object",
}
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def read(hint: Any, value: Any) -> Any:
    """The value as the hint wants it: text is read, any other object checked.

    Text is read as int, float, bool (true/false, yes/no, on/off, 1/0), str, Path, Enum, Literal,
    Sampling (``8frame``), dict (a JSON object), unions (``none`` is None, str is tried last) and, between
    commas, tuples and lists of those. Raises ValueError with a message that says what to give instead.
    """
    try:
        return _read(hint, value)
    except (ValueError, UsageError):
        raise ValueError(f"give {type_text(hint)}") from None


def _read(hint: Any, value: Any) -> Any:
    """``read``, with errors that say nothing."""
    origin = get_origin(hint)
    if hint is Any or value is hint is None:
        return value
    if origin in (Union, types.UnionType):
        return _read_union(get_args(hint), value)
    if origin is Literal:
        return _pick({str(choice): choice for choice in get_args(hint)}, get_args(hint), value)
    if origin is tuple and get_args(hint)[-1:] != (...,):
        items = _items(value)
        if len(items) != len(get_args(hint)):
            raise ValueError
        return tuple(_read(item_hint, item) for item_hint, item in zip(get_args(hint), items, strict=True))
    if _is_list(hint):
        item_hint = get_args(hint)[0] if get_args(hint) else str
        items = [_read(item_hint, item) for item in _items(value)]
        return items if (origin or hint) is list else tuple(items)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _pick({str(member.value): member for member in hint}, tuple(hint), value)
    if isinstance(value, str):
        if hint is str:
            return value
        reader = _READERS.get(origin or hint)
        if reader is None:
            raise ValueError
        return reader(value)
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(value, bool) and hint in (int, float):
        raise ValueError
    if isinstance(origin or hint, type) and not isinstance(value, origin or hint):
        raise ValueError
    return value


def _read_union(hints: tuple[Any, ...], value: Any) -> Any:
    """The first alternative that fits; None comes first and plain text last."""
    if types.NoneType in hints and (value is None or (isinstance(value, str) and value.lower() == "none")):
        return None
    for hint in sorted((hint for hint in hints if hint is not types.NoneType), key=lambda hint: hint is str):
        try:
            return _read(hint, value)
        except (ValueError, UsageError):
            continue
    raise ValueError


def _pick(by_text: Mapping[str, Any], choices: tuple[Any, ...], value: Any) -> Any:
    """The choice that a text spells or an object is."""
    if isinstance(value, str) and value in by_text:
        return by_text[value]
    for choice in choices:
        if choice == value and type(choice) is type(value):
            return choice
    raise ValueError


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value.strip() else []
    if isinstance(value, AbstractSequence):
        return list(value)
    raise ValueError


def _is_list(hint: Any) -> bool:
    return (get_origin(hint) or hint) in (tuple, list, AbstractSequence)


def _read_bool(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError
    return text.lower() in _TRUE


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _read_object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError
    return value


_READERS: Mapping[type, Callable[[str], Any]] = {
    bool: _read_bool,
    int: int,
    float: _read_float,
    Path: lambda text: Path(text).expanduser(),
    Sampling: Sampling.parse,
    dict: _read_object,
}


def to_json(value: Any) -> Any:
    """The value as plain JSON data that is the same on every machine and in every process.

    Paths become text, enums their value, NumPy's numbers plain ones, tuples lists, dataclasses dicts of
    the fields that are not None. Raises TypeError for anything else that JSON cannot hold.
    """
    if isinstance(value, Enum):
        return to_json(value.value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((to_json(item) for item in value), key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: to_json(item) for name, item in fields.items() if item is not None}
    raise TypeError(f"a value of type {type(value).__name__} has no JSON form")


def type_text(hint: Any) -> str:
    """What to type for a value of this type, in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return either(map(str, arguments))
    if origin in (Union, types.UnionType):
        return either(map(type_text, arguments))
    if origin is tuple and arguments[-1:] != (...,):
        return ",".join(map(type_text, arguments))
    if _is_list(hint):
        return f"a list of {type_text(arguments[0] if arguments else str)}, between commas"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return either(str(member.value) for member in hint)
    return _WORDS.get(origin or hint) or f"an object of type {getattr(hint, '__name__', hint)}"


def either(words: Iterable[str]) -> str:
    """``a, b or c``"""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
