import subprocess
import sys
from importlib import import_module

import pytest

import harness

HOMES = [
    import_module(f"harness.{home}") for home in ("types", "errors", "hooks", "sampling", "seeds", "spec")
]


@pytest.mark.parametrize("name", [name for name in harness.__all__ if name != "API"])
def test_every_public_name_is_the_one_of_its_module(name: str) -> None:
    originals = [vars(home)[name] for home in HOMES if name in vars(home)]
    assert originals
    assert all(getattr(harness, name) is original for original in originals)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'Clap'"):
        harness.Clap  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Clap'"):
        from harness import Clap  # noqa: F401


def test_a_catalogue_loads_what_it_names_and_no_more() -> None:
    code = "import sys; from harness import Spec, hookimpl; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()
    assert {"harness.spec", "harness.hooks"} <= set(loaded)
    assert not {"harness.types", "harness.seeds", "hashlib", "numpy"} & set(loaded)
