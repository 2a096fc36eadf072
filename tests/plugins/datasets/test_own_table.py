"""One's own table as the harness sees it: found by its path, checked, asked, rated, stored."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Model, built, write_video
from question_tables import write

from harness.cell import Cell, input_key
from harness.cli import main
from harness.config import RunConfig
from harness.errors import UsageError
from harness.naming import find_all
from harness.prepare import Prepared, build_dataset, prepare
from harness.rating import rate
from harness.registry import Registry
from harness.sampling import Sampling
from harness.testing import check_dataset, check_options, example_clip
from harness.types import Verdict

FORMS = ("tsv", "csv", "jsonl", "parquet")
SRT = "1\n00:00:00,000 --> 00:00:00,400\nHello.\n\n2\n00:00:00,900 --> 00:00:05,000\nBye.\n"


def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": "1",
            "video": "clips/a.mp4",
            "question": "What?",
            "answer": "blue",
            "choices": "red | blue",
            "labels": "colour",
            "coarse": "seeing",
            "start": "0.2",
            "end": "1",
            "subtitles": "a.srt",
        },
        {
            "id": "2",
            "video": "clips/b.mp4",
            "question": "Why?",
            "answer": "N/A",
            "choices": "",
            "labels": "cause",
            "coarse": "thinking",
            "start": "",
            "end": "",
            "subtitles": "",
        },
    ]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two films and subtitles, in which commands run."""
    for seed, name in enumerate(("a", "b")):
        write_video(tmp_path / "clips" / f"{name}.mp4", seed=seed)
    (tmp_path / "a.srt").write_text(SRT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(*data: str, **settings: Any) -> Prepared:
    """What ``run --data NAME ... --mode infer`` prepares, up to the model."""
    config = RunConfig(data=data, model=("gpt-4o",), mode="infer", **settings)
    return prepare(config, find_all(config, Registry.discover({})))


def table(path: str, **settings: Any) -> Any:
    """The data set that a path names."""
    config = RunConfig(data=(path,), model=("gpt-4o",), mode="infer", **settings)
    return build_dataset(find_all(config, Registry.discover({})).datasets[0], config)


@pytest.mark.parametrize("form", FORMS)
def test_a_path_is_a_data_set_in_every_form(home: Path, form: str) -> None:
    write(home / f"my questions.{form}", rows())
    dataset = table(f"my questions.{form}")
    assert dataset.name == "my questions_8frame"
    check_dataset(dataset.plugin)
    check_options(type(dataset.plugin))
    first, second = dataset.plugin.samples()
    assert (first.id, first.answer, first.choices, first.labels) == (1, "B", ("red", "blue"), ("colour",))
    assert (first.video.key, first.video.start, first.video.end) == ("clips/a.mp4", 0.2, 1.0)
    assert (second.id, second.answer, second.choices) == (2, "N/A", ())
    assert second.video.path.resolve() == home / "clips" / "b.mp4"
    # Neither the form nor the folder is a part of what was asked.
    assert dataset.identity() == table(str(home / f"my questions.{form}")).identity()
    assert dataset.identity()["options"].keys() == {"sampling"}


def test_frames_are_in_the_name(home: Path) -> None:
    write(home / "q.tsv", rows())
    assert table("q.tsv", nframe=4).name == "q_4frame"
    assert table("q.tsv", fps=0.5).name == "q_0.5fps"
    assert table("q.tsv", dataset_args={"sampling": "2fps"}).plugin.sampling == Sampling(fps=2)


def test_options_and_what_is_said_reach_the_model(home: Path) -> None:
    write(home / "q.tsv", rows())
    dataset = table("q.tsv").plugin
    first, second = dataset.samples()
    clip = example_clip()
    asked = dataset.prompt(first, clip)
    assert asked.parts[0] is clip
    assert "Hello." in asked.text
    assert "Question: What?\nA. red\nB. blue\n" in asked.text
    late = replace(clip, times=clip.times + 3)
    assert "Bye." in dataset.prompt(first, late).text
    assert "said" not in dataset.prompt(second, clip).text


def test_other_subtitles_are_another_question(home: Path) -> None:
    write(home / "q.tsv", rows())
    keys = []
    for text in (SRT, SRT.replace("Hello", "Goodbye")):
        (home / "a.srt").write_text(text)
        keys.append([input_key((sample,), ["same"]) for sample in table("q.tsv").plugin.samples()])
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] == keys[1][1]


def test_an_edited_table_costs_the_edited_rows_alone(home: Path) -> None:
    """A right answer that is corrected, a label or a new row leaves what was answered as it is."""

    def asked() -> tuple[str, dict[Any, str]]:
        dataset = table("q.tsv")
        keys = {sample.id: input_key((sample,), ["same"]) for sample in dataset.plugin.samples()}
        return Cell(built("echo", Model()), dataset).fingerprint(), keys

    first, second = rows()
    write(home / "q.tsv", [first, second])
    fingerprint, before = asked()
    write(home / "q.tsv", [second | {"id": "3"}, first | {"answer": "A", "labels": "hue"}, second])
    assert asked()[0] == fingerprint
    assert {id_: asked()[1][id_] for id_ in before} == before
    write(home / "q.tsv", [first | {"choices": "red | green | blue"}, second])
    assert asked()[1][1] != before[1]
    assert asked()[1][2] == before[2]


def test_it_rates_in_its_own_groups_and_says_the_scale(home: Path) -> None:
    write(home / "q.tsv", rows())
    dataset = table("q.tsv").plugin
    rating = rate(dataset.samples(), {1: Verdict(3.0), 2: Verdict(0.0)}, dataset.taxonomy)
    assert rating.coarse_all == {"seeing": "3.00", "thinking": "0.00", "Overall": "1.50"}
    assert rating.fine_all == {"colour": "3.00", "cause": "0.00"}
    assert rating.meta["scale"] == {"worst": 0.0, "best": 3.0}


def test_videos_are_found_below_data_root_first(home: Path) -> None:
    write(home / "q.tsv", rows())
    other = write_video(home / "elsewhere" / "clips" / "a.mp4", seed=7)
    first, second = table("q.tsv", data_root=home / "elsewhere").plugin.samples()
    assert first.video.path == other
    assert second.video.path.resolve() == home / "clips" / "b.mp4"
    assert first.video.key == "clips/a.mp4"


def test_absolute_paths_and_dots_have_keys_like_any_other(home: Path) -> None:
    first, second = rows()
    write(home / "q.tsv", [first | {"video": str(home / "clips/a.mp4")}, second | {"video": "./clips/b.mp4"}])
    one, two = table("q.tsv").plugin.samples()
    assert one.video.path == home / "clips/a.mp4"
    assert one.video.key == str(home / "clips/a.mp4").lstrip("/")
    assert two.video.key == "clips/b.mp4"


def test_missing_videos_are_counted_and_named(home: Path) -> None:
    first, second = rows()
    lost = [second | {"id": str(i), "video": f"clips/x{i}.mp4"} for i in range(3, 8)]
    write(home / "q.tsv", [first, *lost, second])
    with pytest.raises(UsageError) as caught:
        table("q.tsv")
    said = str(caught.value)
    assert said.startswith(
        "5 of 7 videos are not there: q.tsv, row 2 (line 3), column video: no such file clips/x3.mp4; q.tsv, "
    )
    assert "row 5" not in said
    assert f"looked in {home}" in said
    assert "--data_root" in said
    assert "--dataset_args missing=allow" in said
    assert len(table("q.tsv", dataset_args={"missing": "allow"}).plugin.samples()) == 7
    (home / "clips" / "x3.mp4").mkdir()
    with pytest.raises(UsageError, match="5 of 7 videos"):
        table("q.tsv")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subtitles": "none.srt"}, "q.tsv, row 1 (line 2), column subtitles: no such file none.srt"),
        ({"subtitles": "q.tsv"}, "q.tsv holds no subtitles"),
        ({"video": "x" * 300 + ".mp4"}, "1 of 2 videos are not there: q.tsv, row 1 (line 2), column video"),
        ({"video": "~nobody/a.mp4"}, "1 of 2 videos are not there"),
        ({"answer": "C"}, "q.tsv, row 1 (line 2), column answer: 'C' is no option"),
    ],
)
def test_what_is_off_is_said_before_anything_is_loaded(home: Path, change: Any, said: str) -> None:
    first, second = rows()
    write(home / "q.tsv", [first | change, second])
    with pytest.raises(UsageError) as caught:
        table("q.tsv")
    assert str(caught.value).startswith(said)


def test_a_table_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"path/to/none\.tsv is not there: see whether the path"):
        table("path/to/none.tsv")


def test_a_path_means_the_file_whatever_it_begins_with(home: Path) -> None:
    for name in ("ShapesVideo_8frame_nopack.tsv", "Video-MME_8frame.csv", "MVBench_x.jsonl"):
        write(home / name, rows())
        assert type(table(name).plugin).__name__ == "OwnTable"


def test_two_tables_that_files_could_not_tell_apart(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    write(home / "q.tsv", rows())
    write(home / "q.jsonl", rows())
    with pytest.raises(UsageError, match="2 data sets called q_8frame: run them one after the other"):
        named("q.tsv", "q.jsonl")
    assert json.loads(json.dumps(named("q.tsv").cells[0].dataset.identity()))["name"] == "q_8frame"


def test_a_fault_ends_the_command_with_2_and_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    first, second = rows()
    write(home / "q.tsv", [first, second | {"id": "1"}])
    words = ["run", "--data", "q.tsv", "--model", "gpt-4o", "--judge", "exact"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said == "vidharness: q.tsv, row 2 (line 3), column id: 1 names row 1 already\n"
    assert not list(home.glob("outputs/*"))
    write(home / "q.tsv", [first, second])
    assert main(["check", *words[1:]]) == 0
    assert "gpt-4o on q_8frame, clean: 2 samples of 2 videos" in capsys.readouterr().out
