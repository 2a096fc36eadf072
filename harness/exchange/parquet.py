"""Parquet files by way of pyarrow, which an extra brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.files import write_bytes

MOST_ROWS = 10_000_000
MOST_BYTES = 2 * 2**30
"""Of unpacked columns, as the file itself says."""


def write(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns of one kind each (str, int, float, bool; None is nothing). Raises as ``export``."""
    _needed()
    import pyarrow
    import pyarrow.parquet

    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    arrays = {
        name: pyarrow.array(values, next((kinds[type(v)] for v in values if v is not None), pyarrow.string()))
        for name, values in columns.items()
    }
    sink = pyarrow.BufferOutputStream()
    # With a checksum for every page: without one, a damaged number would be read as another number.
    pyarrow.parquet.write_table(pyarrow.table(arrays), sink, write_page_checksum=True)
    write_bytes(path, sink.getvalue().to_pybytes())


def read(data: bytes) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns, and the rows. Raises ValueError, UsageError without pyarrow."""
    _needed()
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data), page_checksum_verification=True)
        found = file.metadata
        size = sum(found.row_group(group).total_byte_size for group in range(found.num_row_groups))
        if found.num_rows > MOST_ROWS or size > MOST_BYTES:
            raise ValueError("it is larger than any table of answers")
        table = file.read(use_threads=False)
        return list(table.column_names), list(zip(*(c.to_pylist() for c in table.columns), strict=True))
    # A crafted file finds its own ways to fail in the library below.
    except Exception as error:
        cause = (str(error) or type(error).__name__).splitlines()[0][:80]
        raise ValueError(f"it is no readable Parquet file ({cause})") from error


def _needed() -> None:
    from harness.extras import missing

    lacking = missing("vidharness", "tables")
    if lacking:
        raise UsageError(f".parquet needs {', '.join(lacking)}: pip install 'vidharness[tables]'")
