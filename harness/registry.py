"""All plugins of one run, found by name.

A registry is made once, by the command line, and handed down; there is no global one. Making it
imports the plugins' catalogues and nothing of what they offer.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from harness.catalogue import QuarantineError, offers
from harness.entrypoints import DENY, Broken, canonical, installed
from harness.errors import UsageError
from harness.found import Built, Entry, Found, missing_requirements
from harness.interfaces import KINDS
from harness.values import either

__all__ = ["Broken", "Built", "Entry", "Found", "Registry", "kind_named", "missing_requirements"]

_KIND_WORDS = {"noise": "corruption", "data": "dataset"}
"""What the flags of ``run`` call a kind."""


class Registry:
    """Everything that is installed, by kind and in a fixed order: ours first, then guests by name.

    broken: the plugins that were left out, and why. denied: those that the deny list names.
    """

    def __init__(
        self, entries: Iterable[Entry], broken: Iterable[Broken] = (), denied: Iterable[str] = ()
    ) -> None:
        self._entries: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
        for entry in entries:
            self._entries[entry.kind].append(entry)
        self.broken = tuple(broken)
        self.denied = tuple(denied)

    @classmethod
    def discover(cls, environ: Mapping[str, str] = os.environ) -> Registry:
        """Load the catalogue of every installed plugin that ``VIDHARNESS_DENY`` does not name."""
        plugins, broken = installed(environ)
        entries: dict[tuple[str, str, str], Entry] = {}
        for plugin in plugins:
            if plugin.denied:
                continue
            try:
                offered = offers(plugin)
                for kind, spec in offered:
                    other = entries.get((kind, canonical(plugin.dist), spec.name))
                    if other:
                        raise QuarantineError(f"it offers the {kind} {spec.name!r}, as {other.plugin} does")
            except QuarantineError as error:
                broken.append(Broken(plugin.name, plugin.dist, str(error)))
                continue
            for kind, spec in offered:
                entry = Entry(spec, kind, plugin.dist, plugin.version, plugin.name)
                entries[kind, canonical(plugin.dist), spec.name] = entry
        return cls(entries.values(), broken, [plugin.name for plugin in plugins if plugin.denied])

    def entries(self, kind: str) -> list[Entry]:
        """What is offered of one kind. Raises UsageError for an unknown kind."""
        return list(self._entries[kind_named(kind)])

    def find(self, kind: str, name: str) -> Found:
        """What answers to a name: ``name`` where one distribution offers it, else ``dist:name``.

        Raises UsageError, with suggestions, when nothing does or more than one distribution does.
        """
        kind = kind_named(kind)
        matches = _matches(self._entries[kind], name)
        if not matches:
            own, rest = self._within(kind, name)
            matches = _matches(own, rest)
        if not matches:
            raise UsageError(self._unknown(kind, name))
        if len(matches) > 1:
            choices = either(f"{found.entry.dist}:{found.name}" for found in matches)
            raise UsageError(f"{len(matches)} plugins offer a {kind} {name!r}: write {choices}")
        return matches[0]

    def label(self, entry: Entry) -> str:
        """What to type for an entry: its name, with its distribution where another offers it, too."""
        same = [other for other in self._entries[entry.kind] if other.spec.name == entry.spec.name]
        return entry.spec.name if len(same) == 1 else f"{entry.dist}:{entry.spec.name}"

    def _within(self, kind: str, name: str) -> tuple[list[Entry], str]:
        """``dist:name`` taken apart: the distribution's entries (none if it has any other form)."""
        dist, _, rest = name.partition(":")
        return [entry for entry in self._entries[kind] if canonical(entry.dist) == canonical(dist)], rest

    def _unknown(self, kind: str, name: str) -> str:
        own, rest = self._within(kind, name)
        guesses = _suggestions(own, rest) if own else _suggestions(self._entries[kind], name)
        text = f"unknown {kind} {name!r}: "
        if guesses:
            text += f"did you mean {either(guesses)}? "
        text += f"`vidharness list {kind}` shows all"
        if self.broken:
            text += f", and why {', '.join(item.plugin for item in self.broken)} could not be loaded"
        if self.denied:
            text += f"; {DENY} leaves out {', '.join(self.denied)}"
        return text


def kind_named(text: str) -> str:
    """The kind that a word stands for: ``models``, ``noise``. Raises UsageError for any other word."""
    word = text.lower().removesuffix("s")
    kind = _KIND_WORDS.get(word, word)
    if kind not in KINDS:
        raise UsageError(f"unknown kind {text!r}: the kinds are {', '.join(KINDS)}")
    return kind


def _matches(entries: Iterable[Entry], name: str) -> list[Found]:
    """Per distribution the entry that answers to ``name``; a literal name goes before fields."""
    best: dict[str, Found] = {}
    for entry in sorted(entries, key=lambda entry: bool(entry.spec.fields)):
        fields = entry.spec.match(name)
        if fields is not None:
            found = Found(entry, entry.spec.render(**fields), {**entry.spec.options, **fields})
            best.setdefault(canonical(entry.dist), found)
    return list(best.values())


def _suggestions(entries: Iterable[Entry], name: str) -> list[str]:
    """Up to three names close to ``name``, or that it is a part of."""
    from difflib import get_close_matches

    names = {
        shown.lower(): shown for entry in entries for shown in (entry.spec.examples or (entry.spec.name,))
    }
    close = get_close_matches(name.lower(), names, 3)
    holding = [key for key in names if name.lower() in key and key not in close]
    return [names[key] for key in (*close, *holding)][:3]
