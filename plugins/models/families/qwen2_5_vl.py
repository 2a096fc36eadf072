"""Qwen2.5-VL: clips as videos that are already sampled, with the times they were sampled at.

Source: the Qwen2.5-VL report (arXiv 2502.13923) and the model card of Qwen/Qwen2.5-VL-7B-Instruct. A clip
that several prompts share is processed once; positions are computed by ``qwen_positions``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import Clip, Prompt

from .family import Family, Settings, channels_first, metadata, spacing
from .qwen_positions import Grid, positions

if TYPE_CHECKING:
    from torch import Tensor

    from harness.types import Frame

VIDEO_PIXELS = 768 * 28 * 28
"""Qwen's own bound on the area of one frame of a video (qwen-vl-utils)."""
_GROUP = 16
"""Clips and images processed in one call: enough to share its cost, few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """One processed clip or image: patches [n, values], and their [time, height, width] before merging."""

    patches: Tensor
    grid: tuple[int, int, int]


class Qwen25VL(Family):
    """min_pixels, max_pixels bound frames and images as the processor's own bounds do.

    When not given they are the checkpoint's, though at most ``VIDEO_PIXELS`` for a frame of a video.
    """

    form = "video"
    flat = True
    takes_min_pixels = True
    beams = True
    pace: float | None = None
    """By how much a clip's time grows from one layer of tokens to the next; None is as the seconds go by."""

    def __init__(self, processor: Any, config: Any, settings: Settings) -> None:
        super().__init__(processor, config, settings)
        image, video = (
            (one.size["shortest_edge"], one.size["longest_edge"])
            for one in (processor.image_processor, processor.video_processor)
        )
        self.image_pixels = self._bounds(image, settings.max_pixels)
        self.video_pixels = self._bounds(video, settings.max_pixels or min(video[1], VIDEO_PIXELS))

    def tune(self, module: Any, attn: str) -> None:
        from .qwen_vision import speed_up

        if attn == "sdpa":
            speed_up(module.model.visual)

    def prepare(self, prompts: Sequence[Prompt]) -> list[dict[str, Tensor]]:
        """Of each prompt ids and mask [1, L], positions [3, 1, L], and its pixels in the order shown."""
        asked = [(prompt, [one for part in prompt.parts for one in self.shown(part)]) for prompt in prompts]
        seen = self._see([part for _, parts in asked for part in parts if not isinstance(part, str)])
        return [self._tensors(parts, prompt.system, seen) for prompt, parts in asked]

    def _tensors(
        self, parts: Sequence[str | Clip | Frame], system: str, seen: Mapping[int, Pixels]
    ) -> dict[str, Tensor]:
        import torch

        shown = [part for part in parts if not isinstance(part, str)]
        text = self._with_room(self.chat(parts, system), shown, seen)
        batch = self.tokenizer([text], return_tensors="pt")
        inputs: dict[str, Tensor] = {name: batch[name] for name in ("input_ids", "attention_mask")}
        inputs["position_ids"] = self._positions(inputs["input_ids"], shown, seen)
        for is_video, pixels, grid in (
            (True, "pixel_values_videos", "video_grid_thw"),
            (False, "pixel_values", "image_grid_thw"),
        ):
            found = [seen[id(part)] for part in shown if isinstance(part, Clip) is is_video]
            if found:
                # One clip alone is not copied: prompts about it share its pixels.
                inputs[pixels] = torch.cat([one.patches for one in found]) if found[1:] else found[0].patches
                inputs[grid] = torch.tensor([one.grid for one in found])
        return inputs

    def _with_room(self, text: str, shown: Sequence[Clip | Frame], seen: Mapping[int, Pixels]) -> str:
        """The chat with as many placeholders as there are visual tokens."""
        left = iter(shown)
        placeholder = f"{re.escape(self.processor.video_token)}|{re.escape(self.processor.image_token)}"
        return re.sub(placeholder, lambda token: token[0] * self._grid(next(left), seen).size, text)

    def _see(self, parts: Sequence[Clip | Frame]) -> dict[int, Pixels]:
        """Every distinct clip and image, processed, by its ``id``."""
        distinct = {id(part): part for part in parts}
        clips = {key: part for key, part in distinct.items() if isinstance(part, Clip)}
        images = {key: part for key, part in distinct.items() if not isinstance(part, Clip)}
        seen: dict[int, Pixels] = {}
        for group in _groups(clips):
            batch = self.processor.video_processor(
                self.videos(list(group.values())), **self.video_settings(list(group.values()))
            )
            pieces = _split(batch["pixel_values_videos"], batch["video_grid_thw"])
            seen.update(zip(group, pieces, strict=True))
        for group in _groups(images):
            batch = self.processor.image_processor(
                [channels_first(image) for image in group.values()],
                size=_area(self.image_pixels),
                input_data_format="channels_first",
                return_tensors="pt",
            )
            pieces = _split(batch["pixel_values"], batch["image_grid_thw"])
            seen.update(zip(group, pieces, strict=True))
        return seen

    def videos(self, clips: Sequence[Clip]) -> list[Tensor]:
        return [channels_first(clip.frames) for clip in clips]  # the processor bounds their area

    def video_settings(self, clips: Sequence[Clip]) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "do_sample_frames": False,
            "input_data_format": "channels_first",
            "size": _area(self.video_pixels),
            "video_metadata": [metadata(clip) for clip in clips],
            "return_tensors": "pt",
        }
        known = getattr(self.processor.video_processor.valid_kwargs, "__annotations__", {})
        if "cap_pixels_per_frame" in known:
            settings["cap_pixels_per_frame"] = False  # video_pixels is the bound, under any version
        return settings

    def _grid(self, part: Clip | Frame, seen: Mapping[int, Pixels]) -> Grid:
        """The part's visual tokens; a clip's time goes by in seconds, an image stands still."""
        vision = self.config.vision_config
        merge = vision.spatial_merge_size
        time, height, width = seen[id(part)].grid
        step = self.pace or 0.0
        if self.pace is None and isinstance(part, Clip):
            step = vision.temporal_patch_size * spacing(part) * vision.tokens_per_second
        return Grid(time, height // merge, width // merge, step)

    def _grids(self, part: Clip | Frame, seen: Mapping[int, Pixels]) -> Sequence[Grid]:
        """Its visual tokens, those that stand together as one."""
        return [self._grid(part, seen)]

    def _positions(self, ids: Tensor, shown: Sequence[Clip | Frame], seen: Mapping[int, Pixels]) -> Tensor:
        import numpy as np
        import torch

        visual = np.isin(ids[0].numpy(), (self.config.image_token_id, self.config.video_token_id))
        grids = [grid for part in shown for grid in self._grids(part, seen)]
        found = positions(visual.tolist(), grids)
        return torch.from_numpy(found)[:, None]

    def _bounds(self, own: tuple[int, int], most: int | None) -> tuple[int, int]:
        """The checkpoint's own bounds with those the user gave in their place; never crossed."""
        high = most or own[1]
        return min(self.settings.min_pixels or own[0], high), high


def _area(pixels: tuple[int, int]) -> dict[str, int]:
    return {"shortest_edge": pixels[0], "longest_edge": pixels[1]}


def _groups(parts: Mapping[int, Any]) -> Iterator[dict[int, Any]]:
    keys = list(parts)
    for start in range(0, len(keys), _GROUP):
        yield {key: parts[key] for key in keys[start : start + _GROUP]}


def _split(patches: Tensor, grids: Tensor) -> Iterator[Pixels]:
    """The processor's output, which is all in one, as one piece per clip or image."""
    start = 0
    for time, height, width in grids.tolist():
        size = time * height * width
        yield Pixels(patches[start : start + size], (time, height, width))
        start += size
