"""What the published data sets share: where they lie, their tables, their archives, their tasks."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Literal

from harness import Sampling, UsageError

from .choices import LETTERS, place
from .one_by_one import Missing, OneByOne
from .roots import Home
from .row import Row


class Published(OneByOne):
    """Base of a published data set; those who derive from it give ``tables`` and ``read``.

    sampling: which frames are shown. data_root: the folder as published, its archives unpacked, or the
    one above it; without it $LMUData, the hub's cache and the user's cache folder are searched. missing:
    ``allow`` goes on without videos that are not there; their questions then count as failures.
    """

    home: ClassVar[Home]
    packed: ClassVar[str] = ""
    """Pattern of the archives, from the root."""
    unpack: ClassVar[str] = ""
    """What unpacks them, as typed in the root."""

    def __init__(
        self, sampling: Sampling, data_root: Path | None = None, missing: Missing = "refuse"
    ) -> None:
        super().__init__(sampling, data_root, missing)

    def tables(self) -> Sequence[Path]:
        """The files with the questions."""
        raise NotImplementedError

    @cached_property
    def root(self) -> Path:
        """The folder of the data set. Raises UsageError when there is none."""
        return self.home.find(self.data_root)

    def identity(self) -> Mapping[str, str]:
        """A digest of the tables: other questions are another data set."""
        digest = sha256()
        for path in self.tables():
            try:
                digest.update(path.read_bytes())
            except OSError as error:
                raise UsageError(f"{path} cannot be read ({error.strerror}): {self._fetch()}") from error
        return {"table": digest.hexdigest()[:16]}

    def check(self) -> None:
        self.identity()
        super().check()

    def remedy(self) -> str:
        return f"looked in {self.root}: {self._fetch()}"

    def _fetch(self) -> str:
        if self.packed and any(self.root.glob(self.packed)):
            return f"unpack the archives there with `cd {shlex.quote(str(self.root))} && {self.unpack}`"
        return f"get them with {self.home.download(self.root)}"

    def first(self, *names: str) -> Path:
        """The first of these paths below the root that exists; the first one when none does."""
        paths = [self.root / name for name in names]
        return next((path for path in paths if path.exists()), paths[0])


class Tasked(Published):
    """A data set of several tasks, which can be run apart; ``tasks`` says which, in whatever order."""

    names: ClassVar[tuple[str, ...]]
    """All tasks in the order published."""
    usual: ClassVar[tuple[str, ...]]
    """Those that are asked when nothing is said."""

    def __init__(
        self,
        sampling: Sampling,
        data_root: Path | None = None,
        missing: Missing = "refuse",
        tasks: tuple[str, ...] = (),
    ) -> None:
        super().__init__(sampling, data_root, missing)
        unknown = [task for task in tasks if task not in self.names]
        if unknown:
            raise UsageError(
                f"{self.home.folder} has no task {unknown[0]!r}: its tasks are {', '.join(self.names)}"
            )
        self.tasks = tuple(name for name in self.names if name in (tasks or self.usual))

    @property
    def short_name(self) -> str:
        """``MLVU_8frame``, and the tasks where they are not the usual ones: nobody shall compare the two."""
        some = [] if self.tasks == self.usual else ["+".join(self.tasks)]
        return "_".join((self.home.folder, str(self.sampling), *some))


def right_option(row: Row, options: Sequence[str], spelt: Literal["text", "letter"]) -> int:
    """The position of the option that the row's answer names, which the set spells so. Raises UsageError."""
    answer = row.text("answer").strip()
    # What a set always writes goes first: an option may be a letter, too.
    own = [option.strip() for option in options] if spelt == "text" else list(LETTERS[: len(options)])
    if answer in own:
        return own.index(answer)
    found = place(answer, options)
    if found is None:
        raise row.wrong("answer", f"{answer[:60]!r} is none of the options")
    return found
