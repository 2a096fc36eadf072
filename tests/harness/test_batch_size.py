"""How many questions go in a call: found by doubling, and never again as many as did not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.batch_size import REST, TRIES, BatchSize, out_of_memory


def grown(size: BatchSize, seconds: Callable[[int], float], calls: int = 60) -> list[int]:
    """The sizes of calls that take as long as ``seconds`` says."""
    taken = []
    for _ in range(calls):
        count = size.of()
        taken.append(count)
        size.took(count, seconds(count))
    return taken


def test_a_number_stays_what_it_is() -> None:
    assert set(grown(BatchSize(8), lambda count: 1 / count)) == {8}


def test_it_doubles_while_that_pays() -> None:
    # Up to 16 questions cost no more time than one; beyond, each costs its own.
    taken = grown(BatchSize(1024, auto=True), lambda count: max(1, count / 16))
    assert taken[:5] == [1, 2, 4, 8, 16]
    assert taken[5:] == [*[32] * TRIES, *[16] * REST, *[32] * TRIES, *[16] * REST, *[32] * TRIES, *[16] * 14]


def test_it_doubles_no_further_than_the_model_takes() -> None:
    assert grown(BatchSize(12, auto=True), lambda _: 1, 8) == [1, 2, 4, 8, 12, 12, 12, 12]
    assert grown(BatchSize(1, auto=True), lambda _: 1, 3) == [1, 1, 1]


def test_a_model_that_gains_nothing_gets_one_at_a_time() -> None:
    assert grown(BatchSize(64, auto=True), lambda count: count, 8) == [1, *[2] * TRIES, 1, 1, 1, 1]


def test_a_lucky_call_is_forgotten_after_a_while() -> None:
    lucky = iter([True])
    taken = grown(BatchSize(64, auto=True), lambda count: 0.1 if next(lucky, False) else 1.0, 40)
    assert taken[: 1 + TRIES + REST] == [1, *[2] * TRIES, *[1] * REST]
    assert taken[1 + TRIES + REST :][:6] == [2, 4, 8, 16, 32, 64]


def test_one_slow_moment_does_not_end_the_doubling() -> None:
    pauses = iter([0, 0, 5, 0, 0, 5, 5, 0])
    size = BatchSize(16, auto=True)
    assert grown(size, lambda _: 1 + next(pauses), 8)[-1] == 16


def test_batches_that_are_not_full_teach_nothing() -> None:
    size = BatchSize(64, auto=True)
    for _ in range(3):
        size.took(size.of(), 1)
    for _ in range(2 * TRIES):
        size.took(3, 1)
    assert size.of() == 8


def test_what_did_not_fit_is_not_tried_again() -> None:
    size = BatchSize(64)
    size.refuse(100, 64)
    assert [size.of(volume) for volume in (100, 1000, 99, 50)] == [32, 32, 64, 64]
    size.refuse(100, 32)
    # Of lighter questions as many as are lighter together than what was refused.
    assert [size.of(volume) for volume in (1000, 100, 99, 64, 51, 10)] == [16, 16, 32, 49, 62, 64]
    size.refuse(100, 1)
    assert size.of(100) == 1


def test_doubling_stops_where_memory_does() -> None:
    size, taken = BatchSize(64, auto=True), []
    for _ in range(12):
        count = size.of(7)
        taken.append(count)
        if count > 10:
            size.refuse(7, count)
        else:
            size.took(count, 1)
    assert taken == [1, 2, 4, 8, 16, *[8] * 7]


@given(
    st.integers(1, 64),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 64)), max_size=12),
    st.integers(0, 1000),
)
def test_refusals_hold_in_any_order(most: int, refused: list[tuple[int, int]], volume: int) -> None:
    one, other = BatchSize(most), BatchSize(most)
    for refusal in refused:
        one.refuse(*refusal)
    for refusal in reversed(refused):
        other.refuse(*refusal)
    assert 1 <= one.of(volume) == other.of(volume) <= most
    for heavier, count in refused:
        assert count == 1 or heavier > volume or one.of(volume) < count


@pytest.mark.parametrize("error", [ValueError("memory"), RuntimeError("CUDA error: device-side assert")])
def test_other_errors_are_no_lack_of_memory(error: Exception) -> None:
    assert not out_of_memory(error)
