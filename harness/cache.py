"""What has been answered or judged: a ``.pkl`` that people open, and journals beside it while running.

Every writer appends to a journal of its own (:mod:`harness.journal`); whoever finishes last merges
them into the ``.pkl`` (:mod:`harness.pickles`) through a temporary file and a rename. Killed at any
point, nothing that was stored is lost: a journal goes only after the ``.pkl`` that holds its records
is on the disk, and merging it twice changes nothing.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from pathlib import Path

from harness.errors import CacheError
from harness.journal import Journal, cannot_write, flush, sync_folder, write
from harness.lines import Contents, Key, Record, parse
from harness.locks import hold, let_go, release
from harness.pickles import dump, load

__all__ = ["Cache", "Journal"]


class Cache:
    """Records by key: predictions by sample id, or verdicts by the digest of what was judged.

    path: the ``.pkl``. A later record takes the place of an earlier one of the same key, except that
    one whose ``status`` is ``"ok"`` never yields to one that failed.
    damage: sentences about lines of journals that could not be read, as of the last read or merge;
    their records are lost and have to be made again.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix != ".pkl":
            raise ValueError(f"a cache is a .pkl file, not {path.name}")
        self.path = path
        self.damage: list[str] = []
        self._latest = 0

    def read(self) -> dict[Key, Record]:
        """Everything stored so far, also by processes that are still writing.

        Raises CacheError when the ``.pkl`` is foreign, damaged or hostile, or a file cannot be read.
        """
        return self._fold(self._contents())

    def journal(self, writer: str) -> Journal:
        """The append-only file of this process. writer: unique among live processes; letters, digits, _, -.

        Raises CacheError when the folder cannot be written.
        """
        if not re.fullmatch(r"[\w-]+", writer, re.ASCII):
            raise ValueError(f"a writer is named by letters, digits, _ and -, not {writer!r}")
        return Journal(self.path.with_name(f"{self.path.stem}.{writer}.journal"), after=self._latest)

    def merge(self) -> dict[Key, Record]:
        """Bring all journals into the ``.pkl`` and remove them; returns its records.

        Journals of live writers are read but stay. One with damaged lines is set aside as
        ``.journal.damaged``. While another process merges, this only reads. Raises CacheError.
        """
        if not self.journals():
            return self.read()
        temporary = self.path.with_name(f"{self.path.name}.tmp")
        with ExitStack() as held:
            try:
                file = hold(temporary)
                if file is None:
                    return self.read()
                held.callback(release, file, temporary)
                ended = [path for path in self.journals() if _take(path, held)]
                found = self._contents()
                records = self._fold(found)
                _replace(file, temporary, self.path, dump(records))
                for path in ended:
                    _remove(path, found[path])
            except OSError as error:
                cannot_write(self.path, error)
        return records

    def journals(self) -> list[Path]:
        """The journals that are not merged yet, also those of live writers."""
        pattern = re.compile(rf"{re.escape(self.path.stem)}\.[\w~-]+\.journal", re.ASCII)
        try:
            return sorted(path for path in self.path.parent.iterdir() if pattern.fullmatch(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(self.path.parent, error) from error

    def _contents(self) -> dict[Path, Contents]:
        read = ((path, _read(path)) for path in self.journals())
        return {path: parse(data) for path, data in read if data is not None}

    def _fold(self, journals: dict[Path, Contents]) -> dict[Key, Record]:
        # The .pkl is read after the journals: what a merge removes meanwhile is in it by then.
        records = self._final()
        entries = [entry for contents in journals.values() for entry in contents.entries]
        for entry in sorted(entries, key=lambda entry: entry.stamp):
            if entry.record.get("status") == "ok" or records.get(entry.key, {}).get("status") != "ok":
                records[entry.key] = entry.record
            self._latest = max(self._latest, entry.stamp)
        self.damage = [_sentence(path, found.damaged) for path, found in journals.items() if found.damaged]
        return records

    def _final(self) -> dict[Key, Record]:
        data = _read(self.path)
        if data is None:
            return {}
        try:
            return load(data)
        except ValueError as error:
            raise CacheError(
                f"{self.path} cannot be used: {error}; move it away and run the same command again, "
                "which asks anew for what only that file holds"
            ) from error


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> CacheError:
    return CacheError(
        f"cannot read {path}: {error.strerror or error}; give yourself access to it or use another --work_dir"
    )


def _sentence(path: Path, damaged: int) -> str:
    lines = "1 damaged line" if damaged == 1 else f"{damaged} damaged lines"
    return f"{path.name} has {lines}; what cannot be read there is asked for again"


def _take(journal: Path, held: ExitStack) -> bool:
    """Hold a journal until the stack closes, unless its writer lives."""
    try:
        descriptor = hold(journal, create=False)
    except FileNotFoundError:
        return False
    if descriptor is None:
        return False
    held.callback(let_go, descriptor)
    return True


def _replace(file: int, temporary: Path, path: Path, data: bytes) -> None:
    """Write ``data`` to the open ``temporary``, which takes the name once all is on the disk."""
    os.ftruncate(file, 0)
    write(file, data)
    flush(file)
    temporary.replace(path)
    sync_folder(path.parent)


def _remove(journal: Path, contents: Contents) -> None:
    """Remove a merged journal; a damaged one is kept for people under another name."""
    if contents.damaged:
        journal.replace(journal.with_name(f"{journal.name}.damaged"))
    # It has grown only where files cannot be locked; then it is merged another time.
    elif journal.stat().st_size == contents.size:
        journal.unlink()
