"""Which plugins are installed, read from the metadata of distributions: nothing of theirs is imported.

``importlib.metadata.entry_points`` gives up on everybody when one distribution's file is malformed,
so the files are read here one distribution at a time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from harness.hooks import ENTRY_POINT_GROUP

DENY = "VIDHARNESS_DENY"
"""Environment variable with distributions, or ``distribution:entry``, that are not to be loaded."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point of the group ``vidharness``.

    dist, version: the distribution it belongs to. entry: the entry point's name. module: what it
    points at, ``module`` or ``module:object``. denied: whether the deny list names it.
    """

    dist: str
    version: str
    entry: str
    module: str
    denied: bool = False

    @property
    def name(self) -> str:
        """``distribution:entry``, unique among the installed plugins."""
        return f"{self.dist}:{self.entry}"

    @property
    def key(self) -> str:
        """The name with its distribution in canonical form, as the deny list holds it."""
        return f"{canonical(self.dist)}:{self.entry}"


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that is left out, and why, in one line."""

    plugin: str
    dist: str
    reason: str


def canonical(dist: str) -> str:
    """A distribution's name as packaging tools compare it: ``Road_Fog`` -> ``road-fog``."""
    return re.sub(r"[-_.]+", "-", dist).lower()


def deny_list(environ: Mapping[str, str]) -> frozenset[str]:
    """The items of ``VIDHARNESS_DENY``, separated by commas or spaces, distributions canonical."""
    items = re.split(r"[,\s]+", environ.get(DENY, ""))
    pairs = [item.partition(":") for item in items if item]
    return frozenset(f"{canonical(dist)}{colon}{entry}" for dist, colon, entry in pairs)


def installed(environ: Mapping[str, str] = os.environ) -> tuple[list[Plugin], list[Broken]]:
    """All plugins on ``sys.path``, and the distributions whose list of plugins cannot be read.

    Ours come first, then the others by name. A distribution that is on the path twice (an
    editable install beside a build's leftovers, say) counts where it is met first.
    """
    denied = deny_list(environ)
    plugins: list[Plugin] = []
    broken: list[Broken] = []
    seen: set[str] = set()
    for distribution in metadata.distributions():
        dist = _file_name(distribution)
        try:
            text = distribution.read_text("entry_points.txt")
            if not text or ENTRY_POINT_GROUP not in text:
                continue
            points = distribution.entry_points.select(group=ENTRY_POINT_GROUP)
            if not points:
                continue
            about = distribution.metadata  # parsed anew each time it is asked for
            dist, version = about["Name"] or dist, about["Version"] or "unknown"
        except Exception as error:
            broken.append(Broken(dist, dist, f"its metadata cannot be read: {type(error).__name__}: {error}"))
            continue
        key = canonical(dist)
        if key in seen:
            continue
        seen.add(key)
        plugins += [
            Plugin(
                dist, version, point.name, point.value, not denied.isdisjoint({key, f"{key}:{point.name}"})
            )
            for point in points
        ]
    plugins.sort(key=lambda plugin: (plugin.dist != ENTRY_POINT_GROUP, canonical(plugin.dist), plugin.entry))
    return plugins, sorted(broken, key=lambda item: item.plugin)


def _file_name(distribution: metadata.Distribution) -> str:
    """What to call a distribution whose metadata cannot be read: the folder it is found in."""
    folder = getattr(distribution, "_path", None)
    return str(folder.name).partition("-")[0] if folder is not None else "unknown"
