"""Sharing work: every piece to one rank, one rank the last, and restarts that lose and repeat nothing."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import HarnessError, UsageError
from harness.work import Alone, Ranks, Together, claims, join, last_out

TORCHRUN = {
    "RANK": "1",
    "LOCAL_RANK": "0",
    "WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "1",
    "TORCHELASTIC_USE_AGENT_STORE": "True",
    "TORCHELASTIC_RUN_ID": "none",
}


class Store:
    """What torch.distributed.Store does, as far as it is used here."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: dict[str, str] = {}
        self.counters: dict[str, int] = {}

    def compare_set(self, key: str, expected: str, desired: str) -> bytes:
        with self.lock:
            if self.values.get(key, "") == expected:
                self.values[key] = desired
            return self.values[key].encode()

    def add(self, key: str, amount: int) -> int:
        with self.lock:
            self.counters[key] = self.counters.get(key, 0) + amount
            return self.counters[key]


def world(size: int, store: Store | None = None) -> list[Ranks]:
    store = store or Store()
    return [Together(store, rank, size, rank) for rank in range(size)]


def each(ranks: list[Ranks], work: Callable[[Ranks], Any]) -> list[Any]:
    """Run ``work`` on all ranks at the same time."""
    results: list[Any] = [None] * len(ranks)

    def run(place: int) -> None:
        results[place] = work(ranks[place])

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(ranks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_without_torchrun_a_process_is_alone() -> None:
    for environ in ({}, {"WORLD_SIZE": "1", "RANK": "0"}, {"WORLD_SIZE": "0"}):
        ranks = join(environ)
        assert (ranks.rank, ranks.size, ranks.local_rank) == (0, 1, 0)
        assert list(claims(ranks, "c", 4)) == [0, 1, 2, 3]
        assert list(claims(ranks, "c", 4)) == []
        assert list(claims(ranks, "d", 0)) == []
        assert last_out(ranks, "c")
        assert not last_out(ranks, "c")
        assert (ranks.agree("k", "a"), ranks.agree("k", "b"), ranks.agree("", "")) == ("a", "a", "")
        assert (ranks.add("n"), ranks.add("n", 5), ranks.add("n", 0)) == (1, 6, 6)


def test_being_alone_imports_no_torch() -> None:
    code = "import sys; from harness.work import join; join(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE='two'"),
        ({"RANK": ""}, "RANK=''"),
        ({"LOCAL_RANK": "-1"}, "LOCAL_RANK='-1'"),
        ({"MASTER_PORT": "http"}, "MASTER_PORT='http'"),
        ({"MASTER_ADDR": ""}, "no store of torchrun's"),
        ({"TORCHELASTIC_USE_AGENT_STORE": "False"}, "without TORCH_DISABLE_SHARE_RDZV_TCP_STORE"),
        (
            {"TORCHELASTIC_USE_AGENT_STORE": "", "TORCHELASTIC_RUN_ID": None},
            r"WORLD_SIZE is 2, .*: start with: torchrun .* run.py \.\.\., or unset WORLD_SIZE",
        ),
    ],
)
def test_an_environment_that_torchrun_did_not_make_is_one_sentence(
    change: dict[str, str | None], said: str
) -> None:
    environ = {key: value for key, value in (TORCHRUN | change).items() if value is not None}
    with pytest.raises(UsageError, match=said) as raised:
        join(environ)
    assert "torchrun --nproc-per-node=N run.py" in str(raised.value)


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'vidharness\[hf\]'"):
        join(TORCHRUN)


def fake_torch(monkeypatch: pytest.MonkeyPatch, make: Callable[..., Any]) -> None:
    module = type(sys)("torch.distributed")
    module.TCPStore = make  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", type(sys)("torch"))
    monkeypatch.setitem(sys.modules, "torch.distributed", module)


def test_a_store_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("The client socket has timed out\nC++ stack")

    fake_torch(monkeypatch, fail)
    with pytest.raises(
        UsageError, match=r"store at 127\.0\.0\.1:1 .*\(The client socket has timed out\): start"
    ):
        join(TORCHRUN)


def test_torchruns_store_is_joined_as_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def connect(host: str, port: int, is_master: bool, timeout: Any) -> Store:
        asked.append((host, port, is_master))
        return Store()

    fake_torch(monkeypatch, connect)
    ranks = join(TORCHRUN)
    assert (ranks.rank, ranks.size, ranks.local_rank, ranks.name) == (1, 2, 0, "1.1")
    assert asked == [("127.0.0.1", 1, False)]


def test_all_ranks_agree_on_whatever_came_first() -> None:
    ranks = world(8)
    assert len(set(each(ranks, lambda rank: rank.agree("token", f"of rank {rank.rank}")))) == 1
    assert {rank.agree("empty", "") for rank in ranks} == {""}
    assert ranks[1].agree("empty", "late") == ""
    assert ranks[2].agree("odd/é\n", "é=\n") == ranks[3].agree("odd/é\n", "x") == "é=\n"


def test_counters_are_shared_and_apart_from_what_is_agreed() -> None:
    ranks = world(8)
    results = each(ranks, lambda rank: [rank.add("n") for _ in range(200)])
    assert sorted(itertools.chain(*results)) == list(range(1, 1601))
    assert ranks[0].add("n", 0) == 1600
    assert ranks[0].agree("n", "v") == "v"


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("total", [0, 1, 3, 200])
def test_each_piece_goes_to_one_rank_and_one_is_last(size: int, total: int) -> None:
    def work(rank: Ranks) -> tuple[list[int], bool]:
        return list(claims(rank, "cell", total)), last_out(rank, "cell")

    results = each(world(size), work)
    assert sorted(itertools.chain(*(taken for taken, _ in results))) == list(range(total))
    assert [last for _, last in results].count(True) == 1


def test_cells_have_queues_of_their_own() -> None:
    first, second = world(2)
    assert list(claims(first, "a", 3)) == [0, 1, 2]
    assert list(claims(second, "b", 3)) == [0, 1, 2]
    assert not last_out(first, "a")
    assert not last_out(second, "b")
    assert last_out(second, "a")
    assert last_out(first, "b")


def test_a_slow_rank_takes_little() -> None:
    slow, fast = world(2)
    slowly = claims(slow, "c", 10)
    assert next(slowly) == 0
    assert list(claims(fast, "c", 10)) == list(range(1, 10))
    assert list(slowly) == []


def test_the_last_is_named_when_all_are_out_and_not_before() -> None:
    ranks = world(3)
    assert [last_out(rank, "c") for rank in ranks] == [False, False, True]


def test_a_rank_that_has_not_begun_yet_is_waited_for_by_nobody_and_becomes_the_last() -> None:
    store = Store()
    first = Together(store, 0, 2, 0)
    assert list(claims(first, "c", 3)) == [0, 1, 2]
    assert not last_out(first, "c")
    second = Together(store, 1, 2, 1)
    assert list(claims(second, "c", 3)) == []
    assert last_out(second, "c")


def test_a_restarted_group_goes_on_and_does_again_what_its_dead_had_in_hand() -> None:
    store = Store()
    first, second = world(2, store)
    assert first.agree("token", "a") == "a"
    one, two = claims(first, "c", 6), claims(second, "c", 6)
    assert [next(one), next(two), next(one)] == [0, 1, 2]
    first, second = world(2, store)
    assert [first.name, second.name] == ["0.2", "1.2"]
    assert second.agree("token", "b") == "a"
    one, two = claims(first, "c", 6), claims(second, "c", 6)
    assert [next(one), next(two), next(one)] == [3, 4, 5]  # new pieces first
    assert [next(two), next(one)] == [0, 1]
    assert list(two) == [2]
    assert list(one) == []
    assert [last_out(first, "c"), last_out(second, "c")] == [False, True]


def test_one_machine_restarts_while_the_other_works_on() -> None:
    """As torchrun's static rendezvous does it."""
    store = Store()
    alive, dead = world(2, store)
    mine, its = claims(alive, "c", 5), claims(dead, "c", 5)
    assert [next(mine), next(its), next(mine)] == [0, 1, 2]
    back = Together(store, 1, 2, 0)
    again = claims(back, "c", 5)
    assert next(again) == 3
    assert list(mine) == [4, 1]
    assert list(again) == []
    assert [last_out(alive, "c"), last_out(back, "c")] == [False, True]


def test_a_group_that_comes_back_smaller_takes_over_from_the_missing() -> None:
    store = Store()
    queues = [claims(rank, "c", 4) for rank in world(4, store)]
    assert [next(queue) for queue in queues] == [0, 1, 2, 3]
    (alone,) = [Together(store, rank, 1, rank) for rank in range(1)]
    assert list(claims(alone, "c", 4)) == [0, 1, 2, 3]
    assert last_out(alone, "c")


def test_a_claim_counted_but_not_made_before_death_is_made_by_others() -> None:
    store = Store()
    first, second = world(2, store)
    first.add("c/claimed")  # and killed right here
    back = Together(store, 0, 2, 0)
    assert sorted([*claims(second, "c", 3), *claims(back, "c", 3)]) == [0, 1, 2]


def test_who_was_killed_as_the_last_is_followed_by_another_last() -> None:
    store = Store()
    assert [last_out(rank, "c") for rank in world(2, store)] == [False, True]
    assert [last_out(rank, "c") for rank in world(2, store)] == [False, True]
    back = Together(store, 0, 2, 0)
    assert last_out(back, "c")


def test_random_deaths_leave_no_piece_undone() -> None:
    for seed in range(60):
        draw = random.Random(seed)
        store, done, held = Store(), set(), {}
        ranks = world(3, store)
        queues = {rank: claims(ranks[rank], "c", 20) for rank in range(3)}
        finished: set[int] = set()
        for _ in range(400):
            rank = draw.randrange(3)
            if draw.random() < 0.05:  # dies; all or only this one come back
                for victim in range(3) if draw.random() < 0.5 else [rank]:
                    queues[victim] = claims(Together(store, victim, 3, 0), "c", 20)
                    held.pop(victim, None)
                    finished.discard(victim)
            elif rank not in finished:
                if rank in held:
                    done.add(held.pop(rank))
                piece = next(queues[rank], None)
                if piece is None:
                    finished.add(rank)
                else:
                    assert piece not in held.values()
                    held[rank] = piece
        for rank in range(3):
            done |= {held[rank]} if rank in held else set()
            done |= set(queues[rank])
        assert done == set(range(20)), seed


def test_a_lost_store_is_one_sentence() -> None:
    class Broken(Store):
        broken = False

        def add(self, key: str, amount: int) -> int:
            if self.broken:
                raise RuntimeError("Broken pipe\nException raised from ...")
            return super().add(key, amount)

    store = Broken()
    rank = Together(store, 1, 2, 1)
    store.broken = True
    with pytest.raises(
        HarnessError, match=r"^rank 1 lost torchrun's store \(Broken pipe\); what is stored is kept"
    ):
        next(claims(rank, "c", 3))


def test_alone_is_safe_in_threads() -> None:
    alone = Alone()
    taken = each([alone] * 8, lambda rank: list(claims(rank, "c", 500)))
    assert sorted(itertools.chain(*taken)) == list(range(500))
