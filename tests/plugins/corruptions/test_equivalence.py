"""Ours and imagecorruptions do the same to a picture at the same severity, where both have the noise.

Each runs over photographs and seeds; what it did is summed up and compared (see likeness.py). The bounds are
a little more than what a change of seeds does to imagecorruptions itself, or, where nothing is drawn, than
rounding and another treatment of borders do; none lets a neighbouring severity pass. Both are tested here,
as is that the noises which are said to differ do.

Taken from imagecorruptions before it cuts off fractions, which darkens a picture by half a level.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from likeness import Portrait, differences, portray

from benchmarks.counterparts import COUNTERPARTS
from benchmarks.imagecorruptions_shim import load_imagecorruptions
from benchmarks.subjects import pan
from harness.options import accepts


class Trial(NamedTuple):
    """How a noise is compared.

    seeds: how many each photograph is shown with. bounds: how far apart ``differences`` may be, in its units.
    shape: height and width of the photographs.
    """

    seeds: int
    bounds: Mapping[str, float]
    shape: tuple[int, int] = (192, 256)


def fixed(pixels: float) -> Trial:
    """A noise that draws nothing: the same picture, but for so many grey levels per pixel and channel."""
    return Trial(1, {"pixels": pixels})


def drawn(seeds: int, levels: float, spectrum: float, similarity: float, *shape: int) -> Trial:
    """A noise that draws: no pixel is the same, only what is true of all of them together."""
    bounds = {"levels": levels, "spectrum": spectrum, "similarity": similarity}
    return Trial(seeds, bounds, shape or (192, 256))


TRIALS = {
    "gaussian": drawn(2, 0.01, 1.0, 0.003),
    "impulse": drawn(2, 0.01, 1.5, 0.008),
    "speckle": drawn(2, 0.01, 1.5, 0.003),
    "poisson": drawn(2, 0.012, 1.2, 0.003),
    "gaussian_blur": fixed(0.5),
    "motion_blur": drawn(8, 0.03, 1.5, 0.012),
    # The weights of their disks of radius 8 and 10 sum to 1.013 and 1.011, so that pictures grow brighter.
    "defocus_blur": fixed(1.5),
    "glass_blur": drawn(1, 0.03, 1.5, 0.012, 96, 128),
    # Their enlargements lie half a pixel to a pixel off the centre.
    "zoom_blur": fixed(3.0),
    # The same library through its faster interface, which takes its faster DCT below quality 96.
    "jpeg_artifact": fixed(0.6),
    "bright_transform": fixed(0.2),
    "contrast": fixed(0.1),
    # Fogs are so different from each other that many must be seen.
    "foggy": drawn(40, 0.04, 0.3, 0.012, 96, 128),
    "snow": drawn(6, 0.03, 1.0, 0.009),
    "frost": drawn(12, 0.1, 1.5, 0.03),
    "elastic": drawn(4, 0.02, 1.8, 0.006),
}
"""What the noises are held to."""

SEVERITIES = [pytest.param(s, marks=[pytest.mark.slow] if s != 3 else []) for s in range(1, 6)]


@pytest.fixture(scope="module")
def imagecorruptions() -> Iterator[ModuleType]:
    """The package; without it a test skips, but not in CI. NumPy's global generator is left as it was."""
    try:
        package = load_imagecorruptions()
    except ModuleNotFoundError as error:
        message = f"needs {error.name}: pip install --no-deps imagecorruptions==1.1.2"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    state = np.random.get_state()  # noqa: NPY002
    yield package
    np.random.set_state(state)  # noqa: NPY002


@pytest.fixture(scope="module")
def photographs() -> Callable[[str], list[np.ndarray]]:
    """What a noise is tried on: the middles, uint8 [H, W, 3], of three of scikit-image's photographs."""
    data = pytest.importorskip("skimage.data")
    pictures = [data.coffee(), data.astronaut(), data.chelsea()]

    def middles(name: str) -> list[np.ndarray]:
        height, width = TRIALS[name].shape
        corners = [((p.shape[0] - height) // 2, (p.shape[1] - width) // 2) for p in pictures]
        pairs = zip(pictures, corners, strict=True)
        return [p[y : y + height, x : x + width].copy() for p, (y, x) in pairs]

    return middles


Theirs = Callable[[str, int, int], Portrait]
Ours = Callable[[str, int], Portrait]


Portrayal = Callable[..., Portrait]


@pytest.fixture(scope="module")
def theirs(imagecorruptions, photographs) -> Portrayal:
    """The portrait of imagecorruptions' noise, by our name, severity and number of the first seed."""
    image = pytest.importorskip("PIL.Image")

    @cache
    def make(name: str, severity: int, first: int = 0, large: bool = False) -> Portrait:
        function = getattr(imagecorruptions.corruptions, COUNTERPARTS[name].name)

        def noise(picture: np.ndarray, seed: int) -> np.ndarray:
            np.random.seed(seed)  # noqa: NPY002, the generator it draws from
            return np.asarray(function(image.fromarray(picture), severity))

        seeds = range(first, first + TRIALS[name].seeds)
        return portray(noise, pan()[:1] if large else photographs(name), seeds)

    return make


@pytest.fixture(scope="module")
def ours(apply, build, clip_of, photographs) -> Portrayal:
    """The portrait of our noise at a severity, lengths in pixels of the picture."""

    @cache
    def make(name: str, severity: int, large: bool = False) -> Portrait:
        in_pixels = {"reference": 0} if accepts(type(build(name)), "reference") else {}

        def noise(picture: np.ndarray, seed: int) -> np.ndarray:
            clip = clip_of(picture[None])
            return apply(name, clip, seed=seed, severity=severity, **in_pixels).frames[0]

        return portray(noise, pan()[:1] if large else photographs(name), range(TRIALS[name].seeds))

    return make


def beyond(name: str, one: Portrait, other: Portrait) -> dict[str, float]:
    """The differences that are larger than they may be."""
    found = differences(one, other)
    return {kind: found[kind] for kind, bound in TRIALS[name].bounds.items() if found[kind] > bound}


EQUIVALENT = [name for name, counterpart in COUNTERPARTS.items() if counterpart.equivalent]
DIFFERENT = [name for name in COUNTERPARTS if name not in EQUIVALENT]


def test_what_imagecorruptions_has_is_compared(imagecorruptions):
    lacking = {"pixelate", "spatter", "saturate"}  # nothing of ours answers to these
    assert {one.name for one in COUNTERPARTS.values()} | lacking == set(imagecorruptions.corruption_dict)
    assert set(TRIALS) == set(COUNTERPARTS)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", EQUIVALENT)
def test_ours_is_theirs(name, severity, ours, theirs):
    assert not beyond(name, ours(name, severity), theirs(name, severity))


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", EQUIVALENT)
def test_bounds_let_other_seeds_pass(name, severity, theirs):
    assert not beyond(name, theirs(name, severity, 1000), theirs(name, severity))


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", EQUIVALENT)
def test_bounds_stop_the_severities_beside(name, severity, ours, theirs):
    for beside in {severity - 1, severity + 1} & set(range(1, 6)):
        assert beyond(name, ours(name, severity), theirs(name, beside))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EQUIVALENT if name != "foggy"])
def test_ours_is_theirs_at_the_size_that_is_timed(name, ours, theirs):
    """1280x720, where some of ours compute on coarser grids. It would take minutes to see enough fogs."""
    assert not beyond(name, ours(name, 3, large=True), theirs(name, 3, large=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", DIFFERENT)
def test_what_is_said_to_differ_does(name, ours, theirs):
    assert beyond(name, ours(name, 3), theirs(name, 3))


def test_every_graded_noise_is_compared(graded):
    assert graded in COUNTERPARTS


@pytest.mark.parametrize("severity", range(1, 6))
def test_frost_differs_by_its_texture_alone(
    severity, imagecorruptions, photographs, apply, clip_of, tmp_path, monkeypatch
):
    """Given one picture for frost, bluish all over so that it does not matter which part is cut out."""
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (300, 300), (90, 120, 150)).save(tmp_path / "frost.png")
    monkeypatch.setattr(
        imagecorruptions.corruptions, "resource_filename", lambda *_: str(tmp_path / "frost.png")
    )
    for picture in photographs("frost"):
        theirs = np.rint(imagecorruptions.corruptions.frost(image.fromarray(picture), severity))
        ours = apply("frost", clip_of(picture[None]), severity=severity, pictures=tmp_path).frames[0]
        assert np.abs(ours - theirs).max() <= 1
