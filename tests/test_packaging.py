"""What is installed is what the tree holds: mapped packages are listed by hand, and a list can lag."""

import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from imports import PACKAGES
from wheels import our_wheel

from harness.interfaces import KINDS


@pytest.fixture(scope="module")
def setup_cfg(root: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read(root / "setup.cfg")
    return parser


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def installed_name(file: Path) -> str:
    """Where a file of the tree lies in the wheel."""
    (name,) = (
        f"{package}/{file.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        if file.is_relative_to(folder)
    )
    return name


def test_the_listed_packages_are_the_folders(setup_cfg: ConfigParser) -> None:
    folders = {
        installed_name(file).removesuffix("/__init__.py").replace("/", ".")
        for folder in PACKAGES.values()
        for file in folder.rglob("__init__.py")
    }
    listed = lines(setup_cfg["options"]["packages"])
    assert set(listed) == folders
    assert len(listed) == len(folders)


def test_every_module_lies_in_a_package() -> None:
    for folder in PACKAGES.values():
        for file in folder.rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), f"{file} is in no package"


def test_each_kind_of_plugin_is_an_entry_point_like_a_guests(setup_cfg: ConfigParser) -> None:
    points = dict(line.split(" = ") for line in lines(setup_cfg["options.entry_points"]["vidharness"]))
    assert points == {f"{kind}s": f"harness_plugins.{kind}s" for kind in KINDS}


@pytest.mark.parametrize("module", ["plugins", "plugins.judges", "plugins.judges.exact"])
def test_the_plugins_cannot_be_imported_by_the_name_of_their_folder(module: str, root: Path) -> None:
    command = [sys.executable, "-c", f"import {module}"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: import this package as 'harness_plugins', not 'plugins'" in done.stderr


@pytest.mark.slow
def test_the_wheel_holds_everything(root: Path) -> None:
    known = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "harness", "plugins"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    files = [root / line for line in known.stdout.splitlines()]
    if not files:  # a source archive has no git
        files = [file for folder in PACKAGES.values() for file in folder.rglob("*")]
        files = [file for file in files if "__pycache__" not in file.parts]
    expected = {installed_name(file) for file in files if file.is_file()}
    with zipfile.ZipFile(our_wheel()) as wheel:
        names = set(wheel.namelist())
    assert expected - names == set()
    tops = {name.split("/")[0].partition("-")[0] for name in names}
    assert tops == {"harness", "harness_plugins", "vidharness"}
    assert "vidharness-0.1.0.dist-info/licenses/LICENSE" in names
