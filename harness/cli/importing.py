"""The verb ``cache import``: records that were exported, and answers of other programs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cache import Cache
from harness.errors import CacheError, UsageError
from harness.inventory import tail_of
from harness.pickles import is_ours

if TYPE_CHECKING:
    from harness.exchange.foreign import Foreign

MOST_BYTES = 2**30
"""Of a file to import; 100,000 answers of 1,000 characters are a tenth of it."""
_TABLES = (".jsonl", ".csv", ".parquet")


def run(args: argparse.Namespace) -> int:
    """``vidharness cache import FILE... (--into CACHE | --data D --model M ...)``"""
    if args.into is not None and (args.data or args.model):
        raise UsageError("--into names a cache, --data and --model a run: give one or the other")
    # All are read before anything is stored.
    read = [(file, _records_of(file)) for file in args.files]
    foreign = {file: found for file, found in read if not isinstance(found, tuple)}
    if foreign:
        _adopt(args, foreign)
    for file, found in read:
        if isinstance(found, tuple):
            _restore(args, file, *found)
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


def _adopt(args: argparse.Namespace, files: Mapping[Path, Foreign]) -> None:
    """Answers of another program become those of the run that the flags name."""
    if args.config is None and not (args.data and args.model):
        file, found = next(iter(files.items()))
        raise UsageError(
            f"{file} is {found} and does not say what they were made from: name the run they stand for "
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
    for file, found in files.items():
        done = import_answers(plan, config.work_dir, file.name, found)
        print(f"{file}: {found}")
        print(
            f"{cell.label}: {done.stored} answers imported, not verified; {done.kept} samples had one, "
            f"{done.lacking} have none and are asked by `run`"
        )
        for left_out, why in ((done.unknown, "no sample"), (done.other, "another question")):
            if left_out:
                shown = ", ".join(_printable(index)[:40] for index in left_out[:3])
                print(f"{cell.dataset.name} has {why} for {len(left_out)} of them, e.g. {shown}: left out")


def _records_of(file: Path) -> tuple[str, dict[Any, Any]] | Foreign:
    """What a file holds: the name of a cache and its records, or another program's answers."""
    from harness.exchange.foreign import read_foreign
    from harness.exchange.tables import restore

    data = _read(file)
    try:
        own = restore(file, data) if file.suffix.lower() in _TABLES else None
        return own or read_foreign(file, data)
    except ValueError as error:
        raise CacheError(f"{file} cannot be imported: {_printable(str(error))}") from error


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UsageError(f"{file} is larger than {MOST_BYTES >> 30} GB, as no file of answers is")
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    if is_ours(data):
        raise UsageError(f"{file} is a cache already: `vidharness cache merge` brings caches together")
    return data


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
