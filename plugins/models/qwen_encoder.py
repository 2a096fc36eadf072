"""Prompts (and answers to learn) as the tensors Qwen2.5-VL takes; holds no weights.

Everything that turns frames into numbers is the checkpoint's own processor. What is decided here:
clips go in as videos that are already sampled, with the times they were sampled at; a clip that
several prompts of a batch share is processed once; positions are computed by ``qwen_positions``;
batches are padded on the left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import Clip, Prompt

from .qwen_positions import Grid, positions

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

IGNORED = -100
"""The label of tokens that are not learnt, as PyTorch's cross entropy has it."""
_GROUP = 16
"""Clips and images processed in one call: enough to share its cost, few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """One processed clip or image: patches [n, values], and their [time, height, width] before merging."""

    patches: Tensor
    grid: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Turns prompts into tensors.

    processor: the checkpoint's AutoProcessor. config: its Qwen2_5_VLConfig. image_pixels,
    video_pixels: least and greatest area of one picture or frame.
    """

    processor: Any
    config: Any
    image_pixels: tuple[int, int]
    video_pixels: tuple[int, int]

    def prompts(self, prompts: Sequence[Prompt], half: bool = False) -> dict[str, Tensor]:
        """Input ids and mask [B, L], positions [3, B, L], and all pixels, in the order shown.

        half: pixels in half precision, which keeps all that 8 bits held.
        """
        import torch

        shown = [part for prompt in prompts for part in prompt.parts if not isinstance(part, str)]
        seen = self._see(shown, half)
        batch = self.processor.tokenizer(
            [self._text(prompt, seen) for prompt in prompts],
            padding=True,
            padding_side="left",
            return_tensors="pt",
        )
        inputs: dict[str, Tensor] = {name: batch[name] for name in ("input_ids", "attention_mask")}
        inputs["position_ids"] = self._positions(prompts, inputs, seen)
        for is_video, pixels, grid in (
            (True, "pixel_values_videos", "video_grid_thw"),
            (False, "pixel_values", "image_grid_thw"),
        ):
            found = [seen[id(part)] for part in shown if isinstance(part, Clip) is is_video]
            if found:
                inputs[pixels] = torch.cat([one.patches for one in found])
                inputs[grid] = torch.tensor([one.grid for one in found])
        return inputs

    def answers(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> dict[str, Tensor]:
        """The prompts' tensors with the answers after them, and labels for the answers alone.

        An answer is tokenized by itself and ends with the token that ends a turn: exactly what
        generation is to produce after the prompt. Pixels are in half precision, because between
        processes and to the GPU they are by far the largest part.
        """
        import torch

        batch = self.prompts(prompts, half=True)
        tokenizer = self.processor.tokenizer
        spoken = [tokenizer.encode(text, add_special_tokens=False) for text in answers]
        rows = [[*tokens, tokenizer.eos_token_id] for tokens in spoken]
        width = max(map(len, rows))
        tail = torch.full((len(rows), width), tokenizer.pad_token_id)
        mask = torch.zeros_like(tail)
        for row, tokens in enumerate(rows):
            tail[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        last = batch["position_ids"][:, :, -1:]
        batch["position_ids"] = torch.cat([batch["position_ids"], last + 1 + torch.arange(width)], dim=2)
        ignored = torch.full_like(batch["input_ids"], IGNORED)
        batch["labels"] = torch.cat([ignored, tail.masked_fill(mask == 0, IGNORED)], dim=1)
        batch["input_ids"] = torch.cat([batch["input_ids"], tail], dim=1)
        batch["attention_mask"] = torch.cat([batch["attention_mask"], mask], dim=1)
        return batch

    def _text(self, prompt: Prompt, seen: Mapping[int, Pixels]) -> str:
        """The chat as text, with as many placeholders as there are visual tokens."""
        parts = (prompt.system, *prompt.parts) if prompt.system else prompt.parts
        contents = [self._content(part) for part in parts]
        messages = [{"role": "user", "content": contents[bool(prompt.system) :]}]
        if prompt.system:
            messages.insert(0, {"role": "system", "content": contents[:1]})
        text: str = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        shown = iter([part for part in prompt.parts if not isinstance(part, str)])
        placeholder = f"{re.escape(self.processor.video_token)}|{re.escape(self.processor.image_token)}"
        return re.sub(placeholder, lambda token: token[0] * self._grid(next(shown), seen).size, text)

    def _content(self, part: Any) -> dict[str, str]:
        if isinstance(part, Clip):
            return {"type": "video"}
        if not isinstance(part, str):
            return {"type": "image"}
        for token in self.processor.tokenizer.all_special_tokens:
            # Someone's question about "<|im_end|>" is text, not the end of the turn.
            part = part.replace(token, f"{token[:1]} {token[1:]}")
        return {"type": "text", "text": part}

    def _see(self, parts: Sequence[Any], half: bool) -> dict[int, Pixels]:
        """Every distinct clip and image, processed, by its ``id``."""
        distinct = {id(part): part for part in parts}
        clips = {key: part for key, part in distinct.items() if isinstance(part, Clip)}
        images = {key: part for key, part in distinct.items() if not isinstance(part, Clip)}
        seen: dict[int, Pixels] = {}
        for group in _groups(clips):
            batch = self.processor.video_processor(
                [_channels_first(clip.frames) for clip in group.values()],
                **self._video_settings(list(group.values())),
            )
            pieces = _split(batch["pixel_values_videos"], batch["video_grid_thw"], half)
            seen.update(zip(group, pieces, strict=True))
        for group in _groups(images):
            batch = self.processor.image_processor(
                [_channels_first(image) for image in group.values()],
                size=_area(self.image_pixels),
                input_data_format="channels_first",
                return_tensors="pt",
            )
            pieces = _split(batch["pixel_values"], batch["image_grid_thw"], half)
            seen.update(zip(group, pieces, strict=True))
        return seen

    def _video_settings(self, clips: Sequence[Clip]) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "do_sample_frames": False,
            "input_data_format": "channels_first",
            "size": _area(self.video_pixels),
            "video_metadata": [_metadata(clip) for clip in clips],
            "return_tensors": "pt",
        }
        known = getattr(self.processor.video_processor.valid_kwargs, "__annotations__", {})
        if "cap_pixels_per_frame" in known:
            settings["cap_pixels_per_frame"] = False  # video_pixels is the bound, under any version
        return settings

    def _grid(self, part: Any, seen: Mapping[int, Pixels]) -> Grid:
        """The part's visual tokens; a clip's time goes by in seconds, an image stands still."""
        vision = self.config.vision_config
        merge = vision.spatial_merge_size
        time, height, width = seen[id(part)].grid
        seconds = vision.temporal_patch_size * spacing(part) if isinstance(part, Clip) else 0.0
        return Grid(time, height // merge, width // merge, seconds * vision.tokens_per_second)

    def _positions(
        self, prompts: Sequence[Prompt], inputs: Mapping[str, Tensor], seen: Mapping[int, Pixels]
    ) -> Tensor:
        import numpy as np
        import torch

        ids, mask = inputs["input_ids"].numpy(), inputs["attention_mask"].numpy().astype(bool)
        visual = np.isin(ids, (self.config.image_token_id, self.config.video_token_id))
        found = np.zeros((3, *ids.shape), np.int64)
        for row, prompt in enumerate(prompts):
            grids = [self._grid(part, seen) for part in prompt.parts if not isinstance(part, str)]
            found[:, row, mask[row]] = positions(visual[row, mask[row]].tolist(), grids)
        return torch.from_numpy(found)


def spacing(clip: Clip) -> float:
    """Mean seconds from one frame of the clip to the next; the source's own where all show one moment."""
    count = len(clip.times)
    if count > 1 and clip.times[-1] > clip.times[0]:
        return float(clip.times[-1] - clip.times[0]) / (count - 1)
    return 1.0 / clip.fps if clip.fps > 0 else 1.0


def _metadata(clip: Clip) -> dict[str, Any]:
    """What transformers wants to know of a video that is already sampled."""
    count = len(clip.frames)
    return {
        "total_num_frames": count,
        "fps": 1.0 / spacing(clip),
        "frames_indices": list(range(count)),
        "height": clip.frames.shape[1],
        "width": clip.frames.shape[2],
        "duration": count * spacing(clip),
    }


def _area(pixels: tuple[int, int]) -> dict[str, int]:
    return {"shortest_edge": pixels[0], "longest_edge": pixels[1]}


def _channels_first(frames: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    """uint8 [..., H, W, 3] -> [..., 3, H, W]; said outright, since 3 pixels may also be a height."""
    import numpy as np
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(frames, -1, -3)))


def _groups(parts: Mapping[int, Any]) -> Iterator[dict[int, Any]]:
    keys = list(parts)
    for start in range(0, len(keys), _GROUP):
        yield {key: parts[key] for key in keys[start : start + _GROUP]}


def _split(patches: Tensor, grids: Tensor, half: bool) -> Iterator[Pixels]:
    """The processor's output, which is all in one, as one piece per clip or image."""
    start = 0
    for time, height, width in grids.tolist():
        size = time * height * width
        piece = patches[start : start + size]
        yield Pixels(piece.half() if half else piece, (time, height, width))
        start += size
