"""Weights that are split, adapted, damaged, or come with code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness_plugins.models.local import Local
from harness_plugins.models.qwen2_5_vl import Qwen25VL
from small_qwen import build_small, make_clip

from harness import Prompt, UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    return [Prompt((make_clip(4, seed=seed), "What " * (seed + 1))) for seed in range(3)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantize": "4bit"}, "init=random cannot be quantized"),
        ({"attn": "flash_attention_2"}, "flash_attn is not installed"),
        ({"device": "split"}, "init=random cannot be split"),
        ({"adapter": "./nowhere"}, "no adapter at nowhere"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_loaded(
    folder: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Qwen25VL(str(folder), init="random", **options).check()


@pytest.mark.slow
def test_a_model_that_is_split_answers_the_same(
    folder: Path, prompts: list[Prompt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Qwen25VL(str(folder), init="random", device="cpu").save(tmp_path)
    whole, split = (
        Qwen25VL(str(tmp_path), device=device, max_new_tokens=4, torch_dtype="float32")
        for device in ("auto", "split")
    )
    split.check()
    assert list(split.generate(prompts)) == list(whole.generate(prompts))
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="--nproc-per-node=1"):
        split.check()


@pytest.mark.slow
def test_an_adapter_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    other = Qwen25VL(str(folder), init="random", device="cpu").module()
    config = LoraConfig(r=2, target_modules=["q_proj"])
    get_peft_model(other, config).save_pretrained(tmp_path)
    file = tmp_path / "adapter_config.json"
    file.write_text(file.read_text().replace("q_proj", "no_such_layer"))
    adapted = Qwen25VL(str(folder), init="random", device="cpu", adapter=str(tmp_path))
    adapted.check()
    with pytest.raises(UsageError, match="does not fit this model"):
        adapted.load()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "name"), [("weights", "model.safetensors"), ("processor", "tokenizer.json")]
)
def test_a_damaged_checkpoint_is_one_sentence(folder: Path, tmp_path: Path, part: str, name: str) -> None:
    Qwen25VL(str(folder), init="random", device="cpu").save(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    model = Qwen25VL(str(tmp_path), device="cpu")
    model.check()
    with pytest.raises(UsageError, match=f"the {part} in .* cannot be read .*: copy the folder again"):
        model.load()


@pytest.mark.slow
def test_code_that_comes_with_a_checkpoint_is_not_run(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    mark = tmp_path / "has_run"
    (tmp_path / "theirs.py").write_text(f"open({str(mark)!r}, 'w')\nclass Config: ...\n")
    config = {"model_type": "of_their_own", "auto_map": {"AutoConfig": "theirs.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UsageError, match=r"cannot read .*: pip install -U transformers"):
        Local(str(tmp_path), init="random", device="cpu").load()
    assert not mark.exists()
