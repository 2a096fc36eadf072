"""The text of docs/noises.md: made from the catalogue, the noises' docstrings and the measurements.

No definition is typed here; a noise's words are those of its catalogue entry and its docstring.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gallery_clips import ASTRONAUT, FRAMES, PHOTOGRAPHS, ROCKET, SCENES
from gallery_pictures import CLEAN, RATIO, RATIO_IN_TIME, SIZE, STRIP, Noise, has_still, has_strip, strip_name
from gallery_similarity import RATIOS, SIDES, Figures

from harness.options import accepts

CATEGORIES = {
    "quality": "Quality",
    "blur": "Blur",
    "compression": "Compression",
    "occlusion": "Occlusion",
    "temporal": "Time",
    "lighting": "Lighting",
    "scene": "Scene",
    "digital": "Digital",
    "extended": "Extended",
}
"""The categories in the order of the page, and their headings."""

NOT_NRVL = {
    "poisson": "its values wrap around at 255",
    "gaussian_blur": "other borders",
    "motion_blur": "other borders",
    "target_block": "a neural detector, and a clean frame where it finds nothing",
    "frame_replace": "the shuffle may leave frames in place",
    "frame_repeat": "rounding can freeze the whole clip",
    "temporal_jitter": "a higher ratio does less",
    "other_video": "one fixed file, pasted unscaled",
    "contrast": "the gain has no bounds",
    "flicker": "all frames are hit, the ratio is the strength",
    "rainy": "the rain stands still, and covers three quarters of the picture",
    "foggy": "the fog stands still",
    "frost": "one of six photographs, new each frame",
    "reflect": "one map for all videos",
    "shadow": "a new shadow each frame",
    "edge_sawtooth": "edges are sought with red weighed as blue",
    "bit_error": "columns come from stripes already filled",
    "h265_artifacts": "also scales to a quarter, and may use another encoder",
}
"""What the NRVL code does in place of the definition: scores under these are not comparable with its."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a noise's docstring says, each on one line: its definition, and in a sentence what is drawn."""

    definition: str
    draws: str


def words(noise: Noise) -> Words:
    """Raises ValueError when the docstring does not say what is defined and what is drawn."""
    text = inspect.getdoc(type(noise.built.plugin)) or ""
    found = {
        match[1]: " ".join(match[2].split())
        for match in re.finditer(r"^([A-Z]\w+): (.*?)(?=^[A-Z]\w+: |\Z)", text, re.DOTALL | re.MULTILINE)
    }
    try:
        return Words(found["Definition"], found["Draws"].split(". ")[0].removesuffix("."))
    except KeyError as error:
        raise ValueError(f"the docstring of {noise.name} lacks its {error.args[0]}") from None


def page(noises: Sequence[Noise], figures: Mapping[str, Figures]) -> str:
    """The whole page, Markdown."""
    shown = [
        (title, [noise for noise in noises if noise.category == category])
        for category, title in CATEGORIES.items()
    ]
    parts = [_opening(noises), *(_section(title, some) for title, some in shown if some)]
    return "\n\n".join([*parts, _similarity(noises, figures)]) + "\n"


def _opening(noises: Sequence[Noise]) -> str:
    main = [noise for noise in noises if noise.category != "extended"]
    width, height = SIZE
    return f"""# Noises

<!-- Written by docs/gallery.py: run make gallery. -->

{len(main)} noises in {len({noise.category for noise in main})} categories, and \
{len(noises) - len(main)} more that enter no average. `--noise_name` takes
their names, `--ratio` the share of the frames that are hit; all other frames stay as they are, byte for
byte. `vidharness show corruption NAME` prints a noise's options and its source. Grey levels run from 0 to
255. Lengths in pixels belong to a short side of 720 where the definition says so, and shrink and grow with
the picture. `severity=1` to `5` are those of ImageNet-C, whose pixels are those of a short side of 224.
Constants are those of the public NRVL noise code. Where the last column says what NRVL does, what happens
here differs from it, and scores cannot be compared.

The pictures are {width} x {height} pixels, of a camera move over a photograph
({ASTRONAUT.credit}; rain and snow over another, by night: {ROCKET.credit}),
with each noise as `vidharness run` would apply it. The strips are {FRAMES} frames in order, one a second,
reduced to {STRIP[0]} x {STRIP[1]} each. {_percent(RATIO).capitalize()} of them are hit; of those about time,
whose frames are numbered, {_percent(RATIO_IN_TIME)}: a red bar marks the frames that are hit.

![a frame without noise](gallery/{CLEAN}.jpg)

![{FRAMES} frames without noise](gallery/{strip_name(CLEAN)}.jpg)"""


def _percent(share: float) -> str:
    return "all" if share == 1 else f"{100 * share:g}%"


def _section(title: str, noises: Iterable[Noise]) -> str:
    noises = list(noises)
    head = ["noise", "drawn", "severity", "not comparable: NRVL"]
    if all(has_still(noise) for noise in noises):
        head = ["picture", *head]
    lines = [head, ["---"] * len(head), *(_row(noise) for noise in noises)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    strips = [
        f"`{noise.name}`\n\n![{noise.name}, {FRAMES} frames](gallery/{strip_name(noise.name)}.jpg)"
        for noise in noises
        if has_strip(noise)
    ]
    return "\n\n".join([f"## {title}", table, *strips])


def _row(noise: Noise) -> list[str]:
    said = words(noise)
    graded = accepts(type(noise.built.plugin), "severity")
    picture = f'<img src="gallery/{noise.name}.jpg" alt="{noise.name}" width="320">'
    return [
        *([picture] if has_still(noise) else []),
        f"**{noise.name}**: {_plain(noise.summary)}.<br>{_plain(said.definition)}",
        _plain(said.draws),
        "1-5" if graded else "",
        NOT_NRVL.get(noise.name, ""),
    ]


def _plain(text: str) -> str:
    """Markdown that shows ``text`` as it is."""
    return re.sub(r"([\\|*_\[\]~])", r"\\\1", text).replace("<", "&lt;")


def _similarity(noises: Sequence[Noise], figures: Mapping[str, Figures]) -> str:
    width, height = SIDES
    pictures = "; ".join(move.credit for move in PHOTOGRAPHS)
    head = ["noise", *(f"PSNR {ratio:g}" for ratio in RATIOS), *(f"SSIM {ratio:g}" for ratio in RATIOS)]
    rows = [
        [
            noise.name,
            *(f"{value:.1f}" for value in figures[noise.name].psnr),
            *(f"{value:.3f}" for value in figures[noise.name].ssim),
        ]
        for noise in noises
    ]
    marks = ["---", *["---:"] * (len(head) - 1)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in [head, marks, *rows])
    return f"""## How much each one changes

PSNR (in dB) and SSIM between the clean and the noisy clip by ratio: means over {len(PHOTOGRAPHS)} camera
moves over photographs of {width} x {height} pixels
({pictures})
and {len(SCENES)} scenes of ShapesVideo (112 x 112), {FRAMES} frames each, seed 0. PSNR is of the clip as a
whole, frames that are not hit included; SSIM is the mean over its frames of `skimage.metrics`' with a
window of 7 pixels, on the three colours. Neither says how much harder a question gets.

{table}"""
