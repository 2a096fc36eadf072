import json
import sys
from argparse import Namespace

import pytest
from distributions import Site

from harness.cli.listing import list_text, run_list, run_show, show_text
from harness.cli.plugins import plugins_text
from harness.cli.plugins import run as run_plugins
from harness.errors import UsageError
from harness.found import Entry
from harness.registry import Broken, Registry
from harness.spec import Spec

CODE = '''
from pathlib import Path

class Fog:
    """Fog, measured.

    density: how thick.
    """
    version = 1
    transport = frozenset({"threads"})
    def __init__(self, density: float = 0.4, smooth: bool = True, folder: Path | None = None,
                 threads: int = 2, *, seed: int, thing=object):
        pass
    def apply(self, clip, hit, draws): return clip

class Plain:
    version = 1
    def apply(self, clip, hit, draws): return clip
'''


def entry(name: str, dist: str = "guest", target: str = "listed:Fog", **more: object) -> Entry:
    return Entry(Spec(name, target, f"what {name} is", **more), "corruption", dist, "1.5", f"{dist}:main")  # type: ignore[arg-type]


def line(text: str, word: str) -> str:
    (found,) = [line for line in text.splitlines() if word in line.split()]
    return " ".join(found.split())


def test_a_list_names_kind_name_summary_and_origin() -> None:
    registry = Registry([entry("fog"), entry("fog", "other"), entry("{n}-sun", examples=("3-sun", "4-sun"))])
    text = list_text(registry)
    assert line(text, "guest:fog") == "corruption guest:fog what fog is guest"
    assert line(text, "other:fog").endswith(" other")
    assert line(text, "{n}-sun") == "corruption {n}-sun what {n}-sun is, e.g. 3-sun, 4-sun guest"


def test_a_list_of_one_kind_leaves_out_the_others() -> None:
    registry = Registry([entry("fog")])
    assert "fog" in list_text(registry, "noises")
    assert list_text(registry, "judge") == "nothing is offered"
    with pytest.raises(UsageError, match="unknown kind"):
        list_text(registry, "weather")


def test_what_needs_an_extra_is_marked_until_it_is_there(site: Site) -> None:
    site.distribution(
        "guest", {}, requires=['absent; extra == "gpu"', 'pytest; extra == "cpu"'], extras=["gpu", "cpu"]
    )
    registry = Registry([entry("fog", extra="gpu"), entry("sun", extra="cpu")])
    assert "[unavailable: pip install 'guest[gpu]']" in line(list_text(registry), "fog")
    assert "unavailable" not in line(list_text(registry), "sun")
    offers = json.loads(list_text(registry, as_json=True))["offers"]
    assert [item["missing"] for item in offers] == [["absent"], []]


def test_summaries_are_wrapped_for_a_terminal() -> None:
    registry = Registry([entry("fog", examples=("one-example", "another-example", "a-third-example"))])
    lines = list_text(registry, width=70).splitlines()
    assert len(lines) == 3
    assert all(len(line) <= 70 for line in lines)
    assert len(list_text(registry).splitlines()) == 2
    assert "a-third-example" in list_text(registry, width=10)
    assert list_text(Registry([]), width=70) == "nothing is offered"


def test_what_is_left_out_stands_at_the_end() -> None:
    registry = Registry([entry("fog")], [Broken("bad:main", "bad", "ImportError: x")], ["shy:main"])
    assert list_text(registry).splitlines()[-2:] == [
        "not loaded: bad:main: ImportError: x",
        "left out by VIDHARNESS_DENY: shy:main",
    ]
    found = json.loads(list_text(registry, as_json=True))
    assert found["broken"] == [{"plugin": "bad:main", "reason": "ImportError: x"}]
    assert found["denied"] == ["shy:main"]
    assert found["offers"][0] == {
        "kind": "corruption",
        "name": "fog",
        "summary": "what fog is",
        "examples": [],
        "dist": "guest",
        "version": "1.5",
        "plugin": "guest:main",
        "extra": None,
        "missing": [],
    }


def test_plugins_are_listed_from_metadata_alone(site: Site) -> None:
    site.distribution("guest", {"fog": "listed_fog", "sun": "listed_sun:offers"}, version="2.0")
    site.distribution("bad", "[vidharness]\nnonsense\n")
    environ = {"VIDHARNESS_DENY": "guest:sun, ghost"}
    text = plugins_text(environ)
    assert line(text, "listed_fog") == "guest 2.0 fog listed_fog"
    assert line(text, "listed_sun:offers") == "guest 2.0 sun listed_sun:offers denied"
    assert "not readable: bad:" in text
    assert "VIDHARNESS_DENY names ghost, which is not installed" in text
    assert "guest:sun, which" not in text
    found = json.loads(plugins_text(environ, as_json=True))
    assert found["plugins"][-1] == {
        "plugin": "guest:sun",
        "dist": "guest",
        "version": "2.0",
        "module": "listed_sun:offers",
        "denied": True,
    }
    assert [item["plugin"] for item in found["broken"]] == ["bad"]
    assert not {"listed_fog", "listed_sun"} & set(sys.modules)


def test_show_says_what_can_be_typed_and_where_it_comes_from(site: Site) -> None:
    file = site.module("listed", CODE)
    registry = Registry([entry("fog-{density}", options={"smooth": False})])
    text = show_text(registry, "noise", "fog-0.7")
    assert text.startswith(
        "corruption fog-0.7: what fog-{density} is\n\nFog, measured.\n\ndensity: how thick.\n\n"
    )
    assert line(text, "density") == "density a number 0.4 set by the name: 0.7"
    assert line(text, "smooth") == "smooth true or false true set by the name: false"
    assert line(text, "folder") == "folder a path or none none"
    assert line(text, "threads") == "threads a whole number 2 changes no result"
    assert line(text, "seed") == "seed a whole number required"
    assert line(text, "thing") == "thing anything <class 'object'>"
    assert "plugin   guest:main, version 1.5\n" in text
    assert "class    listed:Fog\n" in text
    assert text.endswith(f"file     {file}")


def test_show_of_something_without_text_or_options(site: Site) -> None:
    site.module("listed", CODE)
    text = show_text(Registry([entry("plain", target="listed:Plain")]), "corruption", "plain")
    assert "\n\nno options\n\n" in text


def test_show_of_an_unknown_name_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown corruption 'fgo': did you mean fog"):
        show_text(Registry([entry("fog")]), "corruption", "fgo")


def test_lines_are_wrapped_for_people_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    run_list(Namespace(kind="judge", json=False))
    piped = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "80")
    run_list(Namespace(kind="judge", json=False))
    wrapped = capsys.readouterr().out
    assert max(map(len, wrapped.splitlines())) <= 80 < max(map(len, piped.splitlines()))
    assert len(piped.splitlines()) == 1 + len(Registry.discover({}).entries("judge"))


def test_the_verbs_print_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_list(Namespace(kind="judge", json=False)) == 0
    assert "exact" in capsys.readouterr().out
    assert run_plugins(Namespace(json=True)) == 0
    assert json.loads(capsys.readouterr().out)["plugins"][0]["dist"] == "vidharness"
    assert run_show(Namespace(kind="judge", name="exact")) == 0
    assert "vidharness:judges" in capsys.readouterr().out
