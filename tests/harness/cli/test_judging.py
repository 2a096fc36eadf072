"""`judge` as a user types it: the files of a run with that judge, and how far two judges agree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import write_video
from openai_server import OpenAIServer, Request

from harness.cli import main

Runner = Callable[..., tuple[int, str, str]]
DATA = ("--data", "ShapesVideo_3frame_nopack")


def answer(request: Request) -> str:
    """Right now and then."""
    return ("yes", "no", "yes, it is", "a red square")[len(request.text) % 4]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """The work folder of a run of 24 questions judged by ``exact``."""
    folder = tmp_path_factory.mktemp("run") / "outputs"
    with OpenAIServer(reply=answer) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        words = ["--model", "openai:m", "--base_url", server.url, "--limit", "24", "--judge", "exact"]
        assert main(["run", *DATA, *words, "--work_dir", str(folder)]) == 0
    return folder


@pytest.fixture
def run(vidharness: Runner, outputs: Path) -> Path:
    """The dated folder of a copy of that run in the current folder."""
    shutil.copytree(outputs, "outputs")
    return next(path.parent for path in Path("outputs").rglob("*_rating.json"))


def judged(vidharness: Runner, *words: object) -> dict[str, Any]:
    code, out, err = vidharness("judge", *words, "--json")
    assert code == 0, err
    (result,) = json.loads(out)
    return dict(result)


def content(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_files_are_those_of_a_run_with_that_judge(vidharness: Runner, run: Path) -> None:
    result = judged(vidharness, run, "--judge", "lexical")
    rating = Path(result["rating"])
    shutil.rmtree(run.parent.parent / "verdicts")
    with OpenAIServer(reply=answer) as server:
        model = ("--model", "openai:m", "--base_url", server.url, "--limit", 24, "--mode", "eval")
        code, out, _ = vidharness("run", *DATA, *model, "--judge", "lexical", "--json")
        assert server.requests == []
    assert code == 0
    other = Path(json.loads(out)[0]["rating"])
    assert rating.parent != other.parent
    assert rating.parent.parent == other.parent.resolve().parent
    assert content(rating) == content(other)
    assert list(content(rating)) == list(content(other))
    names = sorted(file.name for file in rating.parent.iterdir())
    assert names == sorted(file.name for file in other.parent.iterdir())
    for name in names:
        if name.endswith(".jsonl"):
            assert (rating.parent / name).read_text() == (other.parent / name).read_text()
    assert content(rating.parent / "run.json")["config"]["judge"] == "lexical"
    assert result["judged"] == json.loads(out)[0]["judged"] > 0


def test_verdicts_are_those_of_earlier_runs(vidharness: Runner, run: Path) -> None:
    assert judged(vidharness, run, "--judge", "exact")["judged"] == 0
    first, again = (judged(vidharness, run, "--judge", "lexical") for _ in range(2))
    assert first["judged"] > again["judged"] == 0
    assert first["coarse_all"] == again["coarse_all"]


def test_a_cache_and_a_run_without_a_rating_are_judged_alike(vidharness: Runner, run: Path) -> None:
    rating = content(Path(judged(vidharness, run, "--judge", "lexical")["rating"]))
    (cache,) = run.parent.glob("*.pkl")
    from_cache = content(Path(judged(vidharness, cache, "--judge", "lexical")["rating"]))
    for file in run.glob("*_rating.json"):
        file.unlink()
    (answers,) = run.glob("*_predictions.jsonl")
    from_file = content(Path(judged(vidharness, answers, "--judge", "lexical")["rating"]))
    for other in (from_cache, from_file):
        for name in ("data_fingerprint", "versions"):
            rating["meta"].pop(name, None)
            other["meta"].pop(name, None)
        assert other == rating


def test_agreement_is_shown(vidharness: Runner, run: Path) -> None:
    assert judged(vidharness, run, "--judge", "exact")["agreement"] == []
    result = judged(vidharness, run, "--judge", "lexical")
    (agreement,) = result["agreement"]
    assert agreement["with"] == "exact"
    assert agreement["scored_by_both"] == sum(map(sum, agreement["confusion"])) == 24
    assert -1 <= agreement["interval"][0] <= agreement["kappa"] <= agreement["interval"][1] <= 1
    code, out, _ = vidharness("judge", run, "--judge", "lexical")
    assert code == 0
    assert f"quadratic-weighted kappa {agreement['kappa']:.3f} (95%: " in out
    assert "exact 0" in out
    assert "lexical 3" in out
    back = judged(vidharness, run, "--judge", "exact", "--against", Path(result["rating"]).parent)
    assert back["agreement"][0]["kappa"] == pytest.approx(agreement["kappa"])
    assert back["agreement"][0]["with"] == "lexical"


def test_a_panel_asks_its_members_through_their_own_verdicts(vidharness: Runner, run: Path) -> None:
    result = judged(vidharness, run, "--judge", "panel", "--judge_args", "judges=exact,lexical", "metric=f1")
    lexical = judged(vidharness, run, "--judge", "lexical")
    assert result["judged"] > 0
    assert lexical["judged"] == 0
    assert result["judging"]["scored_by_all"] == 24
    meta = content(Path(result["rating"]))["meta"]
    assert list(meta["judging"]["kappa"]) == ["exact / lexical"]
    assert [member["name"] for member in meta["parts"]["judge"]["members"]] == ["exact", "lexical"]


def test_repeats_and_options_go_to_the_members(vidharness: Runner, run: Path) -> None:
    scores = iter("3010" * 100)
    with OpenAIServer(reply=lambda _: next(scores)) as server:
        words = ("--judge", "panel", "--judge_base_url", server.url, "--judge_args")
        result = judged(
            vidharness, run, *words, "judges=openai:j", "repeats=3", "temperature=1", "concurrency=1"
        )
        assert len(server.requests) == result["judged"]
        assert result["judged"] % 3 == 0
        assert {request.body["temperature"] for request in server.requests} == {1.0}
        assert judged(vidharness, run, *words, "judges=openai:j", "repeats=3", "temperature=1")["judged"] == 0
        meta = content(Path(result["rating"]))["meta"]
    assert meta["judge_models"] == ["j"]
    assert len(meta["judging"]["kappa"]) == 3


def test_a_failing_judge_is_incomplete_and_tried_again(vidharness: Runner, run: Path) -> None:
    with OpenAIServer(reply="what?") as server:
        words = ("judge", run, "--judge", "openai:j", "--judge_base_url", server.url)
        code, out, err = vidharness(*words)
    assert code == 1
    assert "unparsed" in out
    assert "incomplete" in err
    with OpenAIServer(reply="3") as server:
        assert vidharness(*words[:-1], server.url)[0] == 0
        assert len(server.requests) > 0


def test_calls_can_be_bounded(vidharness: Runner, run: Path) -> None:
    with OpenAIServer(reply="3") as server:
        words = ("judge", run, "--judge", "openai:j", "--judge_base_url", server.url)
        code, _, err = vidharness(*words, "--max_calls", 2)
        assert (code, len(server.requests)) == (1, 2)
        assert "--max_calls 2 is reached" in err
        assert vidharness(*words)[0] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere", "--judge", "exact"), "no answers at nowhere"),
        (("RUN", "--judge", "exakt"), "did you mean exact"),
        (("RUN", "RUN", "--judge", "exact"), "named twice"),
        (("RUN", "--judge", "panel", "--judge_args", "judges=exact"), "several judges"),
        (("RUN", "--judge", "panel", "--judge_args", "judges=exact,nope"), "unknown judge 'nope'"),
        (("RUN", "--judge", "panel", "--judge_args", "judges=exact,choice", "metric=f1"), "takes metric"),
        (("RUN", "--judge", "exact", "--judge_base_url", "http://x/v1"), "takes no --judge_base_url"),
        (("RUN", "--judge", "gpt-4o"), "OPENAI_API_KEY"),
        (("RUN", "--judge", "lexical", "--judge_args", "metric=rouge"), "rouge_l"),
        (("RUN", "--judge", "exact", "--against", "."), "holds no verdicts"),
        (("RUN",), "--judge"),
        (("LONE", "--judge", "exact"), "nothing beside"),
        (("BROKEN", "--judge", "exact"), "is no predictions file"),
        (("outputs/verdicts/exact.pkl", "--judge", "exact"), "holds no answers"),
    ],
)
def test_a_wrong_command_ends_in_one_sentence(
    vidharness: Runner, run: Path, words: tuple[str, ...], sentence: str
) -> None:
    (answers,) = run.glob("*_predictions.jsonl")
    lone = Path("lone") / answers.name
    lone.parent.mkdir()
    shutil.copy(answers, lone)
    broken = Path("x_predictions.jsonl")
    broken.write_text('{"id": 1}\n')
    named = {"RUN": run, "LONE": lone, "BROKEN": broken}
    code, out, err = vidharness("judge", *(named.get(word, word) for word in words))
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


CHOICES = "Dawn | Noon | Night"


def test_multiple_choice_is_rated_and_says_what_read_the_replies(vidharness: Runner, tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4")
    rows = ["\t".join((str(row), "v.mp4", f"When is it ({row})?", "Noon", CHOICES)) for row in range(4)]
    Path("own.tsv").write_text("\n".join(["id\tvideo\tquestion\tanswer\tchoices", *rows]) + "\n")
    replies = ("B", "The answer is C.", "It is noon.", "around midday")

    def reply(request: Request) -> str:
        return next(replies[row] for row in range(4) if f"({row})" in request.text)

    with OpenAIServer(reply=reply) as server:
        model = ("--data", "own.tsv", "--nframe", 2, "--model", "openai:m", "--base_url", server.url)
        code, _, err = vidharness("run", *model, "--judge", "choice")
    assert code == 1  # what the rules cannot tell is not scored
    assert "3 ok, 1 unparsed" in err
    (path,) = Path("outputs").rglob("*_rating.json")
    meta = content(path)["meta"]
    assert meta["judging"] == {
        "read_by_rules": 3, "read_by_model": 0, "read_by_nothing": 1, "model_share": 0.0
    }  # fmt: skip
    assert content(path)["coarse_all"]["Overall"] == "1.50"
    with OpenAIServer(reply="B") as server:
        words = (
            "--judge",
            "choice",
            "--judge_base_url",
            server.url,
            "--judge_args",
            "fallback=openai:reader",
        )
        result = judged(vidharness, path.parent, *words)
        assert len(server.requests) == 1
    assert result["judging"]["model_share"] == 0.25
    assert result["coarse_all"]["Overall"] == "2.25"
    assert content(Path(result["rating"]))["meta"]["judge_models"] == ["reader"]


def test_a_run_may_be_judged_by_a_panel(vidharness: Runner, tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4")
    Path("own.tsv").write_text("video\tquestion\tanswer\nv.mp4\tColour?\tdark red\n")
    with OpenAIServer(reply="red") as model, OpenAIServer(reply="2") as rubric:
        words = ("--data", "own.tsv", "--nframe", 2, "--model", "openai:m", "--base_url", model.url)
        jury = (
            "--judge",
            "panel",
            "--judge_base_url",
            rubric.url,
            "--judge_args",
            "judges=exact,openai:j,lexical",
        )
        code, out, err = vidharness("run", *words, *jury, "--max_calls", 2, "--json")
        assert code == 0, err
    (outcome,) = json.loads(out)
    assert outcome["judged"] == 3
    assert outcome["coarse_all"]["Overall"] == "2.00"
    meta = content(Path(outcome["rating"]))["meta"]
    assert meta["judging"]["scored_by_all"] == 1
    assert meta["judge_models"] == ["j"]
