"""MVBench (OpenGVLab/MVBench): 20 tasks of 200 multiple-choice questions each about short videos.

Li et al., *MVBench: A Comprehensive Multi-modal Video Understanding Benchmark*, arXiv 2311.17005. The layout
is that of the main branch on the hub: ``json/*.json``, and ``video/*.zip`` unpacked in place; files of
``video/data0613`` are found there, too. Which folder and which tasks have a start and an end is as in the
authors' own evaluation (github.com/OpenGVLab/Ask-Anything). The wording of the prompts is ours.

The videos of fine_grained_pose (NTU RGB+D) are not on the hub: get them from their authors, choose other
tasks, or allow them to be missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from harness import Sample, Video

from .published import Tasked, right_option
from .roots import Home
from .rows import read_rows
from .taxonomy import grouped
from .wording import reference

FRAMES_PER_SECOND = 3.0
"""Of the pictures that stand for the videos of episodic_reasoning."""


class Task(NamedTuple):
    """group: the paper's. folder: of its videos. bound: a part of the video is asked about. pictures: the
    videos are folders of numbered pictures."""

    group: str
    folder: str
    bound: bool = False
    pictures: bool = False


TASKS = MappingProxyType(
    {
        "action_sequence": Task("Action", "star/Charades_v1_480", bound=True),
        "action_prediction": Task("Action", "star/Charades_v1_480", bound=True),
        "action_antonym": Task("Action", "ssv2_video"),
        "fine_grained_action": Task("Action", "Moments_in_Time_Raw/videos"),
        "unexpected_action": Task("Action", "FunQA_test/test"),
        "object_existence": Task("Object", "clevrer/video_validation"),
        "object_interaction": Task("Object", "star/Charades_v1_480", bound=True),
        "object_shuffle": Task("Object", "perception/videos"),
        "moving_direction": Task("Position", "clevrer/video_validation"),
        "action_localization": Task("Position", "sta/sta_video", bound=True),
        "scene_transition": Task("Scene", "scene_qa/video"),
        "action_count": Task("Count", "perception/videos"),
        "moving_count": Task("Count", "clevrer/video_validation"),
        "moving_attribute": Task("Attribute", "clevrer/video_validation"),
        "state_change": Task("Attribute", "perception/videos"),
        "fine_grained_pose": Task("Pose", "nturgbd"),
        "character_order": Task("Character", "perception/videos"),
        "egocentric_navigation": Task("Cognition", "vlnqa"),
        "episodic_reasoning": Task("Cognition", "tvqa/frames_fps3_hq", bound=True, pictures=True),
        "counterfactual_inference": Task("Cognition", "clevrer/video_validation"),
    }
)


class MVBench(Tasked):
    """Groups: the nine of the paper. Fine: the 20 tasks.

    sampling: which frames are shown. tasks: which are asked (all), between commas.
    data_root: the folder as published, its archives unpacked. missing: ``allow`` goes on without videos
    that are not there; their questions then count as failures.
    """

    home = Home("OpenGVLab/MVBench", "MVBench", "json/action_sequence.json", gated=True)
    packed = "video/*.zip"
    unpack = 'cd video && for z in *.zip; do python -m zipfile -e "$z" .; done'
    names = usual = tuple(TASKS)
    taxonomy = grouped((task.group, name) for name, task in TASKS.items())

    def remedy(self) -> str:
        if "fine_grained_pose" not in self.tasks:
            return super().remedy()
        return f"{super().remedy()} (nturgbd is not on the hub: name tasks without fine_grained_pose)"

    def tables(self) -> list[Path]:
        return [self.root / "json" / f"{name}.json" for name in self.tasks]

    def read(self) -> Iterator[Sample]:
        for name, path in zip(self.tasks, self.tables(), strict=True):
            task = TASKS[name]
            for row in read_rows(path):
                file = f"{task.folder}/{row.text('video').strip()}"
                options = tuple(row.texts("candidates", blank=True))
                yield Sample(
                    id=f"{name}-{row.number}",
                    video=Video(
                        self.first(f"video/{file}", f"video/data0613/{file}"),
                        file,
                        row.seconds("start") if task.bound else None,
                        row.seconds("end") if task.bound else None,
                        FRAMES_PER_SECOND if task.pictures else None,
                    ),
                    question=row.text("question"),
                    answer=reference(options, right_option(row, options, "text")),
                    choices=options,
                    labels=(name,),
                )
