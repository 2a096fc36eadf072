"""A decoder that hangs or dies, by the name of the file, in the processes started while it is on the path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SITE = """
import ctypes, os, signal, sys

def _faulty(decode):
    def faulty(path, choose):
        done = path.with_name("begun").touch
        if path.name.startswith("hangs_on_a_pipe"):
            os.mkfifo(path.with_suffix(".pipe")), done()
            open(path.with_suffix(".pipe"))
        elif path.name.startswith("hangs"):
            done(), ctypes.PyDLL(None).sleep(3600)  # holding the interpreter's lock
        elif path.name.startswith("shoots_itself"):
            os.kill(os.getpid(), signal.SIGKILL)
        elif path.name.startswith("segfaults"):
            ctypes.string_at(0)
        elif path.name.startswith("exits"):
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
    """From now on processes that decode are faulty for ``hangs*``, ``shoots_itself*``, ``segfaults*``, ..."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
