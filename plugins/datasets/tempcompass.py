"""TempCompass (lmms-lab/TempCompass): what happens over time, asked in four ways about 410 short videos.

Liu et al., *TempCompass: Do Video LLMs Really Understand Videos?*, arXiv 2403.00476. The layout is that of
the hub's copy: ``TASK/test-00000-of-00001.parquet`` and ``tempcompass_videos.zip``, unpacked to ``videos``.
The options, which the published questions hold as lines of their text, are taken out of it; the wording of
the prompts is ours. Captions (``tasks=captioning``) are open answers: score them with a judge that reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from harness import Sample, Taxonomy, Video

from .choices import bare
from .published import Tasked, right_option
from .roots import Home
from .row import Row
from .rows import read_rows
from .taxonomy import grouped
from .wording import reference

_NAMED = re.compile(r"(?:Option|Caption|Sentence) [A-Z0-9]: (.*)", re.DOTALL)
_LETTERED = re.compile(r"^[A-Z]\. ")
_YES_OR_NO = ("yes", "no")


class TempCompass(Tasked):
    """Groups: the five aspects (action, direction, ...) and the tasks. Fine: each aspect in each task.

    sampling: which frames are shown. tasks: which are asked, between commas (multi-choice, yes_no,
    caption_matching; captioning is an open one).
    data_root: the folder as published, its archives unpacked. missing: ``allow`` goes on without videos
    that are not there; their questions then count as failures.
    """

    home = Home("lmms-lab/TempCompass", "TempCompass", "multi-choice/test-00000-of-00001.parquet")
    packed = "*.zip"
    unpack = "python -m zipfile -e tempcompass_videos.zip ."
    names = ("multi-choice", "yes_no", "caption_matching", "captioning")
    usual = names[:3]

    def tables(self) -> list[Path]:
        return [self.root / name / "test-00000-of-00001.parquet" for name in self.tasks]

    @cached_property
    def _rows(self) -> list[tuple[str, Row]]:
        pairs = zip(self.tasks, self.tables(), strict=True)
        return [(task, row) for task, path in pairs for row in read_rows(path)]

    @cached_property
    def taxonomy(self) -> Taxonomy:
        labels = [(row.text("dim"), task, _label(row, task)) for task, row in self._rows]
        return grouped(
            [*((dim, label) for dim, _, label in labels), *((task, label) for _, task, label in labels)]
        )

    def read(self) -> Iterator[Sample]:
        for task, row in self._rows:
            question, choices, answer = _understood(row, task)
            name = row.text("video_id")
            yield Sample(
                id=f"{task}-{row.number}",
                video=Video(self.root / "videos" / f"{name}.mp4", name),
                question=question,
                answer=answer,
                choices=choices,
                labels=(_label(row, task),),
            )


def _understood(row: Row, task: str) -> tuple[str, tuple[str, ...], str]:
    """The question without its options, the options, and what the right reply is."""
    text = row.text("question").strip()
    if task == "captioning":
        return text, (), _LETTERED.sub("", row.text("answer"))
    if task == "yes_no":
        return text, _YES_OR_NO, reference(_YES_OR_NO, right_option(row, _YES_OR_NO, "text"))
    question, *lines = (line.strip() for line in text.split("\n"))
    lines = [line for line in lines if line]
    if len(lines) < 2:
        raise row.wrong("question", "its options, one a line, are missing")
    right = right_option(row, lines, "text")
    named = [_NAMED.fullmatch(line) for line in lines]
    options = tuple(match[1] for match in named if match) if all(named) else bare(lines)
    return question, options, reference(options, right)


def _label(row: Row, task: str) -> str:
    return f"{row.text('dim')} / {task}"
