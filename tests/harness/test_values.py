from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Optional, Union

import numpy as np
import pytest

from harness.sampling import Sampling
from harness.values import either, read, to_json, type_text


class Mode(Enum):
    FAST = "fast"
    EXACT = "exact"


class Device:
    pass


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (int, "7", 7),
        (int, "-1_000", -1000),
        (float, "0.5", 0.5),
        (float, "3", 3.0),
        (bool, "true", True),
        (bool, "Off", False),
        (bool, "1", True),
        (bool, "0", False),
        (str, "none", "none"),
        (str, "a,b=c", "a,b=c"),
        (Path, "a/b", Path("a/b")),
        (Literal["png", "jpeg"], "jpeg", "jpeg"),
        (Literal[1, 2], "2", 2),
        (Mode, "exact", Mode.EXACT),
        (Sampling, "8frame", Sampling(nframe=8)),
        (Sampling | None, "0.5fps", Sampling(fps=0.5)),
        (int | None, "none", None),
        (Optional[str], "None", None),  # noqa: UP045
        (str | int, "5", 5),
        (str | int, "five", "five"),
        (Union[float, bool], "yes", True),  # noqa: UP007
        (tuple[str, ...], "a, b,c", ("a", "b", "c")),
        (tuple[int, float], "1,2", (1, 2.0)),
        (tuple, "a,b", ("a", "b")),
        (list[int], "1,2", [1, 2]),
        (list, "", []),
        (dict[str, Any] | None, '{"a": {"b": [1, null]}}', {"a": {"b": [1, None]}}),
        (Sequence[float], "1,.5", (1.0, 0.5)),
        (Any, "as is", "as is"),
    ],
)
def test_text_becomes_what_the_hint_asks_for(hint: Any, text: str, value: Any) -> None:
    result = read(hint, text)
    assert result == value
    assert type(result) is type(value)


def test_a_path_may_start_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert read(Path, "~/videos") == Path("/home/someone/videos")


DEVICE = Device()


@pytest.mark.parametrize(
    ("hint", "value", "result"),
    [
        (float, 2, 2.0),
        (bool, False, False),
        (Sampling, Sampling(nframe=4), Sampling(nframe=4)),
        (tuple[int, ...], [1, 2], (1, 2)),
        (list[str], ("a",), ["a"]),
        (Mode, Mode.FAST, Mode.FAST),
        (Literal["a", 1], 1, 1),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Device | None, DEVICE, DEVICE),
        ("torch.dtype", DEVICE, DEVICE),
        (None, None, None),
        (Any, DEVICE, DEVICE),
    ],
)
def test_objects_pass_when_they_fit(hint: Any, value: Any, result: Any) -> None:
    assert read(hint, value) == result


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, "8.0", "give a whole number"),
        (int, "", "give a whole number"),
        (float, "much", "give a number"),
        (float, "nan", "give a number"),
        (float, "inf", "give a number"),
        (bool, "maybe", "give true or false"),
        (Literal["png", "jpeg"], "gif", "give png or jpeg"),
        (Mode, "slow", "give fast or exact"),
        (Sampling, "8", "give frames (8frame, 1fps)"),
        (Sampling, "0frame", "give frames (8frame, 1fps)"),
        (int | None, "x", "give a whole number or none"),
        (tuple[int, ...], "1,x", "give a list of a whole number, between commas"),
        (tuple[int, float], "1", "give a whole number,a number"),
        (list, 3, "give a list of text, between commas"),
        (Device, "cuda", "give an object of type Device"),
        ("torch.dtype", "bf16", "give an object of type torch.dtype"),
        (int, True, "give a whole number"),
        (float, False, "give a number"),
        (int, 1.0, "give a whole number"),
        (str, 3, "give text"),
        (bool, 1, "give true or false"),
        (Literal[1], True, "give 1"),
        (None, "x", "give none"),
        (dict[str, int], [1], "give a JSON object"),
        (dict, "[1]", "give a JSON object"),
        (dict[str, Any] | None, "{a}", "give a JSON object or none"),
    ],
)
def test_what_does_not_fit_is_told_what_would(hint: Any, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match="give") as caught:
        read(hint, value)
    assert str(caught.value) == expected


@dataclasses.dataclass
class Nested:
    path: Path
    sampling: Sampling
    more: Any = None


def test_json_form_of_everything_an_option_may_hold() -> None:
    value = {
        1: Nested(Path("a") / "b", Sampling(nframe=8)),
        "mode": Mode.FAST,
        "pair": (1, [None, True]),
        "set": {"b", "a"},
    }
    plain = to_json(value)
    assert plain == {
        "1": {"path": "a/b", "sampling": {"nframe": 8}},
        "mode": "fast",
        "pair": [1, [None, True]],
        "set": ["a", "b"],
    }
    assert json.loads(json.dumps(plain)) == plain


@pytest.mark.parametrize("value", [object(), Nested, b"bytes", [Device()]])
def test_what_json_cannot_hold_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        to_json(value)


def test_words_for_types() -> None:
    assert type_text(Any) == "anything"
    assert type_text(Path | None) == "a path or none"
    assert type_text(tuple[()]) == ""
    assert either(iter("abc")) == "a, b or c"
    assert either(["a"]) == "a"


def test_numbers_of_numpy_become_plain_ones() -> None:
    plain = to_json({"count": np.int64(3), "share": np.float32(0.5), "mean": np.float64(0.25)})
    assert plain == {"count": 3, "share": 0.5, "mean": 0.25}
    assert [type(value) for value in plain.values()] == [int, float, float]
