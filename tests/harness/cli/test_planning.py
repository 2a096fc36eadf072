"""`plan` beside the runs it speaks of, against servers on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import write_video
from openai_server import OpenAIServer, Request, raw

Runner = Callable[..., tuple[int, str, str]]
NOISY = ("--noise_name", "gaussian", "--ratio", "0.5")
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six questions about three videos of 12 frames of 32 x 32."""
    for number, name in enumerate("abc"):
        write_video(tmp_path / f"{name}.mp4", seed=number)
    rows = [f"{name}.mp4\tWhat is it, {name}{count}?\tred" for name in "abc" for count in range(2)]
    path = tmp_path / "mine.tsv"
    path.write_text("\n".join(["video\tquestion\tanswer", *rows]) + "\n")
    return path


def metered(request: Request) -> Any:
    """An answer of its own to each question, for 1,000 tokens in and 20 out."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 20}
    digits = re.sub(
        r"\D",
        "",
        str(hash((request.body["model"], request.text, *(image.tobytes() for image in request.images)))),
    )
    return raw({"model": "m", "choices": [{"message": {"content": f"red {digits}"}}], "usage": usage})


def words(table: Path, url: str, judging: str | None = None) -> tuple[Any, ...]:
    judge = ("--judge", "openai:j", "--judge_base_url", judging) if judging else ("--judge", "exact")
    return ("--data", table, "--nframe", "2", "--model", "openai:m", "openai:n", "--base_url", url, *judge)


def planned(vidharness: Runner, *words: Any) -> dict[str, Any]:
    code, out, err = vidharness("plan", *words, "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def counts(cells: list[dict[str, Any]], *names: str) -> list[list[Any]]:
    return [[cell[name] for name in names] for cell in cells]


@pytest.mark.parametrize("noise", [(), NOISY], ids=["clean", "noisy"])
def test_a_run_asks_and_judges_what_was_planned(
    vidharness: Runner, table: Path, noise: tuple[str, ...]
) -> None:
    with OpenAIServer(metered) as model, OpenAIServer("3") as judge:
        setting = (*words(table, model.url, judge.url), *noise)
        assert vidharness("run", *setting, "--limit", "4", "--model", "openai:m")[0] == 0
        before = planned(vidharness, *setting)
        assert counts(before["cells"], "to_ask", "to_judge_at_most", "to_decode", "frames") == [
            [2, 2, 1, 2],
            [6, 6, 3, 6],
        ]
        assert [cell["bytes"] for cell in before["cells"]] == [2 * 32 * 32 * 3, 6 * 32 * 32 * 3]
        made = len(model.requests), len(judge.requests)
        code, out, _ = vidharness("run", *setting, "--json")
        assert code == 0
        assert counts(json.loads(out), "asked", "judged") == counts(
            before["cells"], "to_ask", "to_judge_at_most"
        )
        total = before["total"]
        assert len(model.requests) - made[0] == total["model_calls"] == 8
        assert len(judge.requests) - made[1] == total["to_judge_at_most"] == 8
        after = planned(vidharness, *setting)["total"]
    left = (
        "to_ask",
        "model_calls",
        "to_judge_at_most",
        "to_decode",
        "frames",
        "bytes",
        "input_tokens",
        "seconds",
    )
    assert [after[name] for name in left] == [0] * len(left)
    assert after["answered"] == after["samples"] == 12


def test_tokens_money_and_time_are_those_of_earlier_runs(
    vidharness: Runner, table: Path, tmp_path: Path
) -> None:
    (tmp_path / "prices.toml").write_text('["m"]\ninput = 2.5\noutput = 10\n')
    with OpenAIServer(metered) as model:
        setting = (*words(table, model.url), "--prices", "prices.toml")
        first, second = planned(vidharness, *setting)["cells"]
        assert first["servers"][0]["basis"].startswith("assumed: one token for 750 pixels")
        assert first["dollars"] > 0 and second["dollars"] is None  # n has no price
        assert first["seconds"] is None
        assert vidharness("run", *setting)[0] == 0
        found = planned(vidharness, *setting, *NOISY)
    first = found["cells"][0]
    assert first["servers"][0]["basis"] == "the mean of 6 stored ones"
    assert (first["input_tokens"], first["output_tokens"]) == (6000, 120)
    assert first["dollars"] == pytest.approx(6 * (1000 * 2.5 + 20 * 10) / 1e6)
    assert found["total"]["input_tokens"] == 12000 and found["total"]["dollars"] is None
    assert first["seconds"] > 0
    assert any("on 1 rank for 6 samples" in note for note in found["notes"])
    assert "no price of n is known: name a file that has it with --prices FILE" in found["notes"]


def test_the_table_ends_in_a_sentence(vidharness: Runner, table: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text('["m"]\ninput = 1\noutput = 1\n["n"]\ninput = 0\noutput = 0\n')
    setting = (*words(table, NOBODY), *NOISY, "--prices", "prices.toml")
    code, out, _ = vidharness("plan", *setting, "--speed", "0.001", "--max_calls", "11", "--max_cost", "1e-6")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["openai:m", "openai:n", "in", "all"]
    assert lines[2].split() == ["gaussian", "at", "0.5"] * 2
    figures = {line[:19].strip(): line[19:].split() for line in lines if line[:1].isalpha()}
    assert figures["to ask"] == ["6", "6", "12"]
    assert figures["decoded size"] == ["18.4", "kB", "18.4", "kB", "36.9", "kB"]
    assert figures["time"] == ["1.7", "h", "1.7", "h", "3.3", "h"]
    assert any("--max_calls 11 may end the run early: up to 12 calls" in line for line in lines)
    assert any("--max_cost 1e-06 may end the run early" in line for line in lines)
    assert re.fullmatch(
        r"In all: 12 of 12 samples to ask in 12 calls, 6 videos to decode \(12 frames, 36.9 kB\), "
        r"at most 12 answers to judge, about [\d,]+ tokens for about \$0.00, 3.3 h.",
        lines[-1],
    )


def test_pooling_decodes_the_second_before_each_frame(vidharness: Runner, table: Path) -> None:
    # Frames 4 and 8 of 12, ten a second: all from the first one to the later.
    cells = planned(vidharness, *words(table, NOBODY), "--pooling", "mean")["cells"]
    assert counts(cells, "frames", "bytes") == [[3 * 9, 3 * 9 * 32 * 32 * 3]] * 2


def test_what_the_figures_leave_out_is_said(vidharness: Runner, table: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    setting = words(table, NOBODY)
    notes = "\n".join(planned(vidharness, *setting)["notes"])
    assert "1 video cannot be opened" in notes
    assert "no finished run tells how fast openai:m is here: add --speed N" in notes
    code, out, _ = vidharness("plan", *setting, "--mode", "eval")
    assert code == 0
    assert "6 samples without an answer, which --mode eval needs" in out
    assert out.splitlines()[-1] == "In all: nothing to ask or judge, 0 of 12 samples answered."


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_a_speed_is_a_number_above_zero(vidharness: Runner, table: Path, speed: str) -> None:
    code, out, err = vidharness("plan", *words(table, NOBODY), "--speed", speed)
    assert (code, out) == (2, "") and "--speed" in err and err.count("\n") == 1


def test_what_check_refuses_plan_refuses(vidharness: Runner, table: Path) -> None:
    setting = words(table, NOBODY)
    for wrong in (("--judge", "exakt"), ("--ratio", "0.5"), ("--prices", "none.toml"), ("--ids", "77")):
        code, out, err = vidharness("plan", *setting, *wrong)
        assert (code, out, err) == vidharness("check", *setting, *wrong)
        assert code == 2


FRAMEWORKS = {"torch", "torchvision", "transformers", "datasets", "openai"}


@pytest.mark.parametrize(
    ("noise", "avoided"),
    [
        ((), {*FRAMEWORKS, "cv2", "numba", "scipy"}),
        (NOISY, FRAMEWORKS),
    ],  # a noise may need what it draws with
    ids=["clean", "noisy"],
)
def test_nothing_is_loaded(table: Path, tmp_path: Path, noise: tuple[str, ...], avoided: set[str]) -> None:
    setting = ("--data", str(table), "--model", "TinyQwen2.5-VL", "--judge", "openai:j")
    done = subprocess.run(
        [*(sys.executable, "-X", "importtime", "-m", "harness", "plan"), *setting,
         *("--judge_base_url", NOBODY), *noise],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "6 of 6 samples to ask" in done.stdout
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "harness" in imported
    assert not imported & avoided
