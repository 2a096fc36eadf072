"""Video-MME (lmms-lab/Video-MME): 2,700 questions with four options about 900 videos of 11 s to 1 h.

Fu et al., *Video-MME: The First-Ever Comprehensive Evaluation Benchmark of Multi-modal LLMs in Video
Analysis*, arXiv 2405.21075. The layout is that of the data set's repository on the hub; the wording of the
prompts is ours. With subtitles, what is said at the moments of the frames is quoted; a video without a
subtitle file is asked about without.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

from harness import Sample, Sampling, Taxonomy, UsageError, Video

from .choices import bare
from .one_by_one import Missing
from .published import Published, right_option
from .roots import Home
from .row import Row
from .rows import read_rows
from .taxonomy import grouped
from .wording import reference

TABLE = "videomme/test-00000-of-00001.parquet"


class VideoMME(Published):
    """Groups: length (short, medium, long), domain, kind of task. Fine: domain and sub-category.

    sampling: which frames are shown. subtitles: ``subs`` quotes what is said at these moments.
    data_root: the folder as published, its archives unpacked. missing: ``allow`` goes on without videos
    that are not there; their questions then count as failures.
    """

    home = Home("lmms-lab/Video-MME", "Video-MME", TABLE)
    packed = "*.zip"
    unpack = 'for z in *.zip; do python -m zipfile -e "$z" .; done'

    def __init__(
        self,
        sampling: Sampling,
        subtitles: Literal["none", "subs"] = "none",
        data_root: Path | None = None,
        missing: Missing = "refuse",
    ) -> None:
        super().__init__(sampling, data_root, missing)
        self.subtitles = subtitles

    def tables(self) -> list[Path]:
        return [self.root / TABLE]

    @cached_property
    def _rows(self) -> list[Row]:
        return read_rows(self.root / TABLE)

    @cached_property
    def taxonomy(self) -> Taxonomy:
        pairs = [
            *((row.text("duration"), row.text("duration")) for row in self._rows),
            *((row.text("domain"), _subject(row)) for row in self._rows),
            *((row.text("task_type"), row.text("task_type")) for row in self._rows),
        ]
        return grouped(pairs)

    def read(self) -> Iterator[Sample]:
        if self.subtitles == "subs" and not (self.root / "subtitle").is_dir():
            raise UsageError(f"Video-MME has no folder subtitle in {self.root}: {self._fetch()}")
        for row in self._rows:
            name = row.text("videoID")
            options = bare(row.texts("options", blank=True))
            spoken = self.root / "subtitle" / f"{name}.srt"
            yield Sample(
                id=row.text("question_id"),
                video=Video(self._video(name), name),
                question=row.text("question"),
                answer=reference(options, right_option(row, options, "letter")),
                choices=options,
                labels=(row.text("duration"), _subject(row), row.text("task_type")),
                meta=self.with_subtitles(spoken) if self.subtitles == "subs" and spoken.is_file() else {},
            )

    def _video(self, name: str) -> Path:
        """Unpacked as they are the videos lie in ``data``; VLMEvalKit puts them into ``video``."""
        return self.first(
            *(f"{folder}/{name}{end}" for folder in ("data", "video") for end in (".mp4", ".MP4", ".mkv"))
        )


def _subject(row: Row) -> str:
    return f"{row.text('domain')} / {row.text('sub_category')}"
