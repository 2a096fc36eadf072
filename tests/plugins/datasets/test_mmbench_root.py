"""Where the data set is looked for, in which order, and what is said when it is nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness_plugins.datasets.mmbench_root import TABLE, find_root

from harness.errors import UsageError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own: nothing of the developer's may be found."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def lay(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / TABLE).write_text("")
    return folder


def test_a_named_folder_is_the_data_set_or_holds_it(home: Path) -> None:
    folder = lay(home / "data" / "MMBench-Video")
    assert find_root(folder, {}) == folder
    assert find_root(home / "data", {}) == folder
    assert find_root(Path("~/data"), {}) == folder


def test_a_named_folder_is_the_only_one_looked_at(home: Path) -> None:
    lmu = lay(home / "LMU" / "MMBench-Video").parent
    with pytest.raises(UsageError, match=str(home / "other")):
        find_root(home / "other", {"LMUData": str(lmu)})


def test_the_usual_places_in_order(home: Path) -> None:
    environ = {"LMUData": str(home / "LMU"), "HF_HOME": str(home / "hf")}
    hub = home / "hf" / "hub" / "datasets--opencompass--MMBench-Video" / "snapshots"
    places = [
        home / ".cache" / "vidharness" / "datasets" / "MMBench-Video",
        hub / "aaaa",
        home / "LMU" / "MMBench-Video",
        home / "LMU" / "datasets" / "MMBench-Video",
    ]
    for place in places:
        lay(place)
        assert find_root(None, environ) == place


def test_the_hubs_own_variables_are_respected(home: Path) -> None:
    name = "datasets--opencompass--MMBench-Video"
    default = lay(home / ".cache" / "huggingface" / "hub" / name / "snapshots" / "a")
    assert find_root(None, {}) == default
    cache = lay(home / "elsewhere" / name / "snapshots" / "b")
    assert find_root(None, {"HF_HUB_CACHE": str(home / "elsewhere"), "HF_HOME": str(home)}) == cache
    moved = lay(home / "xdg" / "huggingface" / "hub" / name / "snapshots" / "c")
    assert find_root(None, {"XDG_CACHE_HOME": str(home / "xdg")}) == moved


@pytest.mark.parametrize(
    ("data_root", "lmu", "target"),
    [
        ("d ir", None, "'{home}/d ir/MMBench-Video'"),
        (None, "LMU", "{home}/LMU/datasets/MMBench-Video"),
        (None, None, "{home}/.cache/vidharness/datasets/MMBench-Video"),
    ],
)
def test_when_it_is_nowhere_the_sentence_says_what_to_type(
    home: Path, data_root: str | None, lmu: str | None, target: str
) -> None:
    with pytest.raises(UsageError) as caught:
        find_root(home / data_root if data_root else None, {"LMUData": str(home / lmu)} if lmu else {})
    said = str(caught.value)
    command = "hf download opencompass/MMBench-Video --repo-type dataset --local-dir"
    assert f"`{command} {target.format(home=home)}`" in said
    assert str(home / (data_root or lmu or ".cache")) in said
    assert "--data_root" in said
    assert "\n" not in said
