"""Settings: defaults, file, flags; and what is wrong whatever the plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import UsageError
from harness.config import RunConfig

GOOD = {"data": ("D",), "model": ("M",), "judge": "exact"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"data": ()}, "--data"),
        ({"model": ()}, "--model"),
        ({"judge": None}, "--judge"),
        ({"noise_name": "gaussian"}, "needs --ratio"),
        ({"ratio": 0.5}, "needs --noise_name"),
        ({"noise_name": "gaussian", "ratio": 1.5}, "between 0 and 1"),
        ({"noise_name": "gaussian", "ratio": -0.1}, "between 0 and 1"),
        ({"noise_name": "gaussian", "ratio": float("nan")}, "between 0 and 1"),
        ({"noise_args": {"severity": "3"}}, "--noise_args"),
        ({"limit": 0}, "--limit"),
        ({"batch_size": 0}, "--batch_size"),
        ({"prefetch_bytes": 0}, "--prefetch_bytes"),
        ({"long_side": -1}, "--long_side"),
    ],
)
def test_contradictions_are_usage_errors(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        RunConfig(**{**GOOD, **values})  # type: ignore[arg-type]


def test_no_judge_is_needed_to_infer() -> None:
    assert RunConfig(data=("D",), model=("M",), mode="infer").judge is None


def test_a_file_overrides_defaults_and_flags_override_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(
        'data = "D"\nmodel = ["M", "N"]\njudge = "exact"\nseed = 7\nnoise-name = "gaussian"\nratio = 1\n'
        '[model_args]\ndtype = "float32"\n'
    )
    config = RunConfig.resolve({"seed": 8, "judge": None}, file)
    assert config.data == ("D",)
    assert config.model == ("M", "N")
    assert (config.seed, config.ratio, config.judge) == (8, 1.0, "exact")
    assert config.model_args == {"dtype": "float32"}
    assert config.work_dir == Path("outputs")


@pytest.mark.parametrize(("text", "value"), [("16", 16), ('"auto"', "auto"), ('"16"', 16)])
def test_a_batch_size_is_a_number_or_auto(tmp_path: Path, text: str, value: object) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f'data = "D"\nmodel = "M"\njudge = "exact"\nbatch_size = {text}\n')
    assert RunConfig.resolve({}, file).batch_size == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('batch_size = "large"', "batch_size"),
        ("sede = 1", "seed"),
        ('seed = "x"', "seed"),
        ("seed = [", "TOML"),
        ('mode = "everything"', "mode"),
    ],
)
def test_a_wrong_file_is_a_usage_error(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=sentence):
        RunConfig.resolve(GOOD, file)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        RunConfig.resolve(GOOD, tmp_path / "none.toml")


def test_what_is_published_names_no_machine() -> None:
    config = RunConfig(
        **GOOD,  # type: ignore[arg-type]
        work_dir=Path("/secret/place"),
        data_root=Path("/secret/data"),
        base_url="http://secret:8000",
        judge_base_url="http://secret:8001",
    )
    assert "secret" not in str(config.public())
    assert config.public()["data"] == ["D"]
    own = RunConfig(**{**GOOD, "data": ("/secret/q.tsv", "sets/q.csv")})  # type: ignore[arg-type]
    assert own.public()["data"] == ["q.tsv", "sets/q.csv"]
