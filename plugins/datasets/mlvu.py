"""MLVU (MLVU/MVLU), development set: seven multiple-choice and two open tasks about videos of 3 min to 2 h.

Zhou et al., *MLVU: A Comprehensive Benchmark for Multi-Task Long Video Understanding*, arXiv 2406.04264.
The layout is that of the hub: ``MLVU/json/N_TASK.json`` and ``MLVU/video/N_TASK/*.mp4``. The wording of the
prompts is ours. The open tasks (``tasks=sub_scene,summary``) are scored by a judge that reads, on our scale,
not by the authors' points.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from harness import Sample, Taxonomy, Video

from .published import Tasked, right_option
from .roots import Home
from .rows import read_rows
from .taxonomy import grouped
from .wording import reference

TASKS = MappingProxyType(
    {
        "topic_reasoning": ("Holistic", "7_topic_reasoning"),
        "anomaly_reco": ("Holistic", "6_anomaly_reco"),
        "needle": ("Single Detail", "2_needle"),
        "ego": ("Single Detail", "3_ego"),
        "plotQA": ("Single Detail", "1_plotQA"),
        "order": ("Multi Detail", "5_order"),
        "count": ("Multi Detail", "4_count"),
        "sub_scene": ("Generation", "8_sub_scene"),
        "summary": ("Generation", "9_summary"),
    }
)
"""Task -> group, as in the paper (the open tasks apart), and the name of its files."""


class MLVU(Tasked):
    """Groups: holistic, single detail, multi detail. Fine: the tasks.

    sampling: which frames are shown. tasks: which are asked, between commas (the seven with options;
    sub_scene and summary are open ones).
    data_root: the folder as published, its archives unpacked. missing: ``allow`` goes on without videos
    that are not there; their questions then count as failures.
    """

    home = Home("MLVU/MVLU", "MLVU", "json/1_plotQA.json", inner="MLVU", gated=True)
    names = tuple(TASKS)
    usual = names[:7]

    @property
    def taxonomy(self) -> Taxonomy:
        return grouped((TASKS[name][0], name) for name in self.tasks)

    def tables(self) -> list[Path]:
        return [self.root / "json" / f"{TASKS[name][1]}.json" for name in self.tasks]

    def read(self) -> Iterator[Sample]:
        for name, path in zip(self.tasks, self.tables(), strict=True):
            for row in read_rows(path):
                options = tuple(row.texts("candidates", blank=True)) if row.has("candidates") else ()
                right = reference(options, right_option(row, options, "text")) if options else None
                file = f"{path.stem}/{row.text('video').strip()}"
                yield Sample(
                    id=f"{name}-{row.number}",
                    video=Video(self.root / "video" / file, file),
                    question=row.text("question"),
                    answer=row.text("answer") if right is None else right,
                    choices=options,
                    labels=(name,),
                )
