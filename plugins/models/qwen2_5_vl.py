"""Qwen2.5-VL alone, for names that promise it."""

from .local import Local


class Qwen25VL(Local):
    """A model of that family; any other is refused. Options as of ``Local``."""

    only = "qwen2_5_vl"
