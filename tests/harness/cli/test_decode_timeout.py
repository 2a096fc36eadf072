"""`--decode_timeout` as users meet it: a video that hangs or kills the decoder costs its own questions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from decoder_faults import on_path
from openai_server import OpenAIServer

import harness.prepare
from harness.cell import Cell
from harness.types import Clip, Video

Runner = Callable[..., tuple[int, str, str]]
SHAPES = ("--data", "ShapesVideo_8frame_nopack", "--judge", "exact")


@pytest.mark.slow
def test_they_cost_their_own_questions_and_are_tried_again(
    vidharness: Runner, mini: Path, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path(tmp_path / "site", monkeypatch)
    (mini / "video" / "nasa_mirror.mp4").write_text("hangs")
    (mini / "video" / "test_card_av1.mp4").write_text("segfaults")
    with OpenAIServer(reply="yes") as server:
        words = (
            "run", "--data", "MMBench_Video_8frame_nopack", "--data_root", mini, "--judge", "exact",
            "--model", "openai:m", "--base_url", server.url, "--decode-timeout", "6",
        )  # fmt: skip
        code, out, err = vidharness(*words)
        assert code == 1
        assert "decode_error" in err
        answered = len(server.requests)
        assert f"{30 - answered} decode_error, {answered} ok" in out
        (path,) = tmp_path.glob("outputs/*/*/*_predictions.jsonl")
        with path.open() as file:
            errors = {line["video"]: line["error"] for line in map(json.loads, file) if line["error"]}
        assert sorted(errors) == ["nasa_mirror", "test_card_av1"]
        assert "took more than 6 s to decode" in errors["nasa_mirror"]
        assert "--decode_timeout" in errors["nasa_mirror"]
        assert "Segmentation fault" in errors["test_card_av1"]
        for name in ("nasa_mirror.mp4", "test_card_av1.mp4"):
            shutil.copyfile(shared_data / "mmbench_video_mini" / "video" / name, mini / "video" / name)
        # The limit is no part of what an answer depends on.
        code, out, _ = vidharness(*words[:-1], "100")
        assert code == 0
        assert f"asked {30 - answered}," in out
        assert len(server.requests) == 30


@pytest.mark.parametrize("verb", ["check", "run"])
def test_the_first_look_is_under_the_limit_too(
    vidharness: Runner, mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    on_path(tmp_path / "site", monkeypatch)
    for video in (mini / "video").iterdir():
        video.write_text("hangs")
    with OpenAIServer() as server:
        code, _, err = vidharness(
            verb, "--data", "MMBench_Video_8frame_nopack", "--data_root", mini, "--judge", "exact",
            "--model", "openai:m", "--base_url", server.url, "--decode_timeout", "0.2",
        )  # fmt: skip
    assert code == 2
    assert "none of the first" in err
    assert "took more than 0.2 s to decode" in err


@pytest.mark.parametrize("seconds", ["-1", "100000", "nan"])
def test_a_limit_that_is_none_is_a_usage_error(vidharness: Runner, seconds: str) -> None:
    code, _, err = vidharness(
        "check",
        *SHAPES,
        "--model",
        "openai:m",
        "--base_url",
        "http://127.0.0.1:9/v1",
        "--decode_timeout",
        seconds,
    )
    assert code == 2
    assert "--decode_timeout must lie between 0 (no limit) and 86400 seconds" in err


def test_one_video_is_looked_at_for_all_models(vidharness: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    real = harness.prepare.clip_of

    def counted(cell: Cell, video: Video) -> Clip:
        looked.append(video.key)
        return real(cell, video)

    monkeypatch.setattr(harness.prepare, "clip_of", counted)
    code, out, _ = vidharness(
        "check", *SHAPES, "--model", "openai:a", "openai:b", "openai:c", "--base_url", "http://127.0.0.1:9/v1"
    )
    assert code == 0
    assert len(looked) == 1
    assert out.count("ok  decoded") == 1
    assert out.count("360 samples of 120 videos") == 3
