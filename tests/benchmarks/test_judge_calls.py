"""The count of a judge's calls in a sweep: equal answers are one call, whatever the noise."""

from pathlib import Path

import pytest
from openai_server import OpenAIServer, Request

from benchmarks.judge_calls import averaged, main


@pytest.mark.slow
def test_equal_answers_under_all_noises_are_judged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def answer(request: Request) -> str:
        return f"dark {request.images[0].mean() < 1}"  # dropped frames are black

    with OpenAIServer(reply=answer) as server:
        what = ["--model", "openai:m", "--base_url", server.url, "--data", "ShapesVideo_2frame_nopack"]
        noises = ["--noises", "contrast", "frame_drop", "--ratio", "1", "--limit", "3"]
        assert main([*what, *noises, "--work_dir", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "clean and 2 noises, 3 questions each: 9 answers" in out
    assert "distinct within each cell: 9 calls, 0.0% saved" in out
    assert "distinct in the whole sweep: 6 calls made, 33.3% saved" in out


def test_the_sweep_is_over_the_noises_of_the_averages() -> None:
    assert len(averaged()) == 35
