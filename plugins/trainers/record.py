"""What stands in a training's folder beside its checkpoints: what is being trained, and how far it is.

It lets an interrupted training go on, and keeps another one from going on with its checkpoints.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness import UsageError

FILE = "training.json"
_STATE = "trainer_state.json"
"""Written last into a checkpoint: a checkpoint that has it is whole."""


@dataclass(frozen=True, slots=True)
class Record:
    """plan: everything that decides the result. losses: (step, loss). seconds: of the last sitting."""

    plan: Mapping[str, Any]
    finished: bool = False
    seconds: float = 0.0
    losses: Sequence[Sequence[float]] = field(default_factory=tuple)

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{FILE}.part"
        part.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        part.replace(folder / FILE)


def open_record(folder: Path, plan: Mapping[str, Any]) -> Record:
    """The record in ``folder``, or a new one where the folder is empty or missing.

    Raises UsageError when the folder holds something else: files of others, or another training.
    """
    plan = json.loads(json.dumps(plan))
    if not folder.is_dir() or not any(folder.iterdir()):
        return Record(plan)
    try:
        found = Record(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UsageError(
            f"{folder} is not empty and holds no training: name another folder with --out"
        ) from None
    for name in sorted({*plan, *found.plan}):
        before, now = found.plan.get(name), plan.get(name)
        if before != now:
            raise UsageError(
                f"{folder} holds another training ({name} was {before!r}, now {now!r}): "
                "name another folder with --out, or delete that one"
            )
    return found


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in ``folder``; remains of one that was being written are passed over."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{_STATE}")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def drop_checkpoints(folder: Path) -> None:
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
