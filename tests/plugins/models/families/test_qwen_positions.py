"""M-RoPE positions against examples worked out by hand."""

import numpy as np
import pytest
from harness_plugins.models.families.qwen_positions import Grid, positions
from hypothesis import given
from hypothesis import strategies as st

T, V = [False], [True]


def test_text_counts_up_on_all_axes() -> None:
    assert positions(T * 4, []).tolist() == [[0, 1, 2, 3]] * 3


def test_a_video_between_texts() -> None:
    # Two layers of 1 x 2 tokens, 3 units of time apart, after two words and before two more.
    found = positions(T * 2 + V * 4 + T * 2, [Grid(2, 1, 2, 3.0)])
    assert found.tolist() == [
        [0, 1, 2, 2, 5, 5, 6, 7],
        [0, 1, 2, 2, 2, 2, 6, 7],
        [0, 1, 2, 3, 2, 3, 6, 7],
    ]


def test_what_follows_a_long_video_starts_after_its_last_moment() -> None:
    assert positions(V * 3 + T, [Grid(3, 1, 1, 10.0)])[:, -1].tolist() == [21, 21, 21]


def test_an_image_stands_still_and_its_larger_side_counts() -> None:
    found = positions(V * 6 + T, [Grid(1, 2, 3)])
    assert found.tolist() == [[0] * 6 + [3], [0, 0, 0, 1, 1, 1, 3], [0, 1, 2, 0, 1, 2, 3]]


def test_fractions_of_a_step_add_up() -> None:
    # Cutting the step itself to a whole number would give 0, 0, 0, 0.
    assert positions(V * 4, [Grid(4, 1, 1, 0.75)])[0].tolist() == [0, 0, 1, 2]


def test_float_rounding_does_not_lose_a_unit() -> None:
    step = 0.1 * 3 * 10  # 3.0000000000000004
    below = 2.9999999999999996
    assert positions(V * 3, [Grid(3, 1, 1, step)])[0].tolist() == [0, 3, 6]
    assert positions(V * 3, [Grid(3, 1, 1, below)])[0].tolist() == [0, 3, 6]


def test_two_pictures_side_by_side_share_a_run_of_tokens() -> None:
    found = positions(V * 2, [Grid(1, 1, 1), Grid(1, 1, 1)])
    assert found.tolist() == [[0, 1]] * 3


@pytest.mark.parametrize("grids", [[], [Grid(1, 1, 3)], [Grid(1, 1, 2), Grid(1, 1, 1)]])
def test_tokens_and_pictures_that_do_not_fit_are_an_error(grids: list[Grid]) -> None:
    with pytest.raises(ValueError, match="picture"):
        positions(V * 2, grids)


grids = st.builds(Grid, st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.floats(0, 20))


@given(st.lists(st.tuples(st.integers(1, 4), grids), max_size=4))
def test_every_piece_starts_one_above_all_before(pieces: list[tuple[int, Grid]]) -> None:
    visual: list[bool] = []
    for words, grid in pieces:
        visual += T * words + V * grid.size
    found = positions(visual, [grid for _, grid in pieces])
    assert found.shape == (3, len(visual)) and found.dtype == np.int64
    at = 0
    for words, grid in pieces:
        for length in (words, grid.size):
            before = found[:, :at].max(initial=-1)
            assert found[:, at : at + length].min() == before + 1
            at += length
