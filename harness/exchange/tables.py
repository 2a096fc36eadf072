"""The records of a cache as a table (.jsonl, .csv, .parquet) that comes back as the same records.

A row a record: ``cache`` names the cache (its file name without ending), ``id`` is the key, and every
field has a column. A column whose name ends in ``:json`` holds JSON; one left empty there is a field that
the record does not have. All other columns hold text (in .parquet also numbers) as it is: a text that is
empty, ``None``, ``N/A`` or ``nan`` stays what it is. In .jsonl each field is simply itself.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.files import write_text
from harness.lines import Key, Record, order
from harness.plain import check_key, check_record

OWN = ("cache", "id")
"""The columns that no record may have: what tells our tables from others."""
_FIRST = ("prediction", "score", "status")
_JSON = ":json"
_ABSENT: Any = object()


def export(path: Path, cache: str, records: Mapping[Key, Record]) -> None:
    """Write the table; the ending of ``path`` says in which form.

    Raises UsageError for another ending, records that cannot be told from our own columns, or a library
    that is not installed, HarnessError when the disk does not take it.
    """
    taken = {name for record in records.values() for name in OWN if name in record}
    if taken:
        raise UsageError(f"{cache} has records with a field {min(taken)!r}, which a table cannot hold")
    _form(path, _WRITERS)(path, cache, {key: records[key] for key in sorted(records, key=order)})


def restore(path: Path, data: bytes) -> tuple[str, dict[Key, Record]] | None:
    """The cache's name and its records, from what :func:`export` wrote; None for another table.

    Raises ValueError saying what is wrong with it, UsageError for a library that is not installed.
    """
    rows = _form(path, _READERS)(data)
    if rows is None:
        return None
    names: set[str] = set()
    records: dict[Key, Record] = {}
    for number, row in enumerate(rows, 1):
        name, key = row.pop("cache", None), row.pop("id", None)
        try:
            check_key(key)
            check_record(row)
        except TypeError as error:
            raise ValueError(f"its row {number} is no record: {error}") from error
        if type(name) is not str or key in records:
            raise ValueError(f"its row {number} names no cache, or has the id of an earlier row")
        names.add(name)
        records[key] = row
    if len(names) != 1:
        raise ValueError(f"it holds the records of {len(names)} caches, not of one")
    return names.pop(), records


def _form(path: Path, known: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    try:
        return known[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"{path.name} has to end in {', '.join(_WRITERS)}") from None


def _write_jsonl(path: Path, cache: str, records: Mapping[Key, Record]) -> None:
    rows = ({"cache": cache, "id": key, **record} for key, record in records.items())
    write_text(path, "".join(f"{_json(row)}\n" for row in rows))


def _read_jsonl(data: bytes) -> list[Record] | None:
    try:
        rows = [json.loads(line) for line in data.decode().split("\n") if line]
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return rows if rows and all(type(row) is dict and set(OWN) <= set(row) for row in rows) else None


def _write_csv(path: Path, cache: str, records: Mapping[Key, Record]) -> None:
    columns = _columns(cache, records, ())
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_text(path, buffer.getvalue())


def _read_csv(data: bytes) -> Iterator[Record] | None:
    header, *rows = csv_rows(data.decode(), ",", strict=True) or [[]]
    names = [name.removesuffix(_JSON) for name in header]
    if not set(OWN) <= set(names) or not rows:
        return None
    if len(set(names)) < len(names) or any(len(row) != len(header) for row in rows):
        raise ValueError("its rows do not fit its header")
    return _rows(header, rows)


def csv_rows(text: str, delimiter: str, strict: bool = False) -> list[list[str]]:
    """The rows of a table with cells of any length. Raises ValueError."""
    with long_cells():
        try:
            return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict))
        except csv.Error as error:
            raise ValueError(f"it is no table ({error})") from error


@contextmanager
def long_cells() -> Iterator[None]:
    """While inside, the csv module reads cells of any length."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _write_parquet(path: Path, cache: str, records: Mapping[Key, Record]) -> None:
    from harness.exchange.parquet import write

    write(path, _columns(cache, records, (int, float, bool)))


def _read_parquet(data: bytes) -> Iterator[Record] | None:
    from harness.exchange.parquet import read

    header, rows = read(data)
    return _rows(header, rows) if set(OWN) <= {name.removesuffix(_JSON) for name in header} and rows else None


def _columns(cache: str, records: Mapping[Key, Record], kinds: tuple[type, ...]) -> dict[str, list[Any]]:
    """The table by columns: those of one kind as they are, others as JSON (None where there is nothing)."""
    fields = sorted({name for record in records.values() for name in record})
    fields.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    columns: dict[str, list[Any]] = {"cache": [cache] * len(records), "id": list(records)}
    columns |= {name: [record.get(name, _ABSENT) for record in records.values()] for name in fields}
    found: dict[str, list[Any]] = {}
    for name, values in columns.items():
        alike = {type(value) for value in values}
        plain = len(alike) == 1 and (alike <= {*kinds} or (alike == {str} and all(map(_encodable, values))))
        if plain and not name.endswith(_JSON) and _encodable(name):
            found[name] = values
        else:
            found[_escaped(name)] = [None if value is _ABSENT else _json(value) for value in values]
    return found


def _rows(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[Record]:
    names = [_unescaped(name) if name.endswith(_JSON) else name for name in header]
    for row in rows:
        record: Record = {}
        for title, name, cell in zip(header, names, row, strict=True):
            if not title.endswith(_JSON):
                record[name] = cell
            elif cell not in (None, ""):
                try:
                    record[name] = json.loads(cell)
                except (TypeError, RecursionError) as error:
                    raise ValueError(f"its column {title} does not hold JSON") from error
        yield record


def _escaped(name: str) -> str:
    return (name if _encodable(name) and not name.startswith('"') else json.dumps(name)) + _JSON


def _unescaped(title: str) -> str:
    name = title.removesuffix(_JSON)
    return str(json.loads(name)) if name.startswith('"') else name


def _json(value: Any) -> str:
    """As JSON text that UTF-8 can hold."""
    text = json.dumps(value, ensure_ascii=False)
    return text if _encodable(text) else json.dumps(value)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_WRITERS = {".jsonl": _write_jsonl, ".csv": _write_csv, ".parquet": _write_parquet}
_READERS = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
