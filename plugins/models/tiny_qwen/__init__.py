"""TinyQwen2.5-VL: Qwen2.5-VL's architecture in a few megabytes, trained by us on ShapesVideo.

README.md beside this file says how it was trained and how well it does. ``build.py`` writes an
untrained one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..qwen2_5_vl import Qwen25VL

WEIGHTS = Path(__file__).parent / "weights"


class TinyQwen25VL(Qwen25VL):
    """The model in this package, computing in float32 wherever it runs.

    init: ``random`` starts from ``seed`` instead of the weights, to be trained. max_new_tokens:
    length of an answer at most. frames: how clips are shown, as a video (which it learnt from) or as
    images. device: ``auto`` is this rank's GPU, or the CPU. save_dtype: the precision ``save`` writes.
    """

    transport = frozenset({"device", "save_dtype"})

    def __init__(
        self,
        *,
        torch_dtype: Literal["float32", "bfloat16"] = "float32",
        device: str = "auto",
        frames: Literal["auto", "video", "images"] = "auto",
        max_new_tokens: int = 32,
        init: Literal["weights", "random"] = "weights",
        seed: int = 0,
        save_dtype: Literal["same", "float32", "bfloat16", "float16"] = "same",
    ) -> None:
        super().__init__(
            str(WEIGHTS),
            torch_dtype=torch_dtype,
            device=device,
            frames=frames,
            max_new_tokens=max_new_tokens,
            init=init,
            seed=seed,
            save_dtype=save_dtype,
        )
