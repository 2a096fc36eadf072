"""The benchmark of decoding ahead, on clips of a few pixels: it measures what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import prefetch
from benchmarks.clips import Subject


def test_it_runs_and_says_whether_the_promise_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prefetch, "SUBJECTS", (Subject(1, 64, 48, 3), Subject(1, 96, 64, 3)))
    prefetch.main(["--videos", "6", "--rounds", "2", "--folder", str(tmp_path)])
    table = capsys.readouterr().out
    assert "12 questions about 6 videos in batches of 8" in table
    assert "kept" in table.lower()
