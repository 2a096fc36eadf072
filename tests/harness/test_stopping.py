"""Word that a run shall end: what is under way is finished, what is not begun is not begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest

from harness.stopping import Stop


def test_without_a_signal_nothing_happens() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Stop() as stop, stop.finishing():
        assert list(stop.interruptible(range(3))) == [0, 1, 2]
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
    assert list(Stop().interruptible("ab")) == ["a", "b"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_what_need_not_be_finished_is_interrupted(name: str) -> None:
    code = f"""
import signal, time
from harness.stopping import Stop
with Stop(lambda said: print(said, flush=True)) as stop:
    stop.first = lambda: print("first", flush=True)
    signal.raise_signal(signal.{name})
    time.sleep(600)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert done.stdout == "" or done.stdout.startswith(f"{name}: finishing what is under way, taking no more")


WORK = """
import signal, sys, time
from harness.stopping import Stop

def items():
    for number in range(5):
        print("made", number, flush=True)
        yield number

with Stop(lambda said: None) as stop:
    try:
        with stop.finishing():
            for number in stop.interruptible(items()):
                if number == 2:
                    signal.raise_signal(signal.SIGTERM)
                print("done", number, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_what_is_under_way_is_finished_and_nothing_more_is_begun() -> None:
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-3:] == ["made 2", "done 2", "interrupted"]


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """nohup, and shells that run a command in the background, ask for that."""
    code = """
import signal, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from harness.stopping import Stop
with Stop(print) as stop:
    signal.raise_signal(signal.SIGHUP)
    time.sleep(0.05)
print("went on")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "went on\n"


def test_in_another_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def work() -> None:
        with Stop() as stop:
            seen.extend(stop.interruptible(range(2)))
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [0, 1, before]


def test_it_holds_on_to_nothing_that_it_has_given_out() -> None:
    class Thing:
        pass

    def things() -> Iterator[Thing]:
        for _ in range(3):
            yield Thing()

    for thing in Stop().interruptible(things()):
        gone = weakref.ref(thing)
        del thing
        assert gone() is None


def test_no_descriptor_is_left_open() -> None:
    def used() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    with Stop():
        pass
    before = used()
    for _ in range(5):
        with Stop():
            pass
    assert used() <= before + 2  # the thread of the last may not have ended yet
