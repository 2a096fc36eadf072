"""Disks that fill, folders that cannot be written, limits, clocks that jump: a sentence, and nothing lost."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from fakes import Judge, Model, Questions, built, write_video

from harness import Answer, HarnessError, Prompt, UsageError
from harness.cache import Cache
from harness.cell import Cell
from harness.config import RunConfig
from harness.execute import Run
from harness.finish import Outcome
from harness.prepare import Prepared, check_writable
from harness.runlog import log, logging_to
from harness.work import Alone

COUNT = 12
"""Questions about each of two videos."""


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {key: write_video(folder / f"{key}.mp4", frames=6, seed=i) for i, key in enumerate("ab")}


def run(videos: dict[str, Path], folder: Path, model: Model, judge: Judge | None = None) -> Outcome:
    cell = Cell(built("echo", model), built("questions", Questions(videos, COUNT)))
    samples = {"questions": tuple(cell.dataset.plugin.samples())}
    config = RunConfig(data=("questions",), model=("echo",), judge="fake", work_dir=folder)
    prepared = Prepared((cell,), samples, built("fake", judge or Judge()))
    (outcome,) = Run(config, prepared, Alone(), lambda _: None).cells()
    return outcome


def asked(model: Model) -> list[str]:
    return [question for call in model.calls for question in call]


def stored(folder: Path) -> int:
    return sum(len(Cache(path).read()) for path in {*_caches(folder / "echo")})


def _caches(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.pkl")
    yield from (path.with_name(f"{path.name.rsplit('.', 2)[0]}.pkl") for path in folder.glob("*.journal"))


@contextmanager
def files_of(size: int) -> Iterator[None]:
    """While inside, no file of this process may become larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("needs the right to mount a file system")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fails_in_one_sentence(videos: dict[str, Path], folder: Path) -> str:
    """What a run says that cannot write, empty where it can; whatever it was answered before is stored."""
    before, model = stored(folder), Model()
    try:
        run(videos, folder, model)
    except HarnessError as error:
        assert "\n" not in str(error)
        assert "run the same command again" in str(error) or "--work_dir" in str(error)
        # The last batch, or a single one of its answers, may be what there was no room for.
        assert before + len(asked(model)) - Model.max_batch <= stored(folder) <= before + len(asked(model))
        return str(error)
    return ""


def test_wherever_the_room_ends_nothing_is_lost(videos: dict[str, Path], tmp_path: Path) -> None:
    """The limit is raised step by step, so that each kind of file is the one that cannot be written."""
    said = {}
    for size in (0, 100, 400, *range(1000, 9000, 1000), 10_000, 12_000, 16_000, 1 << 20):
        folder = tmp_path / str(size)
        with files_of(size):
            sentence = fails_in_one_sentence(videos, folder)
        if sentence:
            name = sentence.partition("cannot ")[2].partition(":")[0].rpartition("/")[2]
            said[name.removeprefix("echo_questions_clean").partition("_")[2] or name] = sentence
        kept, model = stored(folder), Model()
        assert run(videos, folder, model).complete
        assert len(asked(model)) == 2 * COUNT - kept
        assert not [
            path for path in folder.rglob("*") if path.suffix in (".tmp", ".lock", ".journal", ".damaged")
        ]
    assert not sentence  # the last one had room for all
    endings = {sentence.partition(": ")[0].rpartition(".")[2] for sentence in said.values()}
    assert {"journal", "json", "jsonl", "pkl"} <= endings, said


def test_a_disk_that_is_full(videos: dict[str, Path], small_disk: Path) -> None:
    filler, folder = small_disk / "filler", small_disk / "out"
    sentences = []
    for room in (0, 8, 24, 40, 56, 72):
        taken = os.statvfs(small_disk)
        filler.unlink(missing_ok=True)
        free = os.statvfs(small_disk).f_bavail * taken.f_bsize
        with suppress(OSError):
            filler.write_bytes(b"x" * max(0, free - room * 1024))
        sentences.append(fails_in_one_sentence(videos, folder))
    assert any("No space left on device" in sentence for sentence in sentences)
    filler.unlink()
    kept, model = stored(folder), Model()
    assert run(videos, folder, model).complete
    assert len(asked(model)) == 2 * COUNT - kept


def test_a_full_disk_is_found_before_anything_is_asked(small_disk: Path) -> None:
    with suppress(OSError):
        (small_disk / "filler").write_bytes(b"x" * (1 << 20))
    with pytest.raises(
        UsageError, match="No space left on device; free some space or choose another --work_dir"
    ):
        check_writable(small_disk)


def test_a_disk_that_is_read_only_by_now(videos: dict[str, Path], small_disk: Path) -> None:
    class Stops(Model):
        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            if len(self.calls) == 2:
                raise HarnessError("that is enough")
            return super().generate(prompts)

    folder = small_disk / "out"
    with pytest.raises(HarnessError, match="enough"):
        run(videos, folder, Stops())
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(UsageError, match=r"cannot write to .*: Read-only file system"):
        check_writable(folder)
    with pytest.raises(HarnessError, match="Read-only file system"):
        run(videos, folder, Model())
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    kept, again = stored(folder), Model()
    assert kept == 2 * Model.max_batch
    assert run(videos, folder, again).complete
    assert len(asked(again)) == 2 * COUNT - kept


def test_a_folder_of_somebody_else(videos: dict[str, Path], tmp_path: Path) -> None:
    """As another user in a process of its own: root may write everywhere."""
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    if os.getuid():
        folder.chmod(0o555)
    child = os.fork()
    if not child:
        code = 9
        try:
            if not os.getuid():
                tmp_path.chmod(0o755)
                os.chdir(folder)
                os.setgroups([])
                os.setuid(65534)
            for write in (lambda: check_writable(Path("out")), lambda: run(videos, Path("out"), Model())):
                try:
                    write()
                except HarnessError as error:
                    code -= "Permission denied" in str(error) and "--work_dir" in str(error)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_too_few_file_handles(videos: dict[str, Path], tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + 1
    for spare in (1, 2, 3, 4, 6):
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + spare, hard))
        try:
            with suppress(HarnessError):
                run(videos, tmp_path, Model())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    kept, model = stored(tmp_path), Model()
    assert run(videos, tmp_path, model).complete
    assert len(asked(model)) == 2 * COUNT - kept


def test_the_log_ends_the_run_in_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = pytest.raises(HarnessError, match=r"cannot write .*run\.log: File too large")
    with said, files_of(64), logging_to(tmp_path / "run.log", 0):
        log.warning("x" * 100)
    assert capfd.readouterr().err == ""
    (tmp_path / "file").touch()
    with (
        pytest.raises(HarnessError, match=r"cannot write .*run\.log: (File exists|Not a directory)"),
        logging_to(tmp_path / "file" / "run.log", 0),
    ):
        pass


class Jumping:
    """A clock that is set back by a year, or forward, each time it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset = 0
        real = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() + self.offset)


YEAR = 365 * 24 * 3600 * 10**9


@pytest.mark.parametrize("jump", [-YEAR, YEAR])
def test_what_is_stored_last_counts_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    clock = Jumping(monkeypatch)
    for turn in range(4):
        cache = Cache(tmp_path / "x.pkl")
        cache.read()
        journal = cache.journal(f"w{turn}")
        for number in range(3):
            journal.append(0, {"status": "model_error", "turn": turn, "number": number})
            clock.offset += jump
        assert cache.read()[0] == {"status": "model_error", "turn": turn, "number": 2}
        journal.close()
        clock.offset = -clock.offset
    assert Cache(tmp_path / "x.pkl").merge()[0]["turn"] == 3


def test_runs_of_one_second_do_not_share_a_folder(
    videos: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda *_: "20200101-000000")
    folders = {run(videos, tmp_path, Model()).folder for _ in range(3)}
    assert len(folders) == 3
