"""vidharness: how video-language models hold up when the video goes bad.

This module is what a plugin imports: the data types, the protocols (``harness.interfaces``), the
hook marker, and the number of this interface. See ``docs/plugins.md`` for a whole plugin.

Names are imported when they are first asked for: a catalogue needs two of them, and `vidharness
list` reads every catalogue.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.errors import DecodeError, HarnessError, UsageError
    from harness.hooks import hookimpl
    from harness.sampling import Sampling
    from harness.seeds import Draws
    from harness.spec import Spec
    from harness.types import (
        Answer,
        Case,
        Clip,
        Prediction,
        Prompt,
        Rating,
        Sample,
        SampleId,
        Status,
        Taxonomy,
        Verdict,
        Video,
    )

API = 1
"""Number of the plugin interface; grows when a plugin written for the last one may break."""

__all__ = [
    "API",
    "Answer",
    "Case",
    "Clip",
    "DecodeError",
    "Draws",
    "HarnessError",
    "Prediction",
    "Prompt",
    "Rating",
    "Sample",
    "SampleId",
    "Sampling",
    "Spec",
    "Status",
    "Taxonomy",
    "UsageError",
    "Verdict",
    "Video",
    "hookimpl",
]

_HOMES = ("spec", "hooks", "errors", "sampling", "seeds", "types")
"""Where the names live, those that catalogues need first."""


def __getattr__(name: str) -> object:
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"harness.{home}")
            if hasattr(module, name):
                globals()[name] = getattr(module, name)
                return globals()[name]
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
