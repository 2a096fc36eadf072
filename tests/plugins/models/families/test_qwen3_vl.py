"""Qwen3-VL: times as text, and how large its frames are."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from families import BUILDERS
from harness_plugins.models.families.family import Family
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return BUILDERS["qwen3_vl"](tmp_path_factory.mktemp("qwen3_vl"))


@pytest.fixture(scope="module")
def family(folder: Path) -> Family:
    return Local(str(folder), device="cpu").family()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([0.0, 1.0, 2.0, 3.0], ["0.5", "2.5"]),
        ([61.0, 62.6, 70.0], ["61.8", "70.0"]),  # an odd last frame stands for two
        ([3.46], ["3.5"]),
    ],
)
def test_each_pair_of_frames_has_its_time(
    family: Family, times: Sequence[float], expected: Sequence[str]
) -> None:
    clip = replace(make_clip(len(times), 64, 64), times=np.array(times))
    [found] = family.prepare([Prompt((clip, "What moves?"))])
    text = family.tokenizer.decode(found["input_ids"][0])
    frames = f"<|vision_start|>{'<|video_pad|>' * 4}<|vision_end|>"
    shown = "".join(f"<{time} seconds>{frames}" for time in expected)
    assert text == f"<|im_start|>user\n{shown}What moves?<|im_end|>\n<|im_start|>assistant\n"


def test_the_frames_reach_the_model_as_they_are(family: Family) -> None:
    clip = make_clip(5, 64, 64)
    [found] = family.prepare([Prompt((clip, "?"))])
    assert found["video_grid_thw"].tolist() == [[3, 4, 4]]
    patches = found["pixel_values_videos"].numpy().reshape(3, 2, 2, 2, 2, 3, 2, 16, 16)
    # [time, rows, columns, row, column, channel, frame, y, x] -> [frame, height, width, channel]
    frames = (patches.transpose(0, 6, 1, 3, 7, 2, 4, 8, 5).reshape(6, 64, 64, 3) + 1) * 127.5
    assert np.abs(frames - np.concatenate([clip.frames, clip.frames[-1:]])).max() < 0.01


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_bounds_are_for_each_frame(folder: Path, count: int) -> None:
    family = Local(str(folder), device="cpu", min_pixels=96 * 96, max_pixels=96 * 96).family()
    for side in (40, 96, 300):
        [found] = family.prepare([Prompt((make_clip(count, side, side), "?"))])
        assert found["video_grid_thw"].tolist() == [[(count + 1) // 2, 6, 6]]


def test_a_long_clip_stays_within_the_checkpoints_own_bound(family: Family) -> None:
    own = family.processor.video_processor.size["longest_edge"]
    few, many = family.prepare([Prompt((make_clip(count, 128, 128), "?")) for count in (4, 32)])
    assert few["video_grid_thw"].tolist() == [[2, 8, 8]]
    time, height, width = many["video_grid_thw"][0].tolist()
    assert 0.4 * own < time * 2 * height * 16 * width * 16 <= own


def test_clips_of_one_batch_do_not_bound_each_other(family: Family) -> None:
    prompts = [Prompt((make_clip(count, 128, 128, seed=count), "?")) for count in (4, 20, 7, 4)]
    for together, prompt in zip(family.prepare(prompts), prompts, strict=True):
        [alone] = family.prepare([prompt])
        assert (together["pixel_values_videos"] == alone["pixel_values_videos"]).all()
