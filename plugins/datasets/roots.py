"""Where a published data set lies: the folder the user names, or the places its other users keep it.

Nothing is downloaded: what the hub's client has in its cache is used, and no network is asked.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import UsageError


@dataclass(frozen=True, slots=True)
class Home:
    """A data set on the Hugging Face hub.

    hub: its name there. folder: what a folder of its own is called. marker: a file that tells its folder
    from others. inner: a folder in which the hub's copy keeps everything. gated: whether its authors ask
    for consent first.
    """

    hub: str
    folder: str
    marker: str
    inner: str = ""
    gated: bool = False

    def find(self, data_root: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
        """The folder that holds the marker.

        ``data_root`` is that folder or the one above it, and then no other is looked at. Without one:
        $LMUData as VLMEvalKit uses it, the hub's cache, our own cache folder. Raises UsageError that says
        where it looked and how to get the data set.
        """
        places = list(self._named(data_root) if data_root is not None else self._usual(environ))
        for place in places:
            for folder in (place, place / self.inner):
                if (folder / self.marker).is_file():
                    return folder
        if data_root is not None:
            wanted = data_root.expanduser() / self.folder
        else:
            wanted = self._lmu(environ)[0] if environ.get("LMUData") else _cache() / self.folder
        raise UsageError(
            f"{self.folder} is not there: no {self.marker} in {', '.join(map(str, places))}; get it with "
            f"{self.download(wanted)}, or say where it is with --data_root"
        )

    def download(self, folder: Path) -> str:
        """The command that fetches the data set into a folder, in backquotes, and what it needs."""
        place = shlex.quote(str(folder))
        command = f"`hf download {self.hub} --repo-type dataset --local-dir {place}`"
        return f"{command} (its authors ask for consent on the hub first)" if self.gated else command

    def _named(self, root: Path) -> Iterator[Path]:
        root = root.expanduser()
        yield root
        yield root / self.folder

    def _usual(self, environ: Mapping[str, str]) -> Iterator[Path]:
        if environ.get("LMUData"):
            yield from self._lmu(environ)
        # The hub's client keeps each version of a data set in a folder of its own, and the newest one's name.
        cached = _hub(environ) / f"datasets--{self.hub.replace('/', '--')}"
        versions = sorted(path for path in (cached / "snapshots").glob("*") if path.is_dir())
        newest = _text(cached / "refs" / "main")
        yield from sorted(versions, key=lambda path: path.name != newest)
        yield _cache() / self.folder

    def _lmu(self, environ: Mapping[str, str]) -> tuple[Path, ...]:
        root = Path(environ["LMUData"]).expanduser()
        return root / "datasets" / self.folder, root / self.folder, root


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _hub(environ: Mapping[str, str]) -> Path:
    if environ.get("HF_HUB_CACHE"):
        return Path(environ["HF_HUB_CACHE"]).expanduser()
    home = environ.get("HF_HOME") or Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("vidharness") / "datasets"
