"""How fast earlier runs went, as their logs say: from a cell's beginning to its rating, all included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.cell import Cell

_STAMP = r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) rank (?P<rank>\d+) INFO "
_BEGUN = re.compile(_STAMP + r"(?P<label>.+), fingerprint [0-9a-f]{16}")
_ENDED = re.compile(_STAMP + r"(?P<label>.+): asked (?P<asked>\d+), judged \d+, .*")


@dataclass(frozen=True, slots=True)
class Speed:
    """What a run did: the samples it asked, in how many seconds, on how many ranks."""

    asked: int
    seconds: float
    ranks: int

    @property
    def rate(self) -> float:
        """Samples a second, loading and judging included."""
        return self.asked / self.seconds


def measured(cell: Cell, work_dir: Path) -> Speed | None:
    """The run that asked most samples of the cell's data set of its model, under whatever noise.

    Short runs hold mostly the loading of the model. None where no run has come to its end.
    """
    found = [one for log in cell.folder(work_dir).glob("*/run.log") for one in _runs(log)]
    begins = f"{cell.model.name} on {cell.dataset.name}, "
    alike = [speed for label, speed in found if label.startswith(begins)]
    return max(alike, key=lambda speed: speed.asked, default=None)


def _runs(log: Path) -> Iterator[tuple[str, Speed]]:
    """The label and the speed of each cell that a log sees from its beginning to its end."""
    begun: dict[str, dict[str, datetime]] = {}
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        if match := _BEGUN.fullmatch(line):
            begun.setdefault(match["label"], {}).setdefault(match["rank"], _time(match))
        elif (match := _ENDED.fullmatch(line)) and (ranks := begun.pop(match["label"], None)):
            seconds = (_time(match) - min(ranks.values())).total_seconds()
            if int(match["asked"]) and seconds > 0:
                yield match["label"], Speed(int(match["asked"]), seconds, len(ranks))


def _time(match: re.Match[str]) -> datetime:
    return datetime.strptime(match["time"], "%Y-%m-%d %H:%M:%S,%f")
