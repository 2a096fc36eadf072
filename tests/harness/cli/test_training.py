"""`train`: a trainer, a model and a data set brought together by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main

WORDS = ("train", "sft", "--model", "TinyQwen2.5-VL", "--data", "ShapesVideo_8frame_nopack")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("train", "sfd", *WORDS[2:]), "did you mean sft"),
        ((*WORDS[:3], "TinyQwen", *WORDS[4:]), "TinyQwen2.5-VL"),
        ((*WORDS, "--trainer_args", "stpes=2"), "did you mean steps"),
        ((*WORDS, "--decoder", "x"), "pyav or decord"),
    ],
)
def test_a_wrong_command_ends_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


def test_what_cannot_be_trained_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none-0123456789")
    words = ("train", "sft", "--model", "gpt-4o", "--data", "ShapesVideo_8frame_nopack")
    assert main([*words, "--data_root", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "cannot be trained: choose a local model" in capsys.readouterr().err


@pytest.mark.slow
def test_a_step_of_training_and_a_run_with_what_came_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, data = tmp_path / "out", tmp_path / "data"
    code = main(
        [*WORDS, "--model_args", "init=random", "save_dtype=float16", "--out", str(out),
         "--dataset_args", "split=train", "videos=2", "--data_root", str(data),
         "--trainer_args", "steps=2", "batch_size=4", "workers=0"]
    )  # fmt: skip
    assert code == 0
    assert f"trained model written to {out}" in capsys.readouterr().out
    code = main(
        ["run", "--data", WORDS[-1], "--data_root", str(data), "--model", f"qwen2.5-vl:{out}", "--limit", "2",
         "--model_args", "max_new_tokens=4", "--judge", "exact", "--work_dir", str(tmp_path / "outputs")]
    )  # fmt: skip
    assert code == 0
    assert "asked 2, judged 2 (2 ok)" in capsys.readouterr().out
