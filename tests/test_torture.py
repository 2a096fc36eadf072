"""Runs that are killed again and again lose nothing, pay for nothing twice, and end as if undisturbed.

``make torture`` kills 200 times; the ordinary tests a few times. Every run is the real command, alone or
under torchrun, with a judge that is asked over HTTP.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from torture.arena import BATCH, CONCURRENCY, Arena, Calls, Ran, serving, verdict_keys
from torture.kills import draw_kill

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

SAMPLES = 45


@dataclass
class Accounts:
    """What all rounds came to."""

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    repeated: int = 0
    """Calls that were made again, all of them in flight at a kill."""
    orphans: float = 0.0

    def __str__(self) -> str:
        by_victim = ", ".join(f"{count} {victim}" for victim, count in sorted(self.kills.items()))
        return (
            f"{self.runs} runs, {self.kills.total()} kills ({by_victim}); "
            f"{self.repeated} calls repeated, each in flight at a kill; "
            f"no process stayed longer than {self.orphans:.1f} s"
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def calls() -> Iterator[Calls]:
    with serving() as made:
        yield made


@pytest.mark.parametrize("local", [True, False], ids=["torchrun", "endpoint"])
def test_killed_again_and_again(
    local: bool, home: Path, calls: Calls, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills, seed = pytestconfig.getoption("kills"), pytestconfig.getoption("kill_seed")
    wanted = kills - kills // 4 if local else kills // 4
    draw, accounts = random.Random(f"{seed} {local}"), Accounts()
    undisturbed = Arena(tmp_path / "undisturbed", home, calls, local, SAMPLES)
    ran = undisturbed.run()
    assert ran.code == 0, ran.output
    assert len(ran.asked) == len(ran.judged) == SAMPLES
    number = 0
    while accounts.kills.total() < wanted:
        arena = Arena(tmp_path / f"round-{number}", home, calls, local, SAMPLES)
        one_round(arena, undisturbed.final(), draw, accounts, wanted)
        number += 1
        print(f"round {number}: {accounts}", flush=True)


def one_round(
    arena: Arena, wanted: dict[str, bytes], draw: random.Random, accounts: Accounts, kills: int
) -> None:
    """Kill runs of one cell until one of them ends well, or there were enough; then look at everything."""
    keys = verdict_keys(wanted)
    code = 1
    while code != 0:
        before = arena.answered(), arena.verdicts()
        ranks = draw.randint(1, 3) if arena.local and draw.random() < 0.8 else 0
        restarts = draw.choice([0, 0, 2]) if ranks else 0
        left = 2 * SAMPLES - len(before[0]) - len(before[1])
        kill = draw_kill(draw, ranks, left) if accounts.kills.total() < kills else None
        ran = arena.run(ranks, restarts, kill)
        code, accounts.runs = ran.code, accounts.runs + 1
        accounts.orphans = max(accounts.orphans, ran.orphans)
        where = f"{kill}, {ranks} ranks, {restarts} restarts:\n{ran.output}"
        assert code == 0 or ran.kills, where
        if kill is not None:
            accounts.kills[kill.victim] += ran.kills
        audit(arena, ran, before, keys, max(ranks, 1) * ran.kills, where, accounts)
    assert arena.final() == wanted


def audit(
    arena: Arena,
    ran: Ran,
    before: tuple[set[str], set[str]],
    keys: dict[str, str],
    processes: int,
    where: str,
    accounts: Accounts,
) -> None:
    """No call about what was stored before; what was called and is not stored was in flight."""
    answered, verdicts = arena.answered(), arena.verdicts()
    assert before[0] <= answered and before[1] <= verdicts, where
    assert not before[0] & set(ran.asked), f"asked again: {where}"
    assert not before[1] & {keys[digest] for digest in ran.judged}, f"judged again: {where}"
    # Of calls under way one more may be lost, whose reply was on its way to the disk.
    calls = CONCURRENCY + 1
    for made, room in ((ran.asked, BATCH if arena.local else calls), (ran.judged, calls)):
        again = len(made) - len(set(made))
        stored = answered if made is ran.asked else {d for d in keys if keys[d] in verdicts}
        lost = len(set(made) - stored)
        assert again + lost <= room * processes, f"{again} repeated, {lost} lost: {where}"
        accounts.repeated += again + lost
    assert ran.orphans < 240, f"left processes behind: {where}"
