"""What all data sets share that ask one question per call about files which the user has: wording,
subtitles, and what is said of videos that are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from harness import Clip, Prompt, Sample, Sampling, UsageError, Video

from .subtitles import Cue, digest, read_cues, spoken
from .wording import SYSTEM, VERSION, ask

Missing = Literal["refuse", "allow"]
SHOWN = 3
"""Missing videos that an error names."""


class OneByOne:
    """Base of data sets with one question per call; those who derive from it give ``read``.

    sampling: which frames are shown. data_root: where the files are. missing: ``allow`` goes on without
    the videos that are not there; their questions then count as failures.
    """

    version = VERSION
    transport: frozenset[str] = frozenset({"data_root", "missing"})

    def __init__(self, sampling: Sampling, data_root: Path | None, missing: Missing) -> None:
        self.sampling = sampling
        self.data_root = None if data_root is None else Path(data_root).expanduser()
        self.missing: Missing = missing
        self._subtitles: dict[str, Path] = {}

    def read(self) -> Iterable[Sample]:
        """All samples. Raises UsageError naming file, row and column for whatever is off."""
        raise NotImplementedError

    @cached_property
    def _samples(self) -> tuple[Sample, ...]:
        return tuple(self.read())

    def samples(self) -> Sequence[Sample]:
        """All questions in the order of the files. Raises as ``read``."""
        return self._samples

    def prompt(self, sample: Sample, clip: Clip) -> Prompt:
        """The clip, then the question with what is said at the moments shown."""
        said = spoken(self._cues_of(sample), clip.times.tolist())
        return Prompt((clip, ask(sample.question, sample.choices, said)), SYSTEM)

    def check(self) -> None:
        """Raise UsageError for files that are malformed or, unless that is allowed, missing."""
        samples = self.samples()
        if self.missing == "refuse":
            films = {sample.video.path: sample for sample in reversed(samples)}
            lacking = [sample for sample in reversed(films.values()) if not _is_there(sample.video)]
            if lacking:
                shown = "; ".join(self.missing_line(sample) for sample in lacking[:SHOWN])
                shown += "; ..." if len(lacking) > SHOWN else ""
                raise UsageError(
                    f"{len(lacking)} of {len(films)} videos are not there: {shown}; {self.remedy()}, or go "
                    "on without them: --dataset_args missing=allow"
                )

    def missing_line(self, sample: Sample) -> str:
        """What is said of one sample whose video is not there."""
        return sample.video.key

    def remedy(self) -> str:
        """What to do about videos that are not there."""
        return "see whether --data_root is right"

    def with_subtitles(self, path: Path, offset: float = 0.0) -> dict[str, Any]:
        """What a sample's ``meta`` holds for its subtitles: they belong to what an answer depends on.

        offset: seconds of the subtitles' clock at the start of the video. Raises UsageError when the
        file cannot be used.
        """
        name = digest(path)
        if name not in self._subtitles:
            read_cues(path)
            self._subtitles[name] = path
        return {"subtitles": name, "offset": offset}

    def _cues_of(self, sample: Sample) -> list[Cue]:
        """Read anew for each question: those of a whole data set would fill memory."""
        if "subtitles" not in sample.meta:
            return []
        return read_cues(self._subtitles[sample.meta["subtitles"]], sample.meta["offset"])


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _is_there(video: Video) -> bool:
    return is_file(video.path) or (video.fps is not None and video.path.is_dir())
