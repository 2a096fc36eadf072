"""Whatever a model gives back costs at most the samples it was asked about, and is named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import Judge, Model, Questions, built, write_video

from harness import Answer, Prompt, Status
from harness.cell import Cell
from harness.config import RunConfig
from harness.execute import Run
from harness.finish import Outcome
from harness.prepare import Prepared
from harness.replies import LONGEST, sound
from harness.work import Alone

Say = Callable[[Prompt], Any]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {key: write_video(folder / f"{key}.mp4", frames=6, seed=i) for i, key in enumerate("abc")}


class Odd(Model):
    """Says whatever ``says`` gives for a question, and something sensible otherwise."""

    def __init__(self, says: dict[str, Say], concurrency: int = 1) -> None:
        super().__init__()
        self.says = says
        self.concurrency = concurrency

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Any]:
        for prompt, answer in zip(prompts, super().generate(prompts), strict=True):
            say = self.says.get(prompt.text)
            yield say(prompt) if say else answer


def run(videos: dict[str, Path], folder: Path, model: Model, count: int = 2) -> Outcome:
    """All questions, ``count`` about each video, asked, judged and rated."""
    cell = Cell(built("echo", model), built("questions", Questions(videos, count)))
    samples = {"questions": tuple(cell.dataset.plugin.samples())}
    config = RunConfig(data=("questions",), model=("echo",), judge="fake", work_dir=folder)
    prepared = Prepared((cell,), samples, built("fake", Judge()))
    (outcome,) = Run(config, prepared, Alone(), lambda _: None).cells()
    return outcome


def lines(outcome: Outcome) -> dict[str, dict[str, Any]]:
    (path,) = outcome.folder.glob("*_predictions.jsonl")
    with path.open() as file:
        return {line["question"]: line for line in map(json.loads, file)}


def fail(_: Prompt) -> Answer:
    raise RuntimeError("out of luck")


NO_ANSWERS: dict[str, Any] = {
    "RuntimeError: out of luck": fail,
    "an object of type str, not an Answer": "red",
    "an object of type list, not an Answer": ["red"],
    "the answer is empty": Answer(" \n\t"),
    "an answer whose text is of type NoneType": Answer(None),  # type: ignore[arg-type]
    "an answer whose text is of type list": Answer(["red"]),  # type: ignore[arg-type]
    "an answer whose text is of type bytes": Answer(b"red"),  # type: ignore[arg-type]
    "an answer of 10,485,760 characters, more than 1,000,000": Answer("x" * 10_485_760),
    "an answer with status 'fine' and error ''": Answer("red", "fine"),  # type: ignore[arg-type]
    "an answer whose meta cannot be stored: a value of type object": Answer("red", meta={"x": object()}),
    "an answer whose meta cannot be stored: x is int beyond 64 bits": Answer("red", meta={"x": 2**70}),
    "an answer whose meta cannot be stored: a record must be a dict": Answer("", meta=None),  # type: ignore[arg-type]
}


def say(what: Any) -> Say:
    return what if callable(what) else lambda _: what


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_answer_that_is_none_costs_itself_alone(
    videos: dict[str, Path], tmp_path: Path, concurrency: int
) -> None:
    odd = {f"b?{i}": say(what) for i, what in enumerate(NO_ANSWERS.values())}
    outcome = run(videos, tmp_path, Odd(odd, concurrency), len(NO_ANSWERS))
    assert outcome.statuses == {"model_error": len(odd), "ok": 2 * len(odd)}
    errors = {question: line["error"] for question, line in lines(outcome).items() if line["error"]}
    assert errors.keys() == odd.keys()
    for question, expected in zip(odd, NO_ANSWERS, strict=True):
        assert expected in errors[question]
    again = Odd({})
    assert run(videos, tmp_path, again, len(NO_ANSWERS)).complete
    assert sorted(question for call in again.calls for question in call) == sorted(odd)


def test_odd_texts_are_stored_and_come_back(videos: dict[str, Path], tmp_path: Path) -> None:
    texts = ["a\0b", "\ud800 red", "\udcff", "é" * LONGEST, "\x1b[31m\r\n\u2028red"]
    odd = {f"a?{i}": say(Answer(text)) for i, text in enumerate(texts)}
    outcome = run(videos, tmp_path, Odd(odd), len(texts))
    assert outcome.complete
    stored = [lines(outcome)[question]["prediction"] for question in odd]
    assert stored == [re.sub("[\ud800-\udfff]", "\ufffd", text) for text in texts]
    assert run(videos, tmp_path, Odd({}), len(texts)).asked == 0


def test_too_few_and_too_many_answers(videos: dict[str, Path], tmp_path: Path) -> None:
    class Few(Model):
        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            return list(super().generate(prompts))[:-1]

    class Many(Model):
        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            return [*super().generate(prompts), Answer("what nobody asked")]

    few = run(videos, tmp_path / "few", Few())
    assert few.statuses["model_error"] >= 1  # each call comes back one short, the last ones empty
    assert {line["error"] for line in lines(few).values()} == {"", "no answer was given"}
    many = run(videos, tmp_path / "many", Many())
    assert many.complete
    assert "nobody" not in str(lines(many))


def test_a_sound_answer_stays_as_it_is() -> None:
    answer = Answer("red", Status.REFUSED, "because", {"usage": {"tokens": 3}})
    assert sound(answer) == answer
