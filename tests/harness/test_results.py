"""The files of one run: where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from ranks import each, world

from harness.errors import CacheError
from harness.results import agreed_stamp
from harness.work import Alone


def folders(work_dir: Path) -> list[str]:
    return sorted(str(path.relative_to(work_dir)) for path in work_dir.glob("*/*"))


def test_runs_of_one_second_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.strftime", lambda _: "20260101-000000")
    assert agreed_stamp(Alone(), tmp_path, ["m"]) == "20260101-000000"
    assert agreed_stamp(Alone(), tmp_path, ["m", "n"]) == "20260101-000000-2"
    assert agreed_stamp(Alone(), tmp_path, ["n"]) == "20260101-000000"
    assert agreed_stamp(Alone(), tmp_path, ["m", "m"]) == "20260101-000000-3"
    assert folders(tmp_path) == [
        *("m/20260101-000000", "m/20260101-000000-2", "m/20260101-000000-3"),
        *("n/20260101-000000", "n/20260101-000000-2"),
    ]


def test_the_ranks_of_a_run_share_a_folder_and_leave_no_other(tmp_path: Path) -> None:
    ranks = world(6)
    (stamp,) = set(each(ranks, lambda rank: agreed_stamp(rank, tmp_path, ["m"])))
    assert folders(tmp_path) == [f"m/{stamp}"]
    assert agreed_stamp(ranks[0], tmp_path, ["m"]) == stamp
    assert folders(tmp_path) == [f"m/{stamp}"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("in the way")
    with pytest.raises(CacheError, match=r"cannot write .*; make room or use another --work_dir"):
        agreed_stamp(Alone(), tmp_path, ["m"])
