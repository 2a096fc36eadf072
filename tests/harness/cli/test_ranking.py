"""`leaderboard` and `compare`, from rating files alone."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness import Rating
from harness.cli import main
from harness.rating_files import rating_name, write_rating


def put(folder: Path, noise: str | None, score: float, counts: dict[str, int] | None = None) -> Path:
    block = {"CP": f"{score:.2f}", "Overall": f"{score:.2f}"}
    meta = {"model": "m", "dataset": "d", "noise": noise, "ratio": noise and 0.9, "judge": "exact"}
    path = folder / rating_name("m", "d", noise, 0.9 if noise else None, "exact")
    write_rating(path, Rating(block, block, {}, {}, {**meta, **({"counts": counts} if counts else {})}))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "m" / "20260101-000000", None, 1.0)
    put(tmp_path / "m" / "20260102-000000", None, 2.5, {"ok": 9, "timeout": 1})
    put(tmp_path / "m" / "20260102-000000", "gaussian", 1.25, {"ok": 10})
    return tmp_path


def test_compare_shows_the_newest_of_each_side_by_side(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(folder)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[3] == ["clean", "gaussian", "0.9"]
    assert ["Overall", "2.50", "1.25"] in lines
    assert lines[-1] == ["failed", "1", "of", "10", "0", "of", "10"]


def test_compare_takes_files_and_another_block(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(path) for path in sorted(folder.rglob("*_rating.json"))]
    assert main(["compare", *files, "--block", "coarse_valid"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("coarse_valid")
    assert ["Overall", "1.00", "2.50", "1.25"] in [line.split() for line in out.splitlines()]
    assert "?" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--block", "fine"], "unknown block 'fine'"), ([], "no rating file")],
)
def test_compare_with_nothing_to_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["compare", str(tmp_path), *words]) == 2
    assert sentence in capsys.readouterr().err


def test_the_leaderboard_in_its_three_forms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "gaussian" in text
    assert "1.25" in text
    assert main(["leaderboard", str(folder), "--format", "markdown"]) == 0
    assert "| gaussian" in capsys.readouterr().out
    target = folder / "board" / "table.csv"
    assert main(["leaderboard", str(folder), "--format", "csv", "--out", str(target)]) == 0
    (noisy,) = [row for row in csv.DictReader(target.open()) if row["noise"] == "gaussian"]
    assert (noisy["clean"], noisy["score"], noisy["drop"]) == ("2.50", "1.25", "1.25")


def test_a_foreign_file_is_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x_rating.json").write_text("{")
    assert main(["leaderboard", str(folder)]) == 0
    captured = capsys.readouterr()
    assert "x_rating.json" in captured.err
    assert "gaussian" in captured.out
