"""The verbs below ``cache`` that look at what is stored, write it as a table and bring it together."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.cache import Cache
from harness.cli.columns import bytes_text, columns
from harness.errors import UsageError
from harness.inventory import Summary, find, look_through, set_aside, sum_up, torn, worker_on


def run_ls(args: argparse.Namespace) -> int:
    """``vidharness cache ls [PATH...] [--json]``"""
    summaries = [sum_up(path) for path in find(args.places)]
    if args.json:
        print(json.dumps([_described(summary) for summary in summaries], indent=1, ensure_ascii=False))
        return 0
    rows = [_row(summary) for summary in summaries]
    print(columns(("model", "data", "noise", "ok", "failed", "size", "journals", "run", "cache"), rows))
    for summary in summaries:
        for sentence in summary.damage:
            print(sentence)
    return 0


def run_verify(args: argparse.Namespace) -> int:
    """``vidharness cache verify PATH...``"""
    damaged = 0
    for path in find(args.places):
        count, found = look_through(path)
        damaged += bool(found)
        for sentence in found:
            print(f"{path}: damaged: {sentence}")
        if not found:
            print(f"{path}: whole, {count} records{_notes(path)}")
    return 1 if damaged else 0


def run_export(args: argparse.Namespace) -> int:
    """``vidharness cache export CACHE OUT``"""
    from harness.exchange.tables import export

    path = _one(args.cache)
    records = Cache(path).read()
    if not records:
        raise UsageError(f"{path} holds no records to export")
    export(args.out, path.stem, records)
    print(f"{len(records)} records of {path.name} written to {args.out}")
    return 0


def run_merge(args: argparse.Namespace) -> int:
    """``vidharness cache merge CACHE [CACHE...]``"""
    from harness.joining import join

    paths = [_one(path) for path in args.caches]
    if len(set(paths)) < len(paths):
        raise UsageError("a cache is named twice: name each once")
    records, changed = join(paths)
    others = f", {changed} of them new or better than before" if len(paths) > 1 else ""
    print(f"{paths[0]}: {len(records)} records{others}")
    return 0


def _one(path: Path) -> Path:
    (found,) = find([path]) if path.suffix == ".pkl" else (None,)
    if found is None:
        raise UsageError(f"{path} is no cache: name a .pkl file; `vidharness cache ls` lists them")
    return found


def _notes(path: Path) -> str:
    notes = []
    worker = worker_on(path)
    if worker:
        notes.append(f"{worker} is at work on it")
    if count := torn(path):
        notes.append(
            f"{count} torn last line{'s' * (count > 1)}, never acknowledged, to be cut by the next run"
        )
    notes += [f"{name} was set aside as damaged" for name in set_aside(path)]
    return "".join(f"; {note}" for note in notes)


def _row(summary: Summary) -> Sequence[str]:
    model, data, noise = _names(summary)
    failed = {name: count for name, count in summary.statuses.items() if name != "ok"}
    return (
        model,
        data,
        noise,
        str(summary.statuses.get("ok", 0)),
        ", ".join(f"{count} {name}" for name, count in failed.items()) or "0",
        bytes_text(summary.size),
        str(summary.journals),
        summary.worker or "",
        f"{summary.path}{' (damaged)' if summary.damage else ''}",
    )


def _names(summary: Summary) -> tuple[str, str, str]:
    if summary.path.parent.name == "verdicts":
        return summary.path.stem.rpartition("_")[0], "verdicts", ""
    parts = summary.parts or {}
    noise = parts.get("noise")
    label = f"{noise.get('name')} {noise.get('ratio')}" if isinstance(noise, dict) else "clean"
    return _name(parts.get("model")), _name(parts.get("dataset")), label if parts else "?"


def _name(part: Any) -> str:
    return str(part.get("name", "?")) if isinstance(part, Mapping) else "?"


def _described(summary: Summary) -> dict[str, Any]:
    model, data, noise = _names(summary)
    return {
        "path": str(summary.path),
        "model": model,
        "data": data,
        "noise": noise,
        "statuses": dict(summary.statuses),
        "bytes": summary.size,
        "journals": summary.journals,
        "run": summary.worker,
        "damage": list(summary.damage),
        "parts": summary.parts,
    }
