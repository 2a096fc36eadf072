"""The benchmark of throughput, on a model and videos of a few pixels: it measures what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from small_qwen import SMALL

from benchmarks import big_qwen, throughput
from benchmarks.clips import Subject


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take long where cores are few and busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_it_answers_in_three_ways_and_says_whether_the_promises_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(big_qwen, "SUBJECT", Subject(1, 84, 56, 3))
    monkeypatch.setattr(big_qwen, "SIZE", replace(SMALL, pixels=84 * 56))
    monkeypatch.setattr(big_qwen, "VOCABULARY", 500)
    monkeypatch.setattr(big_qwen, "WHOLE", (1,))
    sizes = ["--batches", "1", "3", "--full", "2", "--plain", "2", "--tokens", "5", "--rounds", "2"]
    throughput.main([*sizes, "--device", "cpu", "--torch_dtype", "float32", "--folder", str(tmp_path)])
    said = capsys.readouterr().out
    assert "B parameters in torch.float32 on cpu" in said
    assert len(re.findall(r"^round [12], plain loop: ", said, re.MULTILINE)) == 2
    rates, parts = said.split("Where the time of runs went")
    for batch in (1, 3):
        bare, runner, *_, of_bare, of_plain = numbers(rates, batch)
        assert min(bare, runner, of_plain) > 0
        assert of_bare == pytest.approx(runner / bare, rel=0.05)
        mean, *shares, _, slower = numbers(parts, batch)
        assert mean == batch
        assert sum(shares) == pytest.approx(100, abs=1)
        assert min(shares) >= 0
        assert slower > 0
    assert len(re.findall("promised .*: (?:kept|NOT KEPT)", said)) == 2


def numbers(table: str, batch: int) -> list[float]:
    """The row of a batch, without its first column."""
    (row,) = re.findall(rf"^ +{batch}  +(.*)$", table, re.MULTILINE)
    return [float(number) for number in re.findall(r"-?[\d.]+", row)]
