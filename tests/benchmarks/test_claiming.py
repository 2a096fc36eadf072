"""What the benchmark of claiming measures against, and that its two ways ask the same."""

from __future__ import annotations

from itertools import chain

import pytest
from ranks import world

from benchmarks.claiming import RANKS, SCENES, SECONDS, Share, Strided, batch_seconds, table, total
from harness.claims import Claims


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_a_scene_has_as_many_questions_as_it_says(scene):
    assert sum(scene.sizes(400)) == scene.calls(400)
    assert min(scene.sizes(400)) > 0
    # As long with batches as without.
    assert scene.ideal(400) == pytest.approx(400 * SECONDS / sum(1 / slow for slow in scene.slow()), rel=0.01)


def test_a_batch_is_cheaper_than_its_questions_one_by_one():
    assert batch_seconds(1) == pytest.approx(SECONDS)
    assert batch_seconds(8) < 2 * SECONDS


def test_the_strided_split_is_complete_and_offers_what_claims_offer():
    pieces = list(range(11))
    parts = [list(Strided(rank, pieces).pieces()) for rank in world(3)]
    assert parts[0] == [0, 3, 6, 9]
    assert sorted(chain(*parts)) == pieces
    public = {name for name in vars(Claims) if not name.startswith("_")}
    assert public == {name for name in vars(Strided) if not name.startswith("_")}


def test_the_table_counts_from_the_first_begin_to_the_last_end():
    shares = [Share(10 + rank, 20 + rank, 100) for rank in range(RANKS)]
    assert total(shares) == 9 + RANKS
    lines = table([(shares, shares)] * len(SCENES), 400).splitlines()
    assert len(lines) == 2 + 2 * len(SCENES)
    assert "| 13.00" in lines[2]
    assert "100 100 100 100" in lines[2]
