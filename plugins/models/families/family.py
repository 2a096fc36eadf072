"""How prompts become the tensors that a family of models takes. Holds no weights.

Everything that turns frames into numbers is the checkpoint's own processor; what is decided here is in
which form it gets them. A family changes what differs for it and nothing else; this class by itself does
for any checkpoint with a chat template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from harness import Clip, Prompt, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from harness.types import Frame, Frames

FrameForm = Literal["auto", "video", "images"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What users may say. frames: whether clips go in as videos or as single images, ``auto`` being as the
    family's authors do it. min_pixels, max_pixels: area of one frame or image; None is the checkpoint's own.
    """

    frames: FrameForm = "auto"
    min_pixels: int | None = None
    max_pixels: int | None = None


class Family:
    """The general family. processor: the checkpoint's AutoProcessor. config: its configuration."""

    form: FrameForm = "auto"
    """How clips go in if users do not say; ``auto`` is as video where processor and template know videos."""
    template: str | None = None
    """The chat template of checkpoints that come without one."""
    flat = False
    """Whether the first axis of all tensors of pictures counts pictures, not prompts."""
    takes_min_pixels = False
    """Whether the processor can be given a least area."""
    beams = False
    """Whether every version of transformers shows each beam the pictures of its own prompt, in order."""

    def __init__(self, processor: Any, config: Any, settings: Settings) -> None:
        self.processor = processor
        self.config = config
        self.settings = settings
        if settings.min_pixels is not None and not self.takes_min_pixels:
            raise UsageError(f"a model of type {config.model_type!r} has no min_pixels: leave it out")
        if settings.frames == "video" and getattr(processor, "video_processor", None) is None:
            raise UsageError(f"a model of type {config.model_type!r} takes no videos: use frames=images")
        if getattr(processor, "chat_template", None) is None:
            processor.chat_template = self.template or processor.tokenizer.chat_template
        if processor.chat_template is None:
            raise UsageError(
                f"this model of type {config.model_type!r} has no chat template: take one made to chat"
            )
        if processor.tokenizer.pad_token_id is None:  # any will do: what is padded is not attended to
            processor.tokenizer.pad_token = processor.tokenizer.eos_token

    @property
    def tokenizer(self) -> Any:
        return self.processor.tokenizer

    def tune(self, module: Any, attn: str) -> None:
        """Make the loaded module faster without changing what it computes."""

    def prepare(self, prompts: Sequence[Prompt]) -> list[dict[str, Tensor]]:
        """The tensors of each prompt by itself: text [..., 1, L] without padding, pixels and what is said
        of them. Raises whatever the processor throws at odd frames.
        """
        return [self.tensors(prompt) for prompt in prompts]

    def tensors(self, prompt: Prompt) -> dict[str, Tensor]:
        """Of one prompt."""
        import torch

        parts = [shown for part in prompt.parts for shown in self.shown(part)]
        images = [self.picture(part) for part in parts if not isinstance(part, str | Clip)]
        # Of the processors that take frames by twos some refuse a single one.
        least = getattr(getattr(self.processor, "video_processor", None), "temporal_patch_size", None) or 1
        clips = [lasting(part, least) for part in parts if isinstance(part, Clip)]
        text = self.chat(parts, prompt.system)
        begun = self.tokenizer.bos_token is not None and text.startswith(self.tokenizer.bos_token)
        settings: dict[str, Any] = {"text_kwargs": {"add_special_tokens": False}} if begun else {}
        if images:
            settings["images"], settings["images_kwargs"] = [images], self.image_settings()
        if clips:
            settings["videos"], settings["videos_kwargs"] = self.videos(clips), self.video_settings(clips)
        batch = self.processor(text=[text], return_tensors="pt", **settings)
        return {name: value for name, value in batch.items() if isinstance(value, torch.Tensor)}

    def shown(self, part: str | Clip | Frame) -> Sequence[str | Clip | Frame]:
        """A part of a prompt as the parts that the model is shown: a clip may become its frames."""
        if isinstance(part, Clip) and not self.as_video:
            return list(part.frames)
        return [part]

    @property
    def as_video(self) -> bool:
        """Whether clips go in as videos."""
        form = self.form if self.settings.frames == "auto" else self.settings.frames
        if form == "auto":
            knows = getattr(self.processor, "video_processor", None) is not None
            return knows and "video" in str(self.processor.chat_template)
        return form == "video"

    def chat(self, parts: Sequence[str | Clip | Frame], system: str) -> str:
        """The prompt in the words of the checkpoint's template, up to where the answer begins.

        A template that knows no system text gets it before the question.
        """
        content = [self.content(part) for part in parts]
        user = {"role": "user", "content": content}
        if not system:
            return self.rendered([user])
        spoken = self.content(system)
        try:
            text = self.rendered([{"role": "system", "content": [spoken]}, user])
        except Exception:  # templates refuse by raising whatever they like
            text = ""
        if spoken["text"] in text:
            return text
        return self.rendered(
            [{"role": "user", "content": [{**spoken, "text": f"{spoken['text']}\n"}, *content]}]
        )

    def content(self, part: str | Clip | Frame) -> dict[str, str]:
        """A part as templates want it."""
        if isinstance(part, Clip):
            return {"type": "video"}
        if not isinstance(part, str):
            return {"type": "image"}
        for token in self.reserved():
            # Someone's question about "<|im_end|>" is text, not the end of the turn.
            part = part.replace(token, f"{token[:1]} {token[1:]}")
        return {"type": "text", "text": part}

    def reserved(self) -> Sequence[str]:
        """The tokens that a question may not hold."""
        added = self.tokenizer.added_tokens_decoder.values()
        places = (getattr(self.processor, name, None) for name in ("image_token", "video_token"))
        # Not all that are added later are among all_special_tokens, and not all placeholders are tokens.
        known = [*self.tokenizer.all_special_tokens, *(token.content for token in added if token.special)]
        return [*dict.fromkeys([*known, *(place for place in places if place)])]

    def rendered(self, messages: Sequence[Mapping[str, Any]]) -> str:
        text: str = self.processor.apply_chat_template(
            list(messages), add_generation_prompt=True, tokenize=False
        )
        return text

    def picture(self, frame: Frame) -> Any:
        """A single image as the processor wants it."""
        return channels_first(self.fitted(frame))

    def videos(self, clips: Sequence[Clip]) -> list[Tensor]:
        """The prompt's clips as the processor wants them, uint8 [T, 3, H, W] each."""
        return [channels_first(self.fitted(clip.frames)) for clip in clips]

    def image_settings(self) -> dict[str, Any]:
        """The processor's settings for images."""
        return {"input_data_format": "channels_first"}

    def video_settings(self, clips: Sequence[Clip]) -> dict[str, Any]:
        """The same for videos, which are sampled already."""
        return {
            "input_data_format": "channels_first",
            "do_sample_frames": False,
            "video_metadata": [metadata(clip) for clip in clips],
        }

    def fitted(self, frames: Frames) -> Frames:
        """uint8 [..., H, W, 3], scaled down to ``max_pixels`` by area averaging where it is larger."""
        most = self.settings.max_pixels
        height, width = frames.shape[-3:-1]
        if most is None or height * width <= most:
            return frames
        import cv2
        import numpy as np

        scale = (most / (height * width)) ** 0.5
        size = (max(1, int(width * scale)), max(1, int(height * scale)))
        flat = frames.reshape(-1, height, width, 3)
        small = np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in flat])
        return small.reshape(*frames.shape[:-3], *small.shape[1:]).astype(np.uint8, copy=False)


def spacing(clip: Clip) -> float:
    """Mean seconds from one frame of the clip to the next; the source's own where all show one moment."""
    count = len(clip.times)
    if count > 1 and clip.times[-1] > clip.times[0]:
        return float(clip.times[-1] - clip.times[0]) / (count - 1)
    return 1.0 / clip.fps if clip.fps > 0 else 1.0


def metadata(clip: Clip) -> dict[str, Any]:
    """What transformers wants to know of a video that is already sampled.

    Frames have the numbers that their times have at the source's rate: processors that write times into
    the prompt write the true ones, as if they had sampled the file. It ends as long after the last frame as
    that came after the one before.
    """
    fps = clip.fps if clip.fps > 0 else 1.0 / spacing(clip)
    duration = float(clip.times[-1]) + spacing(clip)
    return {
        "total_num_frames": max(len(clip.frames), round(duration * fps)),
        "fps": fps,
        "frames_indices": [round(float(time) * fps) for time in clip.times],
        "height": clip.frames.shape[1],
        "width": clip.frames.shape[2],
        "duration": duration,
    }


def lasting(clip: Clip, least: int) -> Clip:
    """A clip of ``least`` frames or more: where there are fewer, the last one stays."""
    import numpy as np

    missing = least - len(clip.frames)
    if missing <= 0:
        return clip
    times, indices = (np.pad(values, (0, missing), mode="edge") for values in (clip.times, clip.indices))
    frames = np.concatenate([clip.frames, *[clip.frames[-1:]] * missing])
    return replace(clip, frames=frames, times=times, indices=indices)


def channels_first(frames: Frames) -> Tensor:
    """uint8 [..., H, W, 3] -> [..., 3, H, W]; said outright, since 3 pixels may also be a height."""
    import numpy as np
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(frames, -1, -3)))
