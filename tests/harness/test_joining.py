"""Caches of one cell become one, and no answer is lost on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cache import Cache
from harness.errors import HarnessError, UsageError
from harness.joining import alone, join, put
from harness.locks import CellLock

OK, FAILED = {"status": "ok", "n": 1}, {"status": "timeout"}
PARTS = {"model": {"name": "m", "options": {"detail": "low"}}, "noise": {"name": "blur", "ratio": 0.5}}


def made(folder: Path, records: dict[Any, Any], parts: Any = None, tail: str = "01234567") -> Path:
    cache = Cache(folder / f"m_{tail}.pkl")
    put(cache, records)
    cache.merge()
    if parts is not None:
        cache.path.with_suffix(".json").write_text(json.dumps(parts))
    return cache.path


def test_an_answer_never_yields_to_a_failure(tmp_path: Path) -> None:
    first = made(tmp_path / "a", {1: OK, 2: FAILED, 3: FAILED})
    second = made(tmp_path / "b", {1: FAILED, 2: OK, 3: {"status": "refused"}, 4: FAILED})
    third = made(tmp_path / "c", {1: {"status": "ok", "n": 2}, 4: OK})
    before = [second.read_bytes(), third.read_bytes()]
    expected = {1: {"status": "ok", "n": 2}, 2: OK, 3: {"status": "refused"}, 4: OK}
    assert join([first, second, third]) == (expected, 4)
    assert Cache(first).read() == expected
    assert join([first, second]) == (expected, 0)
    assert [second.read_bytes(), third.read_bytes()] == before


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({**PARTS, "noise": {"name": "blur", "ratio": 0.25}}, "noise.ratio is 0.25 there and 0.5 in"),
        ({**PARTS, "noise": None}, "noise is None there"),
        ({**PARTS, "model": {"name": "m"}}, "model.options is None there and {'detail': 'low'} in"),
        ({**PARTS, "format": 2}, "format is 2 there and None in"),
    ],
)
def test_what_differs_is_named(tmp_path: Path, other: Any, said: str) -> None:
    first, second = made(tmp_path / "a", {1: OK}, PARTS), made(tmp_path / "b", {2: OK}, other)
    with pytest.raises(UsageError, match=said):
        join([first, second])
    assert Cache(first).read() == {1: OK}


def test_without_a_description_the_names_decide(tmp_path: Path) -> None:
    first, second = made(tmp_path / "a", {1: OK}, PARTS), made(tmp_path / "b", {2: OK}, tail="ffffffff")
    with pytest.raises(UsageError, match="end in different fingerprints"):
        join([first, second])
    assert join([first, made(tmp_path / "c", {2: OK})])[0] == {1: OK, 2: OK}


def test_a_run_at_work_on_either_is_in_the_way(tmp_path: Path) -> None:
    first, second = made(tmp_path / "a", {1: OK}), made(tmp_path / "b", {2: OK})
    for busy in (first, second):
        with CellLock(busy, "run", 0), pytest.raises(HarnessError, match=r"process \d+ on .* working on"):
            join([first, second])
    with alone(first), pytest.raises(HarnessError, match="another run"), CellLock(first, "run", 0):
        pass


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    cache = Cache(made(tmp_path, {1: OK}))
    put(cache, {1: OK})
    put(cache, {1: FAILED})
    put(cache, {})
    assert cache.journals() == []
