"""docs/models.md: its commands run as they stand there, with a model that no line of code knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typed
from families import BUILDERS
from harness_plugins.models import PUBLISHED, harness_models
from harness_plugins.models.families import FAMILIES

from harness.options import convert, parse_pairs
from harness.registry import Registry
from harness.testing import check_spec


@pytest.fixture
def commands(root: Path) -> list[list[str]]:
    return typed.commands((root / "docs" / "models.md").read_text())


def test_every_published_model_is_of_a_family_with_a_file() -> None:
    assert {kind for kind, _ in PUBLISHED.values()} <= set(FAMILIES)


def test_the_catalogue_keeps_its_contract() -> None:
    for spec in harness_models():
        check_spec(spec, "model")


def test_the_options_that_are_shown_exist(commands: list[list[str]]) -> None:
    shown = [words for words in commands if "..." in words]
    assert len(shown) == 4
    for words in shown:
        options = words[words.index("--model_args") + 1 :]
        found = Registry.discover({}).find("model", words[words.index("--model") + 1])
        given = parse_pairs(word for word in options if "=" in word)
        convert(found.load(), {**found.options, **given}, found.name)


@pytest.mark.slow
def test_ones_own_model_takes_no_python(commands: list[list[str]], root: Path, tmp_path: Path) -> None:
    BUILDERS["smolvlm"](tmp_path / "my-model")
    whole = [words for words in commands if "..." not in words]
    assert [words[0] for words in whole] == ["check", "run"]
    typed.run(whole, root, tmp_path)
    (path,) = tmp_path.rglob("*_rating.json")
    assert path.name == "hf-my-model_ShapesVideo_8frame_nopack_clean_exact_rating.json"
    assert json.loads(path.read_text())["meta"]["counts"] == {"ok": 4}
