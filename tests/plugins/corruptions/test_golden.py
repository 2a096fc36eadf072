"""The bytes of every noise, pinned: they may change only together with the noise's version.

Where the bytes come out of a library that may be built otherwise elsewhere (libjpeg, libx265), the means of
small fields are pinned instead. A failing test prints the entry to store in golden.json.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ENTRIES = json.loads((Path(__file__).parent / "golden.json").read_text())
BY_LIBRARY = ("jpeg_artifact", "h265_artifacts")
TOLERANCE = 1.5


def name_of(pinned: dict[str, Any]) -> str:
    return " ".join([pinned["noise"], *(f"{key}={value}" for key, value in pinned["options"].items())])


def golden_frames() -> np.ndarray:
    """uint8 [5, 90, 122, 3] in whole-number arithmetic: ramps, edges and a pattern that moves."""
    t, y, x, c = np.ogrid[:5, :90, :122, :3]
    ramps = x * (2 + c) + y * (3 - c) + 11 * t
    return ((ramps + 64 * (((x + 5 * t) // 16 + y // 12) % 2) + (x * y) // 32) % 256).astype(np.uint8)


def field_means(frame: np.ndarray) -> list[float]:
    """The mean of each of 9 x 12 fields of one frame, channel by channel."""
    fields = [np.array_split(rows, 12, axis=1) for rows in np.array_split(frame, 9)]
    return np.array([[field.mean(axis=(0, 1)) for field in row] for row in fields]).round(1).ravel().tolist()


def entry(noise: str, options: dict[str, Any], frames: np.ndarray, plugin: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"noise": noise, "options": options, "version": plugin.version}
    if getattr(plugin, "identity", dict)():
        found["identity"] = plugin.identity()
    if noise in BY_LIBRARY:
        return found | {"means": field_means(frames[3])}
    return found | {"blake2b": blake2b(np.ascontiguousarray(frames).tobytes(), digest_size=16).hexdigest()}


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return np.allclose(one["means"], other["means"], atol=TOLERANCE)


@pytest.mark.parametrize("pinned", ENTRIES, ids=name_of)
def test_bytes_are_those_of_the_version(pinned, apply, build, clip_of):
    noise, options = pinned["noise"], pinned["options"]
    out = apply(noise, clip_of(golden_frames()), [3, 1, 4], seed=12, video="golden", **options)
    found = entry(noise, options, out.frames, build(noise, **options))
    if pinned.get("identity") != found.get("identity"):
        pytest.skip(f"pinned for {pinned.get('identity')}, this is {found.get('identity')}")
    if "means" in pinned:
        assert found["version"] == pinned["version"]
        assert alike(found, pinned), json.dumps(found)
    else:
        assert found == pinned, f"raise the version if the change is meant, and store {json.dumps(found)}"


def test_every_noise_is_pinned(noise, apply, build, clip_of):
    out = apply(noise, clip_of(golden_frames()), [3, 1, 4], seed=12, video="golden")
    missing = json.dumps(entry(noise, {}, out.frames, build(noise)))
    assert any(e["noise"] == noise and not e["options"] for e in ENTRIES), f"store {missing}"


def test_means_tell_options_apart():
    pinned = [e for e in ENTRIES if "means" in e]
    assert all(alike(one, other) == (one is other) for one in pinned for other in pinned)
