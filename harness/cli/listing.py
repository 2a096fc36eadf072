"""The verbs ``list`` and ``show``: what can be named, and what can be typed for it."""

from __future__ import annotations

import argparse
import inspect
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from harness.cli.columns import columns
from harness.entrypoints import DENY
from harness.extras import absent
from harness.interfaces import KINDS
from harness.options import describe
from harness.registry import Entry, Registry, kind_named, missing_requirements
from harness.values import to_json


def run_list(args: argparse.Namespace) -> int:
    """``vidharness list [KIND] [--json]``"""
    wrap = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = shutil.get_terminal_size().columns if wrap else None
    print(list_text(Registry.discover(), args.kind, as_json=args.json, width=width))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """``vidharness show KIND NAME``"""
    print(show_text(Registry.discover(), args.kind, args.name))
    return 0


def list_text(
    registry: Registry, kind: str | None = None, *, as_json: bool = False, width: int | None = None
) -> str:
    """All that is offered (of one kind), what it still needs, and the plugins that are left out.

    width: columns of the terminal to wrap summaries for; None keeps each entry on one line.
    """
    kinds = [kind_named(kind)] if kind else list(KINDS)
    entries = [entry for one in kinds for entry in registry.entries(one)]
    if as_json:
        import json

        # Many share an extra, and looking one up reads what is installed.
        lacking = {
            extra: missing_requirements(entry)
            for extra, entry in {(entry.dist, entry.spec.extra): entry for entry in entries}.items()
        }
        found = {
            "offers": [_record(registry, entry, lacking[entry.dist, entry.spec.extra]) for entry in entries],
            "broken": [{"plugin": item.plugin, "reason": item.reason} for item in registry.broken],
            "denied": list(registry.denied),
        }
        return json.dumps(found, indent=1, ensure_ascii=False)
    extras = {(entry.dist, entry.spec.extra) for entry in entries}
    unavailable = {(dist, extra) for dist, extra in extras if extra and absent(dist, extra)}
    rows = [
        (
            entry.kind,
            registry.label(entry),
            _summary(entry, (entry.dist, entry.spec.extra) in unavailable),
            entry.dist,
        )
        for entry in entries
    ]
    if width is not None:
        rows = _wrapped(rows, width)
    blocks = [columns(("kind", "name", "what it is", "from"), rows) if rows else "nothing is offered"]
    blocks += [f"not loaded: {item.plugin}: {item.reason}" for item in registry.broken]
    if registry.denied:
        blocks.append(f"left out by {DENY}: {', '.join(registry.denied)}")
    return "\n".join(blocks)


def show_text(registry: Registry, kind: str, name: str) -> str:
    """What one name stands for: its text, its options as one types them, and where it comes from.

    Raises UsageError when nothing answers to the name or its class cannot be imported.
    """
    found = registry.find(kind, name)
    entry, cls = found.entry, found.load()
    transport: frozenset[str] = getattr(cls, "transport", frozenset())
    rows = []
    for option in describe(cls):
        notes = []
        if option.name in found.options:
            notes.append(f"set by the name: {_plain(found.options[option.name])}")
        if option.name in transport:
            notes.append("changes no result")
        default = "required" if option.required else _plain(option.default)
        rows.append((option.name, option.type_text, default, "; ".join(notes)))
    blocks = [
        f"{entry.kind} {found.name}: {_summary(entry, bool(missing_requirements(entry)))}",
        inspect.cleandoc(cls.__doc__ or ""),
        columns(("option", "type", "default", ""), rows) if rows else "no options",
        "\n".join(
            (
                f"plugin   {entry.plugin}, version {entry.version}",
                f"class    {entry.spec.target}",
                f"file     {_file(cls)}",
            )
        ),
    ]
    return "\n\n".join(block for block in blocks if block)


def _record(registry: Registry, entry: Entry, lacking: list[str]) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": registry.label(entry),
        "summary": entry.spec.summary,
        "examples": list(entry.spec.examples),
        "dist": entry.dist,
        "version": entry.version,
        "plugin": entry.plugin,
        "extra": entry.spec.extra,
        "missing": lacking,
    }


def _summary(entry: Entry, lacking: bool) -> str:
    text = entry.spec.summary
    if entry.spec.examples:
        text += f", e.g. {', '.join(entry.spec.examples)}"
    if lacking:
        text += f" [unavailable: pip install '{entry.dist}[{entry.spec.extra}]']"
    return text


def _wrapped(rows: Sequence[tuple[str, str, str, str]], width: int) -> list[tuple[str, str, str, str]]:
    """The rows with their summaries on as many lines as keep them within ``width``, if that can be."""
    others = sum(max((len(row[column]) for row in rows), default=0) + 2 for column in (0, 1, 3))
    room = max(width - others, 24)
    return [
        (
            kind,
            name,
            "\n".join(textwrap.wrap(summary, room, break_long_words=False, break_on_hyphens=False)),
            dist,
        )
        for kind, name, summary, dist in rows
    ]


def _plain(value: object) -> str:
    """A value as one would type it, where it can be typed."""
    try:
        plain = to_json(value)
    except TypeError:
        return repr(value)
    return "none" if plain is None else str(value) if not isinstance(plain, bool) else str(plain).lower()


def _file(cls: type) -> str:
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) or "unknown"
