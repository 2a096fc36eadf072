"""Which requirements of an extra are not installed, by metadata alone."""

from __future__ import annotations

import re
from importlib import metadata

from harness.entrypoints import canonical

_PLAIN = re.compile(r"([\w.-]+)[^;\[\]@]*;\s*extra\s*==\s*[\"']([\w.-]+)[\"']\s*")
"""A requirement of an extra and of nothing else, as build tools write it."""


def absent(dist: str, extra: str) -> bool:
    """Whether something of ``dist[extra]`` is not installed, whatever the version asked for.

    For lists, which must not wait: where requirements are plainly written, their names suffice.
    """
    try:
        lines = [line for line in metadata.requires(dist) or [] if "extra" in line.partition(";")[2]]
    except metadata.PackageNotFoundError:
        return False
    plain = [match for line in lines if (match := _PLAIN.fullmatch(line))]
    if len(plain) < len(lines):
        return bool(missing(dist, extra))
    return any(not _is_installed(match[1]) for match in plain if canonical(match[2]) == canonical(extra))


def missing(dist: str, extra: str) -> list[str]:
    """The requirements of ``dist[extra]`` that this environment does not meet, as they are written.

    One that is installed in a version out of range is named with that version. An extra may name
    other extras of its distribution. A distribution that is not installed misses nothing.
    """
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(dist) or []
    except metadata.PackageNotFoundError:
        return []
    requirements = [Requirement(line) for line in lines]
    pending, done = [extra], set[str]()
    found: list[str] = []
    while pending:
        name = pending.pop()
        if canonical(name) in done:
            continue
        done.add(canonical(name))
        for requirement in requirements:
            marker = requirement.marker
            if marker is None or marker.evaluate({"extra": ""}) or not marker.evaluate({"extra": name}):
                continue
            if canonical(requirement.name) == canonical(dist):
                pending += sorted(requirement.extras)
                continue
            wanted = f"{requirement.name}{requirement.specifier}"
            try:
                version = metadata.version(requirement.name)
            except metadata.PackageNotFoundError:
                found.append(wanted)
                continue
            if not requirement.specifier.contains(version, prereleases=True):
                found.append(f"{wanted} (installed: {version})")
    return sorted(set(found))


def _is_installed(dist: str) -> bool:
    try:
        metadata.distribution(dist)
    except metadata.PackageNotFoundError:
        return False
    return True
