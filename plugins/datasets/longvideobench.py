"""LongVideoBench (longvideobench/LongVideoBench), validation set: questions about videos of up to an hour.

Wu et al., *LongVideoBench: A Benchmark for Long-context Interleaved Video-Language Understanding*, arXiv
2407.15754. The layout is that of the hub: ``lvb_val.json``, ``videos.tar.part.*`` and ``subtitles.tar``,
unpacked to ``videos`` and ``subtitles``. With subtitles, what is said at the moments of the frames is quoted
(the authors put it between the frames). The wording of the prompts is ours. The test set has no answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

from harness import Sample, Sampling, Taxonomy, UsageError, Video

from .one_by_one import Missing
from .published import Published
from .roots import Home
from .row import Row
from .rows import read_rows
from .taxonomy import grouped
from .wording import reference

TABLE = "lvb_val.json"


class LongVideoBench(Published):
    """Groups: length of the video (15, 60, 600, 3600 s at most) and level. Fine: level and category.

    sampling: which frames are shown. subtitles: ``subs`` quotes what is said at these moments.
    data_root: the folder as published, its archives unpacked. missing: ``allow`` goes on without videos
    that are not there; their questions then count as failures.
    """

    home = Home("longvideobench/LongVideoBench", "LongVideoBench", TABLE, gated=True)
    packed = "*.tar*"
    unpack = "cat videos.tar.part.* | tar -xf - && tar -xf subtitles.tar"

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
        lengths = sorted({int(row.seconds("duration_group")) for row in self._rows})
        return grouped(
            [
                *((f"{length} s", f"{length} s") for length in lengths),
                *((row.text("level"), _category(row)) for row in self._rows),
            ]
        )

    def read(self) -> Iterator[Sample]:
        for row in self._rows:
            options = tuple(row.texts("candidates", blank=True))
            yield Sample(
                id=row.text("id"),
                video=Video(self.root / "videos" / row.text("video_path"), row.text("video_path")),
                question=row.text("question"),
                answer=reference(options, _right(row, len(options))),
                choices=options,
                labels=(f"{int(row.seconds('duration_group'))} s", _category(row)),
                meta=self._spoken(row) if self.subtitles == "subs" else {},
            )

    def _spoken(self, row: Row) -> dict[str, object]:
        path = self.root / "subtitles" / row.text("subtitle_path")
        if not path.is_file():
            raise UsageError(f"{row.where('subtitle_path')}: {path} is not there: {self._fetch()}")
        return self.with_subtitles(path, row.seconds("starting_timestamp_for_subtitles"))


def _right(row: Row, options: int) -> int:
    text = row.text("correct_choice")
    if text not in map(str, range(options)):
        raise row.wrong("correct_choice", f"{text!r} is no position among {options} options, from 0 on")
    return int(text)


def _category(row: Row) -> str:
    return f"{row.text('level')} / {row.text('question_category')}"
