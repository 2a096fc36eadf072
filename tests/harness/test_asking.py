"""Asking: every reply is stored at once, and one bad question costs itself alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import pytest

from harness import HarnessError
from harness.asking import HOPELESS, Asker, sentence
from harness.batch_size import BatchSize
from harness.gate import ClosedError, Gate
from harness.pacing import START, Ended


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
    ask.in_batches(tagged("a", "b", "c", "d", "e"), BatchSize(2))
    assert echo.calls == [["a", "b"], ["c", "d"], ["e"]]
    assert stored == {0: "A", 1: "B", 2: "C", 3: "D", 4: "E"}


def test_a_batch_is_no_larger_than_the_share_at_its_time_and_taken_just_then() -> None:
    echo, taken, shares = Echo(), [], [3, 3, 2, 2, 1, 1]

    def take(tag: int) -> bool:
        taken.append((tag, len(echo.calls)))
        return tag != 1

    stored: dict[int, str] = {}
    ask = Asker(echo, str, stored.__setitem__, take=take, share=lambda: shares.pop(0))
    ask.in_batches(tagged(*"abcdef"), BatchSize(6))
    assert echo.calls == [["a", "c"], ["d", "e"], ["f"]]
    assert taken == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2)]
    assert "".join(stored.values()) == "ACDEF"


def test_a_failing_batch_costs_one_question() -> None:
    echo = Echo()
    ask, stored = asker(echo)
    ask.in_batches(tagged("a", "bad", "c"), BatchSize(3))
    assert stored == {0: "A", 1: "failed: ValueError: cannot take bad", 2: "C"}
    # What the batch had given before it failed is not asked again.
    assert echo.calls == [["a", "bad", "c"], ["bad"], ["c"]]


class Frail(Echo):
    """Answers all of a batch or none; raises on 'bad', and ``full`` on more questions than ``most``."""

    def __init__(self, most: int = 64, full: Exception | None = None) -> None:
        super().__init__()
        self.most, self.full = most, full or MemoryError()

    def __call__(self, questions: Sequence[str]) -> Iterable[str]:
        if len(questions) > self.most:
            self.calls.append(list(questions))
            raise self.full
        return list(super().__call__(questions))


def test_one_bad_question_of_many_costs_a_few_calls() -> None:
    frail = Frail()
    ask, stored = asker(frail)
    questions = [f"q{i}" for i in range(64)]
    questions[37] = "bad"
    ask.in_batches(tagged(*questions), BatchSize(64))
    assert stored == {i: "failed: ValueError: cannot take bad" if i == 37 else f"Q{i}" for i in range(64)}
    assert len(frail.calls) == 1 + 2 * 6


@pytest.mark.parametrize(
    "full",
    [
        MemoryError(),
        type("OutOfMemoryError", (RuntimeError,), {})("no words of it"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_what_did_not_fit_is_halved_answered_and_remembered(full: Exception) -> None:
    frail = Frail(most=5, full=full)
    size = BatchSize(16)
    ask, stored = asker(frail)
    ask.in_batches(tagged(*(f"q{i}" for i in range(40))), size)
    assert stored == {i: f"Q{i}" for i in range(40)}
    assert [len(call) for call in frail.calls] == [16, 8, *[4] * 10]
    # The next cell of the run begins with what was learnt.
    ask.in_batches(tagged("a", "b", "c", "d", "e"), size)
    assert [len(call) for call in frail.calls[-2:]] == [4, 1]


def test_other_failures_do_not_make_batches_smaller() -> None:
    frail = Frail()
    ask, _ = asker(frail)
    ask.in_batches(tagged("a", "bad", *"cdefgh"), BatchSize(4))
    assert [len(call) for call in frail.calls] == [4, 2, 1, 1, 2, 4]


def test_questions_too_large_for_memory_alone_do_not_end_the_run() -> None:
    frail = Frail(most=0)
    ask, stored = asker(frail)
    ask.in_batches(tagged(*"abcdefghijkl" * 2), BatchSize(4))
    assert stored == dict.fromkeys(range(24), "failed: MemoryError: no message")


def test_a_full_disk_is_no_failure_of_the_model() -> None:
    def store(tag: int, reply: str) -> None:
        raise OSError("no space left")

    ask: Asker[int, str, str] = Asker(Echo(), str, store)
    with pytest.raises(OSError, match="no space left"):
        ask.in_batches(tagged("a", "b"), BatchSize(2))


def test_replies_are_stored_as_they_come() -> None:
    seen_at_second: list[dict[int, str]] = []

    def ask(questions: Sequence[str]) -> Iterable[str]:
        yield "first"
        seen_at_second.append(dict(stored))
        yield "second"

    one, stored = asker(ask)
    one.in_batches(tagged("a", "b"), BatchSize(2))
    assert seen_at_second == [{0: "first"}]


def test_too_few_and_too_many_replies() -> None:
    one, stored = asker(lambda questions: ["only"] if len(questions) > 1 else [])
    one.in_batches(tagged("a", "b"), BatchSize(2))
    assert stored == {0: "only", 1: "failed: no answer was given"}
    two, stored = asker(lambda questions: [*questions, "extra"])
    two.in_batches(tagged("a", "b"), BatchSize(2))
    assert stored == {0: "a", 1: "b"}


@pytest.mark.parametrize(("way", "size"), [("in_batches", BatchSize(4)), ("concurrently", 4)])
def test_hopelessness_ends_the_run_with_a_sentence(way: str, size: object) -> None:
    ask, stored = asker(Echo())
    with pytest.raises(HarnessError, match=r"failures in a row, the last one ValueError: cannot take bad"):
        getattr(ask, way)(tagged(*["bad"] * 100), size)
    assert HOPELESS <= len(stored) < HOPELESS + 4


def test_one_reply_between_failures_is_hope() -> None:
    ask, stored = asker(Echo())
    ask.in_batches(tagged(*(["bad"] * (HOPELESS - 1) + ["good"]) * 3), BatchSize(1))
    assert len(stored) == 3 * HOPELESS


@pytest.mark.parametrize(("way", "size"), [("in_batches", BatchSize(1)), ("concurrently", 1)])
def test_harness_errors_end_the_run(way: str, size: object) -> None:
    ask, stored = asker(Echo(error=HarnessError))
    with pytest.raises(HarnessError, match="cannot take bad"):
        getattr(ask, way)(tagged("a", "bad", "c"), size)
    assert stored == {0: "A"}


@pytest.mark.parametrize(("way", "size"), [("in_batches", BatchSize(2)), ("concurrently", 2)])
def test_what_is_refused_just_before_is_not_asked(way: str, size: object) -> None:
    echo, stored = Echo(), {}
    one: Asker[int, str, str] = Asker(echo, str, stored.__setitem__, take=lambda tag: tag in (1, 4))
    getattr(one, way)(tagged(*"abcdef"), size)
    assert stored == {1: "B", 4: "E"}
    assert sorted(echo.calls) == [["b"], ["e"]]


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


def test_an_interruption_waits_for_calls_under_way_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.asking.GRACE", 1.0)
    hanging, begun = threading.Event(), threading.Semaphore(0)

    def ask(questions: Sequence[str]) -> Iterable[str]:
        begun.release()
        if questions == ["hangs"]:
            hanging.wait(60)
        else:
            time.sleep(0.05)
        return ["kept"]

    def questions() -> Iterator[tuple[int, str]]:
        yield 0, "hangs"
        yield 1, "ends"
        begun.acquire()
        begun.acquire()
        raise KeyboardInterrupt

    one, stored = asker(ask)
    with pytest.raises(KeyboardInterrupt):
        one.concurrently(questions(), 4)
    assert stored == {1: "kept"}
    hanging.set()


def test_a_gate_says_how_many_calls_are_begun_and_is_closed_at_an_error() -> None:
    gate = Gate(64)

    def ask(questions: Sequence[str]) -> Iterable[str]:
        turn = gate.enter()
        gate.leave(turn, Ended.ACCEPTED)
        if questions == ["bad"]:
            raise HarnessError("no further call can succeed")
        return questions

    one, stored = asker(ask)
    one.concurrently(tagged(*"abcdefgh"), 64, gate)
    assert len(stored) == 8
    with pytest.raises(HarnessError, match="no further call"):
        one.concurrently(tagged("bad", *"abcdefgh"), 64, gate)
    with pytest.raises(ClosedError):
        gate.enter()


def test_prompts_are_not_taken_far_ahead_of_the_gate() -> None:
    gate, taken, most = Gate(64), 0, 0
    lock = threading.Lock()

    def questions() -> Iterator[tuple[int, str]]:
        nonlocal taken, most
        for number in range(30):
            with lock:
                taken += 1
                most = max(most, taken)
            yield number, "question"

    def ask(questions: Sequence[str]) -> Iterable[str]:
        nonlocal taken
        turn = gate.enter()
        time.sleep(0.002)
        gate.leave(turn, None)
        with lock:
            taken -= 1
        return questions

    one, stored = asker(ask)
    one.concurrently(questions(), 64, gate)
    # Those under way, the one that is got ready, and the one that waits for a thread.
    assert len(stored) == 30 and most <= START + 2


def test_a_sentence_is_one_line() -> None:
    assert sentence(ValueError("a\nb")) == "ValueError: a"
    assert sentence(KeyError()) == "KeyError: no message"
