"""`cache ls|verify|export|import|merge` as a user types them, around real runs."""

from __future__ import annotations

import csv
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openai_server import OpenAIServer

from harness.cache import Cache

Runner = Callable[..., tuple[int, str, str]]
FAILED = "Failed to obtain answer via API."


def cell(folder: Path, noise: str = "clean") -> Path:
    (path,) = folder.glob(f"outputs/openai-m/*{noise}_????????.pkl")
    return path


@pytest.fixture
def words(mini: Path) -> Callable[..., tuple[Any, ...]]:
    """The flags of a run on the mini set with a model of the given endpoint."""

    def make(server: OpenAIServer, *more: object) -> tuple[Any, ...]:
        return (
            "--data", "MMBench_Video_4frame_nopack", "--data_root", mini, "--judge", "exact",
            "--model", "openai:m", "--base_url", server.url, *more,
        )  # fmt: skip

    return make


@pytest.fixture
def answered(
    vidharness: Runner, words: Callable[..., tuple[Any, ...]], tmp_path: Path
) -> tuple[Path, tuple[Any, ...]]:
    """The cache of a run of 6 samples, and the flags of that run."""
    with OpenAIServer(reply="a pancake") as server:
        flags = words(server, "--limit", 6)
        assert vidharness("run", *flags)[0] == 0
    return cell(tmp_path), flags


def test_ls_shows_what_is_stored(vidharness: Runner, answered: tuple[Path, Any], tmp_path: Path) -> None:
    path, _ = answered
    code, out, _ = vidharness("cache", "ls")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.endswith(path.name)]
    assert line.split()[:5] == ["openai:m", "MMBench_Video_4frame_nopack", "clean", "6", "0"]
    assert any("verdicts" in line and "exact" in line for line in out.splitlines())
    code, out, _ = vidharness("cache", "ls", path, "--json")
    (found,) = json.loads(out)
    assert found["statuses"] == {"ok": 6}
    assert found["parts"]["dataset"]["name"] == "MMBench_Video_4frame_nopack"
    assert (found["journals"], found["run"], found["bytes"]) == (0, None, path.stat().st_size)


@pytest.mark.parametrize("place", ["nowhere", "nowhere/x.pkl", "mini"])
def test_a_place_without_a_cache_is_a_usage_error(vidharness: Runner, mini: Path, place: str) -> None:
    for verb in ("ls", "verify"):
        code, out, err = vidharness("cache", verb, place)
        assert (code, out) == (2, "")
        assert f"no cache at {place}: name a .pkl file, or the --work_dir of a run" in err


def test_verify_tells_whole_from_damaged(vidharness: Runner, answered: tuple[Path, Any]) -> None:
    path, _ = answered
    code, out, _ = vidharness("cache", "verify", "outputs")
    assert code == 0
    assert f"{path.relative_to(Path.cwd())}: whole, 6 records\n" in out
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    code, out, err = vidharness("cache", "verify", "outputs")
    assert code == 1
    assert "damaged: " in out and "its checksum does not match; move it away and run the same command" in out
    assert out.count("\n") == 2, "the verdicts are whole"
    assert err == ""
    assert "(damaged)" in vidharness("cache", "ls")[1]


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet"])
def test_out_and_back_is_the_same_cache(
    vidharness: Runner, answered: tuple[Path, Any], tmp_path: Path, ending: str
) -> None:
    path, flags = answered
    table = tmp_path / f"out{ending}"
    code, out, _ = vidharness("cache", "export", path, table)
    assert (code, out) == (0, f"6 records of {path.name} written to {table}\n")
    before = path.read_bytes()
    path.unlink()
    code, out, _ = vidharness("cache", "import", table, "--into", path)
    assert code == 0
    assert path.read_bytes() == before
    with OpenAIServer() as server:
        code, out, _ = vidharness("run", *flags[:-3], server.url, *flags[-2:])
        assert "asked 0" in out
        assert server.requests == []


def test_verdicts_travel_as_answers_do(
    vidharness: Runner, answered: tuple[Path, Any], tmp_path: Path
) -> None:
    (verdicts,) = tmp_path.glob("outputs/verdicts/*.pkl")
    before = verdicts.read_bytes()
    assert vidharness("cache", "export", verdicts, tmp_path / "v.csv")[0] == 0
    assert vidharness("cache", "merge", verdicts)[0] == 0
    verdicts.unlink()
    assert vidharness("cache", "import", tmp_path / "v.csv", "--into", verdicts)[0] == 0
    assert verdicts.read_bytes() == before


def test_exported_records_go_nowhere_but_home(
    vidharness: Runner, answered: tuple[Path, Any], tmp_path: Path
) -> None:
    path, flags = answered
    table = tmp_path / "out.csv"
    vidharness("cache", "export", path, table)
    for target, said in [
        (tmp_path / "other_deadbeef.pkl", "its answers are another cell's"),
        (tmp_path / "x.csv", "--into names a cache, a .pkl file"),
    ]:
        code, _, err = vidharness("cache", "import", table, "--into", target)
        assert (code, target.exists()) == (2, False)
        assert said in err and err.count("\n") == 1
    code, _, err = vidharness("cache", "import", table)
    assert code == 2 and "say where they go with --into" in err
    code, _, err = vidharness("cache", "import", table, "--into", path, *flags)
    assert code == 2 and "give one or the other" in err
    code, _, err = vidharness("cache", "import", path, "--into", path)
    assert code == 2 and "is a cache already" in err
    code, _, err = vidharness("cache", "export", path, tmp_path / "out.xlsx")
    assert code == 2 and "has to end in .jsonl, .csv, .parquet" in err


def test_imported_answers_are_judged_and_only_the_rest_is_asked(
    vidharness: Runner, words: Callable[..., tuple[Any, ...]], tmp_path: Path
) -> None:
    """A VLMEvalKit pickle of 20 answers, 3 failures and a stray, then the run of all 30 questions."""
    shard = tmp_path / "01_m_MMBench-Video_4frame_nopack.pkl"
    answers: dict[Any, Any] = {np.int64(index): f"imported {index}" for index in range(20)}
    answers |= {20: FAILED, 21: None, 22: "", 999: "of another data set"}
    shard.write_bytes(pickle.dumps(answers))
    with OpenAIServer(reply="asked") as server:
        noisy = words(server, "--noise_name", "frame_drop", "--ratio", "0.5")
        code, out, _ = vidharness("cache", "import", shard, *noisy)
        assert code == 0
        assert "a shard of VLMEvalKit's or NRVL's predictions of 21 answers (3 more without an answer)" in out
        assert "20 answers imported, not verified; 0 samples had one, 10 have none and are asked" in out
        assert "MMBench_Video_4frame_nopack has no sample for 1 of them, e.g. 999: left out" in out
        assert server.requests == []

        code, out, err = vidharness("run", *noisy)
        assert code == 0
        assert "20 of 30 samples" in err
        assert "asked 10, judged" in out
        assert len(server.requests) == 10

        # Without the noise it is another cell: nothing is reused.
        vidharness("run", *words(server, "--limit", 3))
        assert len(server.requests) == 13
    (rating,) = tmp_path.rglob("*frame_drop_0.5_exact_rating.json")
    assert json.loads(rating.read_text())["meta"]["imported"] == 20
    (clean,) = tmp_path.rglob("*clean_exact_rating.json")
    assert "imported" not in json.loads(clean.read_text())["meta"]
    records = Cache(cell(tmp_path, "frame_drop_0.5")).read()
    assert records[0]["prediction"] == "imported 0"
    assert records[0]["meta"]["imported"] == {
        "file": shard.name,
        "format": "a shard of VLMEvalKit's or NRVL's predictions",
        "verified": False,
    }
    assert records[20]["prediction"] == "asked"
    assert "imported" not in records[20]["meta"]


def test_an_import_never_takes_the_place_of_an_answer(
    vidharness: Runner, answered: tuple[Path, Any], tmp_path: Path
) -> None:
    path, flags = answered
    table = tmp_path / "m.tsv"
    with table.open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(
            [["index", "prediction", "score"], *([n, f"other {n}", 3] for n in range(10))]
        )
    with OpenAIServer(reply="asked") as server:
        everything = (*flags[:-3], server.url)
        code, out, _ = vidharness("cache", "import", table, *everything)
        assert code == 0
        assert "a tab-separated table of 10 answers, whose scores are left out" in out
        assert "4 answers imported, not verified; 6 samples had one, 20 have none" in out
    records = Cache(path).read()
    assert [records[n]["prediction"] for n in (5, 6)] == ["a pancake", "other 6"]


def test_a_foreign_file_does_not_say_what_it_stands_for(vidharness: Runner, tmp_path: Path) -> None:
    table = tmp_path / "m.csv"
    table.write_text("index,prediction\n0,a\n")
    for more in ((), ("--into", tmp_path / "x_01234567.pkl")):
        code, _, err = vidharness("cache", "import", table, *more)
        assert code == 2
        assert (
            f"{table} is a comma-separated table of 1 answers and does not say what they were made from: "
            "name the run they stand for with the flags of `run`, at least --data and --model" in err
        )
    assert not (tmp_path / "x_01234567.pkl").exists()


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"\x80\x04cos\nsystem\n\x8c\x04true\x85R.", 1, "makes a os.system, which is never done here"),
        (b"\x80\x04\x8c\x02a\n\x8c\x03\x1b[1\x93)R.", 1, "makes a a?.?[1, which"),
        (b"hello", 1, "without the columns index and prediction"),
        (None, 2, "cannot be read: No such file"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence(
    vidharness: Runner, tmp_path: Path, content: bytes | None, code: int, said: str
) -> None:
    file = tmp_path / "x.bin"
    if content is not None:
        file.write_bytes(content)
    given, out, err = vidharness("cache", "import", file, "--data", "d", "--model", "m")
    assert (given, out, err.count("\n")) == (code, "", 1)
    assert said in err


def test_merge_brings_a_killed_runs_journals_in(vidharness: Runner, answered: tuple[Path, Any]) -> None:
    path, _ = answered
    record = Cache(path).read()[0]
    with Cache(path).journal("killed") as journal:
        journal.append(7, record)
    path.with_name(f"{path.stem}.killed.journal").open("ab").write(b"torn")
    code, out, _ = vidharness("cache", "verify", path)
    assert code == 0
    assert "whole, 7 records; 1 torn last line, never acknowledged, to be cut by the next run" in out
    code, out, _ = vidharness("cache", "merge", path)
    assert (code, out) == (0, f"{path}: 7 records\n")
    assert not list(path.parent.glob("*.journal"))


def test_merge_refuses_caches_of_different_cells(
    vidharness: Runner, answered: tuple[Path, Any], words: Any, tmp_path: Path
) -> None:
    path, _ = answered
    with OpenAIServer(reply="yes") as server:
        vidharness("run", *words(server, "--limit", 1, "--noise_name", "frame_drop", "--ratio", "0.5"))
        vidharness("run", *words(server, "--limit", 1, "--noise_name", "frame_drop", "--ratio", "0.25"))
    half, quarter = cell(tmp_path, "0.5"), cell(tmp_path, "0.25")
    before = half.read_bytes()
    code, _, err = vidharness("cache", "merge", half, quarter)
    assert code == 2
    assert "noise.ratio is 0.25 there and 0.5 in" in err
    assert "noise is" in vidharness("cache", "merge", path, quarter)[2]
    assert half.read_bytes() == before
    assert vidharness("cache", "merge", half, half)[0] == 2


def test_merge_folds_another_machines_cache_in(
    vidharness: Runner, answered: tuple[Path, Any], tmp_path: Path
) -> None:
    path, _ = answered
    other = Path(shutil.copytree(path.parent, tmp_path / "copy")) / path.name
    records = Cache(path).read()
    with Cache(other).journal("w") as journal:
        journal.append(0, {**records[0], "prediction": "", "status": "timeout", "error": "late"})
        journal.append(8, {**records[0], "prediction": "more"})
    code, out, _ = vidharness("cache", "merge", path, other)
    assert (code, out) == (0, f"{path}: 7 records, 1 of them new or better than before\n")
    assert Cache(path).read() == {**records, 8: {**records[0], "prediction": "more"}}
    assert len(Cache(other).journals()) == 1, "the other stays as it is"


RUN = """
import sys
from pathlib import Path
from harness.cache import Cache
from harness.locks import CellLock

path = Path(sys.argv[1])
with CellLock(path, "run", 0), Cache(path).journal("run-0") as journal:
    journal.append(20, Cache(path).read()[0])
    print("in", flush=True)
    sys.stdin.read()
"""


def test_beside_a_live_run_caches_are_read_but_not_changed(
    vidharness: Runner, answered: tuple[Path, Any], tmp_path: Path
) -> None:
    path, flags = answered
    vidharness("cache", "export", path, tmp_path / "t.jsonl")
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with run:
        assert run.stdout is not None and run.stdout.readline() == "in\n"
        (found,) = json.loads(vidharness("cache", "ls", path, "--json")[1])
        assert found["run"].startswith(f"process {run.pid} on ")
        assert (found["statuses"], found["journals"]) == ({"ok": 7}, 1)
        code, out, _ = vidharness("cache", "verify", path)
        assert code == 0 and f"process {run.pid} on" in out
        assert "7 records" in vidharness("cache", "export", path, tmp_path / "u.csv")[1]
        table = tmp_path / "m.csv"
        table.write_text("index,prediction\n9,a\n")
        for command in (
            ("merge", path),
            ("import", tmp_path / "t.jsonl", "--into", path),
            ("import", table, *flags),
        ):
            code, out, err = vidharness("cache", *command)
            assert (code, out) == (1, "")
            assert f"another run (process {run.pid} on" in err and err.count("\n") == 1
        assert sorted(Cache(path).read()) == [0, 1, 2, 3, 4, 5, 20]
        assert run.poll() is None
    assert vidharness("cache", "merge", path)[0] == 0


def test_looking_changes_nothing(vidharness: Runner, answered: tuple[Path, Any]) -> None:
    path, _ = answered

    def state() -> list[tuple[str, int]]:
        return sorted((str(file), file.stat().st_mtime_ns) for file in [path.parent, *path.parent.rglob("*")])

    before = state()
    for verb in ("ls", "verify"):
        assert vidharness("cache", verb, path)[0] == 0
    assert state() == before
