"""Tables of a cache: whatever is stored comes back, whatever it looks like."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.extras
from harness.errors import UsageError
from harness.exchange.tables import export, restore

NAME = "m_d_clean_0123abcd"
ENDINGS = [".jsonl", ".csv", ".parquet"]
TEXTS = [
    "",
    "None",
    "N/A",
    "nan",
    "null",
    "3",
    "a\r\nb\rc\n",
    '"',
    ",;\t",
    "né 日本\u2028",
    "\ud800",
    "\0",
    " x ",
]
KEYS = st.integers(-(2**63), 2**63 - 1) | st.text(max_size=4) | st.sampled_from(["1", "1.0", ""])
TEXT = st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=()))
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["prediction", "status", "n", "a:json", '"q', "", "\ud800"]) | st.text(max_size=3)
RECORDS = st.dictionaries(
    KEYS,
    st.dictionaries(FIELDS.filter(lambda name: name not in ("id", "cache")), VALUES),
    min_size=1,
    max_size=5,
)


def through(records: dict[Any, Any], ending: str) -> dict[Any, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        export(path, NAME, records)
        found = restore(path, path.read_bytes())
    assert found is not None and found[0] == NAME
    return found[1]


def exactly(value: Any) -> Any:
    """With the types, as 1, 1.0 and True are equal."""
    if isinstance(value, dict):
        return {(type(key), key): exactly(item) for key, item in value.items()}
    return [exactly(item) for item in value] if isinstance(value, list) else (type(value), value)


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=40)
@given(records=RECORDS)
def test_every_field_comes_back(ending: str, records: dict[Any, Any]) -> None:
    assert exactly(through(records, ending)) == exactly(records)


@pytest.mark.parametrize("ending", ENDINGS)
def test_long_answers_and_each_awkward_text(ending: str) -> None:
    records: dict[Any, Any] = {n: {"prediction": text, "status": "ok"} for n, text in enumerate(TEXTS)}
    records |= {"1": {"prediction": "x" * 3_000_000, "status": "ok", "meta": {"deep": [{"er": None}]}}}
    assert exactly(through(records, ending)) == exactly(records)
    plain = {n: record for n, record in records.items() if record["prediction"] != "\ud800" and n != "1"}
    assert exactly(through(plain, ending)) == exactly(plain)


def test_a_csv_file_is_what_other_programs_expect(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    export(path, NAME, {2: {"prediction": "b\nc", "n": 1}, 1: {"prediction": "a", "n": None}})
    limit = csv.field_size_limit()
    rows = list(csv.DictReader(path.open(newline="", encoding="utf-8")))
    assert rows == [
        {"cache": NAME, "id:json": "1", "prediction": "a", "n:json": "null"},
        {"cache": NAME, "id:json": "2", "prediction": "b\nc", "n:json": "1"},
    ]
    restore(path, path.read_bytes())
    assert csv.field_size_limit() == limit


def test_a_parquet_file_keeps_numbers_as_numbers(tmp_path: Path) -> None:
    import pyarrow.parquet

    path = tmp_path / "t.parquet"
    export(path, NAME, {1: {"prediction": "a", "score": 1.5}, 2: {"prediction": "b", "score": 3.0}})
    schema = pyarrow.parquet.read_schema(path)
    kinds = {name: str(schema.field(name).type) for name in schema.names}
    assert kinds == {"cache": "string", "id": "int64", "prediction": "string", "score": "double"}


def test_a_wrong_byte_in_a_parquet_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    records: dict[Any, Any] = {n: {"prediction": f"answer {n}", "score": n / 7} for n in range(200)}
    export(path, NAME, records)
    whole = path.read_bytes()
    described = int.from_bytes(whole[-8:-4], "little")  # how long the description of the columns is
    found = 0
    for position in range(4, len(whole) - 8 - described, 5):
        data = bytearray(whole)
        data[position] ^= 1
        try:
            assert restore(path, bytes(data)) == (NAME, records)
        except ValueError:
            found += 1
    assert found > 100


@pytest.mark.parametrize("field", ["id", "cache"])
def test_records_that_would_be_mistaken_are_refused(tmp_path: Path, field: str) -> None:
    with pytest.raises(UsageError, match=f"a field '{field}'"):
        export(tmp_path / "t.csv", NAME, {1: {field: 1}})


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.json"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"has to end in \.jsonl, \.csv, \.parquet"):
        export(tmp_path / name, NAME, {1: {}})


@pytest.mark.parametrize(
    ("ending", "data"),
    [
        (".csv", b"index,prediction\n1,a\n"),
        (".csv", b""),
        (".jsonl", b'{"id": 1, "prediction": "a"}\n'),
        (".jsonl", b"[1]\n"),
        (".jsonl", b""),
    ],
)
def test_tables_of_others_are_left_to_others(ending: str, data: bytes) -> None:
    assert restore(Path(f"t{ending}"), data) is None


@pytest.mark.parametrize(
    ("ending", "data", "said"),
    [
        (".csv", b"cache,id:json\nc,1,2\n", "rows do not fit"),
        (".csv", b"cache,id,id:json\nc,1,1\n", "rows do not fit"),
        (".csv", b"cache,id:json\nc,1\nc,1\n", "row 2 names no cache, or has the id of an earlier row"),
        (".csv", b"cache,id:json\nc,\n", "row 1 is no record"),
        (".csv", b"cache:json,id:json\n3,1\n", "row 1 names no cache"),
        (".csv", b"cache,id:json\nc,1.5\n", "row 1 is no record"),
        (".csv", b"cache,id:json\nc,1\nd,2\n", "records of 2 caches"),
        (".csv", b'cache,id:json\nc,"1\n', "no table"),
        (".csv", b"cache,id:json\nc,{\n", "Expecting"),
        (".csv", b"cache,id:json,a:json\nc,1," + b"[" * 5000 + b"\n", "does not hold JSON"),
        (".jsonl", b'{"cache": "c", "id": 1, "a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
        (".jsonl", b'{"cache": "c", "id": 1, "a": 1e', "Expecting|Unterminated|Extra"),
        (".jsonl", b"\xff", "decode"),
        (".parquet", b"PAR1", "no readable Parquet file"),
    ],
)
def test_damaged_tables_are_one_sentence(ending: str, data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        restore(Path(f"t{ending}"), data)


def test_parquet_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.extras, "missing", lambda *_: ["pyarrow>=15"])
    with pytest.raises(UsageError, match=r"needs pyarrow>=15: pip install 'vidharness\[tables\]'"):
        export(tmp_path / "t.parquet", NAME, {1: {}})
