"""The ranks of one torchrun: what they count and agree on together, and how they find each other."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ranks import Store, each, world

from harness.errors import UsageError
from harness.work import Alone, StoreError, Together, join

TORCHRUN = {
    "RANK": "1",
    "LOCAL_RANK": "0",
    "WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "1",
    "TORCHELASTIC_USE_AGENT_STORE": "True",
    "TORCHELASTIC_RUN_ID": "none",
}


def test_without_torchrun_a_process_is_alone() -> None:
    for environ in ({}, {"WORLD_SIZE": "1", "RANK": "0"}, {"WORLD_SIZE": "0"}):
        ranks = join(environ)
        assert (ranks.rank, ranks.size, ranks.local_rank) == (0, 1, 0)
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
    for _ in range(2):
        with pytest.raises(
            StoreError, match=r"^rank 1 lost torchrun's store \(Broken pipe\); what is stored is kept"
        ) as raised:
            rank.add("n")
        assert raised.value.reason == "rank 1 lost torchrun's store (Broken pipe)"


def test_a_store_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.work.STORE_SECONDS", 0.2)
    stuck = threading.Event()

    class Silent(Store):
        def add(self, key: str, amount: int) -> int:
            if stuck.is_set():
                threading.Event().wait(20)
            return super().add(key, amount)

    rank = Together(Silent(), 0, 2, 0)
    stuck.set()
    with pytest.raises(StoreError, match=r"^rank 0 lost torchrun's store \(no answer for 0.2 s\); what is"):
        rank.add("n")
    monkeypatch.setattr("harness.work.STORE_SECONDS", 20.0)
    with pytest.raises(StoreError, match="no answer"):  # at once
        rank.agree("k", "v")


def test_a_rank_among_machines_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.work.BEAT_SECONDS", 0.01)
    apart, together = world(2, local_size=1), world(2)
    deadline = time.monotonic() + 60
    while apart[1].add("beat/0.1", 0) < 3 or apart[0].add("beat/1.1", 0) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert together[1].add("beat/0.1", 0) == 0


def test_a_rank_that_is_done_leaves_no_thread() -> None:
    before = threading.active_count()
    ranks = world(20)
    assert threading.active_count() == before + 20
    ranks.clear()
    assert threading.active_count() == before


def test_what_is_agreed_can_be_looked_up() -> None:
    for ranks in (world(2), [Alone()] * 2):
        assert ranks[0].agreed("k") is None
        assert ranks[0].agree("k", "?") == ranks[1].agreed("k") == "?"
        assert ranks[0].agreed("none") is None


def test_alone_is_safe_in_threads() -> None:
    alone = Alone()
    counted = each([alone] * 8, lambda rank: [rank.add("n") for _ in range(500)])
    assert sorted(itertools.chain(*counted)) == list(range(1, 4001))
    assert len(set(each([alone] * 8, lambda rank: rank.agree("k", str(threading.get_ident()))))) == 1
