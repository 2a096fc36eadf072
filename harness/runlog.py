"""The log of a run, beside its results: what was done and what failed, without keys."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.files import unwritable
from harness.redaction import redact

log = logging.getLogger("harness")


def without_keys(text: str) -> str:
    """A text with no API key of the environment in it, nor anything that looks like one."""
    for name, value in os.environ.items():
        if name.endswith("_API_KEY"):
            text = redact(text, value, patterns=False)
    return redact(text, None)


@contextmanager
def logging_to(path: Path, rank: int) -> Iterator[None]:
    """Append what this process logs to ``path``; ranks share the file, a line at a time.

    Raises HarnessError when it cannot be written, then and from whatever logs meanwhile.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _File(path, encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from error
    handler.setFormatter(_Formatter(f"%(asctime)s rank {rank} %(levelname)s %(message)s"))
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
        with suppress(OSError):  # what could not be written has been complained about
            handler.close()


class _File(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        error = sys.exception()
        if isinstance(error, OSError):
            raise unwritable(Path(self.baseFilename), error) from error
        super().handleError(record)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_keys(super().format(record))
