"""docs/datasets.md: its commands run as they stand there, its tables are those of the code."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import typed
from fakes import write_video
from harness_plugins.datasets import harness_datasets
from harness_plugins.datasets.longvideobench import LongVideoBench
from harness_plugins.datasets.mlvu import MLVU
from harness_plugins.datasets.mvbench import MVBench
from harness_plugins.datasets.own_columns import COLUMNS
from harness_plugins.datasets.tempcompass import TempCompass
from harness_plugins.datasets.video_mme import VideoMME

from harness.testing import check_spec


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "datasets.md").read_text()


def test_the_table_of_columns(page: str) -> None:
    rows = [
        f"| {' / '.join(f'`{name}`' for name in (column.name, *column.also))} | {column.meaning} |"
        for column in COLUMNS
    ]
    assert "| column | meaning |\n|---|---|\n" + "\n".join(rows) + "\n\n" in page
    needed = [f"`{column.name}`" for column in COLUMNS if column.required]
    assert f"{', '.join(needed[:-1])} and {needed[-1]} are needed" in page


def test_the_published_sets(page: str) -> None:
    for spec in harness_datasets():
        if spec.fields == ("sampling",) and not spec.name.endswith(("_subs", "_pack")):
            assert f"| `{spec.name}`" in page
    for kind in (VideoMME, MVBench, TempCompass, LongVideoBench, MLVU):
        (row,) = (line for line in page.splitlines() if f"`hf download {kind.home.hub} --repo-type" in line)
        assert not kind.unpack or f"`{kind.unpack}`".replace("|", "\\|") in row
        gated = re.search(r"The authors of (.*) ask for consent", page)
        assert gated
        assert (kind.home.folder in gated[1]) == kind.home.gated


def test_the_catalogue_keeps_its_contract() -> None:
    for spec in harness_datasets():
        check_spec(spec, "dataset")


@pytest.mark.slow
def test_ones_own_table_takes_no_python(page: str, root: Path, tmp_path: Path) -> None:
    """The commands, in a folder with the example table and two videos."""
    shutil.copy(root / "docs" / "examples" / "questions.tsv", tmp_path)
    for seed, name in enumerate(("kitchen", "street")):
        write_video(tmp_path / "clips" / f"{name}.mp4", seed=seed)
    commands = typed.commands(page)
    assert [words[0] for words in commands] == ["check", "run"]
    typed.run(commands, root, tmp_path)
    (path,) = tmp_path.rglob("*_rating.json")
    assert path.name == "TinyQwen2.5-VL_questions_4frame_clean_exact_rating.json"
    rating = json.loads(path.read_text())
    assert list(rating["coarse_all"]) == ["action", "counting", "weather", "Overall"]
    assert rating["meta"]["counts"] == {"ok": 3}
    assert rating["meta"]["scale"] == {"worst": 0.0, "best": 3.0}
