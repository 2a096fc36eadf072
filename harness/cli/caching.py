"""The verbs below ``cache``: what is stored, whether it is whole, out of it and into it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cache import Cache
from harness.cli.columns import columns
from harness.errors import CacheError, UsageError
from harness.inventory import Summary, find, problems, sum_up, tail_of, torn, worker_on

if TYPE_CHECKING:
    from harness.exchange.foreign import Foreign

MOST_BYTES = 2**30
"""Of a file to import; 100,000 answers of 1,000 characters are a tenth of it."""
_TABLES = (".jsonl", ".csv", ".parquet")


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
        found = problems(path)
        damaged += bool(found)
        for sentence in found:
            print(f"{path}: damaged: {sentence}")
        if not found:
            print(f"{path}: whole, {len(Cache(path).read())} records{_notes(path)}")
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


def run_import(args: argparse.Namespace) -> int:
    """``vidharness cache import FILE... (--into CACHE | --data D --model M ...)``"""
    from harness.exchange.foreign import read_foreign
    from harness.exchange.tables import restore

    if args.into is not None and (args.data or args.model):
        raise UsageError("--into names a cache, --data and --model a run: give one or the other")
    for file in args.files:
        data = _read(file)
        try:
            own = restore(file, data) if file.suffix.lower() in _TABLES else None
            foreign = None if own else read_foreign(file, data)
        except ValueError as error:
            raise CacheError(f"{file} cannot be imported: {_printable(str(error))}") from error
        if own is not None:
            _restore(args, file, *own)
        elif foreign is not None:
            _adopt(args, file, foreign)
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


def _restore(args: argparse.Namespace, file: Path, name: str, records: dict[Any, Any]) -> None:
    """Records that were exported go back into a cache of the same fingerprint."""
    from harness.joining import alone, put

    if args.into is None:
        raise UsageError(f"{file} holds exported records of {name}: say where they go with --into CACHE.pkl")
    if args.into.suffix != ".pkl":
        raise UsageError(f"--into names a cache, a .pkl file, not {args.into.name}")
    if tail_of(args.into.stem) != tail_of(name):
        raise UsageError(
            f"{file} was exported from {name}, whose fingerprint is not that of {args.into.name}: "
            f"its answers are another cell's; use --into {args.into.with_name(name)}.pkl"
        )
    with alone(args.into):
        cache = Cache(args.into)
        put(cache, records)
        total = len(cache.merge())
    print(f"{file}: {len(records)} exported records of {name}; {args.into} has {total} now")


def _adopt(args: argparse.Namespace, file: Path, foreign: Foreign) -> None:
    """Answers of another program become those of the run that the flags name."""
    if args.config is None and not (args.data and args.model):
        raise UsageError(
            f"{file} is {foreign} and does not say what they were made from: name the run they stand for "
            "with the flags of `run`, at least --data and --model"
        )
    from harness.cli.checking import prepared_run
    from harness.importing import import_answers
    from harness.plan import make_plan

    flags = {name: value for name, value in vars(args).items() if name not in ("files", "into")}
    config, prepared = prepared_run(argparse.Namespace(**{**flags, "mode": "infer"}))
    if len(prepared.cells) > 1:
        raise UsageError("answers belong to one model and one data set: give one --model and one --data")
    (cell,) = prepared.cells
    plan = make_plan(cell, prepared.samples[cell.dataset.name])
    done = import_answers(plan, config.work_dir, file.name, foreign)
    print(f"{file}: {foreign}")
    print(
        f"{cell.label}: {done.stored} answers imported, not verified; {done.kept} samples had one, "
        f"{done.lacking} have none and are asked by `run`"
    )
    if done.unknown:
        shown = ", ".join(_printable(index)[:40] for index in done.unknown[:3])
        print(f"{len(done.unknown)} answers are to nothing in {cell.dataset.name}, e.g. {shown}")


def _one(path: Path) -> Path:
    (found,) = find([path]) if path.suffix == ".pkl" else (None,)
    if found is None:
        raise UsageError(f"{path} is no cache: name a .pkl file; `vidharness cache ls` lists them")
    return found


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UsageError(f"{file} is larger than {MOST_BYTES >> 30} GB, as no file of answers is")
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    if b"\nvidharness cache 1 " in data[-128:]:
        raise UsageError(f"{file} is a cache already: `vidharness cache merge` brings caches together")
    return data


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _notes(path: Path) -> str:
    notes = []
    worker = worker_on(path)
    if worker:
        notes.append(f"{worker} is at work on it")
    if count := torn(path):
        notes.append(
            f"{count} torn last line{'s' * (count > 1)}, never acknowledged, to be cut by the next run"
        )
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
        _bytes(summary.size),
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


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


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
