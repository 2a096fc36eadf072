"""The directions of the house: who may import whom, and what may not be imported before it is used."""

import os
import resource
import subprocess
import sys
from configparser import ConfigParser
from graphlib import CycleError, TopologicalSorter
from importlib import metadata
from pathlib import Path

import pytest
from imports import imports, modules, reachable
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.interfaces import KINDS as INTERFACES
from harness.registry import Registry

FRAMEWORKS = {"torch", "torchvision", "transformers", "datasets", "openai"}
HEAVY = FRAMEWORKS | {"av", "cv2", "decord", "numba", "scipy"}
HARNESS = [name for name in modules() if name.split(".")[0] == "harness"]
PLUGINS = [name for name in modules() if name.split(".")[0] == "harness_plugins"]
KINDS = [name for name in PLUGINS if name.count(".") == 1]

BELOW = {
    "harness.errors": set(),
    "harness.types": set(),
    "harness.sampling": {"errors"},
    "harness.seeds": set(),
    "harness.spec": set(),
    "harness.providers": {"errors", "redaction"},
    "harness.hooks": {"spec"},
    "harness.interfaces": {"types", "errors", "sampling", "seeds"},
    "harness.registry": {
        *("catalogue", "entrypoints", "extras", "found", "options", "values"),
        *("hooks", "spec", "interfaces", "types", "errors", "sampling", "seeds"),
    },
}
"""What the lower rooms may stand on."""

MACHINERY = {
    *("cli", "registry", "found", "catalogue", "prepare", "execute", "runner", "cell", "plan", "cache"),
    *("ready", "work", "claims", "judging", "rating", "leaderboard", "config", "results"),
    *("importing", "inventory", "joining", "journal", "lines", "pickles"),
}
"""Modules of the harness that no plugin may know."""


def third_party(module: str) -> set[str]:
    """The top-level packages a module imports that are neither ours nor Python's."""
    names = {item.name.split(".")[0] for item in imports(module) if not item.typing}
    return names - set(sys.stdlib_module_names) - {"harness", "harness_plugins"}


def test_the_harness_never_imports_a_plugin() -> None:
    for module in HARNESS:
        for item in imports(module):
            assert item.name.split(".")[0] not in ("harness_plugins", "plugins"), (module, item)


@pytest.mark.parametrize("module", PLUGINS)
def test_plugins_import_relatively_inside_their_kind_and_never_the_machinery(module: str) -> None:
    kind = ".".join(module.split(".")[:2])
    for item in imports(module):
        top, *rest = item.name.split(".")
        if top in ("harness_plugins", "plugins"):
            assert item.relative, (module, item)
            assert f"{item.name}.".startswith(f"{kind}."), (module, item)
        if top == "harness" and rest:
            assert rest[0] not in MACHINERY, (module, item)


@pytest.mark.parametrize("module", KINDS)
def test_catalogues_import_nothing_but_the_harness(module: str) -> None:
    assert {item.name for item in imports(module)} <= {"harness", "harness.providers", "__future__"}


@pytest.mark.parametrize("module", BELOW)
def test_lower_rooms_do_not_stand_on_higher_ones(module: str) -> None:
    below = {name.removeprefix("harness.") for name in reachable([module])} - {"harness"}
    below.discard(module.removeprefix("harness."))
    # Importing anything of the harness runs its __init__, which gathers what plugins need.
    gathered = {name.removeprefix("harness.") for name in reachable(["harness"])}
    own = {item.name.removeprefix("harness.") for item in imports(module) if item.name in modules()}
    assert own <= BELOW[module], module
    assert below <= BELOW[module] | gathered, module


def test_only_the_command_line_imports_the_command_line() -> None:
    for module in HARNESS:
        if not module.startswith(("harness.cli", "harness.__main__")):
            assert not [item for item in imports(module) if item.name.startswith("harness.cli")], module


def test_no_two_modules_need_each_other() -> None:
    graph = {
        module: {item.name for item in imports(module) if not item.typing} & set(modules()) - {"harness"}
        for module in modules()
    }
    for module, needs in graph.items():
        # A package's own __init__ may gather its parts; the parts then name each other, not it.
        needs.discard(module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import in a circle: {' -> '.join(error.args[1])}")


def assert_light(start: list[str], heavy: set[str]) -> None:
    for module, importer in reachable(start).items():
        eager = {item.name.split(".")[0] for item in imports(module) if item.eager and not item.typing}
        assert not eager & heavy, f"{module}, imported by {importer or 'itself'}, imports {eager & heavy}"


def test_the_harness_and_the_catalogues_import_nothing_heavy() -> None:
    assert_light([name for name in HARNESS if name != "harness.testing"] + KINDS, HEAVY)


def test_what_is_only_checked_or_shown_imports_no_framework() -> None:
    registry = Registry.discover({})
    entries = [entry for kind in INTERFACES for entry in registry.entries(kind) if entry.dist == "vidharness"]
    assert_light([entry.spec.target.partition(":")[0] for entry in entries], FRAMEWORKS)


def test_every_import_is_a_declared_requirement(root: Path) -> None:
    parser = ConfigParser(interpolation=None)
    parser.read(root / "setup.cfg")
    core = {_name(line) for line in parser["options"]["install_requires"].split("\n") if line}
    extras = {
        _name(line)
        for lines in parser["options.extras_require"].values()
        for line in lines.split("\n")
        if line and "%" not in line
    }
    dists = metadata.packages_distributions()
    for module in modules():
        allowed = core | (extras if module in PLUGINS else {"decord", "pyarrow", "torch"})
        for package in third_party(module):
            found = {canonicalize_name(dist) for dist in dists.get(package, [package])}
            assert found & allowed, f"{module} imports {package}, which setup.cfg does not ask for"


def _name(line: str) -> str:
    return canonicalize_name(Requirement(line).name)


# The same, observed.

CHECK = ["-m", "harness", "check", "--judge", "exact"]
LIGHT = [
    (["run.py", "--help"], 0),
    (["-m", "harness", "--help"], 0),
    (["-m", "harness", "list"], 0),
    (["-m", "harness", "list", "model", "--json"], 0),
    (["-m", "harness", "plugins"], 0),
    (
        [
            "-m",
            "harness",
            "check",
            "--data",
            "ShapesVideo_8frame_nopack",
            "--model",
            "nope",
            "--judge",
            "exact",
        ],
        2,
    ),
    (["-m", "harness", "check", "--data", "nope", "--model", "gpt-4o", "--judge", "exact"], 2),
    (["-m", "harness", "run", "--no-such-flag"], 2),
    (["-m", "harness", "plan", "--data", "nope", "--model", "gpt-4o", "--judge", "exact"], 2),
    (["-m", "harness", "show", "model", "nope"], 2),
    (["-m", "harness", "cache", "ls", "nowhere"], 2),
]
"""Commands that must not wait for anything, and their exit codes."""


def environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))}


@pytest.mark.parametrize(
    ("words", "code"), LIGHT, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_commands_that_only_look_import_nothing_heavy(words: list[str], code: int, root: Path) -> None:
    command = [sys.executable, "-X", "importtime", *words]
    done = subprocess.run(command, cwd=root, env=environ(), capture_output=True, text=True)
    assert done.returncode == code, done.stderr[-2000:]
    lines = [
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    ]
    assert "harness.errors" in lines
    assert not {name.split(".")[0] for name in lines} & (HEAVY | {"numpy"})
    if "plugins" in words:
        assert not [name for name in lines if name.startswith("harness_plugins")]


@pytest.mark.slow
@pytest.mark.parametrize("words", [words for words, _ in LIGHT[:6]], ids=" ".join)
def test_commands_that_only_look_take_no_time(words: list[str], root: Path) -> None:
    def seconds(command: list[str]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], cwd=root, env=environ(), capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    bare = min(seconds(["-c", "pass"]) for _ in range(7))
    assert min(seconds(words) for _ in range(7)) < 8 * bare
