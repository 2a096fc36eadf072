"""Runs against servers that fail, refuse and cost money: nothing is lost, and nothing asked for twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai_server import CUT, HALF, RESET, OpenAIServer, Request, raw, status
from rate_limit import RateLimit

Runner = Callable[..., tuple[int, str, str]]
SHAPES = ("run", "--data", "ShapesVideo_8frame_nopack", "--model", "openai:m", "--base_url")
ONE_FRAME = ("--nframe", "1")
FAULTS: tuple[Any, ...] = (
    status(429, headers={"Retry-After": "0"}),
    status(429),
    status(500),
    status(502, "<html>bad gateway"),
    RESET,
    HALF,
    CUT,
    raw("<html>log in", "text/html"),
    raw("{'a': 1"),
    raw({"choices": []}),
    raw({"choices": [{}]}),
)


def key_of(request: Request) -> Any:
    """What a call asks, however often."""
    return json.dumps(request.body["messages"], sort_keys=True)


class Faulty:
    """Each question first meets one of the faults, in turn, and is answered when it is asked again."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.seen: Counter[Any] = Counter()
        self.answered: Counter[Any] = Counter()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Any:
        key = key_of(request)
        with self._lock:
            self.seen[key] += 1
            if self.seen[key] == 1:
                return FAULTS[len(self.seen) % len(FAULTS)]
            self.answered[key] += 1
        return self.answer


@pytest.mark.slow
def test_any_fault_costs_a_retry_and_nothing_else(
    vidharness: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.retrying.FIRST_DELAY", 0.01)
    monkeypatch.setattr("harness.pacing.FIRST_PAUSE", 0.01)
    model, judge = Faulty("red"), Faulty("3")
    with OpenAIServer(model) as asked, OpenAIServer(judge) as judging:
        words = (
            *SHAPES, asked.url, *ONE_FRAME, "--limit", "24", "--judge", "gpt-4o",
            "--judge_base_url", judging.url,
        )  # fmt: skip
        code, out, _ = vidharness(*words)
        assert code == 0
        assert "24 ok" in out
        assert set(model.answered.values()) == {1} and len(model.answered) == 24
        assert set(judge.answered.values()) == {1}
        calls = len(asked.requests), len(judging.requests)
        assert vidharness(*words)[0] == 0
        assert (len(asked.requests), len(judging.requests)) == calls


@pytest.mark.parametrize("role", ["model", "judge"])
def test_a_key_that_expires_in_the_middle_keeps_what_is_answered(
    vidharness: Runner, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    expired = [*["3"] * 7, status(401, "Incorrect API key provided: sk-test-0123456789")]
    unique = lambda request: f"3 {key_of(request)}"  # noqa: E731
    replies: dict[str, Any] = {"model": unique, "judge": "3", role: expired}
    if role == "model":
        replies["model"] = [unique] * 7 + expired[7:]
    with OpenAIServer(replies["model"]) as model, OpenAIServer(replies["judge"]) as judge:
        words = (
            *SHAPES, model.url, *ONE_FRAME, "--limit", "20", "--judge", "gpt-4o",
            "--judge_base_url", judge.url,
        )  # fmt: skip
        code, _, err = vidharness(*words)
        assert code == 1
        assert err.count("HTTP 401") == 1 and "export OPENAI_API_KEY=" in err and "0123456789" not in err
        server = model if role == "model" else judge
        server.reply = unique if role == "model" else "3"
        before = len(server.requests)
        code, out, _ = vidharness(*words)
        assert code == 0 and "20 ok" in out
        # Exactly the seven that were answered are not asked for again.
        assert len(server.requests) - before == 20 - 7


def test_max_calls_ends_a_run_between_calls_and_counts_the_judges(vidharness: Runner) -> None:
    unique = lambda request: f"red {key_of(request)}"  # noqa: E731
    with OpenAIServer(unique) as model, OpenAIServer("3") as judge:
        words = (
            *SHAPES, model.url, *ONE_FRAME, "--limit", "10", "--judge", "gpt-4o",
            "--judge_base_url", judge.url,
        )  # fmt: skip
        code, _, err = vidharness(*words, "--max_calls", "6")
        assert code == 1
        assert "--max_calls 6 is reached: 6 of 10 samples" in err and "run the same command again" in err
        assert len(model.requests) == 6
        code, _, err = vidharness(*words, "--max_calls", "7")
        assert code == 1
        assert "--max_calls 7 is reached: 3 of 10 answers are judged" in err
        assert (len(model.requests), len(judge.requests)) == (10, 3)
        code, out, _ = vidharness(*words, "--max-calls", "7")
        assert code == 0 and "asked 0, judged 7 (10 ok)" in out
        assert (len(model.requests), len(judge.requests)) == (10, 10)


def test_max_calls_counts_retries(vidharness: Runner) -> None:
    with OpenAIServer(status(500, headers={"retry-after-ms": "1"})) as server:
        code, _, err = vidharness(*SHAPES, server.url, "--judge", "exact", "--max_calls", "5")
        assert code == 1 and "--max_calls 5 is reached: 0 of 360" in err
        assert len(server.requests) == 5


def test_max_cost_ends_a_run_before_it_costs_more(vidharness: Runner, tmp_path: Path) -> None:
    # Every call has 1,000 tokens in and none out: a tenth of a cent.
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    body = {"model": "m", "choices": [{"message": {"content": "red"}}], "usage": usage}
    (tmp_path / "prices.toml").write_text('["m"]\ninput = 1.0\noutput = 5.0\n')
    with OpenAIServer(raw(body)) as server:
        words = (
            *SHAPES,
            server.url,
            *ONE_FRAME,
            "--limit",
            "30",
            "--judge",
            "exact",
            "--prices",
            "prices.toml",
        )
        code, _, err = vidharness(*words, "--max_cost", "0.02")
        assert code == 1
        assert "--max_cost 0.02 allows no further call" in err and "run the same command again" in err
        first = len(server.requests)
        assert 10 <= first <= 20
        code, out, _ = vidharness(*words, "--max_cost", "0.1")
        assert "30 ok" in out
        assert len(server.requests) == 30
    records = [json.loads(line) for line in next(tmp_path.rglob("*_predictions.jsonl")).open()]
    assert all(record["meta"]["usage"] == usage for record in records)


def test_tokens_and_dollars_are_recorded_and_told(vidharness: Runner, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text('["m"]\ninput = 1.0\noutput = 5.0\n')
    unique = lambda request: f"red {key_of(request)}"  # noqa: E731
    with OpenAIServer(unique) as model, OpenAIServer("3") as judge:
        words = (
            *SHAPES, model.url, *ONE_FRAME, "--limit", "4", "--judge", "gpt-4o",
            "--judge_base_url", judge.url, "--prices", "prices.toml",
        )  # fmt: skip
        _, first, _ = vidharness(*words)
        _, again, _ = vidharness(*words)
    told = re.search(r"this run: m: 4 calls, ([\d,]+) tokens in, ([\d,]+) out, \$([\d.]+)", first)
    assert told is not None and "this run: gpt-4o: 4 calls" in first and "no price known" in first
    assert "this run:" not in again
    spent, said = (int(number.replace(",", "")) for number in told.groups()[:2])
    assert float(told[3]) == pytest.approx((spent + 5 * said) / 1e6, abs=1e-4)
    runs = [json.loads(file.read_text()) for file in sorted(tmp_path.rglob("run.json"))]
    assert [sorted(run["spent"]) for run in runs] == [["gpt-4o", "m"], []]
    assert runs[0]["spent"]["m"]["dollars"] == pytest.approx((spent + 5 * said) / 1e6)
    ratings = [json.loads(file.read_text())["meta"]["usage"] for file in tmp_path.rglob("*_rating.json")]
    assert ratings[0] == ratings[1] and ratings[0]["verdicts"]["calls"] == 4
    assert ratings[0]["answers"] == {"calls": 4, "prompt_tokens": spent, "completion_tokens": said}


@pytest.mark.parametrize("verb", ["run", "check"])
def test_max_cost_needs_prices(vidharness: Runner, tmp_path: Path, verb: str) -> None:
    words = (verb, *SHAPES[1:], "http://127.0.0.1:9/v1", "--judge", "gpt-4o", "--judge_base_url",
             "http://127.0.0.1:9/v1", "--max_cost", "5")  # fmt: skip
    code, _, err = vidharness(*words)
    assert code == 2 and 'write ["m"], input = ' in err and "--prices FILE" in err
    (tmp_path / "prices.toml").write_text('["m"]\ninput = 1\noutput = 1\n')
    code, _, err = vidharness(*words, "--prices", "prices.toml")
    assert code == 2 and "the price of gpt-4o" in err


NAMES = [("gemini:m", "GEMINI_API_KEY"), ("azure:m", "AZURE_OPENAI_ENDPOINT"), ("vllm:m", "")]


@pytest.mark.parametrize("role", ["model", "judge"])
@pytest.mark.parametrize(("name", "lacking"), NAMES)
def test_short_names_are_checked_offline(
    vidharness: Runner, monkeypatch: pytest.MonkeyPatch, role: str, name: str, lacking: str
) -> None:
    for variable in ("GEMINI_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)
    model, judge = (name, "exact") if role == "model" else ("vllm:m", name)
    code, _, err = vidharness("check", *SHAPES[1:3], "--model", model, "--judge", judge, "--limit", "1")
    assert code == (2 if lacking else 0)
    flag = "--base_url" if role == "model" else "--judge_base_url"
    assert not lacking or (lacking in err and flag in err and err.count("\n") == 1)


def test_a_name_runs_through_with_another_one_as_judge(
    vidharness: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "gemini-secret")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-secret")
    with (
        OpenAIServer("red", dialect="vllm", key="none") as model,
        OpenAIServer("3", dialect="azure-deployment", key="azure-secret") as judge,
    ):
        code, out, err = vidharness(
            "run", *SHAPES[1:3], "--limit", "4", "--model", "vllm:m", "--base_url", model.url,
            "--model_args", "frames=video", 'extra_body={"seed": 1}', "--judge", "azure:my-gpt-4o",
            "--judge_base_url", f"{judge.url}/chat/completions?api-version=2024-10-21",
        )  # fmt: skip
    assert code == 0 and "4 ok" in out, err
    assert {request.videos[0].shape[0] for request in model.requests} == {8}
    assert all(request.body["seed"] == 1 for request in model.requests)
    assert "secret" not in out + err


@pytest.mark.parametrize("words", [("--max_calls", "0"), ("--max_cost", "0"), ("--max_cost", "-1")])
def test_a_budget_of_nothing_is_a_usage_error(vidharness: Runner, words: tuple[str, ...]) -> None:
    code, _, err = vidharness(*SHAPES, "http://127.0.0.1:9/v1", "--judge", "exact", *words)
    assert code == 2 and words[0] in err


@contextmanager
def started(words: tuple[object, ...], folder: Path, home: Path) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, which does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *map(str, words)],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(("role", "sign"), [("model", signal.SIGTERM), ("judge", signal.SIGINT)])
def test_a_retry_that_waits_does_not_hold_up_an_interruption(
    vidharness: Runner, tmp_path: Path, home: Path, role: str, sign: signal.Signals
) -> None:
    refusing = [*["3"] * 3, status(429, headers={"Retry-After": "590"})]
    unique = lambda request: f"3 {key_of(request)}"  # noqa: E731
    replies: dict[str, Any] = {"model": unique, "judge": "3"}
    replies[role] = [unique] * 3 + refusing[3:] if role == "model" else refusing
    with OpenAIServer(replies["model"]) as model, OpenAIServer(replies["judge"]) as judge:
        server = model if role == "model" else judge
        words = (
            *SHAPES, model.url, *ONE_FRAME, "--limit", "9", "--judge", "gpt-4o",
            "--judge_base_url", judge.url,
        )  # fmt: skip
        with started(words, tmp_path, home) as process:
            while len(server.requests) < 4:
                time.sleep(0.01)
                assert process.poll() is None
            time.sleep(0.5)
            process.send_signal(sign)
            _, err = process.communicate(timeout=120)  # far below the pause asked for
        assert process.returncode == 1
        assert "3 of 9" in err and "run the same command again" in err and "Traceback" not in err
        server.reply = unique if role == "model" else "3"
        before = len(server.requests)
        code, out, _ = vidharness(*words)
        assert code == 0 and "9 ok" in out
        assert len(server.requests) - before == 6


@pytest.mark.slow
def test_a_rate_limit_bans_nobody_and_costs_no_answer(vidharness: Runner) -> None:
    limit = RateLimit(20, 5, latency=0.05, tells="milliseconds", reply=lambda _: "red", notice=5.0)
    with OpenAIServer(limit) as server:
        code, out, _ = vidharness(*SHAPES, server.url, *ONE_FRAME, "--limit", "60", "--judge", "exact")
    assert code == 0 and "60 ok" in out
    assert len(limit.accepted) == 60 and not limit.banned
    assert limit.refused < 30
