"""ShapesVideo as the harness sees it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from harness_plugins.datasets.shapes import ShapesVideo
from harness_plugins.datasets.shapes_scene import VERSION

from harness import Clip, Sampling, UsageError
from harness.interfaces import Dataset


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


def test_default_is_the_test_set_on_eight_frames(root: Path) -> None:
    dataset = ShapesVideo(data_root=root)
    samples = dataset.samples()
    assert isinstance(dataset, Dataset)
    assert dataset.sampling == Sampling(nframe=8)
    assert [sample.id for sample in samples] == list(range(360))
    assert len({sample.video.key for sample in samples}) == 120
    assert samples[21].video.key == "shapes-test-0007"
    assert samples[21].video.path == root / f"ShapesVideo-{VERSION}" / "test" / "shapes-test-0007.mp4"
    assert all(sample.video.path.is_file() and sample.question and sample.answer for sample in samples)
    assert dataset.samples() == samples


def test_fewer_videos_are_the_first_ones(root: Path) -> None:
    few = ShapesVideo(videos=2, data_root=root).samples()
    assert few == ShapesVideo(data_root=root).samples()[:6]


def test_training_set_shares_no_file_with_the_test_set(root: Path) -> None:
    train = ShapesVideo(split="train", videos=16, data_root=root).samples()
    assert len(train) == 16 * 24
    films = {sample.video.path.read_bytes() for sample in train}
    assert len(films) == 16
    assert not films & {sample.video.path.read_bytes() for sample in ShapesVideo(data_root=root).samples()}


def test_default_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path("/cache") / name)
    folder = ShapesVideo().folder
    assert folder == Path("/cache/vidharness") / f"ShapesVideo-{VERSION}" / "test"


def test_prompt_is_clip_question_and_one_word(root: Path) -> None:
    dataset = ShapesVideo(videos=1, data_root=root)
    sample = dataset.samples()[0]
    clip = Clip(np.zeros((1, 2, 2, 3), np.uint8), np.zeros(1), np.zeros(1, np.int64), 12.0)
    prompt = dataset.prompt(sample, clip)
    assert prompt.parts == (clip, f"{sample.question} Answer with one word.")


@pytest.mark.parametrize(
    ("options", "words"),
    [({"packing": "pack"}, "nopack"), ({"split": "val"}, "test"), ({"videos": 0}, "videos=0")],
)
def test_wrong_options_say_what_to_write(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ShapesVideo(**options)


def test_importing_and_constructing_is_light() -> None:
    code = (
        "import sys; from harness_plugins.datasets.shapes import ShapesVideo; "
        "ShapesVideo(); print(*sys.modules)"
    )
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "cv2", "av", "torch"} & set(modules)
