"""Writers that are killed with SIGKILL at random moments: whatever was acknowledged is found."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness.cache import Cache

WRITER = """
import sys
from pathlib import Path
from harness.cache import Cache

cache, number = Cache(Path(sys.argv[1])), int(sys.argv[2])
while True:
    with cache.journal("w") as journal:
        for _ in range(int(sys.argv[3])):
            journal.append(number, {"status": "ok", "text": f"answer {number} " * 20})
            print(number, flush=True)
            number += 1
    cache.merge()
"""


def kill_writers(path: Path, kills: int, per_merge: int) -> None:
    draw = random.Random(per_merge)
    acknowledged: set[int] = set()
    for attempt in range(kills):
        start = attempt * 1_000_000
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(start), str(per_merge)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        # So many, not so long: a slow disk may not make this test one of fewer answers.
        said = [writer.stdout.readline() for _ in range(draw.randint(1, 9))]
        time.sleep(draw.uniform(0, 0.01))
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
        writer.wait()
        acknowledged |= {int(line) for line in said if line.endswith("\n")}
        cache = Cache(path)
        records = cache.read()
        assert cache.damage == []
        assert acknowledged <= set(records)
        # At most the one in flight was stored and not yet said.
        assert len(set(records) - acknowledged) <= attempt + 1
    assert len(acknowledged) > 2 * kills
    records = Cache(path).merge()
    assert records == {n: {"status": "ok", "text": f"answer {n} " * 20} for n in records}
    assert acknowledged <= set(records)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_killed_while_appending(tmp_path: Path) -> None:
    kill_writers(tmp_path / "cell.pkl", kills=20, per_merge=1_000_000)


def test_killed_while_appending_and_merging(tmp_path: Path) -> None:
    kill_writers(tmp_path / "cell.pkl", kills=20, per_merge=2)
