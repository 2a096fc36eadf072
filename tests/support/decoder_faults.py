"""A decoder that hangs or dies, by what a file is called or begins with, in processes that decode."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SITE = """
import ctypes, os, signal, sys

FAULTS = "hangs", "shoots_itself", "segfaults", "exits"

def _faulty(decode):
    def faulty(path, choose):
        with open(path, "rb") as file:
            head = file.read(16).decode("latin-1")
        word = next((word for word in (path.name, head) if word.startswith(FAULTS)), "")
        done = path.with_name("begun").touch
        if word.startswith("hangs_on_a_pipe"):
            os.mkfifo(path.with_suffix(".pipe")), done()
            open(path.with_suffix(".pipe"))
        elif word.startswith("hangs"):
            done(), ctypes.PyDLL(None).sleep(3600)  # holding the interpreter's lock
        elif word.startswith("shoots_itself"):
            os.kill(os.getpid(), signal.SIGKILL)
        elif word.startswith("segfaults"):
            ctypes.string_at(0)
        elif word.startswith("exits"):
            os._exit(3)
        return decode(path, choose)
    return faulty

class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "harness.video.worker":
            sys.meta_path.remove(_Finder)
            from harness.video import clips
            clips._DECODERS["pyav"] = _faulty(clips._DECODERS["pyav"])

if not sys.argv[0] or sys.argv[0] == "-c":
    sys.meta_path.insert(0, _Finder)
"""


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on processes that decode are faulty for what is called or begins with one of ``FAULTS``."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
