"""The record of a training: what goes on, what is refused, which checkpoint counts."""

from pathlib import Path

import pytest
from harness_plugins.trainers.record import Record, drop_checkpoints, last_checkpoint, open_record

from harness import UsageError

PLAN = {"steps": 10, "lr": 0.1, "model": {"digest": "a"}, "warm": None, "pair": (1, 2)}


@pytest.mark.parametrize("make", [lambda out: None, lambda out: out.mkdir()])
def test_a_new_or_empty_folder_begins(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    make(tmp_path / "out")
    record = open_record(tmp_path / "out", PLAN)
    assert not record.finished and record.plan["steps"] == 10


def test_what_was_written_is_found_again(tmp_path: Path) -> None:
    open_record(tmp_path, PLAN).write(tmp_path)
    assert open_record(tmp_path, PLAN) == Record({**PLAN, "pair": [1, 2]}, losses=[])
    Record(PLAN, finished=True, seconds=1.5, losses=[(5, 0.25)]).write(tmp_path)
    found = open_record(tmp_path, PLAN)
    assert found.finished and found.losses == [[5, 0.25]]
    assert [file.name for file in tmp_path.iterdir()] == ["training.json"]


@pytest.mark.parametrize(
    ("change", "name"),
    [({"lr": 0.2}, "lr"), ({"model": {"digest": "b"}}, "model"), ({"new": 1}, "new"), ({"warm": 1}, "warm")],
)
def test_another_training_is_refused_by_name(tmp_path: Path, change: dict[str, object], name: str) -> None:
    open_record(tmp_path, PLAN).write(tmp_path)
    with pytest.raises(UsageError, match=rf"another training \({name} was .*--out"):
        open_record(tmp_path, {**PLAN, **change})


@pytest.mark.parametrize("text", [None, "{", "[]", '{"other": 1}'])
def test_files_of_others_are_left_alone(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "thesis.tex").touch()
    if text is not None:
        (tmp_path / "training.json").write_text(text)
    with pytest.raises(UsageError, match="--out"):
        open_record(tmp_path, PLAN)
    assert (tmp_path / "thesis.tex").exists()


def test_only_whole_checkpoints_count_and_the_newest_of_them(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    for step in (5, 90, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
    assert last_checkpoint(tmp_path) is None
    for step in (5, 90):
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").touch()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-90"
    (tmp_path / "model.safetensors").touch()
    drop_checkpoints(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
