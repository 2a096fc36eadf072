"""The video files of ShapesVideo: written once, by whoever comes first, whole or not at all.

Every file is written under a temporary folder and renamed into place, so a file that has its name is
complete whatever interrupted its making, and a set that lacks some is filled up. A file lock keeps
processes that start together (ranks, or two runs) from doing the same work twice.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from harness import UsageError

from .shapes_render import encode, render
from .shapes_scene import Split, draw_scene

CROWD = 500
"""From how many missing videos on it pays to start other processes."""


def key(split: Split, index: int) -> str:
    """The name of a video, in the data set and (with ``.mp4``) in its folder."""
    return f"shapes-{split}-{index:04d}"


def ensure(folder: Path, split: Split, videos: int) -> list[Path]:
    """The files of videos 0..videos-1 of ``split`` in ``folder``, those that are missing written first.

    Raises UsageError when they cannot be written.
    """
    paths = [folder / f"{key(split, index)}.mp4" for index in range(videos)]
    if _missing(paths):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder):
                _write(folder, split, _missing(paths))
        except OSError as error:
            raise UsageError(
                f"cannot write the videos of ShapesVideo below {folder} ({error.strerror or error}): "
                "name another folder with --data_root"
            ) from error
    return paths


def _missing(paths: Sequence[Path]) -> list[int]:
    folder = paths[0].parent
    if not folder.is_dir():
        return list(range(len(paths)))
    with os.scandir(folder) as entries:
        present = {entry.name for entry in entries}
    return [index for index, path in enumerate(paths) if path.name not in present]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes into the folder, and keep others waiting."""
    from filelock import FileLock

    with FileLock(folder / ".lock"):
        yield


def _write(folder: Path, split: Split, indices: Sequence[int]) -> None:
    """Write the videos with these numbers; the folder's lock is held."""
    if not indices:
        return
    for remains in folder.glob(".part-*"):
        shutil.rmtree(remains, ignore_errors=True)
    logging.getLogger(__name__).info("writing %d videos into %s", len(indices), folder)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
    try:
        make = partial(_make, folder, part, split)
        if len(indices) < CROWD:
            for index in indices:
                make(index)
        else:
            # Forking a process that may hold threads (PyTorch's, the decoder's) can hang; spawning cannot.
            with ProcessPoolExecutor(_cores(), mp_context=get_context("spawn")) as pool:
                for _ in pool.map(make, indices, chunksize=50):
                    pass
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _make(folder: Path, part: Path, split: Split, index: int) -> None:
    name = f"{key(split, index)}.mp4"
    encode(render(draw_scene(split, index)), part / name)
    (part / name).replace(folder / name)


def _cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
