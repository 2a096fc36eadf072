"""Which family reads a checkpoint."""

import importlib.util

import pytest
from harness_plugins.models.families import FAMILIES, INSTEAD, NEEDS, family_class
from harness_plugins.models.families.family import Family

from harness import UsageError


def test_every_kind_has_its_class_and_strangers_the_general_one() -> None:
    assert all(issubclass(family_class(kind), Family) for kind in FAMILIES)
    assert family_class("unheard_of") is Family


def test_what_needs_code_of_its_own_names_what_to_take_instead() -> None:
    for kind in INSTEAD:
        with pytest.raises(UsageError, match="-hf"):
            family_class(kind)


def test_a_package_that_only_one_kind_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in NEEDS.values() else plain(name)
    )
    for kind, package in NEEDS.items():
        with pytest.raises(UsageError, match=rf"{package}.*vidharness\[hf\]"):
            family_class(kind)
    assert family_class("qwen3_vl")
