"""How far a long piece of work has come: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self, TextIO

_PLAIN_EVERY = 10.0
"""Seconds between plain lines."""


class Progress:
    """Counts up to ``total``; ``shown=False`` makes it silent (all ranks but the first)."""

    def __init__(
        self, total: int, title: str, unit: str, shown: bool = True, stream: TextIO | None = None
    ) -> None:
        self.total, self.title, self.unit = total, title, unit
        self.stream = stream or sys.stderr
        self.shown = shown and total > 0
        self.count = 0
        self.bar: Any = None
        self.spoke = self.began = time.monotonic()
        if self.shown and self.stream.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=total, desc=title, unit=unit, file=self.stream, dynamic_ncols=True)

    def reach(self, count: int) -> None:
        """Say that ``count`` are done in all (after a restart more than there were: never past the end)."""
        count = min(count, self.total)
        step, self.count = count - self.count, count
        if self.bar is not None:
            self.bar.update(step)
        elif self.shown and (time.monotonic() - self.spoke > _PLAIN_EVERY):
            self._speak()

    def _speak(self) -> None:
        self.spoke = time.monotonic()
        rate = self.count / max(1e-9, self.spoke - self.began)
        left = f", about {(self.total - self.count) / rate:.0f} s left" if rate else ""
        print(f"{self.title}: {self.count} of {self.total} {self.unit}s{left}", file=self.stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()
