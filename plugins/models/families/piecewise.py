"""Families whose processors get pictures one at a time.

In one call these processors take only clips with one number of frames, or images cut into one number of
tiles, or clips and images not together; and some write into the text of one clip what is true of another.
Alone each picture becomes what its authors' code would make of it, whatever else is in the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import Clip, Prompt

from .family import Family

if TYPE_CHECKING:
    from torch import Tensor

    from harness.types import Frame


@dataclass(frozen=True, slots=True)
class Piece:
    """One processed clip or image: its pixels, and the text that stands for it in the prompt."""

    text: str
    pixels: Mapping[str, Tensor]


class Piecewise(Family):
    """The first axis of all pixels counts frames and tiles."""

    form = "video"
    flat = True
    whole: Mapping[str, Any] = {}
    """The processor's settings for an image that stays in one piece, as the frames of a clip do."""

    def prepare(self, prompts: Sequence[Prompt]) -> list[dict[str, Tensor]]:
        """Of each prompt ids and mask [1, L], and pixels in the order shown.

        A clip that several prompts show is processed once.
        """
        seen: dict[int, list[Piece]] = {}
        return [self._tensors(prompt, seen) for prompt in prompts]

    def laid(self, pixels: Tensor) -> Tensor:
        """What the processor made of one clip or image, laid out with frames or tiles first."""
        return pixels

    def _tensors(self, prompt: Prompt, seen: dict[int, list[Piece]]) -> dict[str, Tensor]:
        parts: list[str | Clip | Frame] = []
        pieces: dict[bool, list[Piece]] = {True: [], False: []}
        for part in prompt.parts:
            shown = self.shown(part)
            parts += shown
            if isinstance(part, str):
                continue
            if id(part) not in seen:
                settings = {**self.image_settings(), **(self.whole if isinstance(part, Clip) else {})}
                seen[id(part)] = [self._piece(one, settings) for one in shown]
            pieces[isinstance(part, Clip) and self.as_video] += seen[id(part)]
        text, ordered = self._filled(self.chat(parts, prompt.system), pieces)
        return {**self._encoded(text), **_joined(ordered)}

    def _piece(self, part: Clip | Frame, settings: Mapping[str, Any]) -> Piece:
        """A clip, or an image under these settings of the processor."""
        if isinstance(part, Clip):
            token, asked = self.processor.video_token, {"videos": self.videos([part])}
            asked["videos_kwargs"] = self.video_settings([part])
        else:
            token, asked = self.processor.image_token, {"images": [[self.picture(part)]]}
            asked["images_kwargs"] = settings
        found = self.processor(
            text=[token], text_kwargs={"add_special_tokens": False}, return_tensors="pt", **asked
        )
        ids = found["input_ids"][0]
        text = self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        if self.tokenizer(text, add_special_tokens=False)["input_ids"] != ids.tolist():
            raise ValueError("the tokenizer does not give back the text that the processor wrote")
        pixels = {name: self.laid(found[name]) for name in found if name.startswith("pixel")}
        return Piece(text, pixels)

    def _encoded(self, text: str) -> dict[str, Tensor]:
        bos = self.tokenizer.bos_token
        begun = bos is not None and text.startswith(bos)
        found = self.tokenizer([text], add_special_tokens=not begun, return_tensors="pt")
        return {name: found[name] for name in ("input_ids", "attention_mask")}

    def _filled(self, text: str, pieces: Mapping[bool, Sequence[Piece]]) -> tuple[str, list[Piece]]:
        """The chat with every placeholder filled, and the pieces in the order of the text.

        pieces: videos under True, images under False. Templates may show one kind before the other.
        """
        left = {is_video: iter(found) for is_video, found in pieces.items()}
        ordered: list[Piece] = []

        def fill(token: re.Match[str]) -> str:
            ordered.append(next(left[token[0] == self.processor.video_token]))
            return ordered[-1].text

        placeholder = f"{re.escape(self.processor.video_token)}|{re.escape(self.processor.image_token)}"
        text = re.sub(placeholder, fill, text)
        if len(ordered) < sum(map(len, pieces.values())):
            raise ValueError("the chat template does not show all pictures of the prompt")
        return text, ordered


def _joined(pieces: Sequence[Piece]) -> dict[str, Tensor]:
    """All pixels of a prompt; those of one clip alone are not copied, so that prompts can share them."""
    import torch

    names = dict.fromkeys(name for piece in pieces for name in piece.pixels)
    found = {name: [piece.pixels[name] for piece in pieces if name in piece.pixels] for name in names}
    return {name: torch.cat(all_of) if all_of[1:] else all_of[0] for name, all_of in found.items()}
