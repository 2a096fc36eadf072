"""The benchmark of storing runs and says whether what is promised holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import appending


@pytest.mark.parametrize(("at_least", "code"), [(0, 0), (10**9, 1)])
def test_it_prints_a_row_for_each_size_and_judges(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    at_least: int,
    code: int,
) -> None:
    monkeypatch.setattr(appending, "STORED", (10, 30))
    monkeypatch.setattr(appending, "COMPARED", 30)
    monkeypatch.setattr(appending, "AT_LEAST", at_least)
    assert appending.main(tmp_path) == code
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line.split()[:1] in (["10"], ["30"])] == [
        "10",
        "30",
        "10",
        "30",
    ]
    assert "at 30 answers" in out
    assert list(tmp_path.iterdir()) == []
