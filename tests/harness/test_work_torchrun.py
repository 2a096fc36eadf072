"""Sharing work through the store of real torchruns: plain, standalone, restarted, two machines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from processes import free_port, whole

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

PIECES = 30
WORKER = """
import os, sys, time
from pathlib import Path
from types import SimpleNamespace
from harness.claims import Claims, last_out, leave
from harness.errors import HarnessError
from harness.work import join

folder, mortal = Path(sys.argv[1]), sys.argv[2]
try:
    ranks = join()
except HarnessError as error:
    sys.exit(str(error))
token = ranks.agree("token", str(os.getpid()))
log = (folder / f"{ranks.name}.log").open("a", buffering=1)
log.write(f"token {token}\\n")
log.write(f"size {ranks.size}\\n")
ranks.add("begun")
pieces = [SimpleNamespace(calls=[SimpleNamespace(key=str(number))]) for number in range(30)]
claims = Claims(ranks, "cell", pieces, lambda call: True, lambda: None)
for piece in claims.pieces():
    call, = piece.calls
    number = int(call.key)
    if not claims.take(call):
        continue
    if ranks.name == mortal and number >= 4:
        while ranks.add("begun", 0) < ranks.size:
            time.sleep(0.02)
        os._exit(9)
    while mortal != "-" and number >= 20 and ranks.add(f"incarnation/{mortal[0]}", 0) < 2:
        time.sleep(0.02)  # others hold the rest until the dead one is back, however long that takes
    time.sleep(0.02)
    log.write(f"done {number}\\n")
if last_out(ranks, "cell"):
    log.write("last out\\n")
while not leave(ranks):
    log.write("stayed behind\\n")
"""


@dataclass
class Outcome:
    """What the processes of a run wrote down, and how each torchrun ended."""

    codes: list[int]
    errors: str
    lines: dict[str, list[str]]

    def said(self, word: str) -> Counter[str]:
        found = (line.split()[1] for lines in self.lines.values() for line in lines if line.startswith(word))
        return Counter(found)


def torchrun(folder: Path, *agents: list[str], mortal: str = "", **environ: str) -> Outcome:
    worker = folder / "worker.py"
    worker.write_text(WORKER)
    logs = folder / "logs"
    logs.mkdir()
    running = []
    with ExitStack() as ending:
        for number, agent in enumerate(agents):
            # A file, not a pipe: nobody may wait because another one's messages are not read yet.
            said = ending.enter_context((folder / f"stderr{number}").open("w"))
            command = [sys.executable, "-m", "torch.distributed.run", *agent, worker, logs, mortal or "-"]
            environment = {**os.environ, "OMP_NUM_THREADS": "1", **environ}
            running.append(ending.enter_context(whole(command, env=environment, stderr=said)))
        deadline = time.monotonic() + 240
        for process in running:
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
    errors = "".join((folder / f"stderr{number}").read_text() for number in range(len(agents)))
    lines = {log.stem: log.read_text().splitlines() for log in logs.iterdir()}
    return Outcome([process.returncode for process in running], errors, lines)


def complete(outcome: Outcome) -> None:
    assert outcome.codes == [0] * len(outcome.codes), outcome.errors
    assert set(outcome.said("done")) == {str(piece) for piece in range(PIECES)}
    assert len(outcome.said("token")) == 1
    assert outcome.said("last") == {"out": 1}


def test_standalone(tmp_path: Path) -> None:
    outcome = torchrun(tmp_path, ["--standalone", "--nproc-per-node=3"])
    complete(outcome)
    assert set(outcome.lines) == {"0.1", "1.1", "2.1"}
    assert set(outcome.said("done").values()) == {1}
    assert outcome.said("size") == {"3": 3}


def test_plain(tmp_path: Path) -> None:
    outcome = torchrun(tmp_path, ["--nproc-per-node=2", f"--master-port={free_port()}"])
    complete(outcome)
    assert set(outcome.said("done").values()) == {1}


def test_one_process_needs_no_store(tmp_path: Path) -> None:
    outcome = torchrun(tmp_path, ["--standalone", "--nproc-per-node=1"])
    complete(outcome)
    assert outcome.said("size") == {"1": 1}


def test_a_group_that_torchrun_restarts_goes_on(tmp_path: Path) -> None:
    outcome = torchrun(tmp_path, ["--standalone", "--nproc-per-node=2", "--max-restarts=1"], mortal="1.1")
    complete(outcome)
    assert set(outcome.lines) == {"0.1", "1.1", "0.2", "1.2"}


@pytest.mark.parametrize("rendezvous", ["c10d", "static"])
def test_two_machines_go_on_after_one_of_them_failed(tmp_path: Path, rendezvous: str) -> None:
    """torchrun's restart counters differ here: 0 on the machine that did not fail, 1 on the other."""
    port = free_port()
    common = ["--nnodes=2", "--nproc-per-node=1", "--max-restarts=2"]
    if rendezvous == "c10d":
        endpoint = ["--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{port}", "--rdzv-id=test"]
        agents = [[*common, *endpoint, "--local-addr=127.0.0.1"] for _ in range(2)]
    else:
        where = ["--master-addr=127.0.0.1", f"--master-port={port}"]
        agents = [[*common, *where, f"--node-rank={node}"] for node in range(2)]
    outcome = torchrun(tmp_path, *agents, mortal="1.1")
    complete(outcome)
    assert "1.2" in outcome.lines
    if rendezvous == "static":  # the other one worked on: nothing was done twice
        assert set(outcome.lines) == {"0.1", "1.1", "1.2"}
        assert sum(outcome.said("done").values()) <= PIECES + 4


def test_a_torchrun_without_a_shared_store_is_one_sentence(tmp_path: Path) -> None:
    outcome = torchrun(
        tmp_path, ["--standalone", "--nproc-per-node=2"], TORCH_DISABLE_SHARE_RDZV_TCP_STORE="1"
    )
    assert outcome.codes == [1]
    assert "run.py ... without TORCH_DISABLE_SHARE_RDZV_TCP_STORE, or unset WORLD_SIZE" in outcome.errors


def test_a_store_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    code = "import harness.work; harness.work.CONNECT_SECONDS = 2; harness.work.join()"
    environ = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "harness.errors.UsageError: torchrun's store at 127.0.0.1:" in done.stderr
    assert "cannot be reached" in done.stderr
