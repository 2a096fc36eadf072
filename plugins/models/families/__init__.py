"""Which kind of checkpoint is read by which family; nothing heavy is imported here.

The kind is ``model_type`` in a checkpoint's config.json. One that is not listed is read by ``Family``
itself: whatever transformers loads for images and text, and has a chat template.
"""

from __future__ import annotations

import importlib.util
from importlib import import_module
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from .family import Family

FAMILIES = {
    "glm46v": "glm4v:Glm4v",
    "glm4v": "glm4v:Glm4v",
    "glm4v_moe": "glm4v:Glm4v",
    "idefics2": "idefics2:Idefics2",
    "internvl": "internvl:InternVL",
    "llava_next_video": "llava_next_video:LlavaNextVideo",
    "llava_onevision": "llava_onevision:LlavaOnevision",
    "perception_lm": "perception_lm:PerceptionLM",
    "qwen2_5_vl": "qwen2_5_vl:Qwen25VL",
    "qwen2_vl": "qwen2_vl:Qwen2VL",
    "qwen3_vl": "qwen3_vl:Qwen3VL",
    "qwen3_vl_moe": "qwen3_vl:Qwen3VL",
    "smolvlm": "smolvlm:SmolVLM",
    "video_llava": "video_llava:VideoLlava",
}
"""``model_type`` -> ``module:Class`` below this package."""

INSTEAD = {
    "internvl_chat": "take its transformers form, such as OpenGVLab/InternVL3-8B-hf",
    "llava_qwen": "take its transformers form, such as llava-hf/llava-onevision-qwen2-7b-ov-hf",
    "videollava": "take its transformers form, LanguageBind/Video-LLaVA-7B-hf",
}
"""Kinds that only run with code of their own, which is never run here, and what to take instead."""

NEEDS = {"perception_lm": "timm", "smolvlm": "num2words"}
"""What transformers wants for a kind and does not bring."""


def family_class(model_type: str) -> type[Family]:
    """The class of that kind's family. Raises UsageError for a kind that cannot be read."""
    if model_type in INSTEAD:
        raise UsageError(f"a model of type {model_type!r} cannot be read here: {INSTEAD[model_type]}")
    package = NEEDS.get(model_type)
    if package is not None:
        require(package, "hf")
    module, _, name = FAMILIES.get(model_type, "family:Family").partition(":")
    found: type[Family] = getattr(import_module(f".{module}", __name__), name)
    return found


def require(package: str, extra: str) -> None:
    """Raise UsageError, with the extra of ours that brings it, unless the package is installed."""
    if importlib.util.find_spec(package) is None:
        raise UsageError(f"{package} is not installed: pip install 'vidharness[{extra}]'")
