"""Foreign answers under the keys of a run: reused by it, and by no other."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from fakes import make_cell, write_video

from harness.cache import Cache
from harness.cell import Cell
from harness.errors import HarnessError
from harness.exchange.foreign import Foreign
from harness.importing import import_answers
from harness.locks import CellLock
from harness.plan import Plan, make_plan

KIND = "a JSON object"


@pytest.fixture
def videos(tmp_path: Path) -> dict[str, Path]:
    return {name: write_video(tmp_path / f"{name}.mp4", seed=ord(name)) for name in "ab"}


def planned(cell: Cell) -> Plan:
    return make_plan(cell, cell.dataset.plugin.samples())


def stored(plan: Plan, folder: Path) -> Cache:
    return Cache(plan.cell.folder(folder) / f"{plan.cell.stem()}.pkl")


def test_answers_get_the_keys_of_the_run(videos: dict[str, Path], tmp_path: Path) -> None:
    plan = planned(make_cell(videos))
    done = import_answers(plan, tmp_path, "x.json", Foreign(KIND, {"0": "yes", "3": "no", "9": "?"}, 0))
    assert (done.stored, done.kept, done.lacking, done.unknown) == (2, 0, 2, ("9",))
    cache = stored(plan, tmp_path)
    assert done.path == cache.path
    records = cache.read()
    assert plan.answered(records) == {0, 3}
    assert records[0]["meta"] == {"imported": {"file": "x.json", "format": KIND, "verified": False}}
    assert json.loads(cache.path.with_suffix(".json").read_text()) == plan.cell.parts()
    assert cache.journals() == []


def test_answers_of_a_changed_video_or_another_noise_are_not_reused(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    plan = planned(make_cell(videos))
    import_answers(plan, tmp_path, "x", Foreign(KIND, {"0": "yes", "2": "yes"}, 0))
    write_video(videos["a"], seed=99)
    again = planned(make_cell(videos))
    assert again.answered(stored(again, tmp_path).read()) == {2}
    noisy = planned(make_cell(videos, ratio=0.5))
    assert stored(noisy, tmp_path).read() == {}


def test_an_answer_that_is_there_stays(videos: dict[str, Path], tmp_path: Path) -> None:
    plan = planned(make_cell(videos))
    import_answers(plan, tmp_path, "x", Foreign(KIND, {"0": "first"}, 0))
    done = import_answers(plan, tmp_path, "y", Foreign(KIND, {"0": "second", "1": "new"}, 0))
    assert (done.stored, done.kept, done.lacking) == (1, 1, 2)
    assert [stored(plan, tmp_path).read()[id_]["prediction"] for id_ in (0, 1)] == ["first", "new"]


def test_answers_to_other_questions_are_left_out(videos: dict[str, Path], tmp_path: Path) -> None:
    plan = planned(make_cell(videos))
    questions = {"0": "  a?0\n", "1": "of another version"}
    answers = {"0": "yes", "1": "yes", "2": "yes"}
    done = import_answers(plan, tmp_path, "x", Foreign(KIND, answers, 0, questions=questions))
    assert (done.stored, done.other, done.lacking) == (2, ("1",), 2)
    assert plan.answered(stored(plan, tmp_path).read()) == {0, 2}


def test_a_packs_reply_is_taken_apart(videos: dict[str, Path], tmp_path: Path) -> None:
    plan = planned(make_cell(videos, packed=True))
    reply = json.dumps({"0": "zero", "1": "one"})
    done = import_answers(plan, tmp_path, "x", Foreign(KIND, {"a": reply, "2": "two", "z": "?"}, 0))
    assert (done.stored, done.unknown) == (3, ("z",))
    records = stored(plan, tmp_path).read()
    assert {id_: record["prediction"] for id_, record in records.items()} == {0: "zero", 1: "one", 2: "two"}


def test_a_run_at_work_is_not_disturbed(videos: dict[str, Path], tmp_path: Path) -> None:
    plan = planned(make_cell(videos))
    path = stored(plan, tmp_path).path
    with CellLock(path, uuid.uuid4().hex, 0), pytest.raises(HarnessError, match="another run"):
        import_answers(plan, tmp_path, "x", Foreign(KIND, {"0": "yes"}, 0))
    assert Cache(path).read() == {}
