"""Progress: quiet ranks, plain lines elsewhere than on a terminal, a bar on one."""

from __future__ import annotations

import io

import pytest

import harness.progress
from harness.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(harness.progress.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    with Progress(100, "clean", "sample", stream=stream) as progress:
        for second in range(31):
            now[0] = float(second)
            progress.reach(2 * second)
    assert stream.getvalue().splitlines() == [
        "clean: 22 of 100 samples, about 39 s left",
        "clean: 44 of 100 samples, about 28 s left",
    ]


def test_a_bar_on_a_terminal_reaches_the_end_and_not_beyond() -> None:
    stream = Terminal()
    with Progress(4, "clean", "sample", stream=stream) as progress:
        progress.reach(3)
        progress.reach(9)
        assert progress.count == 4
    assert "4/4" in stream.getvalue()


@pytest.mark.parametrize(("total", "shown"), [(4, False), (0, True)])
def test_nothing_to_show(total: int, shown: bool) -> None:
    stream = Terminal()
    with Progress(total, "clean", "sample", shown, stream) as progress:
        progress.reach(total)
    assert stream.getvalue() == ""
