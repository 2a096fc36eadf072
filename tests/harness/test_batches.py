"""Batches: of one shape where they can be, complete, and nobody waits for ever."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from harness.batch_size import BatchSize
from harness.batches import WINDOW, Shape, grouped
from harness.prefetch import Lack

Question = tuple[str, int]
"""Its shape's name and its number."""


def shape(question: Question) -> Shape:
    return ((ord(question[0]) - ord("a") + 1, 10),)


def batches(names: str, size: BatchSize | int) -> list[str]:
    """The names of each batch; a dash among the names is a lack of room, a dot that none is ready."""
    if isinstance(size, int):
        size = BatchSize(size)
    lacks = {"-": Lack.ROOM, ".": Lack.READY}
    questions = (lacks.get(name) or (name, i) for i, name in enumerate(names))
    return ["".join(name for name, _ in batch) for batch in grouped(questions, shape, size)]


def test_one_shape_gives_full_batches_in_order() -> None:
    assert batches("aaaaaaa", 3) == ["aaa", "aaa", "a"]
    found = list(grouped([("a", i) for i in range(5)], shape, BatchSize(2)))
    assert found == [[("a", 0), ("a", 1)], [("a", 2), ("a", 3)], [("a", 4)]]


def test_those_of_one_shape_go_together() -> None:
    assert batches("ababbaab", 2) == ["aa", "bb", "aa", "bb"]


def test_at_the_end_the_rest_goes_with_what_is_nearest() -> None:
    assert batches("azbzy", 4) == ["abyz", "z"]
    assert batches("zaby", 2) == ["zy", "ab"]


def test_one_of_a_kind_goes_with_others_after_a_while() -> None:
    found = batches("z" + "ab" * 50, 4)
    assert any("z" in batch for batch in found[:WINDOW])
    assert [len(batch) for batch in found[:-1]] == [4] * (len(found) - 1)


def test_what_waits_is_given_out_when_asked_for() -> None:
    assert batches("ab-c-d", 8) == ["ab", "c", "d"]
    assert batches("--a---", 8) == ["a"]


def test_a_full_batch_of_any_shapes_goes_rather_than_wait() -> None:
    assert batches("abc.d.e.f", 3) == ["abc", "def"]
    assert batches("zaxb..cy.", 2) == ["zx", "ab", "cy"]


def test_a_size_that_shrinks_meanwhile_leaves_nothing_behind() -> None:
    size = BatchSize(8)

    def questions() -> Iterator[Question]:
        for i in range(20):
            if i == 6:
                size.refuse(10, 4)
            yield "a", i

    assert [len(batch) for batch in grouped(questions(), shape, size)] == [2] * 10


@given(st.text("abcdefgh-.", max_size=80), st.integers(1, 5))
def test_every_question_goes_once_and_none_waits_for_ever(names: str, size: int) -> None:
    put: list[int] = []
    taken: list[int] = []

    def questions() -> Iterator[Question | Lack]:
        for number, name in enumerate(names):
            waiting = [spot for spot, one in enumerate(put) if one not in taken]
            assert not waiting or len(put) - min(waiting) < WINDOW * size
            if name in "-.":
                yield Lack.ROOM if name == "-" else Lack.READY
            else:
                put.append(number)
                yield name, number

    for batch in grouped(questions(), shape, BatchSize(size)):
        assert 1 <= len(batch) <= size
        taken += [number for _, number in batch]
    assert sorted(taken) == put == [i for i, name in enumerate(names) if name not in "-."]


class Heavy:
    pass


def test_what_was_given_out_is_let_go() -> None:
    alive: list[weakref.ref[Heavy]] = []

    def questions() -> Iterator[Heavy]:
        for _ in range(12):
            # Whatever was given out before is gone when the next one is wanted.
            assert sum(ref() is not None for ref in alive) <= 3
            yield one()

    def one() -> Heavy:
        made = Heavy()
        alive.append(weakref.ref(made))
        return made

    gc.disable()
    try:
        for batch in grouped(questions(), lambda _: (), BatchSize(3)):
            batch.clear()
            assert not any(ref() is not None for ref in alive)
    finally:
        gc.enable()
