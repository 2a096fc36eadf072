"""Where MMBench-Video lies: the folder the user names, or the places its other users keep it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness import UsageError

HUB_NAME = "opencompass/MMBench-Video"
FOLDER = "MMBench-Video"
TABLE = "MMBench-Video.tsv"


def find_root(data_root: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds ``MMBench-Video.tsv``.

    ``data_root`` is that folder or the one above it, and then no other is looked at. Raises UsageError
    that says where it looked and how to get the data set.
    """
    places = list(_named(data_root) if data_root is not None else _usual(environ))
    for place in places:
        if (place / TABLE).is_file():
            return place
    if data_root is not None:
        wanted = data_root.expanduser() / FOLDER
    else:
        wanted = _lmu(environ)[0] if environ.get("LMUData") else _cache() / FOLDER
    raise UsageError(
        f"MMBench-Video is not there: no {TABLE} in {', '.join(map(str, places))}; get it with "
        f"`{download(wanted)}`, or say where it is with --data_root"
    )


def download(folder: Path) -> str:
    """The command that fetches the data set into a folder."""
    return f"hf download {HUB_NAME} --repo-type dataset --local-dir {shlex.quote(str(folder))}"


def _named(root: Path) -> Iterator[Path]:
    root = root.expanduser()
    yield root
    yield root / FOLDER


def _usual(environ: Mapping[str, str]) -> Iterator[Path]:
    """VLMEvalKit's root, the hub's cache (where VLMEvalKit unpacks it), and our own folder."""
    if environ.get("LMUData"):
        yield from _lmu(environ)
    # The hub's client keeps each version of a data set in a folder of its own.
    versions = _hub(environ) / f"datasets--{HUB_NAME.replace('/', '--')}" / "snapshots"
    yield from sorted(path for path in versions.glob("*") if path.is_dir())
    yield _cache() / FOLDER


def _lmu(environ: Mapping[str, str]) -> tuple[Path, ...]:
    root = Path(environ["LMUData"]).expanduser()
    return root / "datasets" / FOLDER, root / FOLDER, root


def _hub(environ: Mapping[str, str]) -> Path:
    if environ.get("HF_HUB_CACHE"):
        return Path(environ["HF_HUB_CACHE"]).expanduser()
    home = environ.get("HF_HOME") or Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("vidharness") / "datasets"
