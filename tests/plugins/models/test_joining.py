"""Prompts side by side: which can be, what is padded, and what they weigh."""

from __future__ import annotations

from typing import Any

import torch
from harness_plugins.models.joining import IGNORED, join, kinds, prepared, with_answers


def tensors(length: int, **pictures: Any) -> dict[str, Any]:
    ids = torch.arange(1, length + 1)[None]
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "position_ids": ids.expand(3, 1, -1),
    } | {name: torch.zeros(shape) for name, shape in pictures.items()}


def test_text_is_padded_on_the_left_and_pictures_follow_each_other() -> None:
    batch = join([tensors(2, pixel_values=(3, 5)), tensors(4), tensors(3, pixel_values=(1, 5))], pad=9)
    assert batch["input_ids"].tolist() == [[9, 9, 1, 2], [1, 2, 3, 4], [9, 1, 2, 3]]
    assert batch["attention_mask"].tolist() == [[0, 0, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1]]
    assert batch["position_ids"].shape == (3, 3, 4) and batch["position_ids"][2, 0].tolist() == [0, 0, 1, 2]
    assert batch["pixel_values"].shape == (4, 5)


def test_only_pictures_that_agree_are_joined() -> None:
    found = prepared(
        [
            tensors(2, pixel_values=(1, 5)),
            tensors(2, pixel_values=(1, 6)),
            tensors(2),
            tensors(9, pixel_values=(4, 5)),
            tensors(2, pixel_values=(1, 6), other=(1, 2)),
        ]
    )
    assert kinds(found, flat=False) == [[0, 3], [1], [2], [4]]
    assert kinds(found, flat=True) == [[0, 2, 3], [1, 4]]


def test_what_prompts_share_weighs_once() -> None:
    one, other = tensors(2, pixel_values=(100, 10)), tensors(2)
    other["pixel_values"] = one["pixel_values"]
    alone = prepared([one])[0].nbytes
    assert 4000 < alone < 4200
    assert 2000 < prepared([one, other])[0].nbytes < 2200
    assert prepared([]) == []


def test_answers_stand_behind_their_prompts_and_are_all_that_is_learnt() -> None:
    batch = with_answers(join([tensors(2), tensors(3)], pad=9), [[7], [5, 6]], pad=9)
    assert batch["input_ids"].tolist() == [[9, 1, 2, 7, 9], [1, 2, 3, 5, 6]]
    assert batch["attention_mask"].tolist() == [[0, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    assert batch["labels"].tolist() == [[IGNORED] * 3 + [7, IGNORED], [IGNORED] * 3 + [5, 6]]
    assert batch["position_ids"][0, 1].tolist() == [1, 2, 3, 4, 5]
