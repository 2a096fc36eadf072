"""How far a training is: one line that changes on a terminal, a line now and then elsewhere.

Imports transformers, so it is itself imported only when training begins.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, TextIO

from transformers import TrainerCallback

PLAIN_EVERY = 10.0
"""Seconds between lines where there is no terminal."""


class Reporter(TrainerCallback):  # type: ignore[misc]
    """Writes step, loss, speed and the time that is left to ``stream``."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.began = self.spoke = 0.0
        self.first = 0

    def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        self.began, self.spoke, self.first = time.monotonic(), float("-inf"), state.global_step
        if self.first:
            print(f"going on after step {self.first}", file=self.stream)

    def on_log(
        self, _args: Any, state: Any, _control: Any, logs: Mapping[str, float] | None = None, **_: Any
    ) -> None:
        now, live = time.monotonic(), self.stream.isatty()
        if not logs or "loss" not in logs or (not live and now - self.spoke < PLAIN_EVERY):
            return
        self.spoke = now
        rate = (state.global_step - self.first) / max(1e-9, now - self.began)
        left = (state.max_steps - state.global_step) / max(1e-9, rate)
        line = (
            f"step {state.global_step} of {state.max_steps}: loss {float(logs['loss']):.4f}, "
            f"{rate:.1f} steps/s, about {left:.0f} s left"
        )
        print(f"\r\x1b[K{line}" if live else line, end="" if live else "\n", file=self.stream, flush=True)

    def on_train_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        if self.stream.isatty():
            print(file=self.stream)
