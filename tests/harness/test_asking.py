"""Asking: every reply is stored at once, and one bad question costs itself alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import pytest

from harness import HarnessError
from harness.asking import HOPELESS, Asker, sentence


class Echo:
    """Answers in capitals; raises on questions that hold 'bad'; remembers the size of each call."""

    def __init__(self, error: type[Exception] = ValueError) -> None:
        self.calls: list[list[str]] = []
        self.error = error

    def __call__(self, questions: Sequence[str]) -> Iterable[str]:
        self.calls.append(list(questions))
        for question in questions:
            if "bad" in question:
                raise self.error(f"cannot take {question}\nsecond line")
            yield question.upper()


def asker(ask: object) -> tuple[Asker[int, str, str], dict[int, str]]:
    stored: dict[int, str] = {}
    return Asker(ask, lambda error: f"failed: {error}", stored.__setitem__), stored  # type: ignore[arg-type]


def tagged(*questions: str) -> Iterator[tuple[int, str]]:
    return iter(enumerate(questions))


def test_batches_are_full_but_for_the_last() -> None:
    echo = Echo()
    ask, stored = asker(echo)
    ask.in_batches(tagged("a", "b", "c", "d", "e"), 2)
    assert echo.calls == [["a", "b"], ["c", "d"], ["e"]]
    assert stored == {0: "A", 1: "B", 2: "C", 3: "D", 4: "E"}


def test_a_failing_batch_costs_one_question() -> None:
    echo = Echo()
    ask, stored = asker(echo)
    ask.in_batches(tagged("a", "bad", "c"), 3)
    assert stored == {0: "A", 1: "failed: ValueError: cannot take bad", 2: "C"}
    # What the batch had given before it failed is not asked again.
    assert echo.calls == [["a", "bad", "c"], ["bad"], ["c"]]


def test_replies_are_stored_as_they_come() -> None:
    seen_at_second: list[dict[int, str]] = []

    def ask(questions: Sequence[str]) -> Iterable[str]:
        yield "first"
        seen_at_second.append(dict(stored))
        yield "second"

    one, stored = asker(ask)
    one.in_batches(tagged("a", "b"), 2)
    assert seen_at_second == [{0: "first"}]


def test_too_few_and_too_many_replies() -> None:
    one, stored = asker(lambda questions: ["only"] if len(questions) > 1 else [])
    one.in_batches(tagged("a", "b"), 2)
    assert stored == {0: "only", 1: "failed: no answer was given"}
    two, stored = asker(lambda questions: [*questions, "extra"])
    two.in_batches(tagged("a", "b"), 2)
    assert stored == {0: "a", 1: "b"}


@pytest.mark.parametrize("way", ["in_batches", "concurrently"])
def test_hopelessness_ends_the_run_with_a_sentence(way: str) -> None:
    ask, stored = asker(Echo())
    with pytest.raises(HarnessError, match=r"failures in a row, the last one ValueError: cannot take bad"):
        getattr(ask, way)(tagged(*["bad"] * 100), 4)
    assert HOPELESS <= len(stored) < HOPELESS + 4


def test_one_reply_between_failures_is_hope() -> None:
    ask, stored = asker(Echo())
    ask.in_batches(tagged(*(["bad"] * (HOPELESS - 1) + ["good"]) * 3), 1)
    assert len(stored) == 3 * HOPELESS


@pytest.mark.parametrize("way", ["in_batches", "concurrently"])
def test_harness_errors_end_the_run(way: str) -> None:
    ask, stored = asker(Echo(error=HarnessError))
    with pytest.raises(HarnessError, match="cannot take bad"):
        getattr(ask, way)(tagged("a", "bad", "c"), 1)
    assert stored == {0: "A"}


def test_calls_run_at_once_but_no_more_than_allowed() -> None:
    lock = threading.Lock()
    now = most = 0

    def ask(questions: Sequence[str]) -> Iterable[str]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return questions

    one, stored = asker(ask)
    one.concurrently(tagged(*"abcdefghijklmnop"), 4)
    assert most == 4
    assert len(stored) == 16


def test_what_is_under_way_is_stored_when_another_call_ends_the_run() -> None:
    begun = threading.Event()

    def ask(questions: Sequence[str]) -> Iterable[str]:
        if questions == ["paid"]:
            begun.set()
            time.sleep(0.05)
            return ["worth it"]
        begun.wait(5)
        raise HarnessError("the key has expired")

    one, stored = asker(ask)
    with pytest.raises(HarnessError, match="expired"):
        one.concurrently(tagged("paid", "refused", "never", "never"), 2)
    assert stored == {0: "worth it"}


def test_a_sentence_is_one_line() -> None:
    assert sentence(ValueError("a\nb")) == "ValueError: a"
    assert sentence(KeyError()) == "KeyError: no message"
