"""Something a plugin offers, on its way from a name to an object made from the user's options."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from harness.catalogue import explain
from harness.entrypoints import canonical
from harness.errors import HarnessError, UsageError
from harness.extras import missing
from harness.interfaces import KINDS
from harness.options import convert
from harness.spec import Spec
from harness.values import to_json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something a plugin offers. ``plugin`` is ``distribution:entry-point``."""

    spec: Spec
    kind: str
    dist: str
    version: str
    plugin: str


@dataclass(frozen=True, slots=True)
class Built(Generic[T]):
    """A plugin's object, ready for use, with the name and the options it was made by.

    ``name`` is the plugin's own ``short_name`` where it has one. ``options`` holds every option as JSON
    data, defaults included.
    """

    name: str
    plugin: T
    options: dict[str, Any]
    entry: Entry

    def identity(self) -> dict[str, Any]:
        """What shapes this plugin's output: JSON data, equal wherever the plugin is the same.

        Its name, distribution and version, its options but for those of ``transport``, and what
        its own ``identity`` adds.
        """
        transport: frozenset[str] = getattr(self.plugin, "transport", frozenset())
        own: Mapping[str, Any] = getattr(self.plugin, "identity", dict)()
        return {
            "name": self.name,
            "dist": canonical(self.entry.dist),
            "version": getattr(self.plugin, "version", 1),
            "options": {key: value for key, value in self.options.items() if key not in transport},
            **to_json(own),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A name that was looked up: what offers it, and the options that the name fixes."""

    entry: Entry
    name: str
    options: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.entry.kind} {self.name!r}"

    def load(self) -> type:
        """Import the class. Raises UsageError when that fails, naming a missing extra if it is one."""
        module, _, attribute = self.entry.spec.target.partition(":")
        try:
            cls = getattr(importlib.import_module(module), attribute)
        except HarnessError:
            raise
        except (Exception, SystemExit) as error:
            raise self._failure("be imported", error) from error
        if not isinstance(cls, type):
            raise UsageError(f"{self} of plugin {self.entry.plugin}: {self.entry.spec.target} is no class")
        return cls

    def build(self, values: Mapping[str, Any]) -> Built[Any]:
        """Make the object from option values: text as typed by a user, or typed objects.

        An option that is read from the name may be given another value, which changes the name.
        Raises UsageError for unknown, missing or bad options, for one that contradicts what the
        name fixes, and when the class refuses them or does not do what its kind must.
        """
        cls, spec = self.load(), self.entry.spec
        given = convert(cls, {**self.options, **values}, str(self))
        fixed = {name: value for name, value in self.options.items() if name not in spec.fields}
        kept = convert(cls, {**self.options, **values, **fixed}, str(self))
        for name in fixed:
            if given[name] != kept[name]:
                raise UsageError(f"{self} fixes {name}={kept[name]}: leave {name} out or choose another name")
        try:
            plugin = cls(**given)
            options = to_json(given)
        except HarnessError:
            raise
        except Exception as error:
            raise self._failure(f"be made with {_pairs(values)}", error) from error
        lacking = [member for member in members(KINDS[self.entry.kind]) if not hasattr(plugin, member)]
        if lacking:
            raise UsageError(
                f"{self} of plugin {self.entry.plugin}: {spec.target} lacks {', '.join(lacking)}, "
                f"which a {self.entry.kind} must have"
            )
        fields = {name: (given if name in values else self.options)[name] for name in spec.fields}
        name = getattr(plugin, "short_name", spec.render(**fields) if fields else self.name)
        return Built(name, plugin, options, self.entry)

    def _failure(self, what: str, error: BaseException) -> UsageError:
        if isinstance(error, ImportError):
            lacking = missing_requirements(self.entry)
            if lacking:
                package = f"{self.entry.dist}[{self.entry.spec.extra}]"
                return UsageError(f"{self} needs {', '.join(lacking)}: pip install '{package}' ({error})")
        return UsageError(f"{self} of plugin {self.entry.plugin} cannot {what}: {explain(error)}")


def missing_requirements(entry: Entry) -> list[str]:
    """What is not installed of the extra that an entry needs; nothing of it is imported."""
    return missing(entry.dist, entry.spec.extra) if entry.spec.extra else []


def members(protocol: type) -> list[str]:
    """The names an object must have to fit a protocol, in the order they are declared."""
    names: dict[str, None] = {}
    for base in reversed(protocol.__mro__):
        if getattr(base, "_is_protocol", False) and base is not Protocol:
            public = (name for name in vars(base) if not name.startswith("_"))
            names.update(dict.fromkeys([*inspect.get_annotations(base), *public]))
    return list(names)


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items()) or "its defaults"
