"""The published data sets, each on a miniature of its layout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import miniatures
import pytest
from fakes import Model, built

from harness.cell import Cell
from harness.config import RunConfig
from harness.errors import UsageError
from harness.naming import find_all
from harness.pipeline import clip_of
from harness.prepare import build_dataset
from harness.rating import rate
from harness.registry import Registry
from harness.testing import check_dataset, check_options
from harness.types import Case, Sample, Verdict

SETS: dict[str, Callable[[Path], Path]] = {
    "Video-MME_4frame": miniatures.video_mme,
    "Video-MME_4frame_subs": miniatures.video_mme,
    "MVBench_4frame": miniatures.mvbench,
    "TempCompass_4frame": miniatures.tempcompass,
    "LongVideoBench_4frame": miniatures.longvideobench,
    "LongVideoBench_4frame_subs": miniatures.longvideobench,
    "MLVU_4frame": miniatures.mlvu,
}
NAMES = pytest.mark.parametrize("name", SETS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The miniature of a data set, made once; not to be changed."""
    roots: dict[Any, Path] = {}

    def make(name: str) -> Path:
        lay = SETS[name]
        if lay not in roots:
            roots[lay] = lay(tmp_path_factory.mktemp(lay.__name__))
        return roots[lay]

    return make


@pytest.fixture
def copy(made: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """A miniature that a test may damage."""
    return lambda name: shutil.copytree(made(name), tmp_path / "copy")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the developer's may be found, and no network asked."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


def build(name: str, root: Path | None, **options: Any) -> Any:
    config = RunConfig(data=(name,), model=("gpt-4o",), mode="infer", data_root=root, dataset_args=options)
    return build_dataset(find_all(config, Registry.discover({})).datasets[0], config)


def refusal(name: str, root: Path | None, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        build(name, root, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def samples(name: str, root: Path, **options: Any) -> dict[Any, Sample]:
    return {sample.id: sample for sample in build(name, root, **options).plugin.samples()}


@NAMES
def test_it_keeps_the_contract_and_every_video_decodes(name: str, made: Callable[[str], Path]) -> None:
    dataset = build(name, made(name))
    assert dataset.name == name
    check_dataset(dataset.plugin)
    check_options(type(dataset.plugin))
    cell = Cell(built("echo", Model()), dataset)
    for sample in dataset.plugin.samples():
        clip = clip_of(cell, sample.video)
        assert len(clip.frames) == 4
        asked = dataset.plugin.prompt(sample, clip)
        assert f"Question: {sample.question}\n" in asked.text
        assert asked.parts[0] is clip


@NAMES
def test_it_rates_into_four_blocks_without_an_empty_group(name: str, made: Callable[[str], Path]) -> None:
    plugin = build(name, made(name)).plugin
    listed = plugin.samples()
    rating = rate(listed, {sample.id: Verdict(3.0) for sample in listed}, plugin.taxonomy)
    for block in (rating.coarse_all, rating.coarse_valid, rating.fine_all, rating.fine_valid):
        assert set(block.values()) == {"3.00"}
    assert list(rating.coarse_all)[-1] == "Overall"
    assert 0.5 < rating.meta["scale"]["chance"] <= 1.5


@NAMES
def test_where_it_lies_is_no_part_of_what_it_is(name: str, made: Callable[[str], Path], home: Path) -> None:
    hub = build(name, made(name)).plugin.home.hub.replace("/", "--")
    snapshot = home / ".cache" / "huggingface" / "hub" / f"datasets--{hub}" / "snapshots" / "abc"
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(made(name))
    offline = build(name, None)
    assert offline.plugin.root.is_relative_to(snapshot)
    assert offline.identity() == build(name, made(name)).identity()


@NAMES
def test_what_is_missing_is_said_with_the_command_that_fetches_it(name: str, tmp_path: Path) -> None:
    said = refusal(name, tmp_path)
    assert "is not there: no " in said
    assert "`hf download " in said
    assert f"--repo-type dataset --local-dir {tmp_path}" in said
    assert "--data_root" in said


@NAMES
def test_missing_videos_are_counted(name: str, copy: Callable[[str], Path]) -> None:
    root = copy(name)
    lost = sorted(root.rglob("*.mp4"))[0]
    lost.unlink()
    said = refusal(name, root)
    assert " videos are not there: " in said
    assert "`hf download " in said
    assert build(name, root, missing="allow").plugin.samples()


@pytest.mark.parametrize("name", ["Video-MME_4frame_subs", *list(SETS)[2:6]])
def test_archives_are_unpacked_by_the_command_that_is_said(copy: Callable[[str], Path], name: str) -> None:
    """It is run as it stands there, on archives as they are published."""
    root = copy(name)
    pack(root)
    said = refusal(name, root)
    assert "hf download" not in said
    (command,) = re.findall(r"unpack the archives there with `(.*?)`", said)
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", command], env=environ, check=True)
    assert build(name, root).plugin.samples()


def pack(root: Path) -> None:
    """The folders of a miniature in the archives that its authors publish."""
    if (root / "data").exists():
        _zip(root / "data", root / "videos_chunked_01.zip")
        _zip(root / "subtitle", root / "subtitle.zip")
    elif (root / "video").exists():
        for folder in sorted((root / "video").iterdir()):
            if folder.name != "data0613":
                _zip(folder, root / "video" / f"{folder.name}.zip")
    elif (root / "subtitles").exists():
        for name in ("videos", "subtitles"):
            shutil.make_archive(str(root / name), "tar", root, name)
            shutil.rmtree(root / name)
        data = (root / "videos.tar").read_bytes()
        (root / "videos.tar").unlink()
        for part, bounds in (("aa", slice(1000)), ("ab", slice(1000, None))):
            (root / f"videos.tar.part.{part}").write_bytes(data[bounds])
    else:
        _zip(root / "videos", root / "tempcompass_videos.zip")


def _zip(folder: Path, target: Path) -> None:
    shutil.make_archive(str(target.with_suffix("")), "zip", folder.parent, folder.name)
    shutil.rmtree(folder)


@NAMES
def test_a_damaged_table_names_row_and_column(name: str, copy: Callable[[str], Path]) -> None:
    root = copy(name)
    for path in (root / "json").glob("*.json") if (root / "json").exists() else root.rglob("*.json"):
        path.write_text('[{"video": "one.mp4"}]')
    for path in root.rglob("*.parquet"):
        miniatures.write(path, [{"video_id": "x", "videoID": "x"}])
    said = refusal(name, root)
    assert "row 1, column " in said
    assert said.endswith("it is empty")


def test_video_mme(made: Callable[[str], Path]) -> None:
    found = samples("Video-MME_8frame", made("Video-MME_4frame"))
    assert list(found) == ["001-1", "001-2", "002-1"]
    assert found["001-1"].choices == ("Apples.", "Candles.", "Berries.", "All of them.")
    assert (found["001-1"].answer, found["001-2"].answer) == ("C", "A")
    assert found["001-2"].labels == ("short", "Knowledge / Humanity & History", "OCR Problems")
    assert (found["002-1"].video.key, found["002-1"].meta) == ("-yt_2", {})
    taxonomy = build("Video-MME_8frame", made("Video-MME_4frame")).plugin.taxonomy
    assert list(taxonomy.coarse) == [
        *("short", "long", "Knowledge", "Sports Competition", "Counting Problem", "OCR Problems")
    ]


def test_video_mme_with_subtitles(made: Callable[[str], Path], copy: Callable[[str], Path]) -> None:
    dataset = build("Video-MME_4frame_subs", made("Video-MME_4frame"))
    assert dataset.plugin.subtitles == "subs"
    cell = Cell(built("echo", Model()), dataset)
    said = {s.id: dataset.plugin.prompt(s, clip_of(cell, s.video)).text for s in dataset.plugin.samples()}
    assert "Hello.\nBye.\n" in said["001-1"]
    assert "Hello" not in said["002-1"]
    assert dataset.identity() != build("Video-MME_4frame", made("Video-MME_4frame")).identity()
    root = copy("Video-MME_4frame")
    shutil.rmtree(root / "subtitle")
    assert "no folder subtitle" in refusal("Video-MME_4frame_subs", root)
    assert build("Video-MME_4frame", root)


def test_video_mme_as_vlmevalkit_unpacks_it(copy: Callable[[str], Path]) -> None:
    root = copy("Video-MME_4frame")
    (root / "data").rename(root / "video")
    assert all(sample.video.path.is_file() for sample in samples("Video-MME_8frame", root).values())


def test_mvbench(made: Callable[[str], Path]) -> None:
    root = made("MVBench_4frame")
    found = samples("MVBench_8frame", root)
    assert list(found) == [f"{task}-1" for task in miniatures.MVBENCH_FOLDERS]
    bound = {id_ for id_, sample in found.items() if sample.video.start is not None}
    assert bound == {
        *("action_sequence-1", "action_prediction-1", "object_interaction-1", "action_localization-1"),
        "episodic_reasoning-1",
    }
    assert (found["action_sequence-1"].video.start, found["action_sequence-1"].video.end) == (0.2, 0.9)
    assert found["action_antonym-1"].answer == "B"
    pictures = found["episodic_reasoning-1"].video
    assert (pictures.fps, pictures.key) == (3.0, "tvqa/frames_fps3_hq/show_s01e02")
    assert found["counterfactual_inference-1"].video.path.parent.parent.parent.name == "data0613"
    clip = clip_of(Cell(built("echo", Model()), build("MVBench_4frame", root)), pictures)
    assert clip.indices.tolist() == [4, 5, 6, 7]
    assert clip.frames[0].mean() == pytest.approx(50, abs=2)


def test_some_tasks_alone(made: Callable[[str], Path], copy: Callable[[str], Path]) -> None:
    found = samples("MVBench_8frame", made("MVBench_4frame"), tasks="state_change,action_count")
    assert list(found) == ["action_count-1", "state_change-1"], "in the order published, whatever was typed"
    assert "no task 'counting': its tasks are action_sequence" in refusal(
        "MVBench_8frame", made("MVBench_4frame"), tasks="counting"
    )
    root = copy("MVBench_4frame")
    shutil.rmtree(root / "video" / "nturgbd")
    said = refusal("MVBench_8frame", root)
    assert "nturgbd/one.mp4" in said
    assert "name tasks without fine_grained_pose" in said
    some = build("MVBench_8frame", root, tasks="action_count,moving_count")
    assert some.name == "MVBench_8frame_action_count+moving_count"
    assert build("MVBench_8frame", root, missing="allow").name == "MVBench_8frame"


def test_tempcompass(made: Callable[[str], Path]) -> None:
    root = made("TempCompass_4frame")
    found = samples("TempCompass_8frame", root)
    assert found["multi-choice-1"].question == "What is he doing?"
    assert found["multi-choice-1"].choices == ("dunking", "dribbling", "passing")
    assert (found["multi-choice-1"].answer, found["multi-choice-2"].answer) == ("B", "A")
    assert found["yes_no-1"].choices == ("yes", "no")
    assert found["yes_no-1"].answer == "no"
    assert found["caption_matching-1"].choices == ("He dribbles.", "He dunks.")
    assert (found["caption_matching-1"].answer, found["caption_matching-2"].answer) == ("B", "A")
    assert found["caption_matching-2"].labels == ("direction / caption_matching",)
    assert not [id_ for id_ in found if id_.startswith("captioning")]
    captions = samples("TempCompass_8frame", root, tasks="captioning")
    assert captions["captioning-1"].choices == ()
    assert captions["captioning-1"].answer == "dunking"


def test_longvideobench(made: Callable[[str], Path], copy: Callable[[str], Path]) -> None:
    root = made("LongVideoBench_4frame")
    found = samples("LongVideoBench_8frame", root)
    assert [sample.answer for sample in found.values()] == ["E", "A", "E"]
    assert found["aaa_0"].choices[4] == "N/A"
    assert found["aaa_1"].labels == ("600 s", "L1-Perception / S2E")
    dataset = build("LongVideoBench_4frame_subs", root)
    cell = Cell(built("echo", Model()), dataset)
    said = {s.id: dataset.plugin.prompt(s, clip_of(cell, s.video)).text for s in dataset.plugin.samples()}
    assert "moments:\nBye.\n" in said["aaa_0"]
    assert "moments:\nHello.\n" in said["bbb_0"], "times of the subtitles begin where the video was cut"
    damaged = copy("LongVideoBench_4frame")
    (damaged / "subtitles" / "bbb_en.json").unlink()
    assert "lvb_val.json, row 3, column subtitle_path" in refusal("LongVideoBench_4frame_subs", damaged)
    table = damaged / "lvb_val.json"
    table.write_text(table.read_text().replace('"correct_choice": 4', '"correct_choice": 5'))
    assert "column correct_choice: '5' is no position among 5 options" in refusal(
        "LongVideoBench_4frame", damaged
    )


def test_mlvu(made: Callable[[str], Path]) -> None:
    root = made("MLVU_4frame")
    found = samples("MLVU_8frame", root)
    assert len(found) == 7
    assert found["plotQA-1"].answer == "C"
    assert found["plotQA-1"].video.path == root / "MLVU" / "video" / "1_plotQA" / "plotQA_3.mp4"
    assert samples("MLVU_8frame", root / "MLVU").keys() == found.keys()
    openly = samples("MLVU_8frame", root, tasks="summary,sub_scene")
    assert [(sample.id, sample.answer, sample.choices) for sample in openly.values()] == [
        ("sub_scene-1", "A man walks.", ()),
        ("summary-1", "A man walks.", ()),
    ]


def test_letters_among_the_options_are_read_as_each_set_writes_its_answers(
    copy: Callable[[str], Path], tmp_path: Path
) -> None:
    root = copy("MVBench_4frame")
    table = root / "json" / "character_order.json"
    row = json.loads(table.read_text())[0] | {"candidates": ["B", "A", "", "C"], "answer": "A"}
    table.write_text(json.dumps([row]))
    assert samples("MVBench_8frame", root, tasks="character_order")["character_order-1"].answer == "B"
    other = SETS["Video-MME_4frame"](tmp_path / "other")
    row = {
        **build("Video-MME_4frame", other).plugin._rows[0].cells,
        "options": ["A. B", "B. A"],
        "answer": "A",
    }
    miniatures.write(other / "videomme" / "test-00000-of-00001.parquet", [row])
    assert samples("Video-MME_4frame", other)["001-1"].answer == "A"


@NAMES
def test_a_model_that_is_right_is_scored_right(name: str, made: Callable[[str], Path]) -> None:
    """By each judge that needs no model; one that is wrong is not."""
    listed = build(name, made(name)).plugin.samples()
    for judge in ("exact", "choice"):
        plugin = Registry.discover({}).find("judge", judge).build({}).plugin
        right = [Case(s.question, s.answer, s.answer, s.choices) for s in listed]
        assert [verdict.score for verdict in plugin.judge(right)] == [3.0] * len(listed)
        other = {"yes": "no", "no": "yes", "A": "B"}
        wrong = [replace(case, prediction=other.get(case.reference, "A")) for case in right]
        assert [verdict.score for verdict in plugin.judge(wrong)] == [0.0] * len(listed)
