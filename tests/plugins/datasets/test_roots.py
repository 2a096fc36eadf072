"""Where the data set is looked for, in which order, and what is said when it is nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness_plugins.datasets.mmbench_video import HOME, TABLE
from harness_plugins.datasets.roots import Home

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
    assert HOME.find(folder, {}) == folder
    assert HOME.find(home / "data", {}) == folder
    assert HOME.find(Path("~/data"), {}) == folder


def test_a_named_folder_is_the_only_one_looked_at(home: Path) -> None:
    lmu = lay(home / "LMU" / "MMBench-Video").parent
    with pytest.raises(UsageError, match=str(home / "other")):
        HOME.find(home / "other", {"LMUData": str(lmu)})


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
        assert HOME.find(None, environ) == place


def test_the_newest_version_in_the_hubs_cache_goes_first(home: Path) -> None:
    cached = home / ".cache" / "huggingface" / "hub" / "datasets--opencompass--MMBench-Video"
    lay(cached / "snapshots" / "aaaa")
    newest = lay(cached / "snapshots" / "bbbb")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("bbbb")
    assert HOME.find(None, {}) == newest


def test_a_copy_may_keep_everything_in_a_folder_of_its_own(home: Path) -> None:
    nested = Home("someone/nested", "Nested", "table.json", inner="all")
    (home / "here" / "all").mkdir(parents=True)
    (home / "here" / "all" / "table.json").write_text("[]")
    assert nested.find(home / "here", {}) == home / "here" / "all"
    assert nested.find(home / "here" / "all", {}) == home / "here" / "all"


def test_consent_is_asked_for_before_the_download_fails(home: Path) -> None:
    with pytest.raises(UsageError, match="ask for consent"):
        Home("someone/gated", "Gated", "table.json", gated=True).find(home / "nowhere", {})


def test_the_hubs_own_variables_are_respected(home: Path) -> None:
    name = "datasets--opencompass--MMBench-Video"
    default = lay(home / ".cache" / "huggingface" / "hub" / name / "snapshots" / "a")
    assert HOME.find(None, {}) == default
    cache = lay(home / "elsewhere" / name / "snapshots" / "b")
    assert HOME.find(None, {"HF_HUB_CACHE": str(home / "elsewhere"), "HF_HOME": str(home)}) == cache
    moved = lay(home / "xdg" / "huggingface" / "hub" / name / "snapshots" / "c")
    assert HOME.find(None, {"XDG_CACHE_HOME": str(home / "xdg")}) == moved


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
        HOME.find(home / data_root if data_root else None, {"LMUData": str(home / lmu)} if lmu else {})
    said = str(caught.value)
    command = "hf download opencompass/MMBench-Video --repo-type dataset --local-dir"
    assert f"`{command} {target.format(home=home)}`" in said
    assert str(home / (data_root or lmu or ".cache")) in said
    assert "--data_root" in said
    assert "\n" not in said


def test_the_hubs_own_client_finds_the_same_folder(home: Path) -> None:
    """Offline: what it has fetched once is found in the way it would find it itself."""
    from huggingface_hub import snapshot_download

    hub = home / "hub"
    cached = hub / "datasets--opencompass--MMBench-Video"
    lay(cached / "snapshots" / ("a" * 40))
    newest = lay(cached / "snapshots" / ("b" * 40))
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("b" * 40)
    found = snapshot_download(HOME.hub, repo_type="dataset", local_files_only=True, cache_dir=hub)
    assert Path(found) == newest == HOME.find(None, {"HF_HUB_CACHE": str(hub)})
