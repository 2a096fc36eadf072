"""Sharing work: every call to one rank, one rank the last, and deaths that lose and repeat nothing."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from ranks import Store, each, world

from harness.claims import Claims, last_out, leave
from harness.work import Alone, Ranks, StoreError, Together


@dataclass(frozen=True)
class Call:
    key: str


@dataclass(frozen=True)
class Piece:
    calls: tuple[Call, ...]


def pieces_of(*sizes: int) -> list[Piece]:
    """Pieces of so many calls; the calls of the first are a0, a1, ..., of the next b0, ..."""
    return [Piece(tuple(Call(f"{chr(97 + i)}{j}") for j in range(size))) for i, size in enumerate(sizes)]


def keys(pieces: Sequence[Piece]) -> list[str]:
    return [call.key for piece in pieces for call in piece.calls]


class Worker:
    """A rank at work on the cell ``c``; iterating over it asks, one call at a time.

    stored: the answers that all workers have stored. read: what this one knows of them.
    """

    def __init__(self, ranks: Ranks, pieces: Sequence[Piece], stored: set[str] | None = None) -> None:
        self.ranks, self.stored = ranks, set() if stored is None else stored
        self.known = set(self.stored)
        self.learnt = 0
        self.claims = Claims(ranks, "c", pieces, lambda call: call.key not in self.known, self.learn)
        self.begun: list[Piece] = []
        self.asked: list[str] = []

    def learn(self) -> None:
        self.learnt += 1
        self.known |= self.stored

    def __iter__(self) -> Iterator[str]:
        """The keys of calls, each stored when the next is wanted."""
        for piece in self.claims.pieces():
            self.begun.append(piece)
            for call in self.claims.open(piece):
                if self.claims.take(call):
                    self.asked.append(call.key)
                    yield call.key
                    self.stored.add(call.key)


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("total", [0, 1, 3, 60])
def test_each_call_goes_to_one_rank_and_one_is_last(size: int, total: int) -> None:
    pieces = pieces_of(*(1 + i % 4 for i in range(total)))

    def work(rank: Ranks) -> tuple[list[str], bool]:
        return list(Worker(rank, pieces)), last_out(rank, "c")

    results = each(world(size), work)
    assert sorted(itertools.chain(*(asked for asked, _ in results))) == sorted(keys(pieces))
    assert [last for _, last in results].count(True) == 1


def test_alone_everything_is_asked_in_order() -> None:
    pieces = pieces_of(2, 3, 1)
    worker = Worker(Alone(), pieces)
    assert list(worker) == keys(pieces)
    assert worker.begun == pieces
    assert list(Worker(worker.ranks, pieces)) == []


def test_cells_have_queues_of_their_own() -> None:
    first, second = world(2)
    pieces = pieces_of(2)
    taken = Claims(first, "a", pieces, lambda call: True, lambda: None)
    assert [taken.take(call) for call in pieces[0].calls] == [True, True]
    other = Claims(second, "b", pieces, lambda call: True, lambda: None)
    assert [other.take(call) for call in pieces[0].calls] == [True, True]
    assert not last_out(first, "a")
    assert not last_out(second, "b")
    assert last_out(second, "a")
    assert last_out(first, "b")


def test_what_is_answered_is_neither_begun_nor_claimed() -> None:
    first, second = world(2)
    pieces = pieces_of(2, 2, 1)
    worker = Worker(first, pieces, {"a0", "a1", "b1"})
    assert list(worker) == ["b0", "c0"]
    assert worker.begun == pieces[1:]
    assert sorted(Worker(second, pieces)) == ["a0", "a1", "b1"]


def test_a_slow_rank_takes_little() -> None:
    slow, fast = (Worker(rank, pieces_of(3, 3, 3)) for rank in world(2))
    slowly = iter(slow)
    assert next(slowly) == "a0"
    assert list(fast) == ["b0", "b1", "b2", "c0", "c1", "c2", "a1", "a2"]
    assert list(slowly) == []


def test_whoever_has_nothing_left_helps_where_others_do_not_yet() -> None:
    """Three ranks idle beside one with the only video: all share its questions."""
    workers = [Worker(rank, pieces_of(12)) for rank in world(4)]
    turns = [iter(worker) for worker in workers]
    for turn in itertools.cycle(turns):
        if next(turn, None) is None:
            break
    assert [len(worker.asked) for worker in workers] == [3, 3, 3, 3]
    assert sorted(itertools.chain(*(worker.asked for worker in workers))) == sorted(keys(pieces_of(12)))


def simulated(sizes: Sequence[int], slowness: Sequence[float]) -> float:
    """When the last rank has ended, if a call takes each so long, over the ideal of none ever idle."""
    turns = [iter(Worker(rank, pieces_of(*sizes))) for rank in world(len(slowness))]
    clocks, ends = [(0.0, rank) for rank in range(len(slowness))], []
    while clocks:
        now, rank = heapq.heappop(clocks)
        if next(turns[rank], None) is None:
            ends.append(now)
        else:
            heapq.heappush(clocks, (now + slowness[rank], rank))
    return max(ends) / (sum(sizes) / sum(1 / slow for slow in slowness))


@pytest.mark.parametrize("sizes", [[3] * 40, [60, *[2] * 30], [120], [1] * 120], ids=str)
def test_a_rank_five_times_slower_holds_nobody_up(sizes: list[int]) -> None:
    assert simulated(sizes, [5, 1, 1, 1]) <= 1.15
    assert simulated(sizes, [1, 1, 1, 5]) <= 1.15
    assert simulated(sizes, [1, 1, 1, 1]) <= 1.05


def test_a_video_is_decoded_once_while_there_are_others() -> None:
    workers = [Worker(rank, pieces_of(*[2] * 20)) for rank in world(2)]
    turns = [iter(worker) for worker in workers]
    for _ in range(20):
        assert [next(turn) is None for turn in turns] == [False, False]
    begun = [piece for worker in workers for piece in worker.begun]
    assert len(begun) == len(set(begun)) == 20


def test_what_lies_ready_on_a_slow_rank_is_taken_from_it() -> None:
    """It has decoded four videos ahead and asked nothing; of what it then comes to nothing is left."""
    slow, fast = (Worker(rank, pieces_of(2, 2, 2, 2, 2)) for rank in world(2))
    ahead = slow.claims.pieces()
    ready = [next(ahead) for _ in range(4)]
    assert len(list(fast)) == 10
    assert [slow.claims.take(call) for piece in ready for call in piece.calls] == [False] * 8
    assert list(ahead) == []


def test_nobody_helps_with_what_it_has_begun_itself() -> None:
    (rank,) = world(1)
    claims = Claims(rank, "c", pieces_of(2, 2), lambda call: True, lambda: None)
    assert list(claims.pieces()) == pieces_of(2, 2)  # decoded ahead, nothing asked yet


def test_the_last_is_named_when_all_are_out_and_not_before() -> None:
    assert [last_out(rank, "c") for rank in world(3)] == [False, False, True]


def test_a_rank_that_has_not_begun_yet_is_waited_for_by_nobody_and_becomes_the_last() -> None:
    store = Store()
    first = Together(store, 0, 2, 0)
    assert len(list(Worker(first, pieces_of(2, 1)))) == 3
    assert not last_out(first, "c")
    second = Together(store, 1, 2, 1)
    assert list(Worker(second, pieces_of(2, 1))) == []
    assert last_out(second, "c")


def test_a_restarted_group_goes_on_and_does_again_what_its_dead_had_in_hand() -> None:
    store, stored, pieces = Store(), set(), pieces_of(3, 3)
    first, second = world(2, store)
    assert first.agree("token", "a") == "a"
    one, two = iter(Worker(first, pieces, stored)), iter(Worker(second, pieces, stored))
    assert [next(one), next(two), next(one)] == ["a0", "b0", "a1"]
    first, second = world(2, store)
    assert [first.name, second.name] == ["0.2", "1.2"]
    assert second.agree("token", "b") == "a"
    workers = [Worker(first, pieces, stored), Worker(second, pieces, stored)]
    for turn in itertools.islice(itertools.cycle([iter(worker) for worker in workers]), 10):
        next(turn, None)
    assert sorted(key for worker in workers for key in worker.asked) == ["a1", "a2", "b0", "b1", "b2"]
    assert [last_out(first, "c"), last_out(second, "c")] == [False, True]


def test_one_machine_restarts_while_the_other_works_on() -> None:
    """As torchrun's static rendezvous does it. What the dead one had stored is read, not asked again."""
    store, stored, pieces = Store(), set(), pieces_of(2, 4)
    alive, dead = (Worker(rank, pieces, stored) for rank in world(2, store))
    mine, its = iter(alive), iter(dead)
    assert [next(mine), next(its), next(its), next(its)] == ["a0", "b0", "b1", "b2"]
    assert stored == {"b0", "b1"}
    back = Worker(Together(store, 1, 2, 0), pieces, stored)
    assert list(mine) == ["a1", "b2", "b3"]
    assert alive.learnt == 1
    assert list(back) == []
    assert [last_out(alive.ranks, "c"), last_out(back.ranks, "c")] == [False, True]


def test_a_death_while_others_help_is_noticed_at_the_last_moment() -> None:
    """The survivor has looked at the piece before the restart, and learns of the answer when it claims."""
    store, stored, pieces = Store(), set(), pieces_of(1)
    survivor = Worker(world(2, store)[0], pieces, stored)
    (offered,) = survivor.claims.pieces()
    assert survivor.claims.open(offered)
    dead = Together(store, 1, 2, 1)
    assert list(Worker(dead, pieces, stored)) == ["a0"]
    back = Together(store, 1, 2, 1)
    assert not survivor.claims.take(offered.calls[0])
    assert list(Worker(back, pieces, stored)) == []


def test_a_group_that_comes_back_smaller_takes_over_from_the_missing() -> None:
    store, stored, pieces = Store(), set(), pieces_of(1, 1, 1, 1)
    queues = [iter(Worker(rank, pieces, stored)) for rank in world(4, store)]
    assert [next(queue) for queue in queues] == ["a0", "b0", "c0", "d0"]
    alone = Together(store, 0, 1, 0)
    assert sorted(Worker(alone, pieces, stored)) == ["a0", "b0", "c0", "d0"]
    assert last_out(alone, "c")


def test_a_piece_begun_but_not_claimed_before_death_is_done_by_others() -> None:
    store = Store()
    first, second = world(2, store)
    first.add("c/begun")  # and killed right here
    assert sorted(Worker(second, pieces_of(1, 1, 1))) == ["a0", "b0", "c0"]


def test_who_was_killed_as_the_last_is_followed_by_another_last() -> None:
    store = Store()
    assert [last_out(rank, "c") for rank in world(2, store)] == [False, True]
    assert [last_out(rank, "c") for rank in world(2, store)] == [False, True]
    assert last_out(Together(store, 1, 2, 0), "c")


def test_one_that_comes_back_late_does_not_finish_what_the_last_is_finishing() -> None:
    store = Store()
    assert [last_out(rank, "c") for rank in world(2, store)] == [False, True]
    assert not last_out(Together(store, 0, 2, 0), "c")


@pytest.mark.parametrize("seed", range(40))
def test_random_deaths_leave_nothing_undone_and_repeat_only_what_was_in_hand(seed: int) -> None:
    draw, store, stored = random.Random(seed), Store(), set()
    pieces = pieces_of(*(draw.randint(1, 5) for _ in range(8)))
    asked: list[str] = []
    in_hand = 0
    workers = [Worker(rank, pieces, stored) for rank in world(3, store)]
    turns = [iter(worker) for worker in workers]
    holds = [False] * 3
    while any(turn is not None for turn in turns):
        rank = draw.randrange(3)
        if draw.random() < 0.05:  # dies; all or only this one come back
            for victim in range(3) if draw.random() < 0.5 else [rank]:
                in_hand += holds[victim]
                asked += workers[victim].asked
                workers[victim] = Worker(Together(store, victim, 3, 0), pieces, stored)
                turns[victim], holds[victim] = iter(workers[victim]), False
        elif turns[rank] is not None:
            holds[rank] = next(turns[rank], None) is not None
            if not holds[rank]:
                turns[rank] = None
    asked += itertools.chain(*(worker.asked for worker in workers))
    assert stored == set(keys(pieces))
    assert len(asked) - len(set(asked)) <= in_hand


def test_a_lost_store_ends_the_claims() -> None:
    class Broken(Store):
        broken = False

        def compare_set(self, key: str, expected: str, desired: str) -> bytes:
            if self.broken:
                raise RuntimeError("Broken pipe\nException raised from ...")
            return super().compare_set(key, expected, desired)

    store = Broken()
    turn = iter(Worker(Together(store, 1, 2, 1), pieces_of(3)))
    assert next(turn) == "a0"
    store.broken = True
    with pytest.raises(StoreError, match=r"^rank 1 lost torchrun's store \(Broken pipe\)"):
        next(turn)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.claims.POLL_SECONDS", 0.01)
    monkeypatch.setattr("harness.work.BEAT_SECONDS", 0.01)


def test_on_one_machine_all_leave_at_once() -> None:
    assert leave(Alone())
    assert [leave(rank) for rank in world(3)] == [True, True, True]


def test_one_of_each_machine_stays_until_all_are_through(quick: None) -> None:
    ranks = world(4, local_size=2)
    assert leave(ranks[0])  # its neighbour is still at work
    left: list[int] = []

    def stay(rank: Together) -> None:
        assert leave(rank)
        left.append(rank.rank)

    staying = threading.Thread(target=stay, args=(ranks[1],))
    staying.start()
    assert leave(ranks[2])
    time.sleep(0.1)
    assert left == []
    assert leave(ranks[3])
    staying.join(60)
    assert left == [1]


def test_a_rank_that_falls_silent_is_given_up_and_its_work_taken_over(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, stored, pieces = Store(), set(), pieces_of(2, 3)
    alive, dead = (Worker(rank, pieces, stored) for rank in world(2, store, local_size=1))
    its = iter(dead)
    assert [next(its), next(its)] == ["a0", "a1"]
    assert sorted(alive) == ["b0", "b1", "b2"]
    assert not last_out(alive.ranks, "c")

    dead.ranks._line.end()  # type: ignore[attr-defined]
    monkeypatch.setattr("harness.claims.SILENT_SECONDS", 0.5)
    assert not leave(alive.ranks)
    again = Worker(alive.ranks, pieces, stored)
    assert list(again) == ["a1"]
    assert last_out(alive.ranks, "c")
    assert leave(alive.ranks)

    # Only held up, it finds out and takes nothing more; what it had in hand is asked twice at most.
    late = Worker(Together(store, 1, 2, 0, 1), pieces, stored)
    assert late.ranks.name == "1.3"
    assert list(late) == []
    assert not last_out(late.ranks, "c")
    assert leave(late.ranks)


def test_a_rank_that_was_given_up_takes_nothing_more() -> None:
    store = Store()
    rank, other = world(2, store, local_size=1)
    worker = Worker(rank, pieces_of(2, 2))
    turn = iter(worker)
    assert next(turn) == "a0"
    store.add("vidharness/add/incarnation/0", 1)
    assert list(turn) == []
    assert list(Worker(other, pieces_of(2, 2))) == ["b0", "b1", "a0", "a1"]


@pytest.mark.slow
def test_a_rank_that_lives_is_waited_for_however_long_it_takes(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.claims.SILENT_SECONDS", 1.0)
    done, slow = world(2, local_size=1)
    results: list[bool] = []
    staying = threading.Thread(target=lambda: results.append(leave(done)))
    staying.start()
    time.sleep(2)
    assert results == []
    assert leave(slow)
    staying.join(60)
    assert results == [True]


def test_several_that_stay_give_a_silent_rank_up_once(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.claims.SILENT_SECONDS", 0.3)
    ranks = world(4, local_size=1)
    ranks[3]._line.end()

    def end(rank: Together) -> int:
        rounds = 0
        while not leave(rank):
            rounds += 1
        return rounds

    assert sum(each(ranks[:3], end)) == 1
    assert ranks[0].add("incarnation/3", 0) == 2


def test_who_dies_while_giving_another_up_is_followed_by_another(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.claims.SILENT_SECONDS", 0.5)
    store = Store()
    ranks = world(3, store, local_size=1)
    for dead in ranks[1:]:
        dead._line.end()
    store.compare_set("vidharness/agree/gone/2.1", "", "=1.1")  # and killed right here
    rounds = 0
    while not leave(ranks[0]):
        rounds += 1
    assert rounds == 2
    assert [ranks[0].add(f"incarnation/{rank}", 0) for rank in range(3)] == [1, 2, 2]
