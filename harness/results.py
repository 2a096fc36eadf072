"""The files of one run, for people and other programs: ratings, JSONL, and what the run was.

All are written through a temporary file and a rename, so that none is ever half there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, count
from pathlib import Path
from typing import Any

import harness
from harness.cell import Cell
from harness.config import RunConfig
from harness.files import slug, write_text
from harness.journal import cannot_write
from harness.records import from_prediction, from_verdict
from harness.types import Prediction, Sample, SampleId, Verdict
from harness.work import Ranks

_PACKAGES = ("vidharness", "torch", "transformers", "av", "numpy", "opencv-python-headless", "openai")


def run_folder(work_dir: Path, model: str, stamp: str) -> Path:
    """The dated folder of one run of one model."""
    return work_dir / slug(model) / stamp


def agreed_stamp(ranks: Ranks, work_dir: Path, models: Iterable[str]) -> str:
    """The name of this run's dated folders, which no other run has, not even one of the same second."""
    models = set(models)
    mine = _new_stamp(work_dir, models)
    agreed = ranks.agree("started", mine)
    if agreed != mine:
        for model in models:
            run_folder(work_dir, model, mine).rmdir()
    return agreed


def _new_stamp(work_dir: Path, models: Iterable[str]) -> str:
    now = time.strftime("%Y%m%d-%H%M%S")
    for stamp in chain([now], (f"{now}-{number}" for number in count(2))):
        made: list[Path] = []
        try:
            for model in models:
                folder = run_folder(work_dir, model, stamp)
                folder.mkdir(parents=True)
                made.append(folder)
            break
        except FileExistsError:
            for folder in made:
                folder.rmdir()
        except OSError as error:
            cannot_write(folder, error)
    return stamp


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_predictions(
    path: Path, samples: Iterable[Sample], predictions: Mapping[SampleId, Prediction], keys: Mapping[Any, str]
) -> None:
    """One JSON object per line and sample: the question, the reference and the stored answer."""
    write_text(
        path,
        "".join(
            _line({**_described(sample), **from_prediction(predictions[sample.id], keys[sample.id])})
            for sample in samples
        ),
    )


def write_verdicts(path: Path, samples: Iterable[Sample], verdicts: Mapping[SampleId, Verdict]) -> None:
    """One JSON object per line and sample: the score or why there is none."""
    write_text(path, "".join(_line({"id": s.id, **from_verdict(verdicts[s.id])}) for s in samples))


def write_run(path: Path, config: RunConfig, cells: Iterable[Cell], spent: Mapping[str, Any]) -> None:
    """What was run: settings, fingerprints, versions, the state of the source; no host, no path.

    spent: on calls to servers by this run until now.
    """
    cells = list(cells)
    record = {
        "config": config.public(),
        "cells": [{"fingerprint": cell.fingerprint(), **cell.parts()} for cell in cells],
        "versions": versions(cells),
        "git": git_state(),
        "spent": spent,
    }
    write_json(path, record)


def versions(cells: Iterable[Cell]) -> dict[str, str]:
    """Of Python, of the packages that shape results, and of every plugin's distribution."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    for cell in cells:
        for entry in (cell.model.entry, cell.dataset.entry, cell.noise.built.entry if cell.noise else None):
            if entry is not None:
                found[entry.dist] = entry.version
    return found


def git_state() -> dict[str, Any] | None:
    """Commit of the checkout this package runs from, and whether it was changed; None outside one."""
    root = Path(harness.__file__).parent.parent
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git(root, "status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


def _described(sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.id,
        "video": sample.video.key,
        "question": sample.question,
        **({"choices": list(sample.choices)} if sample.choices else {}),
        "answer": sample.answer,
        "labels": list(sample.labels),
    }


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"
