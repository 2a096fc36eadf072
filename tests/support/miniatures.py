"""Miniatures of published data sets: their layout, a few questions, small videos. Each returns its root."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fakes import write_video
from question_tables import write

SRT = "1\n00:00:00,000 --> 00:00:00,600\nHello.\n\n2\n00:00:00,700 --> 00:00:09,000\nBye.\n"


def video_mme(root: Path) -> Path:
    """Two videos, three questions; only the first video has subtitles, as not all do."""

    def row(video: int, question: int, **more: str) -> dict[str, Any]:
        return {
            "video_id": f"{video:03d}",
            "duration": ("short", "long")[video - 1],
            "domain": ("Knowledge", "Sports Competition")[video - 1],
            "sub_category": ("Humanity & History", "Football")[video - 1],
            "url": "https://www.youtube.com/watch?v=x",
            "videoID": f"-yt_{video}",
            "question_id": f"{video:03d}-{question}",
            "task_type": "Counting Problem",
            "question": "How many?",
            "options": ["A. Apples.", "B. Candles.", "C. Berries.", "D. All of them."],
            "answer": "C",
            **more,
        }

    rows = [row(1, 1), row(1, 2, task_type="OCR Problems", answer="A"), row(2, 1)]
    write(root / "videomme" / "test-00000-of-00001.parquet", rows)
    for video in (1, 2):
        write_video(root / "data" / f"-yt_{video}.mp4", seed=video)
    (root / "subtitle").mkdir()
    (root / "subtitle" / "-yt_1.srt").write_text(SRT)
    return root


MVBENCH_FOLDERS: Mapping[str, str] = {
    "action_sequence": "star/Charades_v1_480",
    "action_prediction": "star/Charades_v1_480",
    "action_antonym": "ssv2_video",
    "fine_grained_action": "Moments_in_Time_Raw/videos",
    "unexpected_action": "FunQA_test/test",
    "object_existence": "clevrer/video_validation",
    "object_interaction": "star/Charades_v1_480",
    "object_shuffle": "perception/videos",
    "moving_direction": "clevrer/video_validation",
    "action_localization": "sta/sta_video",
    "scene_transition": "scene_qa/video",
    "action_count": "perception/videos",
    "moving_count": "clevrer/video_validation",
    "moving_attribute": "clevrer/video_validation",
    "state_change": "perception/videos",
    "fine_grained_pose": "nturgbd",
    "character_order": "perception/videos",
    "egocentric_navigation": "vlnqa",
    "episodic_reasoning": "tvqa/frames_fps3_hq",
    "counterfactual_inference": "clevrer/video_validation",
}
_BOUND = ("action_sequence", "action_prediction", "object_interaction", "action_localization")


def mvbench(root: Path) -> Path:
    """One question of each of the 20 tasks; one video lies in ``data0613``, one is a folder of pictures."""
    for task, folder in MVBENCH_FOLDERS.items():
        row: dict[str, Any] = {
            "video": "one.mp4",
            "question": "What happened?",
            "candidates": ["Put down the bag.", "Took the box.", "Not sure"],
            "answer": "Took the box.",
        }
        if task in _BOUND:
            row |= {"start": 0.2, "end": 0.9}
        if task == "episodic_reasoning":
            row |= {"video": "show_s01e02", "start": 1.0, "end": 3.0, "fps": 3}
            for number in range(1, 13):
                path = root / "video" / folder / "show_s01e02" / f"{number:05d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), np.full((24, 32, 3), number * 10, np.uint8))
        else:
            place = "video/data0613" if task == "counterfactual_inference" else "video"
            path = root / place / folder / "one.mp4"
            if task == "counterfactual_inference":
                row["video"] = "two.mp4"
                path = path.with_name("two.mp4")
            if not path.exists():
                write_video(path, seed=len(task))
        write(root / "json" / f"{task}.json", [row])
    return root


def tempcompass(root: Path) -> Path:
    """Two videos in all four ways of asking."""
    common = {"video_id": "1034419625", "dim": "action"}
    choice = "What is he doing?\nA. dunking\nB. dribbling\nC. passing"
    caption = "Which description is a more suitable match?\nOption 1: He dribbles.\nOption 2: He dunks."
    sentence = "Which is better?\nSentence A: To the left.\nSentence B: To the right."
    tables: Mapping[str, list[dict[str, Any]]] = {
        "multi-choice": [
            common | {"question": choice, "answer": "B. dribbling"},
            {"video_id": "7_reverse", "dim": "direction", "question": choice, "answer": "A. dunking"},
        ],
        "yes_no": [common | {"question": "Is he dunking?", "answer": "no"}],
        "caption_matching": [
            common | {"question": caption, "answer": "Option 2: He dunks."},
            common | {"dim": "direction", "question": sentence, "answer": "Sentence A: To the left."},
        ],
        "captioning": [
            common
            | {"question": "Caption it.\nGenerated Caption:", "answer": "A. dunking"}
            | {"mc_question": choice, "mc_answer": "A. dunking"}
        ],
    }
    for task, rows in tables.items():
        write(root / task / "test-00000-of-00001.parquet", rows)
    for seed, name in enumerate(("1034419625", "7_reverse")):
        write_video(root / "videos" / f"{name}.mp4", seed=seed)
    return root


def longvideobench(root: Path) -> Path:
    """Two videos with subtitles in the two forms that the files have."""

    def row(id_: str, **more: Any) -> dict[str, Any]:
        return {
            "video_id": id_[:-2],
            "question": "What happens when he says 'bye'?",
            "question_wo_referring_query": "What happens?",
            "candidates": ["He leaves.", "He sits.", "He eats.", "He sings.", "N/A"],
            "position": [1, 2],
            "topic_category": "MR-Movie-Recaps",
            "question_category": "TAA",
            "level": "L2-Relation",
            "id": id_,
            "video_path": f"{id_[:-2]}.mp4",
            "subtitle_path": f"{id_[:-2]}_en.json",
            "duration_group": 600,
            "starting_timestamp_for_subtitles": 0,
            "duration": 1.2,
            "view_count": 5,
            "correct_choice": 4,
            **more,
        }

    rows = [
        row("aaa_0"),
        row("aaa_1", question_category="S2E", level="L1-Perception", correct_choice=0),
        row("bbb_0", duration_group=15, starting_timestamp_for_subtitles=100),
    ]
    write(root / "lvb_val.json", rows)
    spans = [{"start": "00:00:00.500", "end": "00:00:09.000", "line": "Bye."}]
    stamps = [{"timestamp": [100.0, 100.6], "text": "Hello."}, {"timestamp": [101.0, None], "text": "Bye."}]
    for seed, (name, cues) in enumerate((("aaa", spans), ("bbb", stamps))):
        write_video(root / "videos" / f"{name}.mp4", seed=seed)
        (root / "subtitles").mkdir(exist_ok=True)
        (root / "subtitles" / f"{name}_en.json").write_text(json.dumps(cues))
    return root


MLVU_FILES = (
    *("1_plotQA", "2_needle", "3_ego", "4_count", "5_order", "6_anomaly_reco", "7_topic_reasoning"),
    *("8_sub_scene", "9_summary"),
)


def mlvu(root: Path) -> Path:
    """One question of each of the nine tasks, in the folder that the hub's copy has."""
    for seed, name in enumerate(MLVU_FILES):
        row: dict[str, Any] = {"video": f"{name[2:]}_3.mp4", "duration": 246, "question": "What colour?"}
        if seed < 7:
            row |= {
                "candidates": ["Yellow", "Red", "Green", "3"],
                "answer": "Green",
                "question_type": name[2:],
            }
        else:
            row |= {"answer": "A man walks.", "question_type": name[2:], "scoring_points": ["walks"]}
        write(root / "MLVU" / "json" / f"{name}.json", [row])
        write_video(root / "MLVU" / "video" / name / f"{name[2:]}_3.mp4", seed=seed)
    return root
