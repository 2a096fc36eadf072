"""InternVL's frames and their numbers."""

from pathlib import Path

import pytest
from families import BUILDERS
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt

pytestmark = pytest.mark.slow


def test_each_frame_has_its_number(tmp_path: Path) -> None:
    family = Local(str(BUILDERS["internvl"](tmp_path)), device="cpu").family()
    [found] = family.prepare([Prompt((make_clip(2), "What moves?"))])
    tile = f"<img>{'<IMG_CONTEXT>' * 4}</img>"
    assert family.tokenizer.decode(found["input_ids"][0]) == (
        f"<|im_start|>user\nFrame1: {tile}\nFrame2: {tile}\nWhat moves?<|im_end|>\n<|im_start|>assistant\n"
    )
