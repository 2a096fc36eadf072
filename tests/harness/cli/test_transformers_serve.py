"""Runs against a real server, ``transformers serve`` with the tiny model behind it.

The server gets the frames as images, where the model was trained on videos: what it says is mostly wrong,
but it must be what the model in this process says of the same images.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from harness_plugins.datasets.shapes import ShapesVideo
from harness_plugins.models.openai_chat import OpenAIChat
from harness_plugins.models.tiny_qwen import TinyQwen25VL
from serving import Server, put_tiny_qwen, serving

from harness import Clip, Prompt
from harness.pacing import START
from harness.video import decode

pytestmark = pytest.mark.slow

Runner = Callable[..., tuple[int, str, str]]
LEAST = {"as-shipped": 0, "one-word-at-least": 1}
"""The models served, and the fewest tokens of their answers: a server takes that from the model's folder,
and TinyQwen2.5-VL asks for one, since nothing could not be judged."""
NAME = "one-word-at-least"
LENGTH = 32
TOTAL = 24


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """One that loads what it is asked for, and one that serves ``NAME`` alone; both are starting."""
    folder = tmp_path_factory.mktemp("models")
    for name, least in LEAST.items():
        put_tiny_qwen(folder / name, min_new_tokens=least)
    with serving(folder) as any_model, serving(folder, NAME) as one_model:
        yield any_model, one_model


@pytest.fixture(scope="module")
def tiny(servers: object) -> TinyQwen25VL:
    """The model in this process, loaded while the servers start."""
    model = TinyQwen25VL(device="cpu", max_new_tokens=LENGTH)
    model.load()
    return model


@pytest.fixture(scope="module")
def server(servers: tuple[Server, Server], tiny: TinyQwen25VL) -> Server:
    servers[0].wait()
    return servers[0]


@pytest.fixture(scope="module")
def pinned(servers: tuple[Server, Server], tiny: TinyQwen25VL) -> Server:
    servers[1].wait()
    return servers[1]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little time between the calls to a server that fails."""
    monkeypatch.setattr("harness.retrying.FIRST_DELAY", 0.01)
    monkeypatch.setattr("harness.pacing.FIRST_PAUSE", 0.01)


def command(url: str, name: str = NAME, limit: int = TOTAL, judge: str = "exact") -> list[object]:
    return [
        "run", "--data", "ShapesVideo_8frame_nopack", "--model", f"openai:{name}", "--base_url", url,
        "--model_args", f"max_tokens={LENGTH}", "--limit", limit, "--judge", judge,
    ]  # fmt: skip


def records(folder: Path, kind: str = "predictions") -> list[dict[str, Any]]:
    """What the newest run has written."""
    path = max(folder.rglob(f"*_{kind}.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def prompts(home: Path, server: Server) -> list[Prompt]:
    """The questions of a run, each with its frames one by one."""
    dataset = ShapesVideo(data_root=home / "vidharness")
    clips: dict[str, Clip] = {}
    found = []
    for sample in dataset.samples()[:TOTAL]:
        clip = clips.setdefault(sample.video.key, decode(sample.video, dataset.sampling))
        found.append(Prompt((*clip.frames, dataset.prompt(sample, clip).text)))
    return found


@pytest.fixture(scope="module")
def wanted(tiny: TinyQwen25VL, prompts: list[Prompt]) -> dict[str, list[tuple[str, int]]]:
    """What each model served would say in this process, and the tokens of the prompts."""
    settings = tiny.module().generation_config
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, least in LEAST.items():
            patch.setattr(settings, "min_new_tokens", least)
            answers = tiny.generate(prompts)
            found[name] = [(answer.text, answer.meta["prompt_tokens"]) for answer in answers]
    return found


@pytest.mark.parametrize("name", LEAST)
def test_answers_are_those_of_the_model_in_this_process(
    vidharness: Runner, tmp_path: Path, server: Server, wanted: dict[str, list[tuple[str, int]]], name: str
) -> None:
    before = server.answered
    code, _, err = vidharness(*command(server.url, name))
    found = records(tmp_path)
    given = [(record["prediction"], record["meta"]["usage"]["prompt_tokens"]) for record in found]
    assert given == wanted[name]
    assert len({text for text, _ in given}) > 5
    assert {record["meta"]["model"] for record in found} == {f"{name}@main"}
    # Nothing is no answer, and says so.
    silent = [record for record in found if not record["prediction"]]
    assert {record["error"] for record in silent} <= {"empty answer"}
    assert (code, bool(silent)) == ((0, False) if LEAST[name] else (1, True))
    assert (f"{len(silent)} model_error" in err and 'most often "empty answer"' in err) or not silent
    assert server.answered - before == TOTAL

    # Whatever has an answer is not asked for again, at whatever address.
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    assert f"asked {len(silent)}, judged" in vidharness(*command(elsewhere, name))[1]
    assert server.answered - before == TOTAL + len(silent)


def test_many_calls_at_once_get_the_same_answers(
    server: Server, prompts: list[Prompt], wanted: dict[str, list[tuple[str, int]]]
) -> None:
    model = OpenAIChat(NAME, server.url, max_tokens=LENGTH)
    with ThreadPoolExecutor(len(prompts)) as pool:
        answers = list(pool.map(lambda prompt: next(iter(model.generate([prompt]))), prompts))
    assert [answer.text for answer in answers] == [text for text, _ in wanted[NAME]]
    assert model.server.gate.limit > START
    assert model.server.gate.pace.episodes == 0


def test_a_judge_that_rambles_gives_no_score_and_loses_no_answer(
    vidharness: Runner, tmp_path: Path, server: Server
) -> None:
    words = [*command(server.url, limit=6, judge=f"openai:{NAME}"), "--judge_base_url", server.url]
    code, out, err = vidharness(*words)
    assert code == 1 and "asked 6, judged 6 (6 unparsed)" in out and "6 unparsed" in err
    assert all(verdict["reply"] for verdict in records(tmp_path, "verdicts"))
    # The answers are kept for a better one.
    code, out, _ = vidharness(*command(server.url, limit=6))
    assert code == 0 and "asked 0, judged 6 (6 ok)" in out


def test_a_name_that_the_server_does_not_know_ends_the_run(
    vidharness: Runner, pinned: Server, server: Server, impatient: None
) -> None:
    code, out, err = vidharness(*command(pinned.url, "another"))
    assert code == 1 and not out
    assert f"Server is pinned to '{NAME}'; requested 'another'" in err and "correct the name" in err
    # One that would load it, and fails, says less.
    code, _, err = vidharness(*command(server.url, "another"))
    assert code == 1 and "HTTP 500: Internal Server Error" in err and "'another'" in err


def test_a_server_that_dies_costs_what_it_had_under_way(
    vidharness: Runner, tmp_path: Path, pinned: Server, server: Server, impatient: None
) -> None:
    before = pinned.answered

    def kill() -> None:
        while pinned.answered < before + 4 and pinned.process.poll() is None:
            time.sleep(0.01)
        pinned.process.kill()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    code, _, err = vidharness(*command(pinned.url, limit=45))
    killer.join()
    assert code == 1 and "calls in a row" in err and "type the same command again" in err

    answered, before = pinned.answered, server.answered
    code, out, err = vidharness(*command(server.url, limit=45))
    assert code == 0 and "45 ok" in out
    kept = 45 - (server.answered - before)
    # The last reply may have been on its way.
    assert answered - START <= kept <= answered
