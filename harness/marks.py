"""Files that say who holds another file, for folders without locks of the kernel.

A mark is made in one step, by a link that fails where there is one already. It names its process, so that on
the same machine one whose process has died is known to be stale and replaced. Of a process on another
machine nobody can tell: its mark stays until it is removed by hand.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any


def mark_of(path: Path) -> Path:
    """Where the mark of a file lies."""
    return path.with_name(f"{path.name}.held")


def make_mark(path: Path) -> Path | None:
    """Mark a file as held by this process; None while another holds it. Raises OSError."""
    mark = mark_of(path)
    return mark if _hold(mark, json.dumps(_who(os.getpid()))) else None


def is_marked(path: Path) -> bool:
    """Whether a process that may be alive holds a file."""
    found = _read(mark_of(path))
    return bool(found) and not _has_ended(found)


def _hold(mark: Path, text: str) -> bool:
    """Make a mark, or take the place of one whose process has ended; False where another holds it.

    Only who holds the heir of a stale mark may replace that, so that of many who find it one does. An heir
    is a mark, too: whoever dies holding it is followed by another.
    """
    while not _made(mark, text):
        found = _read(mark)
        if not found:
            continue
        heir = mark.with_name(f"{mark.name}.{blake2b(found.encode(), digest_size=4).hexdigest()}")
        if not _has_ended(found) or not _hold(heir, text):
            return False
        if _read(mark) == found:
            heir.replace(mark)
            return True
        heir.unlink()
    return True


def _made(mark: Path, text: str) -> bool:
    """Make the mark, whole at once; says whether there was none."""
    ready = mark.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        ready.write_text(text)
        os.link(ready, mark)
    except FileExistsError:
        return False
    except OSError:
        # No links either: then it is made first and written afterwards, and counts as held while empty.
        try:
            file = mark.open("x")
        except FileExistsError:
            return False
        try:
            with file:
                file.write(text)
        except OSError:
            mark.unlink()
            raise
    finally:
        ready.unlink(missing_ok=True)
    return True


def _read(mark: Path) -> str:
    """What a mark says; empty when it is not there."""
    try:
        return mark.read_text() or "{}"
    except FileNotFoundError:
        return ""


def _has_ended(text: str) -> bool:
    """Whether the process that a mark names is known to have ended."""
    try:
        told = json.loads(text)
        now = _who(told["pid"])
    except (ValueError, LookupError, TypeError):
        return False
    here = all(told.get(name) == now[name] is not None for name in ("host", "boot", "space"))
    return here and told.get("began") != now["began"]


def _who(process: int) -> dict[str, Any]:
    """A process of this machine: unlike any other, before or after; ``began`` is None if there is none."""
    who: dict[str, Any] = {"pid": process, "host": socket.gethostname()}
    who |= {"boot": None, "space": None, "began": None}
    with suppress(OSError, IndexError):
        who["boot"] = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        who["space"] = str(Path("/proc/self/ns/pid").readlink())
        # What follows the name, which may hold anything; see proc(5).
        who["began"] = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    return who
