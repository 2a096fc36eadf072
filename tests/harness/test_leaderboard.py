"""The leaderboard: from rating files alone, only like with like, and no file can spoil it."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.leaderboard import Board, Row, build
from harness.leaderboard.differences import differences
from harness.rating import rate
from harness.rating_files import rating_name, write_rating
from harness.types import Sample, Status, Taxonomy, Verdict, Video

DATA = "MMBench_Video_8frame_nopack"
TREE = Taxonomy({"A": ("a1", "a2"), "B": ("b",)}, {"Overall": ("A", "B")})
LABELS = ("a1", "a2", "b")


class Outputs:
    """A folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(
        self,
        scores: Mapping[int, float],
        noise: str | None = None,
        ratio: float | None = None,
        *,
        model: str = "M",
        dataset: str = DATA,
        judge: str = "J",
        stamp: str = "20260101-000000",
        **meta: Any,
    ) -> Path:
        """A run whose question i is about video i // 3 and has score scores[i]; below 0, it failed."""
        samples = [
            Sample(i, Video(Path("v.mp4"), f"v{i // 3}"), "q", "a", labels=(LABELS[i % 3],)) for i in scores
        ]
        verdicts = {
            i: Verdict(score=score) if score >= 0 else Verdict(status=Status.TIMEOUT)
            for i, score in scores.items()
        }
        rating = rate(samples, verdicts, TREE)
        named = {"model": model, "dataset": dataset, "noise": noise, "ratio": ratio, "judge": judge}
        rating = replace(rating, meta={**named, **meta, **rating.meta})
        path = (
            self.folder / model.replace("/", "-") / stamp / rating_name(model, dataset, noise, ratio, judge)
        )
        write_rating(path, rating)
        return path

    def board(self, *metric: str) -> Board:
        return build([self.folder], *metric)

    def rows(self, *metric: str) -> list[Row]:
        return [row for table in self.board(*metric).tables for row in table.rows]


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(tmp_path / "outputs")


GOOD = {i: float(i % 2 + 2) for i in range(60)}
WORSE = {i: score - 1 for i, score in GOOD.items()}


def test_clean_score_and_drop(outputs: Outputs) -> None:
    outputs.put(GOOD)
    outputs.put(WORSE, "gaussian", 0.9, seed=0)
    clean, noisy = outputs.rows()
    assert (clean.model, clean.noise, clean.clean, clean.score, clean.drop) == ("M", "clean", "2.50", "", "")
    assert (noisy.noise, noisy.ratio, noisy.seed) == ("gaussian", "0.9", "0")
    assert (noisy.clean, noisy.score, noisy.drop) == ("2.50", "1.50", "1.00")
    assert (noisy.low, noisy.high) == ("1.00", "1.00"), "each question lost exactly one"
    assert (noisy.questions, noisy.failed) == ("60", "0")


def test_a_drop_by_chance_has_zero_inside_its_interval(outputs: Outputs) -> None:
    outputs.put({i: float(i * 7 % 4) for i in range(90)})
    outputs.put({i: float(i * 7 % 4 if i % 5 else (i * 7 + 2) % 4) for i in range(90)}, "fog", 0.3)
    noisy = outputs.rows()[1]
    assert float(noisy.low) < 0 < float(noisy.high)
    assert float(noisy.low) <= float(noisy.drop) <= float(noisy.high)


def test_failures_stand_beside_the_number(outputs: Outputs) -> None:
    outputs.put({**GOOD, 0: -1, 1: -1})
    assert outputs.rows()[0].failed == "2 timeout"


def test_models_are_ranked_and_noises_sorted_below(outputs: Outputs) -> None:
    for model, scores in (("weak", WORSE), ("strong", GOOD)):
        outputs.put(WORSE, "haze", 0.3, model=model)
        outputs.put(WORSE, "fog", 0.9, model=model)
        outputs.put(WORSE, "fog", 0.3, model=model)
        outputs.put(scores, model=model)
    outputs.put(GOOD, "fog", 0.3, model="absent")
    rows = [(row.model, row.noise, row.ratio) for row in outputs.rows()]
    below = [("clean", ""), ("fog", "0.3"), ("fog", "0.9"), ("haze", "0.3")]
    assert rows == [
        *(("strong", *rest) for rest in below),
        *(("weak", *rest) for rest in below),
        ("absent", "fog", "0.3"),
    ]


def test_without_a_clean_run_there_is_no_drop_and_it_is_said(outputs: Outputs) -> None:
    outputs.put(GOOD, "fog", 0.3)
    board = outputs.board()
    row = board.tables[0].rows[0]
    assert (row.clean, row.score, row.drop, row.low) == ("", "2.50", "", "")
    assert any("no clean run" in note for note in board.notes)


def test_another_metric(outputs: Outputs) -> None:
    outputs.put({i: 3.0 if LABELS[i % 3] == "b" else 1.0 for i in range(60)})
    outputs.put({i: 2.0 if i % 2 else -1.0 for i in range(60)}, "fog", 0.3)
    for metric, clean, score in (
        ("B", "3.00", "1.00"),
        ("a2", "1.00", "1.00"),
        ("coarse_valid/B", "3.00", "2.00"),
        ("fine_valid/b", "3.00", "2.00"),
        ("coarse_all/Overall", "1.67", "1.00"),
    ):
        noisy = outputs.rows(metric)[1]
        assert (noisy.clean, noisy.score) == (clean, score), metric
        assert float(noisy.drop) == pytest.approx(float(clean) - float(score), abs=0.011)
        assert float(noisy.low) <= float(noisy.drop) <= float(noisy.high)
    assert outputs.board("a2").metric == "fine_all/a2"


def test_an_unknown_metric_suggests_one(outputs: Outputs) -> None:
    outputs.put(GOOD)
    with pytest.raises(UsageError, match="such as Overall"):
        outputs.board("Overal")
    with pytest.raises(UsageError, match="coarse_some/A"):
        outputs.board("coarse_some/A")


def test_data_sets_and_judges_are_never_mixed(outputs: Outputs) -> None:
    outputs.put(GOOD)
    outputs.put(WORSE, "fog", 0.3, judge="K")
    outputs.put(WORSE, "fog", 0.3, dataset="MMBench_Video_16frame_nopack")
    tables = outputs.board().tables
    assert [(table.dataset, table.judge, len(table.rows)) for table in tables] == [
        ("MMBench_Video_16frame_nopack", "J", 1),
        (DATA, "J", 1),
        (DATA, "K", 1),
    ]
    assert all(row.drop == "" for table in tables for row in table.rows)


def test_the_newest_run_wins_and_it_is_said(outputs: Outputs) -> None:
    new = outputs.put(GOOD, stamp="20260301-120000")
    old = outputs.put(WORSE, stamp="20260228-235959")
    os.utime(new, (1, 1))
    os.utime(old)
    board = outputs.board()
    assert [row.clean for row in board.tables[0].rows] == ["2.50"]
    assert any("2 runs, the newest counts (20260301-120000)" in note for note in board.notes)


def test_without_a_dated_folder_the_files_time_decides(outputs: Outputs) -> None:
    for place, scores, moment in (("x", WORSE, 100), ("y", GOOD, 200), ("z", WORSE, 150)):
        os.utime(outputs.put(scores, stamp=place), (moment, moment))
    assert [row.clean for row in outputs.rows()] == ["2.50"]


def parts(**changes: Any) -> dict[str, Any]:
    return {
        "model": {"options": {"dtype": changes.get("dtype", "bf16")}},
        "dataset": {"version": changes.get("version", 1)},
        "frames": {"decoder": changes.get("decoder", "pyav")},
        "noise": changes.get("noise"),
    }


def test_runs_with_other_settings_stand_in_tables_of_their_own(outputs: Outputs) -> None:
    outputs.put(GOOD, parts=parts())
    outputs.put(WORSE, "fog", 0.3, parts=parts(decoder="decord", noise={"version": 1, "ratio": 0.3}))
    board = outputs.board()
    assert {table.settings for table in board.tables} == {"frames.decoder=pyav", "frames.decoder=decord"}
    assert all(row.drop == "" for table in board.tables for row in table.rows)
    assert any("different settings" in note for note in board.notes)
    assert "frames.decoder=decord" in board.text()


def test_another_rubric_is_another_table(outputs: Outputs) -> None:
    outputs.put(GOOD, judge_fingerprint="aa")
    outputs.put(WORSE, "fog", 0.3, judge_fingerprint="bb")
    assert {table.settings for table in outputs.board().tables} == {"judge=aa", "judge=bb"}


def test_another_option_of_the_model_is_another_row_with_a_clean_run_of_its_own(outputs: Outputs) -> None:
    outputs.put(GOOD, parts=parts(), stamp="20260101-000000")
    outputs.put(WORSE, parts=parts(dtype="int4"), stamp="20260101-000001")
    outputs.put(WORSE, "fog", 0.3, parts=parts(dtype="int4", noise={"version": 1}), stamp="20260101-000001")
    rows = outputs.rows()
    assert [(row.model, row.noise, row.clean, row.drop) for row in rows] == [
        ("M (options.dtype=bf16)", "clean", "2.50", ""),
        ("M (options.dtype=int4)", "clean", "1.50", ""),
        ("M (options.dtype=int4)", "fog", "1.50", "0.00"),
    ]


def test_seeds_and_noise_versions_are_rows_of_their_own_against_one_clean_run(outputs: Outputs) -> None:
    outputs.put(GOOD, parts=parts())
    for stamp, seed, version in (
        ("20260101-000001", 0, 1),
        ("20260101-000002", 1, 1),
        ("20260101-000003", 0, 2),
    ):
        noise = {"version": version, "ratio": 0.3, "seed": seed}
        outputs.put(WORSE, "fog", 0.3, seed=seed, stamp=stamp, parts=parts(noise=noise))
    board = outputs.board()
    assert [(row.noise, row.seed, row.drop) for row in board.tables[0].rows[1:]] == [
        ("fog (version=1)", "0", "1.00"),
        ("fog (version=1)", "1", "1.00"),
        ("fog (version=2)", "0", "1.00"),
    ]
    assert "seed" in board.text()


def test_the_seed_is_only_shown_where_there_are_several(outputs: Outputs) -> None:
    outputs.put(GOOD)
    outputs.put(WORSE, "fog", 0.3, seed=0)
    assert "seed" not in outputs.board().text()


def test_a_part_of_the_questions_is_compared_over_that_part(outputs: Outputs) -> None:
    """Half the clean run is good, half bad: only the half that the noisy run asked may count."""
    outputs.put({i: 3.0 if i < 30 else 0.0 for i in range(60)})
    outputs.put(dict.fromkeys(range(30), 2.0), "fog", 0.3)
    board = outputs.board()
    clean, noisy = board.tables[0].rows
    assert (clean.clean, noisy.score, noisy.drop) == ("1.50", "2.00", "1.00")
    assert noisy.questions == "30"
    assert any("over the 30 questions" in note for note in board.notes)


def test_a_limited_run_does_not_replace_a_whole_one(outputs: Outputs) -> None:
    outputs.put(GOOD, stamp="20260101-000000")
    outputs.put({0: 0.0}, stamp="20260102-000000")
    outputs.put(WORSE, "fog", 0.3)
    rows = outputs.rows()
    assert sorted(row.questions for row in rows) == ["1", "60", "60"]
    assert rows[-1].drop == "1.00"


def test_runs_that_share_no_question_have_no_drop(outputs: Outputs) -> None:
    outputs.put({0: 3.0})
    outputs.put({7: 1.0}, "fog", 0.3)
    board = outputs.board()
    assert board.tables[0].rows[1].drop == ""
    assert any("shares no question" in note for note in board.notes)


def test_other_groups_of_the_same_name_have_no_drop(outputs: Outputs) -> None:
    outputs.put(GOOD)
    path = outputs.put(WORSE, "fog", 0.3)
    content = json.loads(path.read_text())
    content["meta"]["groups"]["A"] = ["b"]
    path.write_text(json.dumps(content))
    board = outputs.board("A")
    assert board.tables[0].rows[1].drop == ""
    assert any("its groups are not the clean run's" in note for note in board.notes)


def test_changed_data_has_no_drop(outputs: Outputs) -> None:
    outputs.put(GOOD, data_fingerprint="a")
    outputs.put(WORSE, "fog", 0.3, data_fingerprint="b")
    board = outputs.board()
    assert board.tables[0].rows[1].drop == ""
    assert any("the data changed" in note for note in board.notes)


def test_a_judge_that_changed_behind_its_name_is_told(outputs: Outputs) -> None:
    outputs.put(GOOD, judge_models=["gpt-4o-2024-08-06"])
    outputs.put(WORSE, "fog", 0.3, judge_models=["gpt-4o-2024-11-20"])
    assert any("gpt-4o-2024-11-20" in note and "gpt-4o-2024-08-06" in note for note in outputs.board().notes)


def test_files_of_other_tools_are_ranked_without_an_interval(outputs: Outputs) -> None:
    blocks = ("coarse_all", "coarse_valid", "fine_all", "fine_valid")
    outputs.folder.mkdir()
    for name, value in (("clean", 1.62), ("gaussian_0.9", 1.4), ("fog_0.3", 1.62)):
        path = outputs.folder / f"Qwen_{DATA}_{name}_gpt-4o_rating.json"
        path.write_text(json.dumps({block: {"Overall": value} for block in blocks}))
    rows = outputs.rows()
    assert [(row.noise, row.ratio, row.clean, row.score, row.drop, row.low) for row in rows] == [
        ("clean", "", "1.62", "", "", ""),
        ("fog", "0.3", "1.62", "1.62", "0.00", ""),
        ("gaussian", "0.9", "1.62", "1.40", "0.22", ""),
    ]
    assert rows[1].failed == rows[1].questions == ""


def test_broken_and_foreign_files_are_a_line_each(outputs: Outputs) -> None:
    outputs.put(GOOD)
    for name, content in (("a", "{"), ("b", '{"users": 3}'), ("c", "[]")):
        (outputs.folder / f"{name}_rating.json").write_text(content)
    (outputs.folder / "notes.json").write_text("{")
    damaged = json.loads(outputs.put(WORSE, "fog", 0.3).read_text())
    damaged["meta"]["scores"] = {"v": [["x"]]}
    (outputs.folder / "d_rating.json").write_text(json.dumps(damaged))
    damaged["meta"] |= {"scores": {}, "ratio": "much"}
    (outputs.folder / "e_rating.json").write_text(json.dumps(damaged))
    board = outputs.board()
    assert len(board.warnings) == 5
    assert all("\n" not in warning for warning in board.warnings)
    assert len(board.tables[0].rows) == 2


@pytest.mark.parametrize(
    "meta",
    [
        {"parts": 3},
        {"parts": {"model": [1], "noise": "x"}},
        {"counts": [1]},
        {"judge_models": 4},
        {"questions": {"a": 1}},
        {"seed": [1]},
    ],
)
def test_odd_meta_is_no_end_of_the_board(outputs: Outputs, meta: dict[str, Any]) -> None:
    outputs.put(GOOD)
    path = outputs.put(WORSE, "fog", 0.3)
    content = json.loads(path.read_text())
    content["meta"] |= meta
    path.write_text(json.dumps(content))
    board = outputs.board()
    assert sum(len(table.rows) for table in board.tables) == 2
    assert board.text()
    assert board.csv()


def test_nothing_found_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="vidharness run"):
        build([tmp_path])
    with pytest.raises(UsageError, match="does not exist"):
        build([tmp_path / "none"])
    (tmp_path / "a_rating.json").write_text("{")
    with pytest.raises(UsageError, match="not valid JSON"):
        build([tmp_path])


def test_files_and_folders_may_be_mixed_and_repeated(outputs: Outputs) -> None:
    path = outputs.put(GOOD)
    board = build([path, outputs.folder, path.parent])
    assert len(board.tables[0].rows) == 1
    assert not board.notes


def test_the_three_forms_hold_the_same(outputs: Outputs) -> None:
    outputs.put(GOOD, model="org/M|x")
    outputs.put({**WORSE, 0: -1}, "fog", 0.9, model="org/M|x", seed=0)
    board = outputs.board()
    text, markdown = board.text(), board.markdown()
    for form in (text, markdown):
        for expected in (DATA, "fog", "0.9", "2.50", "1.48", "1.02", "1 timeout", "95% of drop"):
            assert expected in form
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "org/M\\|x" in lines[2]
    table = list(csv.DictReader(io.StringIO(board.csv())))
    assert [row["noise"] for row in table] == ["clean", "fog"]
    assert {row["metric"] for row in table} == {"coarse_all/Overall"}
    assert table[1]["low"] <= table[1]["drop"] <= table[1]["high"]
    assert table[1]["model"] == "org/M|x"
    assert Path(table[1]["file"]).is_file()


def test_names_in_files_cannot_move_the_cursor(outputs: Outputs) -> None:
    outputs.put(GOOD, model="M\x1b[2J\nx")
    board = outputs.board()
    assert "\x1b" not in board.text()
    assert "\x1b" not in board.markdown()
    assert len([line for line in board.markdown().splitlines() if line.startswith("|")]) == 3


def test_differences() -> None:
    assert differences([{"a": 1, "b": {"c": "x"}}]) == [""]
    assert differences([{"a": 1, "b": {"c": "x", "d": 1}}, {"a": 1, "b": {"c": "y", "d": 1}}]) == [
        "b.c=x",
        "b.c=y",
    ]
    assert differences([{"a": None}, {}]) == ["a=null", "settings unknown"]
