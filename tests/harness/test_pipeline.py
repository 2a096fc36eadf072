"""From video to prompt: the noise falls on its share of the frames and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import Invert, built, make_cell, write_video

from harness import Clip, Draws, Video
from harness.cell import Cell, Noise
from harness.pipeline import clip_of, corrupt, prompt_of, shrink
from harness.seeds import hit_frames


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / "a.mp4")


def test_hit_frames_change_and_others_stay_byte_identical(path: Path) -> None:
    clean = clip_of(make_cell({"a": path}), Video(path, "a"))
    noisy = clip_of(make_cell({"a": path}, ratio=0.5), Video(path, "a"))
    hit = set(hit_frames(0, "a", 4, 0.5).tolist())
    assert noisy.notes["hit"] == sorted(hit)
    assert len(hit) == 2
    for i in range(4):
        expected = 255 - clean.frames[i] if i in hit else clean.frames[i]
        assert np.array_equal(noisy.frames[i], expected)


def test_ratio_zero_is_clean(path: Path) -> None:
    clean = clip_of(make_cell({"a": path}), Video(path, "a"))
    assert np.array_equal(clip_of(make_cell({"a": path}, ratio=0.0), Video(path, "a")).frames, clean.frames)


def test_the_noise_is_seeded_by_the_videos_key(path: Path) -> None:
    cell = make_cell({"a": path}, ratio=0.5)
    keys = [clip_of(cell, Video(path, f"key-{i}")).notes["hit"] for i in range(20)]
    assert len({tuple(hit) for hit in keys}) > 1


def test_notes_of_the_noise_are_kept(path: Path) -> None:
    notes = clip_of(make_cell({"a": path}, ratio=0.5), Video(path, "a")).notes
    assert notes["lucky"] == int(Draws(0, "a", "invert", 1).video().integers(100))


def test_frames_are_shrunk_before_the_noise(path: Path) -> None:
    cell = replace(make_cell({"a": path}, ratio=1.0), long_side=16)
    clip = clip_of(cell, Video(path, "a"))
    assert clip.frames.shape == (4, 16, 16, 3)
    clean = clip_of(replace(cell, noise=None), Video(path, "a"))
    assert np.array_equal(clip.frames, 255 - clean.frames)


def test_shrinking_keeps_the_aspect_and_never_enlarges() -> None:
    frames = np.zeros((2, 100, 400, 3), np.uint8)
    assert shrink(frames, 200).shape == (2, 50, 200, 3)
    assert shrink(frames, 400) is frames
    assert shrink(frames, 1000) is frames
    assert shrink(np.zeros((1, 1, 400, 3), np.uint8), 100).shape == (1, 1, 100, 3)


def test_a_noise_that_changes_the_shape_is_refused(path: Path) -> None:
    class Crop(Invert):
        def apply(self, clip: Clip, hit: np.ndarray, draws: Draws) -> Clip:
            return replace(clip, frames=clip.frames[:, 1:])

    clip = clip_of(make_cell({"a": path}), Video(path, "a"))
    with pytest.raises(ValueError, match="noise crop returned"):
        corrupt(clip, "a", Noise(built("crop", Crop()), 0.5, 0))


def test_packed_questions_share_one_prompt(path: Path) -> None:
    cell = make_cell({"a": path}, packed=True)
    clip = clip_of(cell, Video(path, "a"))
    (group,) = cell.groups(cell.dataset.plugin.samples())
    assert prompt_of(cell, group, clip).text == '{"0": "a?0", "1": "a?1"}'


class Borrow(Invert):
    """A noise that shows the donor's mean instead of the frame's."""

    needs_donor = True

    def apply(  # type: ignore[override]
        self, clip: Clip, hit: np.ndarray, draws: Draws, donor: Clip | None
    ) -> Clip:
        frames = clip.frames.copy()
        frames[hit] = 0 if donor is None else round(float(donor.frames.mean()))
        return replace(clip, frames=frames)


def borrowing(videos: dict[str, Path]) -> Cell:
    cell = make_cell(videos)
    samples = cell.dataset.plugin.samples()
    noise = Noise(built("borrow", Borrow()), 1.0, 0)
    return replace(cell, noise=noise, videos=tuple(dict.fromkeys(sample.video for sample in samples)))


def test_a_donor_is_another_video_and_recorded(path: Path, tmp_path: Path) -> None:
    videos = {key: write_video(tmp_path / f"{key}.mp4", seed=i) for i, key in enumerate("abcdef")}
    cell = borrowing(videos)
    donors = {}
    for key, file in videos.items():
        clip = clip_of(cell, Video(file, key))
        donors[key] = clip.notes["donor"]
        given = clip_of(make_cell(videos), Video(videos[donors[key]], donors[key]))
        assert (clip.frames == round(float(given.frames.mean()))).all()
    assert all(key != donor for key, donor in donors.items())
    assert len(set(donors.values())) > 1
    # The choice does not depend on what part of the data set is asked about, nor on its order.
    turned = replace(cell, videos=cell.videos[::-1])
    assert turned.donors(Video(videos["a"], "a")) == cell.donors(Video(videos["a"], "a"))


def test_a_broken_donor_is_replaced_and_none_is_told(path: Path, tmp_path: Path) -> None:
    videos = {key: write_video(tmp_path / f"{key}.mp4", seed=i) for i, key in enumerate("abc")}
    cell = borrowing(videos)
    first, second = cell.donors(Video(videos["a"], "a"))
    first.path.write_text("broken")
    assert clip_of(cell, Video(videos["a"], "a")).notes["donor"] == second.key
    alone = borrowing({"a": videos["a"]})
    clip = clip_of(alone, Video(videos["a"], "a"))
    assert clip.notes["donor"] is None
    assert not clip.frames.any()


class Oldest:
    """A pooling that keeps the window's first frame, and remembers the windows."""

    version = 1

    def __init__(self, window: float) -> None:
        self.window = window
        self.seen: list[list[float]] = []

    def pool(self, frames: np.ndarray, times: np.ndarray) -> np.ndarray:
        self.seen.append(times.round(3).tolist())
        return frames[0]


def test_a_pooling_sees_the_window_before_each_moment(path: Path) -> None:
    pooling = Oldest(0.3)
    cell = replace(make_cell({"a": path}), pooling=built("oldest", pooling))
    clip = clip_of(cell, Video(path, "a"))
    plain = clip_of(make_cell({"a": path}), Video(path, "a"))
    # 12 frames at 10 a second, moments at frames 2, 4, 7 and 9.
    assert pooling.seen == [[0.0, 0.1, 0.2], [0.2, 0.3, 0.4], [0.5, 0.6, 0.7], [0.7, 0.8, 0.9]]
    assert clip.indices.tolist() == plain.indices.tolist() == [2, 4, 7, 9]
    assert clip.notes["pooled"] == [3, 3, 3, 3]
    assert clip.frames.shape == plain.frames.shape


def test_a_short_window_holds_the_frame_itself(path: Path) -> None:
    cell = replace(make_cell({"a": path}), pooling=built("oldest", Oldest(0.0)))
    plain = clip_of(make_cell({"a": path}), Video(path, "a"))
    assert np.array_equal(clip_of(cell, Video(path, "a")).frames, plain.frames)


def test_the_noise_comes_before_the_pooling(path: Path) -> None:
    clean = replace(make_cell({"a": path}), pooling=built("oldest", Oldest(0.3)))
    noisy = replace(make_cell({"a": path}, ratio=0.5), pooling=built("oldest", Oldest(0.3)))
    before, after = clip_of(clean, Video(path, "a")), clip_of(noisy, Video(path, "a"))
    # Ten source frames lie in the windows; half of them are hit.
    assert len(after.notes["hit"]) == 5
    for old, new in zip(before.frames, after.frames, strict=True):
        assert np.array_equal(new, old) or np.array_equal(new, 255 - old)
