"""A tiny checkpoint of every family of local models, each by its own file's ``build``."""

from collections.abc import Callable
from pathlib import Path

from . import gemma3, glm4v, idefics2, llava_next_video, llava_onevision, video_llama_3, video_llava

BUILDERS: dict[str, Callable[[Path], Path]] = {
    "gemma3": gemma3.build,
    "glm4v": glm4v.build,
    "idefics2": idefics2.build,
    "llava_next_video": llava_next_video.build,
    "llava_onevision": llava_onevision.build,
    "video_llama_3": video_llama_3.build,
    "video_llava": video_llava.build,
}
"""``model_type`` -> what writes a small checkpoint with random weights to a folder and returns it."""
