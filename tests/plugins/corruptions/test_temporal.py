from collections import Counter

import numpy as np
import pytest
from fakes import write_video

from harness import Draws, Sampling, UsageError, Video
from harness.seeds import hit_frames
from harness.video import decode

LABELS = 11


@pytest.fixture
def labelled(clip_of):
    """A clip whose frames tell which they are: frame i is of grey level 11 (i + 1)."""

    def make(count, height=2, width=3):
        levels = LABELS * (1 + np.arange(count, dtype=np.uint8))
        return clip_of(np.broadcast_to(levels[:, None, None, None], (count, height, width, 3)).copy())

    return make


def order_of(out):
    """Which frame of the input each frame of a labelled clip shows; -1 for black."""
    assert all(len(np.unique(frame)) == 1 for frame in out.frames)
    return (out.frames[:, 0, 0, 0].astype(int) // LABELS - 1).tolist()


def test_frame_drop_is_black(apply, clip_of, picture):
    frames = picture(5, 20, 30)
    out = apply("frame_drop", clip_of(frames), [3, 0]).frames
    assert not out[[0, 3]].any()
    assert out[[1, 2, 4]].all(axis=0).any()


@pytest.mark.parametrize("hit", [[5, 2], [7, 0, 3], [4, 1, 6, 0, 2], list(range(8))])
def test_frame_replace_moves_every_hit_frame_to_a_hit_place(apply, labelled, hit):
    for seed in range(20):
        order = order_of(apply("frame_replace", labelled(8), hit, seed=seed))
        assert sorted(order) == list(range(8))
        assert all((order[i] != i) == (i in hit) for i in range(8))


def test_frame_replace_draws_per_video_from_all_orders(apply, labelled):
    hit = [1, 3, 4, 6]
    orders = [tuple(order_of(apply("frame_replace", labelled(8), hit, video=str(i)))) for i in range(400)]
    counts = Counter(orders)
    assert len(counts) == 9  # the derangements of four
    assert min(counts.values()) > 20
    assert order_of(apply("frame_replace", labelled(8), hit[::-1], video="3")) == list(orders[3])


@pytest.mark.parametrize(("hit", "shown"), [(0, 1), (3, 2), (5, 4)])
def test_frame_replace_of_one_shows_its_neighbour_which_stays(apply, labelled, hit, shown):
    order = order_of(apply("frame_replace", labelled(6), [hit]))
    assert order == [shown if i == hit else i for i in range(6)]


@pytest.mark.parametrize("name", ["frame_replace", "frame_repeat"])
def test_a_clip_of_one_frame_has_nothing_to_put_in_its_place(apply, labelled, name):
    assert order_of(apply(name, labelled(1))) == [0]


@pytest.mark.parametrize(
    ("hit", "order"),
    [
        ([3], [0, 1, 2, 2, 4, 5, 6]),
        ([0, 1], [2, 2, 2, 3, 4, 5, 6]),
        ([2, 4, 3], [0, 1, 1, 1, 5, 5, 6]),
        ([6, 0, 5, 1, 2], [3, 3, 3, 3, 4, 4, 4]),
        ([6, 0, 5, 1, 2, 3, 4], [4, 4, 4, 4, 4, 4, 4]),
    ],
)
def test_frame_repeat_shows_the_nearest_frame_left(apply, labelled, hit, order):
    assert order_of(apply("frame_repeat", labelled(7), hit)) == order


def test_temporal_jitter_moves_some_and_blackens_the_rest(apply, labelled):
    """With n = 8 ceil(8 U(.25, .75)) is 3, 4, 5, 6 with equal probability."""
    moving = Counter()
    taken = Counter()
    for i in range(800):
        order = order_of(apply("temporal_jitter", labelled(12), range(2, 10), video=str(i)))
        assert order[:2] + order[10:] == [0, 1, 10, 11]
        chosen = [place for place in range(2, 10) if order[place] != -1]
        assert sorted(order[place] for place in chosen) == chosen
        assert all(order[place] != place for place in chosen)
        moving[len(chosen)] += 1
        taken.update(chosen)
    assert sorted(moving) == [3, 4, 5, 6]
    assert all(140 < count < 260 for count in moving.values())
    assert all(390 < count < 510 for count in taken.values())  # 4.5 of 8, each equally often


@pytest.mark.parametrize(
    ("uniform", "count", "moving"), [(0.3, 2, 0), (0.6, 2, 2), (0.9, 1, 0), (0.01, 8, 3)]
)
def test_one_that_would_move_alone_does_not(build, uniform, count, moving):
    assert build("temporal_jitter").moving(uniform, count) == moving


def test_temporal_jitter_of_one_is_black(apply, labelled):
    assert order_of(apply("temporal_jitter", labelled(4), [2])) == [0, 1, -1, 3]
    assert order_of(apply("temporal_jitter", labelled(4), least=0.0, most=0.0)) == [-1] * 4


@pytest.mark.parametrize("options", [{"least": 0.8}, {"most": 1.2}, {"least": -0.1}, {"most": float("nan")}])
def test_temporal_jitter_refuses_shares_that_are_none(build, options):
    with pytest.raises(UsageError, match="least <= most"):
        build("temporal_jitter", **options)


@pytest.mark.parametrize("name", ["frame_replace", "frame_repeat", "temporal_jitter"])
def test_at_usual_ratios_nothing_of_a_hit_frame_stays(apply, labelled, name):
    for video in map(str, range(30)):
        for ratio in (0.3, 0.6, 0.9):
            hit = hit_frames(0, video, 8, ratio)
            order = order_of(apply(name, labelled(8), hit, video=video))
            assert {i for i in range(8) if order[i] != i} == set(hit.tolist())


def other_video(clip, hit, donor, **options):
    from harness_plugins.corruptions.temporal import OtherVideo

    return OtherVideo(**options).apply(clip, np.asarray(hit), Draws(0, "v", "other_video", 1), donor)


def test_other_video_takes_frames_of_the_donor_counted_round(clip_of, picture):
    frames = picture(6, 20, 30)
    donor = picture(9, 20, 30)[5:]
    out = other_video(clip_of(frames), [4, 1, 5], clip_of(donor))
    assert np.array_equal(out.frames[[0, 2, 3]], frames[[0, 2, 3]])
    assert np.array_equal(out.frames[[1, 4, 5]], donor[[1, 0, 1]])
    assert out.notes == {"kept": 1}  # who chose the donor records it


def test_other_video_fits_a_donor_of_another_size(clip_of, picture, labelled):
    out = other_video(clip_of(picture(2, 20, 30)), [1], labelled(3, 64, 50))
    assert np.all(out.frames[1] == 2 * LABELS)


def test_other_video_without_a_donor_generates_one(apply, clip_of, picture):
    frames = picture(3, 20, 30)
    out = apply("other_video", clip_of(frames), [2, 0])
    assert out.notes == {"kept": 1, "donor": "generated"}
    assert np.array_equal(out.frames, apply("other_video", clip_of(frames), [2, 0], seed=1, video="w").frames)
    assert not np.array_equal(out.frames[0], out.frames[2])


def test_other_video_of_a_file(clip_of, picture, tmp_path):
    path = write_video(tmp_path / "donor.mp4")
    frames = picture(3, 20, 30)
    ignored = clip_of(np.zeros_like(frames))
    out = other_video(clip_of(frames), [0, 2], ignored, path=path)
    assert out.notes["donor"] == "donor.mp4"
    assert np.array_equal(out.frames[1], frames[1])
    decoded = decode(Video(path, "donor"), Sampling(nframe=3)).frames
    expected = other_video(clip_of(frames), [0, 2], clip_of(decoded)).frames
    assert np.array_equal(out.frames, expected)


def test_other_video_asks_for_a_donor_unless_a_file_is_given(build, tmp_path):
    path = write_video(tmp_path / "donor.mp4")
    assert build("other_video").needs_donor is True
    given = build("other_video", path=path)
    assert given.needs_donor is False
    given.check()
    copy = tmp_path / "elsewhere.mp4"
    copy.write_bytes(path.read_bytes())
    assert build("other_video", path=copy).identity() == given.identity()
    copy.write_bytes(path.read_bytes()[:-50])
    assert build("other_video", path=copy).identity() != given.identity() != build("other_video").identity()
    assert build("other_video").check() is None


@pytest.mark.parametrize("content", [None, b"", b"no video"])
def test_other_video_checks_its_file(build, tmp_path, content):
    path = tmp_path / "donor.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"donor\.mp4.*leave path out"):
        build("other_video", path=path).check()
