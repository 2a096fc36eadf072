"""MMBench-Video as a whole: the mini set, packed videos, prompts, and what costs only its own questions."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from harness_plugins.datasets import harness_datasets
from harness_plugins.datasets.mmbench_video import MMBenchVideo, PackedMMBenchVideo
from harness_plugins.datasets.taxonomy import MMBENCH_VIDEO

from harness.errors import UsageError
from harness.interfaces import Dataset, Packed
from harness.rating import rate
from harness.sampling import Sampling
from harness.types import Clip, Verdict

EIGHT = Sampling(nframe=8)
DIMENSIONS = [name for names in MMBENCH_VIDEO.coarse.values() for name in names]


@pytest.fixture
def mini(shared_data: Path) -> Path:
    return shared_data / "mmbench_video_mini"


@pytest.fixture
def copy(mini: Path, tmp_path: Path) -> Path:
    """The mini set where it may be changed."""
    folder = tmp_path / "MMBench-Video"
    shutil.copytree(mini, folder, copy_function=shutil.copy)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    return folder


def clip(frames: int = 8) -> Clip:
    return Clip(np.zeros((frames, 4, 4, 3), np.uint8), np.arange(frames) / 2.0, np.arange(frames), 30.0)


def test_the_mini_set(mini: Path) -> None:
    dataset = MMBenchVideo(EIGHT, mini)
    dataset.check()
    samples = dataset.samples()
    assert [sample.id for sample in samples] == list(range(30))
    assert {label for sample in samples for label in sample.labels} == set(DIMENSIONS)
    assert Counter(sample.video.key for sample in samples) == {
        "nasa_mirror": 10,
        "pancake": 13,
        "test_card_av1": 3,
        "frame_titles_hevc": 4,
    }
    assert all(sample.video.path.stat().st_size for sample in samples)
    assert samples[3].question == "What shape are the segments of the mirror in the close-up?"
    assert samples[3].answer == "Hexagonal."
    assert samples[24].labels == ("Object Recognition", "Structuralized Image-Text Understanding")


def test_the_mini_set_rates_without_an_empty_group(mini: Path) -> None:
    samples = MMBenchVideo(EIGHT, mini).samples()
    rating = rate(samples, {sample.id: Verdict(score=2) for sample in samples}, MMBENCH_VIDEO)
    for block in (rating.coarse_all, rating.coarse_valid, rating.fine_all, rating.fine_valid):
        assert set(block.values()) == {"2.00"}


def test_only_the_packed_one_is_packed(mini: Path) -> None:
    assert isinstance(MMBenchVideo(EIGHT, mini), Dataset)
    assert not isinstance(MMBenchVideo(EIGHT, mini), Packed)
    assert isinstance(PackedMMBenchVideo(EIGHT, mini), Packed)


def test_the_catalogue_tells_the_two_apart_for_any_frame_setting() -> None:
    specs = [spec for spec in harness_datasets() if spec.name.startswith("MMBench")]
    for sampling in ("8frame", "16frame", "64frame", "1fps", "0.5fps"):
        for packing, target in (("nopack", "MMBenchVideo"), ("pack", "PackedMMBenchVideo")):
            found = [
                (spec.target, fields)
                for spec in specs
                if (fields := spec.match(f"MMBench_Video_{sampling}_{packing}")) is not None
            ]
            assert found == [(f"harness_plugins.datasets.mmbench_video:{target}", {"sampling": sampling})]


def test_every_example_of_the_catalogue_answers_to_its_name() -> None:
    for spec in harness_datasets():
        assert spec.examples
        assert all(spec.match(example) is not None for example in spec.examples)


def test_the_catalogue_and_the_data_set_import_nothing_heavy() -> None:
    code = (
        "import sys; import harness_plugins.datasets, harness_plugins.datasets.mmbench_video; "
        "print(sorted({'numpy', 'torch', 'cv2', 'av', 'platformdirs', 'filelock'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_prompt_shows_the_clip_and_asks_the_question(mini: Path) -> None:
    dataset = MMBenchVideo(EIGHT, mini)
    sample, shown = dataset.samples()[0], clip()
    prompt = dataset.prompt(sample, shown)
    assert prompt.parts[0] is shown
    assert sample.question in prompt.text
    assert sample.answer not in prompt.text + prompt.system
    assert prompt.system


def test_a_pack_is_one_video_and_all_questions_are_in_one_pack(mini: Path) -> None:
    dataset = PackedMMBenchVideo(EIGHT, mini)
    groups = dataset.groups()
    assert [len({sample.video for sample in group}) for group in groups] == [1, 1, 1, 1]
    assert sorted(sample.id for group in groups for sample in group) == list(range(30))
    for group in groups:
        shown = clip()
        prompt = dataset.pack(group, shown)
        assert prompt.parts[0] is shown
        asked = json.loads(prompt.text[prompt.text.index("{") :])
        assert asked == {str(sample.id): sample.question for sample in group}
        reply = json.dumps({str(sample.id): sample.answer for sample in group[1:]})
        assert dataset.unpack(group, reply) == {sample.id: sample.answer for sample in group[1:]}


def test_missing_and_empty_videos_cost_nothing_but_themselves(copy: Path) -> None:
    (copy / "video" / "pancake.mp4").unlink()
    (copy / "video" / "test_card_av1.mp4").write_bytes(b"")
    dataset = MMBenchVideo(EIGHT, copy)
    dataset.check()
    assert len(dataset.samples()) == 30


def test_a_set_without_any_video_is_found_out_by_check(copy: Path) -> None:
    shutil.rmtree(copy / "video")
    with pytest.raises(UsageError, match=r"no video.*hf download"):
        MMBenchVideo(EIGHT, copy).check()


def test_packed_videos_are_unpacked_on_first_use(copy: Path, mini: Path) -> None:
    shutil.rmtree(copy / "video")
    (copy / "video_pkl").mkdir()
    videos = {path.stem: path.read_bytes() for path in sorted((mini / "video").iterdir())}
    for number, names in enumerate((["nasa_mirror", "pancake"], ["test_card_av1", "frame_titles_hevc"])):
        chunk = copy / "video_pkl" / f"video_chunk_{number}.pkl"
        chunk.write_bytes(pickle.dumps({name: videos[name] for name in names}))
    dataset = MMBenchVideo(EIGHT, copy)
    dataset.check()
    assert not (copy / "video").exists(), "checking writes nothing"
    for sample in dataset.samples():
        assert sample.video.path.read_bytes() == videos[sample.video.key]


def test_a_damaged_chunk_is_found_out_by_check(copy: Path) -> None:
    (copy / "video" / "pancake.mp4").unlink()
    (copy / "video_pkl").mkdir()
    (copy / "video_pkl" / "video_chunk_0.pkl").write_bytes(pickle.dumps({"pancake": b"x" * 100})[:50])
    with pytest.raises(UsageError, match="download it again"):
        MMBenchVideo(EIGHT, copy).check()


def test_no_data_is_found_out_by_check(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hf download"):
        MMBenchVideo(EIGHT, tmp_path).check()


def test_keys_and_identity_do_not_know_where_the_data_lies(mini: Path, copy: Path) -> None:
    here, there = MMBenchVideo(EIGHT, mini), MMBenchVideo(EIGHT, copy.parent)
    assert here.root != there.root
    assert here.identity() == there.identity()
    assert [sample.video.key for sample in here.samples()] == [s.video.key for s in there.samples()]
    assert "data_root" in MMBenchVideo.transport


def test_another_table_is_another_data_set(mini: Path, copy: Path) -> None:
    table = copy / "MMBench-Video.tsv"
    table.write_bytes(table.read_bytes().replace(b"Hexagonal.", b"Round."))
    assert MMBenchVideo(EIGHT, copy).identity() != MMBenchVideo(EIGHT, mini).identity()
