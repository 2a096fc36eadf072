"""Every noise of the catalogue, and clips to try it on: a noise joins these tests by being listed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from harness_plugins.corruptions import harness_corruptions

from harness import Clip, Draws
from harness.options import accepts

SPECS = {spec.name: spec for spec in harness_corruptions()}


def noise_class(name: str) -> type:
    module, _, cls = SPECS[name].target.partition(":")
    return getattr(import_module(module), cls)


def has_severity(name: str) -> bool:
    return accepts(noise_class(name), "severity")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``noise``: every name of the catalogue. ``graded``: those that have severities."""
    if "noise" in metafunc.fixturenames:
        metafunc.parametrize("noise", list(SPECS))
    if "graded" in metafunc.fixturenames:
        metafunc.parametrize("graded", [name for name in SPECS if has_severity(name)])


@pytest.fixture(scope="session")
def build() -> Callable[..., Any]:
    """A noise by name, with options."""
    return lambda name, **options: noise_class(name)(**options)


@pytest.fixture(scope="session")
def apply(build: Callable[..., Any]) -> Callable[..., Clip]:
    """Apply a noise by name as the harness would; ``hit`` defaults to all frames."""

    def run(
        name: str, clip: Clip, hit: Any = None, *, seed: int = 0, video: str = "v", **options: Any
    ) -> Clip:
        plugin = build(name, **options)
        chosen = np.arange(len(clip.frames)) if hit is None else np.asarray(hit)
        return plugin.apply(clip, chosen.astype(np.int64), Draws(seed, video, name, plugin.version))

    return run


@pytest.fixture(scope="session")
def clip_of() -> Callable[[np.ndarray], Clip]:
    """A clip with these frames, one a second."""

    def make(frames: np.ndarray) -> Clip:
        count = len(frames)
        return Clip(frames, np.arange(count, dtype=np.float64), 25 * np.arange(count), 25.0, {"kept": 1})

    return make


@pytest.fixture(scope="session")
def picture() -> Callable[[int, int, int], np.ndarray]:
    """Frames uint8 [T, H, W, 3] somewhat like a photograph: slopes, edges, texture, all grey levels."""

    def make(count: int, height: int, width: int) -> np.ndarray:
        t, y, x, c = np.ogrid[:count, :height, :width, :3]
        slope = 255 * (0.2 + 0.6 * x / width) * (0.5 + 0.5 * np.cos(2 * np.pi * (y / height + c / 3)))
        blocks = 60.0 * (((x + 3 * t) // 23 + y // 17) % 2)
        grain = np.random.default_rng(7).normal(0, 4, (count, height, width, 3))
        return np.clip(slope + blocks + grain, 0, 255).astype(np.uint8)

    return make
