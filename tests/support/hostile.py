"""Files that nobody should trust, and whole ones of every kind, for whatever reads stored answers."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import types
import zipfile
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from harness.exchange.tables import export
from harness.lines import line, texts

CANARY = "/nowhere/canary"
RECORDS: dict[Any, dict[str, Any]] = {
    0: {"prediction": "N/A", "status": "ok", "key": "0f", "indices": [1, 2], "meta": {"a": [None, 1.5]}},
    7: {"prediction": "né\n\ttab", "status": "timeout", "error": "late"},
    "x": {"prediction": "nan" * 40, "status": "ok"},
}


class Hostile:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


def frames() -> list[bytes]:
    """Pickles of an object of a class that is named as pandas' frames are."""
    module = types.ModuleType("pandas.core.frame")
    made = type("DataFrame", (), {"__module__": module.__name__})()
    made._mgr = {"blocks": [np.arange(3), np.array(["a", "b"])]}
    module.DataFrame = type(made)  # type: ignore[attr-defined]
    names = ("pandas", "pandas.core", module.__name__)
    sys.modules.update(dict.fromkeys(names, module))
    try:
        return [pickle.dumps(made, protocol) for protocol in range(6)]
    finally:
        for name in names:
            del sys.modules[name]


def pickles() -> list[bytes]:
    """Of all protocols: what VLMEvalKit writes, what pandas does, and what an attacker would."""
    foreign = [
        {n: f"answer {n}" for n in range(6)},
        {np.int64(n): np.str_(f"answer {n}") for n in range(6)},
        {"vid_1": None, "vid_2": float("nan"), 3: np.float64(2.5), 4: {"prediction": "x", "extra": [1]}},
        [{"index": 1, "prediction": "a"}, {"index": 2, "prediction": "Failed to obtain answer via API."}],
        {0: np.arange(4), 1: (1, 2), 2: {3}, 4: b"bytes", 5: bytearray(b"more"), 6: 2**200},
    ]
    hostile = [
        Hostile(os.system, f"touch {CANARY}"),
        Hostile(eval, f"open({CANARY!r}, 'w')"),
        Hostile(os.mkdir, CANARY),
        {1: Hostile(exec, f"import os; os.mkdir({CANARY!r})")},
        {Hostile(os.mkdir, CANARY): "key"},
    ]
    made = [pickle.dumps(value, protocol) for value in foreign + hostile for protocol in range(6)]
    bomb = b"\x80\x04]q\x00" + b"".join(b"(" + b"h%c" % n * 8 + b"lq%c" % (n + 1) for n in range(100)) + b"."
    tuples = b"\x80\x04)" + b"2\x86" * 60 + b"}q\x00h\x00."
    return [
        *made,
        *frames(),
        bomb,
        tuples,
        b"\x80\x04}(" + b")2\x86" * 40 + b"K\x01u.",
        b"\x80\x04" + b"]" * 5000 + b"a" * 4999 + b".",
        b"\x80\x04" + b")" + b"\x85" * 5000 + b"}\x94h\x00N0.",
        b"\x80\x04}X\xff\xff\xff\x7fs.",
        b"\x80\x04}\x8d" + struct.pack("<Q", 2**62) + b"x.",
        b"\x80\x05}\x96" + struct.pack("<Q", 2**34) + b"x.",
        b"\x80\x04}\x8b" + struct.pack("<i", 2**31 - 1) + b".",
        b"\x80\x04}r\xff\xff\xff\xff.",
        b"\x82\x01.",
        b"\x84\xff\xff\xff\x7f.",
        b"Ppersistent\n.",
        b"\x80\x04NQ.",
        b"(ios\nsystem\n.",
        b"(cos\nsystem\nS'true'\no.",
        b"I" + b"9" * 5000 + b"\n.",
        b"(dp0\nI0\nS'a Python 2 answer'\np1\ns.",
        seal(b"\x80\x04}K\x01}\x8c\x01aX\xff\xff\xff\x7fss."),
    ]


def seal(pickled: bytes) -> bytes:
    """What a forger would do: the right checksum of one of our caches around any pickle."""
    return pickled + b"\nvidharness cache 1 " + blake2b(pickled, digest_size=16).hexdigest().encode() + b"\n"


SHARED = b"<sst><si><t>index</t></si><si><t>prediction</t></si></sst>"
SHEET = (
    b'<worksheet><sheetData><row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    b'<row><c r="A2"><v>3</v></c><c r="B2" t="inlineStr"><is><t>a_x000D_b</t></is></c></row>'
    b"</sheetData></worksheet>"
)


def workbook(shared: bytes = SHARED, sheet: bytes = SHEET) -> bytes:
    """An Excel file of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", shared)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return buffer.getvalue()


def tables(folder: Path) -> dict[str, bytes]:
    """Our exports by ending, and under ``foreign`` a Parquet file without checksums."""
    made = {}
    for ending in (".jsonl", ".csv", ".parquet"):
        export(folder / f"t{ending}", "m_d_clean_0123abcd", RECORDS)
        made[ending] = (folder / f"t{ending}").read_bytes()
    columns = {"index": list(range(20)), "prediction": [f"answer {n % 3}" for n in range(20)]}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "foreign.parquet")
    return {**made, "foreign": (folder / "foreign.parquet").read_bytes()}


JOURNAL = b"".join(line(key, n, record) for n, (key, record) in enumerate(texts(*i) for i in RECORDS.items()))
FOREIGN_TABLES = [
    b'"index"\t"question"\t"prediction"\n"0"\t"why?"\t"because\nof it"\n"1"\t""\t""\n',
    b"index,prediction,score\n0,yes,3\n1,no,0\n",
    b'[{"index": 0, "prediction": "yes"}, {"index": 1, "prediction": null}]',
    b'{"0": "yes", "1": "no"}',
    b'{"index": 0, "prediction": "a"}\n{"index": 1, "prediction": "b"}\n',
    b"[" * 3000 + b"]" * 3000,
]
