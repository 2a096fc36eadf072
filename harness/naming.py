"""All names of a run looked up, before anything is built or imported for them.

A misspelt name is the commonest mistake; it must be told at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.config import RunConfig
from harness.errors import UsageError
from harness.registry import Found, Registry, missing_requirements


@dataclass(frozen=True, slots=True)
class Named:
    """What the settings name, found; ``registry`` is for what a judge names itself."""

    models: tuple[Found, ...]
    datasets: tuple[Found, ...]
    noise: Found | None
    pooling: Found | None
    judge: Found | None
    registry: Registry


def find_all(config: RunConfig, registry: Registry) -> Named:
    """Raises UsageError for the first name that is unknown or needs an extra that is not installed."""

    def optional(kind: str, name: str | None) -> Found | None:
        return find(registry, kind, name) if name is not None else None

    return Named(
        tuple(find(registry, "model", name) for name in config.model),
        tuple(find(registry, "dataset", name) for name in config.data),
        optional("corruption", config.noise_name),
        optional("pooling", config.pooling),
        optional("judge", config.judge),
        registry,
    )


def find(registry: Registry, kind: str, name: str) -> Found:
    """One name found, with all that its extra asks for. Raises UsageError."""
    found = registry.find(kind, name)
    missing = missing_requirements(found.entry)
    if missing:
        raise UsageError(
            f"{kind} {name} needs {', '.join(missing)}: "
            f"pip install '{found.entry.dist}[{found.entry.spec.extra}]'"
        )
    return found
