from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.errors import UsageError
from harness.options import Option, accepts, convert, describe, parse_pairs
from harness.sampling import Sampling

if TYPE_CHECKING:
    from nowhere import Device


class Plugin:
    def __init__(
        self,
        weights: Path,
        density: float = 0.4,
        *,
        mode: Literal["a", "b"] = "a",
        sampling: Sampling | None = None,
        device: Device | None = None,
        size=3,
        loose=None,
    ) -> None:
        self.values = (weights, density, mode, sampling, device, size, loose)


class Bare:
    pass


class Open:
    def __init__(self, first, /, second: int = 1, *rest: int, **more: int) -> None: ...


class Child(Plugin):
    pass


@dataclass
class Data:
    words: list[str] = field(default_factory=lambda: ["a"])
    depth: int = 1
    derived: int = field(init=False, default=0)


def convert_error(values: dict[str, Any], cls: type = Plugin) -> str:
    with pytest.raises(UsageError) as caught:
        convert(cls, values, "noise 'fog'")
    return str(caught.value)


def test_pairs() -> None:
    assert parse_pairs(["a=1", "top-p = 0.9 ", "url=http://x/?a=b", "empty="]) == {
        "a": "1",
        "top_p": "0.9",
        "url": "http://x/?a=b",
        "empty": "",
    }
    assert parse_pairs([]) == {}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (["density"], "write name=value"),
        (["=3"], "write name=value"),
        (["top-p=1", "top_p=2"], "given twice"),
    ],
)
def test_pairs_that_cannot_be_read(pairs: list[str], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        parse_pairs(pairs)


def test_options_are_described_as_they_are_typed() -> None:
    assert describe(Plugin) == [
        Option("weights", "a path", None, True),
        Option("density", "a number", 0.4),
        Option("mode", "a or b", "a"),
        Option("sampling", "frames (8frame, 1fps) or none", None),
        Option("device", "an object of type Device | None", None),
        Option("size", "a whole number", 3),
        Option("loose", "anything", None),
    ]
    assert describe(Child) == describe(Plugin)
    assert describe(Bare) == []
    assert [option.name for option in describe(Open)] == ["second"]


def test_conversion_fills_in_the_defaults() -> None:
    values = {"weights": "w", "density": "1", "sampling": "8frame"}
    assert convert(Plugin, values, "x") == {
        "weights": Path("w"),
        "density": 1.0,
        "mode": "a",
        "sampling": Sampling(nframe=8),
        "device": None,
        "size": 3,
        "loose": None,
    }
    assert Plugin(**convert(Plugin, values, "x")).values[1] == 1.0
    assert values["density"] == "1"


def test_a_dataclass_makes_its_defaults_anew() -> None:
    first, second = convert(Data, {}, "x"), convert(Data, {}, "x")
    assert first == {"words": ["a"], "depth": 1}
    assert first["words"] is not second["words"]
    assert describe(Data)[0].default == ["a"]
    assert convert(Data, {"words": "b,c"}, "x")["words"] == ["b", "c"]


def test_a_hint_that_cannot_be_resolved_takes_objects_only() -> None:
    device = object()
    assert convert(Plugin, {"weights": "w", "device": device}, "x")["device"] is device
    assert "device of noise 'fog' cannot be 'cuda'" in convert_error({"weights": "w", "device": "cuda"})


def test_errors_name_option_value_and_what_would_be_right() -> None:
    message = convert_error({"weights": "w", "densty": "1"})
    assert message.startswith(
        "noise 'fog' has no option densty: did you mean density? it takes weights, density"
    )
    assert "did you mean" not in convert_error({"weights": "w", "zzz": "1"})
    assert convert_error({"weights": "w", "density": "thick"}) == (
        "option density of noise 'fog' cannot be 'thick': give a number"
    )
    assert convert_error({}) == "noise 'fog' needs the option weights (a path): give weights=..."
    assert convert_error({"a": "1"}, Bare) == "noise 'fog' takes no options, so a= cannot be set"


def test_accepts() -> None:
    assert accepts(Plugin, "mode")
    assert not accepts(Plugin, "self")
    assert not accepts(Open, "more")
    assert not accepts(Open, "anything")
    assert not accepts(Bare, "mode")
