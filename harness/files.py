"""Names and files as every room writes them: safe on any file system, whole or not there at all."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

from harness.errors import HarnessError

_SLUG_LIMIT = 48


def slug(name: str) -> str:
    """A name as part of a file name: letters, digits and ``. _ - + =`` stay, the rest becomes ``-``.

    At most 48 characters, so that a few of them fit a file name of 255; a digest stands for what is
    cut, or for a name of which nothing is left.
    """
    kept = re.sub(r"[^\w.+=-]+", "-", name, flags=re.ASCII).strip("-.")
    if kept and len(kept) <= _SLUG_LIMIT:
        return kept
    return f"{kept[: _SLUG_LIMIT - 9]}-{blake2b(name.encode(), digest_size=4).hexdigest()}".lstrip("-")


def ratio_text(ratio: float) -> str:
    """A ratio as one types it: 0.9, 1, 0.00001; 1e-9 below a millionth."""
    if 0 < ratio < 1e-6:
        return repr(float(ratio))
    text = f"{Decimal(repr(float(ratio))):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_text(path: Path, text: str) -> None:
    """``write_bytes`` of a text, in UTF-8."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write through a temporary file and a rename, making the folder if need be.

    Raises HarnessError when the disk does not take it.
    """
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def unwritable(path: Path, error: OSError) -> HarnessError:
    """What to raise where the system refuses to write one of the run's files."""
    return HarnessError(
        f"cannot write {path}: {error.strerror or error}; what is answered is kept: "
        "mend that and run the same command again"
    )
