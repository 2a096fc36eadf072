"""The verb ``plugins``: what is installed, from metadata alone; no code of a plugin runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from harness.cli.columns import columns
from harness.entrypoints import DENY, deny_list, installed


def run(args: argparse.Namespace) -> int:
    """``vidharness plugins [--json]``"""
    print(plugins_text(os.environ, as_json=args.json))
    return 0


def plugins_text(environ: Mapping[str, str], *, as_json: bool = False) -> str:
    """The entry points by distribution, those that cannot be read, and the deny list's misses."""
    plugins, broken = installed(environ)
    if as_json:
        import json

        found = {
            "plugins": [
                {
                    "plugin": plugin.name,
                    "dist": plugin.dist,
                    "version": plugin.version,
                    "module": plugin.module,
                    "denied": plugin.denied,
                }
                for plugin in plugins
            ],
            "broken": [{"plugin": item.plugin, "reason": item.reason} for item in broken],
        }
        return json.dumps(found, indent=1, ensure_ascii=False)
    rows = [
        (plugin.dist, plugin.version, plugin.entry, plugin.module, "denied" if plugin.denied else "")
        for plugin in plugins
    ]
    names = {item for plugin in plugins for item in (plugin.key, plugin.key.partition(":")[0])}
    lines = [columns(("distribution", "version", "plugin", "module", ""), rows)]
    lines += [f"not readable: {item.plugin}: {item.reason}" for item in broken]
    lines += [f"{DENY} names {item}, which is not installed" for item in sorted(deny_list(environ) - names)]
    return "\n".join(lines)
