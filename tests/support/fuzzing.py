"""Damaged, foreign and hostile files for everything that reads stored answers.

    python -m fuzzing SEED COUNT

reads COUNT files made from SEED and prints as JSON how many of each kind were read and refused. It ends
with an error as soon as a reader raises anything but its one kind of error, gives anything but plain
data, runs, imports or opens anything (an audit hook sees to that), takes ten seconds of processor time
over one file, or needs more memory than a process of this size may have.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import pickle
import pickletools
import random
import resource
import signal
import struct
import sys
import types
import zipfile
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

import harness.exchange.parquet
from harness.exchange.foreign import Foreign, read_foreign
from harness.exchange.tables import export, restore
from harness.lines import line, parse, texts
from harness.pickles import dump, load
from harness.plain import check_key, check_record

SECONDS, MEMORY = 10, 4 * 2**30
FORBIDDEN = {
    *("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "pickle.find_class"),
    *("open", "import", "exec", "compile", "os.mkdir", "os.remove", "os.rename", "socket.connect"),
}
"""What Python tells audit hooks of when something runs, is imported or touches a file."""
CANARY = "/nowhere/canary"
CODECS = (
    "raw_unicode_escape",
    "unicode_escape",
    "latin-1",
    "ascii",
    "utf-8-sig",
    "utf-32-le",
    "utf-32-be",
    "cp437",
)
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


def mutated(draw: random.Random, seeds: list[bytes]) -> bytes:
    """A file with a few things wrong: flipped bits, pieces lost, repeated, moved in from another file."""
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(9):
            case 0 if at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                del data[at:]
            case 2:
                del data[at : at + draw.randint(1, 9)]
            case 3:
                data[at:at] = draw.randbytes(draw.randint(1, 9))
            case 4:
                data[at : at + 4] = draw.choice((b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\0"))
            case 5 | 6:
                data[at : at + 1] = draw.choice(pickletools.opcodes).code.encode("latin-1")
            case 7:
                data[at:at] = data[at : at + draw.randint(1, 64)] * draw.randint(1, 4)
            case _:
                other = draw.choice(seeds)
                start = draw.randrange(len(other) + 1)
                data[at:] = other[start:]
    return bytes(data)


def ascii_only(data: bytes) -> bytes:
    """So that a text's readers get further than its decoding."""
    return bytes(byte & 0x7F for byte in data)


def soup(draw: random.Random) -> bytes:
    """Opcodes at random, with arguments that fit them, more or less."""
    made = [draw.choice((b"\x80\x04", b"\x80\x02", b""))]
    for _ in range(draw.randint(1, 40)):
        code = draw.choice(pickletools.opcodes)
        made.append(code.code.encode("latin-1"))
        if code.arg is None:
            continue
        if code.arg.n == pickletools.UP_TO_NEWLINE:
            word = draw.choice((b"0", b"12", b"1.5", b"'text'", b"os\nsystem", b"builtins\neval", b"\xff"))
            made.append(word + b"\n")
        elif code.arg.n > 0:
            made.append(bytes(draw.choices((0, 1, 2, 255), (8, 4, 2, 1), k=code.arg.n)))
        else:
            width = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT8U: 8}
            size = draw.choice((0, 1, 3, 3, 3, 2**7 - 1))
            made += [size.to_bytes(width.get(code.arg.n, 4), "little"), draw.randbytes(min(size, 3))]
    return b"".join(made) + draw.choice((b".", b"."))


def read_cache(data: bytes) -> None:
    for key, record in load(data).items():
        check_key(key)
        check_record(record)


def read_journal(data: bytes) -> None:
    entries = parse(data).entries
    assert all(entry.record in RECORDS.values() for entry in entries), "a record was made up"


def read_answers(ending: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        found = read_foreign(Path(f"t{ending}"), data)
        assert type(found) is Foreign
        assert all(type(key) is type(text) is str for key, text in found.answers.items())

    return read


def read_export(ending: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        for key, record in (restore(Path(f"t{ending}"), data) or ("", {}))[1].items():
            check_key(key)
            check_record(record)

    return read


def cases(draw: random.Random, count: int, folder: Path) -> list[tuple[str, Callable[[bytes], None], bytes]]:
    """The files to read: their kind, their reader, their bytes."""
    crafted, exported = pickles(), tables(folder)
    caches = [dump(RECORDS), dump({}), *map(seal, crafted)]
    own = [dump(RECORDS).partition(b"\nvidharness")[0]] * len(crafted)
    text = {ending: [exported[ending]] for ending in (".jsonl", ".csv")}
    shares: dict[str, tuple[int, Callable[[bytes], None], Callable[[], bytes]]] = {
        "cache": (8, read_cache, lambda: mutated(draw, caches)),
        "cache with a right checksum": (20, read_cache, lambda: seal(mutated(draw, [*own, *crafted]))),
        "opcodes with a right checksum": (8, read_cache, lambda: seal(soup(draw))),
        "journal": (14, read_journal, lambda: mutated(draw, [JOURNAL, JOURNAL * 2, crafted[0]])),
        "foreign pickle": (20, read_answers(".pkl"), lambda: mutated(draw, crafted)),
        "opcodes": (8, read_answers(".pkl"), lambda: soup(draw)),
        "foreign table": (3, read_answers(".tsv"), lambda: mutated(draw, FOREIGN_TABLES)),
        "foreign table in ASCII": (
            5,
            read_answers(".tsv"),
            lambda: ascii_only(mutated(draw, FOREIGN_TABLES)),
        ),
        "Excel": (3, read_answers(".xlsx"), lambda: mutated(draw, [workbook()])),
        "sheet in Excel": (
            4,
            read_answers(".xlsx"),
            lambda: workbook(sheet=ascii_only(mutated(draw, [SHEET]))),
        ),
        "texts in Excel": (2, read_answers(".xlsx"), lambda: workbook(ascii_only(mutated(draw, [SHARED])))),
        "exported .jsonl": (4, read_export(".jsonl"), lambda: ascii_only(mutated(draw, text[".jsonl"]))),
        "exported .csv": (4, read_export(".csv"), lambda: ascii_only(mutated(draw, text[".csv"]))),
        "exported .parquet": (2, read_export(".parquet"), lambda: mutated(draw, [exported[".parquet"]])),
        "foreign .parquet": (2, read_answers(".parquet"), lambda: mutated(draw, [exported["foreign"]])),
    }
    total = sum(share for share, _, _ in shares.values())
    made = [
        (kind, reader, make())
        for kind, (share, reader, make) in shares.items()
        for _ in range(-(-count * share // total))
    ]
    unharmed = [("seed", read_answers(".pkl"), data) for data in crafted]
    unharmed += [("seed", read_cache, data) for data in caches]
    return unharmed + made


def main(seed: int, count: int, folder: Path) -> dict[str, dict[str, int]]:
    draw = random.Random(seed)
    todo = cases(draw, count, folder)
    harness.exchange.parquet._needed = lambda: None  # it looks into the installed packages
    # Whatever is imported late is imported here.
    for ending, data in tables(folder).items():
        (read_answers if ending == "foreign" else read_export)(ending)(data)
    read_answers(".xlsx")(workbook())
    for name in CODECS:
        codecs.lookup(name)
    watching = False

    def watch(event: str, arguments: Any) -> None:
        if watching and event in FORBIDDEN:
            os.write(2, f"{event} {arguments!r}\n".encode())
            os._exit(3)

    sys.addaudithook(watch)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    counts: Counter[tuple[str, str]] = Counter()
    for kind, reader, data in todo:
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)  # ends the process
        watching = True
        try:
            reader(data)
        except ValueError as error:
            assert len(str(error)) < 500, error
            counts[kind, "refused"] += 1
        else:
            counts[kind, "read"] += 1
        finally:
            watching = False
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    assert not Path(CANARY).exists()
    result: dict[str, dict[str, int]] = {}
    for (kind, outcome), number in counts.items():
        result.setdefault(kind, {})[outcome] = number
    return result


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), Path(scratch))))
