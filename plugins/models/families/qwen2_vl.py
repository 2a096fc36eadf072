"""Qwen2-VL: clips as videos that are already sampled, whose frames count up whatever the time between them.

Source: the Qwen2-VL report (arXiv 2409.12191) and the model card of Qwen/Qwen2-VL-7B-Instruct.
"""

from __future__ import annotations

from .qwen2_5_vl import Qwen25VL


class Qwen2VL(Qwen25VL):
    pace = 1.0
