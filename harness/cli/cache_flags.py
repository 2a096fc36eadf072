"""The flags of the verbs below ``cache``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

_DATA = "answers of another program stand for a run: name it with the flags of `run`"


def add(
    verbs: Any,
    verb: Callable[[Any, str, str, str], argparse.ArgumentParser],
    run_flags: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add ``ls``, ``verify``, ``export``, ``import`` and ``merge``; run_flags adds the flags of ``run``."""
    made = verb(verbs, "ls", "caching:run_ls", "list stored answers and verdicts, and who is at work on them")
    made.add_argument("places", nargs="*", type=Path, metavar="PATH", default=[Path("outputs")])
    made.add_argument("--json", action="store_true", help="print JSON")

    made = verb(verbs, "verify", "caching:run_verify", "look for damage; exit code 1 if there is some")
    made.add_argument("places", nargs="+", type=Path, metavar="PATH", help="a .pkl file, or a folder of some")

    made = verb(verbs, "export", "caching:run_export", "write stored records as a table that can be imported")
    made.add_argument("cache", type=Path, metavar="CACHE", help="a .pkl file")
    made.add_argument("out", type=Path, metavar="OUT", help="a .jsonl, .csv or .parquet file")

    made = verb(verbs, "import", "importing:run", "take in exported records, or other programs' answers")
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a table or a prediction pickle")
    made.add_argument("--into", type=Path, metavar="CACHE", help="the .pkl for records that were exported")
    run_flags(made)
    made.description = f"{made.description}; {_DATA}"

    made = verb(verbs, "merge", "caching:run_merge", "bring journals, and other caches of the cell, into one")
    made.add_argument("caches", nargs="+", type=Path, metavar="CACHE", help=".pkl files; the first one grows")
