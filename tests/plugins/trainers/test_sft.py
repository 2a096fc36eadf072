"""Supervised fine-tuning on a small model and a handful of ShapesVideo's training films."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from harness_plugins.datasets.shapes import ShapesVideo
from harness_plugins.models.qwen2_5_vl import Qwen25VL
from harness_plugins.trainers.sft import SFT
from small_qwen import build_small

from harness import Answer, Clip, Prompt, Sample, Sampling, UsageError
from harness.cli import training
from harness.interfaces import Trainer
from harness.testing import check_options

OPTIONS: dict[str, Any] = {"steps": 12, "lr": 1e-2, "batch_size": 8, "save_every": 4, "log_every": 1}


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("untrained"))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> ShapesVideo:
    return ShapesVideo(Sampling(nframe=2), split="train", videos=3, data_root=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def clips(films: ShapesVideo) -> Callable[[Sample], Clip]:
    return partial(training._clip, films.sampling, "pyav")


def fresh(untrained: Path) -> Qwen25VL:
    return Qwen25VL(str(untrained), init="random", device="cpu", max_new_tokens=4)


Trained = tuple[Path, Qwen25VL]


@pytest.fixture(scope="module")
def trained(
    untrained: Path,
    films: ShapesVideo,
    clips: Callable[[Sample], Clip],
    tmp_path_factory: pytest.TempPathFactory,
) -> Trained:
    """One uninterrupted training, its batches made by other processes."""
    model = fresh(untrained)
    out = SFT(**OPTIONS, workers=2).train(model, films, clips, tmp_path_factory.mktemp("out") / "new")
    return out, model


def losses(out: Path) -> list[tuple[int, float]]:
    return [(step, loss) for step, loss in json.loads((out / "training.json").read_text())["losses"]]


def test_the_options_are_sound() -> None:
    check_options(SFT)
    assert isinstance(SFT(), Trainer)


def test_the_loss_falls(trained: Trained) -> None:
    found = losses(trained[0])
    assert [step for step, _ in found] == list(range(1, 13))
    first, last = (sum(loss for _, loss in part) / 3 for part in (found[:3], found[-3:]))
    assert last < 0.75 * first


def test_the_folder_loads_and_answers_as_the_model_in_memory(
    trained: Trained, films: ShapesVideo, clips: Callable[[Sample], Clip]
) -> None:
    out, model = trained
    prompts = [films.prompt(sample, clips(sample)) for sample in films.samples()[:6]]
    again = Qwen25VL(str(out), device="cpu", max_new_tokens=4)
    again.check()
    said = list(again.generate(prompts))
    assert said == list(model.generate(prompts))
    assert said != list(fresh(Path(model.source.path)).generate(prompts))  # type: ignore[union-attr]
    assert not list(out.glob("checkpoint-*"))
    assert json.loads((out / "config.json").read_text())["text_config"]["use_cache"] is True


class Interrupted:
    """The model, until Ctrl-C in the middle of its training."""

    def __init__(self, model: Qwen25VL, batches: int) -> None:
        self.model, self.left = model, batches

    def identity(self) -> Mapping[str, Any]:
        return self.model.identity()

    def module(self) -> Any:
        return self.model.module()

    def generate(self, prompts: Sequence[Prompt]) -> Any:
        return self.model.generate(prompts)

    def save(self, folder: Path) -> None:
        raise AssertionError("an interrupted training saves no model")

    def encode(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Mapping[str, Any]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.model.encode(prompts, answers)


@pytest.mark.slow
def test_an_interrupted_training_goes_on_and_ends_where_it_would_have(
    trained: Trained,
    untrained: Path,
    films: ShapesVideo,
    clips: Callable[[Sample], Clip],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    trainer = SFT(**OPTIONS, workers=0)
    broken = type("Qwen25VL", (Interrupted,), {})(fresh(untrained), 7)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(broken, films, clips, out)
    assert [path.name for path in out.glob("checkpoint-*")] == ["checkpoint-4"]
    # Remains of a checkpoint that was being written when the power went.
    (out / "checkpoint-8").mkdir()
    capsys.readouterr()
    assert trainer.train(fresh(untrained), films, clips, out) == out
    assert "going on after step 4" in capsys.readouterr().err
    assert losses(out) == losses(trained[0])
    assert weights(out) == weights(trained[0])


def weights(out: Path) -> dict[str, bytes]:
    from safetensors.torch import load_file

    return {name: tensor.numpy().tobytes() for name, tensor in load_file(out / "model.safetensors").items()}


def test_the_same_command_after_the_end_does_nothing(
    trained: Trained, untrained: Path, films: ShapesVideo, clips: Callable[[Sample], Clip]
) -> None:
    out, _ = trained
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert SFT(**OPTIONS).train(fresh(untrained), films, clips, out) == out
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before


@pytest.mark.parametrize("change", [{"lr": 1e-3}, {"seed": 1}, {"steps": 13}, {"batch_size": 4}])
def test_another_training_may_not_go_on_there(
    trained: Trained,
    untrained: Path,
    films: ShapesVideo,
    clips: Callable[[Sample], Clip],
    change: dict[str, Any],
) -> None:
    [name] = change
    with pytest.raises(UsageError, match=rf"another training \({name} was"):
        SFT(**{**OPTIONS, **change}).train(fresh(untrained), films, clips, trained[0])


def test_other_questions_are_another_training(
    trained: Trained, untrained: Path, clips: Callable[[Sample], Clip], films: ShapesVideo
) -> None:
    fewer = ShapesVideo(Sampling(nframe=2), split="train", videos=2, data_root=films.data_root)
    with pytest.raises(UsageError, match="dataset was"):
        SFT(**OPTIONS).train(fresh(untrained), fewer, clips, trained[0])


class Endpoint:
    """A model nobody can train."""

    def generate(self, prompts: Sequence[Prompt]) -> list[Answer]:
        return [Answer("") for _ in prompts]


def test_a_model_that_cannot_be_trained_is_refused(
    films: ShapesVideo, clips: Callable[[Sample], Clip], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="Endpoint cannot be trained"):
        SFT().train(Endpoint(), films, clips, tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "option",
    [{"lr": 0.0}, {"batch_size": 0}, {"steps": -1}, {"epochs": 0.0}, {"accumulate": 0}, {"save_every": 0}],
)
def test_options_out_of_range_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(option))):
        SFT(**option)


def test_epochs_count_the_data_and_progress_is_said(
    untrained: Path,
    films: ShapesVideo,
    clips: Callable[[Sample], Clip],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # 72 lessons in batches of 24, the whole of them twice.
    SFT(epochs=2, batch_size=24, log_every=2, workers=0).train(fresh(untrained), films, clips, tmp_path)
    assert [step for step, _ in losses(tmp_path)] == [2, 4, 6]
    captured = capsys.readouterr()
    assert re.search(r"^step 2 of 6: loss \d+\.\d{4}, .* s left$", captured.err, re.M)
    assert captured.out == ""


def test_fewer_lessons_than_a_batch_are_a_batch(
    untrained: Path, films: ShapesVideo, clips: Callable[[Sample], Clip], tmp_path: Path
) -> None:
    SFT(steps=1, batch_size=100, log_every=1, workers=0).train(fresh(untrained), films, clips, tmp_path)
    assert len(losses(tmp_path)) == 1
