"""Pictures that processors get one at a time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from families import BUILDERS
from harness_plugins.models.families.piecewise import Piecewise
from harness_plugins.models.local import Local
from small_qwen import make_clip

from harness import Prompt

pytestmark = pytest.mark.slow

IMAGE = np.random.default_rng(9).integers(0, 256, (60, 120, 3), dtype=np.uint8)


@pytest.fixture(scope="module", params=["internvl", "perception_lm", "smolvlm"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return BUILDERS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def family(folder: Path) -> Piecewise:
    found = Local(str(folder), device="cpu").family()
    assert isinstance(found, Piecewise)
    return found


def pixels(tensors: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in tensors.items() if name.startswith("pixel")}


def places(family: Piecewise, tensors: dict[str, Any]) -> int:
    """Tokens that stand for pieces of pictures."""
    tokens = [family.config.image_token_id, getattr(family.config, "video_token_id", -1)]
    return sum(int((tensors["input_ids"] == token).sum()) for token in tokens)


def test_a_picture_is_the_same_whatever_else_is_shown(family: Piecewise) -> None:
    import torch

    parts = (make_clip(2, seed=1), IMAGE, make_clip(3, 40, 90, seed=2), IMAGE[:, :60])
    [together] = family.prepare([Prompt(("First", *parts, "last?"))])
    alone = family.prepare([Prompt((part,)) for part in parts])
    for name, found in pixels(together).items():
        assert torch.equal(found, torch.cat([one[name] for one in alone if name in one]))
    assert places(family, together) == sum(places(family, one) for one in alone) > 0


def test_a_clip_of_several_prompts_is_processed_once(
    family: Piecewise, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    plain: Callable[..., Any] = family.processor.video_processor.preprocess

    def count(videos: Sequence[Any], **kwargs: Any) -> Any:
        calls.append(len(videos))
        return plain(videos, **kwargs)

    monkeypatch.setattr(family.processor.video_processor, "preprocess", count)
    clip = make_clip()
    first, second, _ = family.prepare([Prompt((clip, "a")), Prompt((clip, "b")), Prompt((make_clip(), "c"))])
    assert calls == [1, 1]
    for name, found in pixels(first).items():
        assert found.data_ptr() == second[name].data_ptr()


def test_frames_are_never_cut_and_images_are(folder: Path) -> None:
    family = Local(str(folder), device="cpu", frames="images").family()
    frames, image = family.prepare([Prompt((make_clip(3, 60, 120), "?")), Prompt((IMAGE, "?"))])
    assert {len(found) for found in pixels(frames).values()} == {3}
    assert {len(found) for found in pixels(image).values()} == {3}  # two halves and the whole
    assert "pixel_values_videos" not in frames


def test_a_template_that_shows_no_videos_is_an_error(
    family: Piecewise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family.processor, "apply_chat_template", lambda *_, **__: "What?")
    with pytest.raises(ValueError, match="does not show all"):
        family.prepare([Prompt((make_clip(), "What?"))])


def test_frames_of_their_own_size_reach_the_model_as_they_are(family: Piecewise) -> None:
    settings = family.processor.video_processor
    clip = make_clip(3, 56, 56)
    [tensors] = family.prepare([Prompt((clip, "?"))])
    [found] = [one for name, one in tensors.items() if name.startswith("pixel_values")]
    shown = found.reshape(3, 3, 56, 56).permute(0, 2, 3, 1).numpy()
    assert np.abs((shown * settings.image_std + settings.image_mean) * 255 - clip.frames).max() < 0.01
