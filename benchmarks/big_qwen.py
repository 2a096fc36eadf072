"""A Qwen2.5-VL of the published size without weights, and questions about videos to ask it.

`python -m benchmarks.big_qwen FOLDER` writes FOLDER/model and FOLDER/questions.tsv, for
`vidharness run --model qwen2.5-vl:FOLDER/model --model_args init=random torch_dtype=bfloat16
--data FOLDER/questions.tsv`. Sizes are those of Qwen/Qwen2.5-VL-3B-Instruct (its config.json); the tokenizer
is our own, as large.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

from harness_plugins.models.tiny_qwen.build import Size, build

from benchmarks.clips import Subject

SUBJECT = Subject(10, 644, 364, 3)
"""Sides that are multiples of 28, so that no frame is resized."""
CONTENTS = 4
"""Videos of different contents; further ones are copies."""

SIZE = Size(
    vocabulary=2000,
    pixels=SUBJECT.width * SUBJECT.height,
    vision_hidden=1280,
    vision_layers=32,
    vision_heads=16,
    vision_mlp=3420,
    text_hidden=2048,
    text_layers=36,
    text_heads=16,
    text_kv_heads=2,
    text_mlp=11008,
    mrope=(16, 24, 24),
    rope_theta=1e6,
    tokens_per_second=2,
    spread=0.02,
    context=128000,
)
VOCABULARY = 151936
WHOLE = (7, 15, 23, 31)
"""Layers of the vision tower that attend to whole frames, the others within windows."""

QUESTION = "What happens in this video? Describe what moves, where to, and what stays as it is."


def write_model(folder: Path) -> Path:
    """Configuration, tokenizer and processor; returns the folder."""
    build(folder, [QUESTION], SIZE)
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["text_config"]["vocab_size"] = VOCABULARY
    config["vision_config"]["fullatt_block_indexes"] = list(WHOLE)
    file.write_text(json.dumps(config, indent=2), encoding="utf-8")
    # Whatever untrained weights say is to be text.
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_text(encoding="utf-8"))
    words = tokenizer["model"]["vocab"]
    words.update({f"Ġw{number}": number for number in range(len(words), VOCABULARY)})
    file.write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    return folder


def write_questions(folder: Path, count: int) -> Path:
    """A table with one question about each of ``count`` videos beside it; returns the table."""
    made = [replace(SUBJECT, seed=number + 1).made(folder) for number in range(min(CONTENTS, count))]
    lines = ["id\tvideo\tquestion\tanswer"]
    for number in range(count):
        video = folder / f"video-{number:04}.mp4"
        copyfile(made[number % len(made)], video)
        lines.append(f"{number}\t{video.name}\t{QUESTION}\ta disk")
    table = folder / "questions.tsv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


if __name__ == "__main__":
    place = Path(sys.argv[1])
    print(write_model(place / "model"), write_questions(place, 48))
