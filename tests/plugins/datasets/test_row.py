"""One row: what counts as absent, as text, as a list, as a time; and the sentence that names its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness_plugins.datasets.row import Row

from harness.errors import UsageError


def row(**cells: Any) -> Row:
    return Row(Path("q.jsonl"), 17, cells, 18)


@pytest.mark.parametrize(
    ("value", "there"),
    [
        (None, False),
        ("", False),
        (" ", False),
        (float("nan"), False),
        ("nan", True),
        (0, True),
        (False, True),
    ],
)
def test_absent_is_only_what_is_empty(value: Any, there: bool) -> None:
    assert row(a=value).has("a") == there
    assert not row().has("a")


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), (" x ", " x "), (3, "3"), (0.5, "0.5"), (True, "true"), ("None", "None")]
)
def test_a_cell_as_text(value: Any, text: str) -> None:
    assert row(a=value).text("a") == text


@pytest.mark.parametrize("value", [None, " ", ["x"], {"x": 1}, b"x", "\ud800"])
def test_a_cell_that_is_no_text(value: Any) -> None:
    with pytest.raises(UsageError, match=r"q\.jsonl, row 17 \(line 18\), column a: it"):
        row(a=value).text("a")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("75.5", 75.5),
        ("1:15.5", 75.5),
        ("0:01:15.5", 75.5),
        ("1:00:00", 3600),
        (3, 3),
        ("0", 0),
        ("90:00", 5400),
    ],
)
def test_times(value: Any, seconds: float) -> None:
    assert row(a=value).seconds("a") == seconds


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1:2:3:4", "soon", "1,5", ""])
def test_what_is_no_time(value: str) -> None:
    with pytest.raises(UsageError, match="column a: "):
        row(a=value).seconds("a")


def test_lists() -> None:
    assert row(a="x | y").texts("a") == ["x", "y"]
    assert row(a=["x", 3]).texts("a") == ["x", "3"]
    assert row(a=3).texts("a") == ["3"]
    for value in ("x || y", [], ["", "x"], {"x": 1}, "['x'", ["\ud800"]):
        with pytest.raises(UsageError, match="column a: "):
            row(a=value).texts("a")
