"""Wheels of this tree and of the guest, and a clean environment to install them into, all offline.

The environment borrows the core's dependencies from the running one by links, so that pip finds its
requirements met without an index, and nothing else of the running environment can be seen.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
GUEST = ROOT / "tests" / "guest"
_SOURCES = ("harness", "plugins", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@cache
def our_wheel() -> Path:
    """A wheel of this tree, built once from a copy so that nothing is left in the checkout."""
    folder = _scratch()
    source = folder / "source"
    source.mkdir()
    for name in _SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    return _build(source, folder)


@cache
def guest_wheel() -> Path:
    """A wheel of the third-party package in ``tests/guest``."""
    folder = _scratch()
    shutil.copytree(GUEST, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    return _build(folder / "source", folder)


def core_environment(folder: Path, wheels: Sequence[Path]) -> Path:
    """A virtual environment with these wheels and what the core requires; returns its ``bin``."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
    for name in _closure("vidharness"):
        _link(metadata.distribution(name), site)
    _pip("--python", str(python), "install", "--no-index", *map(str, wheels))
    _pip("--python", str(python), "check")
    return folder / "bin"


def clean_environ(home: Path) -> dict[str, str]:
    """The environment variables of someone who has set none of ours; caches go below ``home``."""
    ours = ("VIDHARNESS", "OPENAI", "PYTHON", "LMU", "XDG", "COV_", "COVERAGE", "HF_", "TORCH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}


def _scratch() -> Path:
    folder = tempfile.mkdtemp(prefix="wheels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _build(source: Path, out: Path) -> Path:
    _pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(out), str(source))
    (wheel,) = out.glob("*.whl")
    return wheel


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"pip {' '.join(words)} failed:\n{done.stdout}{done.stderr}"


def _closure(dist: str) -> set[str]:
    """What ``dist`` requires without any extra, and what that requires in turn."""
    found: set[tuple[str, str]] = set()
    pending = [(canonicalize_name(dist), "")]
    while pending:
        name, extra = pending.pop()
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            needed = canonicalize_name(requirement.name)
            for item in [(needed, ""), *((needed, wanted) for wanted in requirement.extras)]:
                if item not in found:
                    found.add(item)
                    pending.append(item)
    return {name for name, _ in found}


def _link(dist: metadata.Distribution, site: Path) -> None:
    """Link a distribution's modules and metadata, by the names they have at the top."""
    files = dist.files
    assert files, f"{dist.name} does not say which files it has"
    for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        (site / top).symlink_to(Path(str(dist.locate_file(top))))
