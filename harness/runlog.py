"""The log of a run, beside its results: what was done and what failed, without keys."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    """Append what this process logs to ``path``; ranks share the file, a line at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_Formatter(f"%(asctime)s rank {rank} %(levelname)s %(message)s"))
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
        handler.close()


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_keys(super().format(record))
