"""What is learnt from: videos are decoded once, kept when they fit, and broken ones are left out."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from harness_plugins.trainers.lessons import prepare
from small_qwen import make_clip

from harness import Clip, DecodeError, Prompt, Sample, Sampling, UsageError, Video


class Questions:
    """Three questions about each of some videos."""

    sampling = Sampling(nframe=2)

    def __init__(self, videos: int) -> None:
        self.videos = videos

    def samples(self) -> Sequence[Sample]:
        return [
            Sample(
                3 * video + ask, Video(Path(f"{video}.mp4"), f"v{video}"), f"question {ask}", f"{video}-{ask}"
            )
            for video in range(self.videos)
            for ask in range(3)
        ]

    def prompt(self, sample: Sample, clip: Clip) -> Prompt:
        return Prompt((clip, sample.question))


class Decoder:
    """Counts how often each video is decoded; some are broken."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.count: Counter[str] = Counter()

    def __call__(self, sample: Sample) -> Clip:
        self.count[sample.video.key] += 1
        if sample.video.key in self.broken:
            raise DecodeError(f"{sample.video.key} is broken")
        return make_clip(2, 8, 8, seed=int(sample.video.key[1:]))


SIZE = 2 * 8 * 8 * 3


def test_each_video_is_decoded_once_when_all_fit() -> None:
    questions, decoder = Questions(4), Decoder()
    lessons = prepare(questions, questions.samples(), decoder, 4 * SIZE, 0)
    tried = decoder.count.copy()
    assert len(lessons) == 12 and set(tried) == {"v0", "v1", "v2", "v3"}
    for _ in range(2):
        items = [lessons[number] for number in range(12)]
    assert decoder.count == tried and max(tried.values()) <= 2  # the first tells the size of all
    assert [answer for _, answer in items] == [sample.answer for sample in questions.samples()]
    prompt, _ = items[7]
    assert prompt.parts[1] == "question 1"
    assert (prompt.parts[0].frames == make_clip(2, 8, 8, seed=2).frames).all()  # type: ignore[union-attr]
    assert items[6][0].parts[0] is prompt.parts[0]


def test_what_does_not_fit_is_decoded_when_it_comes_up() -> None:
    questions, decoder = Questions(4), Decoder()
    lessons = prepare(questions, questions.samples(), decoder, 4 * SIZE - 1, 0)
    assert not lessons.kept and len(lessons) == 12
    before = decoder.count["v3"]
    assert lessons[9][1] == "3-0" and lessons[9][1] == "3-0"
    assert decoder.count["v3"] == before + 2


def test_broken_videos_are_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    questions = Questions(4)
    with caplog.at_level(logging.WARNING):
        lessons = prepare(questions, questions.samples(), Decoder("v0", "v2"), 1e9, 0)
    assert [answer for _, answer in map(lessons.__getitem__, range(len(lessons)))] == [
        *("1-0", "1-1", "1-2"),
        *("3-0", "3-1", "3-2"),
    ]
    assert "left out 6 samples" in caplog.text and "v0 is broken" in caplog.text


def test_a_broken_video_met_on_the_way_gives_way_to_the_next() -> None:
    questions = Questions(3)
    lessons = prepare(questions, questions.samples(), Decoder("v1", "v2"), 0, 0)
    assert lessons[2][1] == "0-2"
    assert lessons[4][1] == "0-0"


def test_nothing_left_is_an_error() -> None:
    questions = Questions(2)
    with pytest.raises(UsageError, match="nothing to learn"):
        prepare(questions, questions.samples(), Decoder("v0", "v1"), 1e9, 0)
    with pytest.raises(UsageError, match="nothing to learn"):
        prepare(questions, [], Decoder(), 1e9, 0)
