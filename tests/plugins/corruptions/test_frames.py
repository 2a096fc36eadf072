import numpy as np
import pytest
from harness_plugins.corruptions.frames import on_frames, scale


def test_only_hit_frames_meet_the_function(clip_of, picture):
    frames = picture(5, 6, 7)[:, :, ::2]
    seen = []

    def invert(source, out, slot):
        assert source.flags.c_contiguous
        assert not source.flags.writeable
        assert out.flags.c_contiguous
        assert np.array_equal(source, frames[slot])
        seen.append(slot)
        out[:] = 255 - source

    out = on_frames(clip_of(frames), np.array([4, 1]), invert)
    assert sorted(seen) == [1, 4]
    assert np.array_equal(out.frames[[1, 4]], 255 - frames[[1, 4]])
    assert np.array_equal(out.frames[[0, 2, 3]], frames[[0, 2, 3]])
    assert out.notes == {"kept": 1}


def test_the_source_cannot_be_written_to_by_mistake(clip_of, picture):
    def careless(source, out, slot):
        source[:] = 0

    with pytest.raises(ValueError, match="read-only"):
        on_frames(clip_of(picture(2, 6, 7)), np.array([0]), careless)


def test_lengths_follow_the_short_side():
    assert scale(np.empty((1, 360, 640, 3), np.uint8), 720) == 0.5
    assert scale(np.empty((1, 1280, 720, 3), np.uint8), 720) == 1.0
    assert scale(np.empty((1, 1280, 720, 3), np.uint8), 0) == 1.0
