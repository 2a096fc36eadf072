"""Tables of questions in every form that data sets come in."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows in the form that the ending says."""
    form = path.suffix
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif form in (".tsv", ".csv"):
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), delimiter="\t" if form == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
        path.write_bytes(out.getvalue().encode())
    elif form == ".jsonl":
        path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    else:
        path.write_text(json.dumps(rows))
    return path
