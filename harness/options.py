"""Options of a plugin: the typed keyword arguments of its ``__init__``, set as ``key=value``.

Text from the command line becomes what the type hint asks for; objects are checked against it. A
wrong option is a UsageError that says what would have been right.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from harness.errors import UsageError
from harness.values import read, type_text


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One option of a class: what to type for it, and its default unless it is required."""

    name: str
    type_text: str
    default: Any = None
    required: bool = False


def parse_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """``["k=v", ...]`` -> ``{"k": "v"}``; dashes in keys are read as underscores.

    Raises UsageError for a pair without ``=`` or without a key, and for a key given twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key:
            raise UsageError(f"cannot read {pair!r} as an option: write name=value")
        if key in found:
            raise UsageError(f"option {key!r} is given twice")
        found[key] = value.strip()
    return found


def describe(cls: type) -> list[Option]:
    """The options of ``cls`` in the order of its signature."""
    hints = _hints(cls)
    return [
        Option(
            name,
            type_text(hints[name]),
            None if parameter.default is parameter.empty else _default(cls, parameter),
            parameter.default is parameter.empty,
        )
        for name, parameter in _parameters(cls).items()
    ]


def accepts(cls: type, option: str) -> bool:
    """Whether ``cls`` has an option of this name."""
    return option in _parameters(cls)


def convert(cls: type, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All options of ``cls``: the given values as its type hints want them, defaults for the rest.

    values: text, as typed by a user, or objects; ``harness.values.read`` says how text is read.
    where: what the options belong to, as an error should call it.

    Raises UsageError for an unknown option, a value of the wrong type, a required one not given.
    """
    parameters, hints = _parameters(cls), _hints(cls)
    for name in values:
        if name not in parameters:
            raise UsageError(_unknown(name, list(parameters), where))
    result: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name in values:
            try:
                result[name] = read(hints[name], values[name])
            except ValueError as error:
                raise UsageError(f"option {name} of {where} cannot be {values[name]!r}: {error}") from None
        elif parameter.default is parameter.empty:
            raise UsageError(f"{where} needs the option {name} ({type_text(hints[name])}): give {name}=...")
        else:
            result[name] = _default(cls, parameter)
    return result


def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    """The arguments of ``cls(...)`` that can be given by name."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        name: parameter
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind in by_name
    }


def _hints(cls: type) -> dict[str, Any]:
    """The type of each option; where a hint cannot be resolved, its text.

    Hints may name what is only imported for type checking. One such hint must not cost the others,
    hence one by one. An option without hint takes the type of its default.
    """
    namespace = getattr(inspect.unwrap(inspect.getattr_static(cls, "__init__")), "__globals__", {})
    hints: dict[str, Any] = {}
    for name, parameter in _parameters(cls).items():
        hint = parameter.annotation
        if hint is parameter.empty:
            simple = isinstance(parameter.default, bool | int | float | str)
            hint = type(parameter.default) if simple else Any
        try:
            one = types.SimpleNamespace(__annotations__={name: hint})
            hints[name] = typing.get_type_hints(one, namespace)[name]
        except (NameError, TypeError, AttributeError):
            hints[name] = hint
    return hints


def _default(cls: type, parameter: inspect.Parameter) -> Any:
    """A parameter's default; a dataclass's factory is called for it."""
    if dataclasses.is_dataclass(cls):
        for field in dataclasses.fields(cls):
            if field.name == parameter.name and field.default_factory is not dataclasses.MISSING:
                return field.default_factory()
    return parameter.default


def _unknown(name: str, options: list[str], where: str) -> str:
    if not options:
        return f"{where} takes no options, so {name}= cannot be set"
    from difflib import get_close_matches

    close = get_close_matches(name, options, 1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f"{where} has no option {name}: {guess}it takes {', '.join(options)}"
