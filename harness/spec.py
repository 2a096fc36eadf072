"""What a plugin's catalogue says about one thing it offers, before anything heavy is imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Spec:
    """One named thing and where its class is found.

    name: what users type. It may hold ``{fields}``, each an option of the class that is read from
        the name: ``openai:{model}`` answers to ``openai:gpt-4o``.
    target: ``"module:Class"``, imported only when the thing is used.
    summary: one line for ``vidharness list``.
    extra: the extra of your distribution that the class needs, if any.
    options: keyword arguments of the class that this name fixes.
    examples: names to show where ``name`` holds fields.
    """

    name: str
    target: str
    summary: str
    extra: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.]+:\w+", self.target):
            raise ValueError(f"target of {self.name!r} must read 'module:Class', not {self.target!r}")
        if not self.name or self.name != self.name.strip():
            raise ValueError(f"a name may not be empty or padded: {self.name!r}")

    @property
    def fields(self) -> tuple[str, ...]:
        """The options that are read from the name."""
        return tuple(_FIELD.findall(self.name))

    def match(self, name: str) -> dict[str, str] | None:
        """The fields of ``name`` if this spec answers to it, else None."""
        literal = [re.escape(part) for part in _FIELD.split(self.name)[::2]]
        pattern = literal[0]
        for option, text in zip(self.fields, literal[1:], strict=True):
            pattern += f"(?P<{option}>.+?){text}"
        found = re.fullmatch(pattern, name)
        return found.groupdict() if found else None

    def render(self, **values: object) -> str:
        """The name with its fields filled in."""
        return _FIELD.sub(lambda found: str(values[found[1]]), self.name)
