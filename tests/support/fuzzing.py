"""Damaged, foreign and hostile files for everything that reads stored answers.

    python -m fuzzing SEED COUNT

reads COUNT files made from SEED and prints as JSON how many of each kind were read and refused. It ends
with an error as soon as a reader raises anything but its one kind of error, gives anything but plain
data, runs, imports or opens anything (an audit hook sees to that), takes ten seconds of processor time
over one file, or needs more memory than a process of this size may have.
"""

from __future__ import annotations

import codecs
import json
import os
import pickletools
import random
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile import (
    CANARY,
    FOREIGN_TABLES,
    JOURNAL,
    RECORDS,
    SHARED,
    SHEET,
    pickles,
    seal,
    tables,
    workbook,
)

import harness.exchange.parquet
from harness.exchange.foreign import Foreign, read_foreign
from harness.exchange.tables import restore
from harness.lines import parse
from harness.pickles import dump, load
from harness.plain import check_key, check_record

SECONDS, MEMORY = 10, 4 * 2**30
FORBIDDEN = {
    *("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "pickle.find_class"),
    *("open", "import", "exec", "compile", "os.mkdir", "os.remove", "os.rename", "socket.connect"),
}
"""What Python tells audit hooks of when something runs, is imported or touches a file."""
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
