"""A tiny checkpoint of every family of local models, each by its own file's ``build``."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import (
    gemma3,
    glm4v,
    idefics2,
    internvl,
    llava_next_video,
    llava_onevision,
    perception_lm,
    qwen2_vl,
    qwen3_vl,
    smolvlm,
    video_llama_3,
    video_llava,
)

BUILDERS: dict[str, Callable[[Path], Path]] = {
    "gemma3": gemma3.build,
    "glm46v": partial(glm4v.build, kind="glm46v"),
    "glm4v": glm4v.build,
    "glm4v_moe": partial(glm4v.build, kind="glm4v_moe"),
    "idefics2": idefics2.build,
    "internvl": internvl.build,
    "llava_next_video": llava_next_video.build,
    "llava_onevision": llava_onevision.build,
    "perception_lm": perception_lm.build,
    "qwen2_vl": qwen2_vl.build,
    "qwen3_vl": qwen3_vl.build,
    "qwen3_vl_moe": qwen3_vl.build_moe,
    "smolvlm": smolvlm.build,
    "video_llama_3": video_llama_3.build,
    "video_llava": video_llava.build,
}
"""``model_type`` -> what writes a small checkpoint with random weights to a folder and returns it."""
