"""`run` and `check` as a user types them, on real videos, against servers on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import write_video
from openai_server import RESET, OpenAIServer, Request, status

from harness.cli import main

Runner = Callable[..., tuple[int, str, str]]
SHAPES = ("--data", "ShapesVideo_8frame_nopack")


def ratings(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.rglob("*_rating.json"))]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*SHAPES, "--model", "gpt-5o", "--judge", "exact"), "did you mean gpt-4o"),
        (
            ("--data", "ShapeVideo_8frame_nopack", "--model", "gpt-4o", "--judge", "exact"),
            "ShapesVideo_8frame",
        ),
        ((*SHAPES, "--model", "gpt-4o", "--judge", "exakt"), "did you mean exact"),
        (
            (*SHAPES, "--model", "gpt-4o", "--judge", "exact", "--noise_name", "gausian", "--ratio", ".9"),
            "did you mean gaussian",
        ),
        ((*SHAPES, "--model", "gpt-4o", "--judge", "exact", "--noise-name", "gaussian"), "needs --ratio"),
        ((*SHAPES, "--model", "gpt-4o", "--judge", "exact", "--ratio", "0.9"), "needs --noise_name"),
        (
            (*SHAPES, "--model", "gpt-4o", "--judge", "exact", "--noise_name", "gaussian", "--ratio", "1.2"),
            "between 0 and 1",
        ),
        ((*SHAPES, "--model", "gpt-4o", "--judge", "exact"), "OPENAI_API_KEY"),
        ((*SHAPES, "--model", "gpt-4o"), "add --judge"),
        ((*SHAPES, "--modle", "gpt-4o"), "--model"),
        ((*SHAPES, "--model", "gpt-4o", "--limit", "many"), "--limit"),
        (
            (*SHAPES, "--model", "gpt-4o", "--judge", "exact", "--model_args", "detial=low"),
            "did you mean detail",
        ),
        ((*SHAPES, "--model", "gpt-4o", "--judge", "exact", "--model_args", "low"), "name=value"),
        ((*SHAPES, "--model", "gpt-4o", "--judge", "exact", "--decoder", "ffmpeg"), "pyav or decord"),
        ((*SHAPES, "--model", "gpt-4o", "--judge", "exact", "--nframe", "4", "--fps", "1"), "not both"),
        (
            ("--data", "MMBench_Video_8frame_nopack", "--model", "gpt-4o", "--judge", "exact"),
            "opencompass/MMBench-Video",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_wrong_command_ends_in_one_sentence(
    vidharness: Runner, monkeypatch: pytest.MonkeyPatch, verb: str, words: tuple[str, ...], sentence: str
) -> None:
    if "KEY" not in sentence:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    code, out, err = vidharness(verb, *words)
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert out == ""


def test_an_api_model_runs_in_one_process(vidharness: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    code, _, err = vidharness("run", *SHAPES, "--model", "gpt-4o", "--judge", "exact")
    assert code == 2
    assert "one process, not 2" in err


def test_a_full_or_closed_folder_is_found_before_anything_is_asked(
    vidharness: Runner, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with OpenAIServer() as server:
        code, _, err = vidharness(
            "run", *SHAPES, "--model", "openai:m", "--base_url", server.url, "--judge", "exact",
            "--work_dir", tmp_path / "file" / "out",
        )  # fmt: skip
        assert code == 2
        assert "cannot write to" in err
        assert server.requests == []


def test_check_says_what_it_found(vidharness: Runner) -> None:
    code, out, _ = vidharness(
        "check", *SHAPES, "--model", "openai:m", "--base_url", "http://127.0.0.1:9/v1", "--judge", "exact",
        "--noise_name", "gaussian", "--ratio", "0.9",
    )  # fmt: skip
    assert code == 0
    assert "360 samples of 120 videos" in out
    assert "8 frames of 112×112" in out
    assert "outputs is writable" in out


def test_frames_of_flags_go_into_the_name(vidharness: Runner, tmp_path: Path) -> None:
    with OpenAIServer(reply="red") as server:
        code, out, _ = vidharness(
            "run", *SHAPES, "--nframe", "3", "--limit", "2", "--json",
            "--model", "openai:m", "--base-url", server.url, "--judge", "exact",
        )  # fmt: skip
        assert code == 0
        assert [len(request.images) for request in server.requests] == [3, 3]
    (outcome,) = json.loads(out)
    assert outcome["cell"] == "openai:m on ShapesVideo_3frame_nopack, clean"
    assert Path(outcome["rating"]).name == "openai-m_ShapesVideo_3frame_nopack_clean_exact_rating.json"


def test_the_real_mini_set_from_end_to_end(vidharness: Runner, mini: Path, tmp_path: Path) -> None:
    def judge(request: Request) -> str:
        return str(len(request.text) % 4)

    with OpenAIServer(reply="a pancake") as model, OpenAIServer(reply=judge, model="judge-2026") as judging:
        words = (
            "run", "--data", "MMBench_Video_4frame_nopack", "--data_root", mini,
            "--model", "openai:m", "--base_url", model.url,
            "--judge", "gpt-4o", "--judge_base_url", judging.url,
            "--noise_name", "frame_drop", "--ratio", "0.5",
        )  # fmt: skip
        code, out, _ = vidharness(*words)
        assert code == 0
        assert "asked 30, judged 30 (30 ok)" in out
        assert all(len(request.images) == 4 for request in model.requests)
        assert all(sum(not image.any() for image in request.images) == 2 for request in model.requests)
        (rating,) = ratings(tmp_path / "outputs")
        assert len(rating["fine_all"]) == 26
        assert "nan" not in {value for block in list(rating.values())[:4] for value in block.values()}
        assert rating["meta"]["judge_models"] == ["judge-2026"]

        code, out, err = vidharness(*words)
        assert code == 0
        assert "asked 0, judged 0 (30 ok)" in out
        assert "all 30 samples are answered already" in err
        assert (len(model.requests), len(judging.requests)) == (30, 30)


def test_packs_ask_once_a_video(vidharness: Runner, mini: Path) -> None:
    def reply(request: Request) -> str:
        return json.dumps({str(i): "something" for i in range(29)})

    with OpenAIServer(reply=reply) as server:
        code, out, err = vidharness(
            "run", "--data", "MMBench_Video_4frame_pack", "--data_root", mini, "--judge", "exact",
            "--model", "openai:m", "--base_url", server.url,
        )  # fmt: skip
        assert len(server.requests) == 4
    assert code == 1
    assert "29 ok, 1 unparsed" in out
    assert "1 unparsed; run the same command again" in err


def test_bad_videos_cost_their_own_questions(vidharness: Runner, mini: Path, shared_data: Path) -> None:
    (mini / "video" / "nasa_mirror.mp4").write_bytes(b"")
    (mini / "video" / "test_card_av1.mp4").unlink()
    shutil.copyfile(shared_data / "odd_videos" / "corrupted.mp4", mini / "video" / "frame_titles_hevc.mp4")
    with OpenAIServer(reply="yes") as server:
        words = (
            "run", "--data", "MMBench_Video_8frame_nopack", "--data_root", mini, "--judge", "exact",
            "--model", "openai:m", "--base_url", server.url,
        )  # fmt: skip
        code, out, err = vidharness(*words)
        assert code == 1
        assert "17 decode_error, 13 ok" in out
        assert "17 decode_error" in err
        shutil.copyfile(
            shared_data / "mmbench_video_mini" / "video" / "nasa_mirror.mp4",
            mini / "video" / "nasa_mirror.mp4",
        )
        code, out, _ = vidharness(*words)
        assert code == 1
        assert "asked 17" in out
        assert "7 decode_error, 23 ok" in out
        assert len(server.requests) == 23


def test_a_data_set_none_of_whose_videos_decode_is_a_usage_error(vidharness: Runner, mini: Path) -> None:
    for video in (mini / "video").iterdir():
        video.write_text("nothing")
    with OpenAIServer() as server:
        code, _, err = vidharness(
            "run", "--data", "MMBench_Video_8frame_nopack", "--data_root", mini, "--judge", "exact",
            "--model", "openai:m", "--base_url", server.url,
        )  # fmt: skip
        assert code == 2
        assert "--data_root" in err
        assert server.requests == []


def test_a_video_of_one_frame_is_answered(vidharness: Runner, mini: Path, tmp_path: Path) -> None:
    shutil.copyfile(write_video(tmp_path / "one.mp4", frames=1), mini / "video" / "pancake.mp4")
    with OpenAIServer(reply="yes") as server:
        code, _, _ = vidharness(
            "run", "--data", "MMBench_Video_8frame_nopack", "--data_root", mini, "--judge", "exact",
            "--model", "openai:m", "--base_url", server.url, "--ids", "10,11",
        )  # fmt: skip
        assert code == 0
        assert [len(request.images) for request in server.requests] == [8, 8]


def test_a_judge_in_trouble_loses_nothing(vidharness: Runner, tmp_path: Path) -> None:
    """Garbage, then errors, then no server at all, then a good one: each answer is asked for once."""
    with OpenAIServer(reply="red") as model:

        def run(judge_url: str) -> tuple[int, str, str]:
            return vidharness(
                "run", *SHAPES, "--limit", "12", "--model", "openai:m", "--base_url", model.url,
                "--judge", "gpt-4o", "--judge_base_url", judge_url,
                "--judge_args", "retries=0", "concurrency=2",
            )  # fmt: skip

        with OpenAIServer(reply="It is hard to say; perhaps 2 or 3?") as judge:
            code, out, _ = run(judge.url)
            assert code == 1
            assert "12 unparsed" in out
        (rating,) = ratings(tmp_path / "outputs")
        assert rating["meta"]["counts"] == {"ok": 0, "unparsed": 12}
        assert rating["coarse_valid"]["Overall"] == "nan"
        with OpenAIServer(reply=status(500)) as judge:
            code, out, _ = run(judge.url)
            assert code == 1
            assert "12 judge_error" in out
        with OpenAIServer(reply=[*["3"] * 4, RESET]) as judge:
            code, _, _ = run(judge.url)
            assert code == 1
            scored = sum("3" in str(request.text) for request in judge.requests)
            assert scored
        with OpenAIServer(reply="2") as judge:
            code, _, _ = run(judge.url)
            assert code == 0
            assert 0 < len(judge.requests) <= 12
        assert len(model.requests) == 12


def test_keys_are_never_shown_or_written(
    vidharness: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-secret-abcdefghijklmnop"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with OpenAIServer(reply=lambda request: status(400, f"bad key {request.key}")) as server:
        code, out, err = vidharness(
            "run", *SHAPES, "--limit", "2", "--judge", "exact", "--model", "openai:m",
            "--base_url", server.url,
        )  # fmt: skip
        assert code == 1
        assert server.requests[0].key == key
    assert key not in out + err
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


def test_ctrl_c_keeps_what_is_answered_and_says_how_to_go_on(
    vidharness: Runner, tmp_path: Path, home: Path
) -> None:
    def slow(_: Request) -> str:
        time.sleep(0.05)
        return "red"

    with OpenAIServer(reply=slow) as server:
        words = (
            "run", *SHAPES, "--limit", "60", "--judge", "exact", "--model", "openai:m",
            "--base_url", server.url, "--model_args", "concurrency=2",
        )  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *words],
            cwd=tmp_path,
            env={**os.environ, "XDG_CACHE_HOME": str(home)},
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(server.requests) < 6:
            time.sleep(0.01)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "run the same command again" in err
        assert "Traceback" not in err
        assert len(server.requests) < 60
        code, out, _ = vidharness(*words)
        assert code == 0
        assert "60 ok" in out
        assert len(server.requests) == 60


def test_debug_shows_the_traceback(home: Path, tmp_path: Path) -> None:
    from harness import UsageError

    with pytest.raises(UsageError):
        main(["run", *SHAPES, "--model", "none", "--judge", "exact", "--debug"])


def test_an_unexpected_error_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.registry.Registry.discover", lambda: 1 / 0)
    assert main(["run", *SHAPES, "--model", "none", "--judge", "exact"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "ZeroDivisionError" in err
    assert "--debug" in err
