"""Unpacks the data set's ``video_pkl`` chunks to ``video/*.mp4``: safely, once, and a block at a time.

Every file is written beside its place and renamed, so a file that has its name is whole, and an
interrupted run goes on with the files that are missing. A file lock makes ranks that start together
wait for the one that unpacks.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from harness import UsageError

from .mmbench_index import spans
from .mmbench_table import base_name

BLOCK = 1 << 20
LONGEST_NAME = 200
"""Bytes of a file's name without its ending; file systems take 255 with what is added while writing."""


def unpack(root: Path, files: Iterable[str]) -> None:
    """Write the videos of ``root/video_pkl`` into ``root/video``, each whole or not at all.

    Does nothing unless one of ``files``, the names the table asks for, is missing or empty; waits while
    another process unpacks. Raises UsageError when a chunk cannot be used or the disk does not take the
    videos.
    """
    chunks, folder = sorted((root / "video_pkl").glob("*.pkl")), root / "video"
    files = list(files)
    if not chunks or not missing(folder, files):
        return
    from filelock import FileLock

    try:
        folder.mkdir(exist_ok=True)
        with FileLock(folder / ".lock"):
            if missing(folder, files):
                for remains in folder.glob(".*.part"):
                    remains.unlink()
                for chunk in chunks:
                    _copy(chunk, folder)
    except OSError as error:
        raise UsageError(
            f"cannot unpack the videos into {folder}: {error.strerror or error}; make room or name another "
            "copy of the data set with --data_root"
        ) from error


def missing(folder: Path, files: Iterable[str]) -> list[str]:
    """Those of ``files`` that are not in the folder, or empty."""
    return [name for name in files if not _size(folder / name)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _copy(chunk: Path, folder: Path) -> None:
    """The videos of one chunk that the folder lacks."""
    named = {file_name(name, chunk): span for name, span in spans(chunk).items()}
    lacking = {name: named[name] for name in missing(folder, named)}
    need, free = sum(span.length for span in lacking.values()), shutil.disk_usage(folder).free
    if need > free:
        raise UsageError(f"the videos of {chunk} need {need:,} bytes in {folder}, which has {free:,} left")
    logging.getLogger(__name__).info("unpacking %d videos of %s into %s", len(lacking), chunk, folder)
    with chunk.open("rb") as source:
        for name, span in lacking.items():
            part = folder / f".{name}.part"
            source.seek(span.start)
            with part.open("wb") as sink:
                for left in range(span.length, 0, -BLOCK):
                    sink.write(source.read(min(left, BLOCK)))
            if part.stat().st_size != span.length:
                raise UsageError(f"{chunk} ended early: it changed while it was read")
            part.replace(folder / name)


def file_name(name: str, chunk: Path) -> str:
    """What a video of a chunk is called in the folder: its base name, never a path."""
    base = base_name(name).removesuffix(".mp4")
    if not base.strip(".") or len(base.encode()) > LONGEST_NAME:
        raise UsageError(f"{chunk} holds a video with the name {name[:60]!r}, which is no file name")
    return f"{base}.mp4"
