"""The fingerprint: all that can change an answer, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import Invert, Model, Questions, built, make_cell

from harness import Sample, Sampling, Video
from harness.cell import Cell, Noise, digest, input_key


@pytest.fixture
def cell() -> Cell:
    return make_cell({"a": Path("a.mp4")}, ratio=0.5)


def test_equal_cells_have_equal_fingerprints(cell: Cell) -> None:
    assert cell.fingerprint() == make_cell({"b": Path("/elsewhere/b.mp4")}, ratio=0.5).fingerprint()
    assert json.loads(json.dumps(cell.parts())) == cell.parts()


def test_all_that_shapes_an_answer_changes_it(cell: Cell) -> None:
    dataset = Questions({})
    dataset.sampling = Sampling(nframe=5)
    newer = Invert()
    newer.version = 2
    assert cell.noise is not None
    noise = cell.noise
    others = [
        replace(cell, noise=None),
        replace(cell, noise=replace(noise, ratio=0.6)),
        replace(cell, noise=replace(noise, seed=1)),
        replace(cell, noise=Noise(built("invert", newer), 0.5, 0)),
        replace(cell, noise=Noise(built("invert", Invert(), strength=2), 0.5, 0)),
        replace(cell, noise=Noise(built("other", Invert()), 0.5, 0)),
        replace(cell, model=built("echo", Model(), dtype="float16")),
        replace(cell, model=built("echo2", Model())),
        replace(cell, dataset=built("questions", dataset)),
        replace(cell, dataset=built("questions", Questions({}), split="train")),
        replace(cell, decoder="decord"),
        replace(cell, long_side=100),
        replace(cell, pooling=built("mean", Model())),
    ]
    prints = {other.fingerprint() for other in others} | {cell.fingerprint()}
    assert len(prints) == len(others) + 1


def test_transport_and_places_do_not(cell: Cell) -> None:
    class Remote(Model):
        transport = frozenset({"timeout"})

    fast = replace(cell, model=built("r", Remote(), timeout=1))
    slow = replace(cell, model=built("r", Remote(), timeout=100))
    assert fast.fingerprint() == slow.fingerprint()
    here = replace(cell, dataset=built("questions", Questions({}), data_root="/here"))
    there = replace(cell, dataset=built("questions", Questions({}), data_root="/there"))
    assert here.fingerprint() == there.fingerprint()


def test_clean_runs_have_no_seed(cell: Cell) -> None:
    assert replace(cell, noise=None).parts()["noise"] is None


def test_a_plugins_own_identity_counts(cell: Cell) -> None:
    class Weighty(Model):
        def identity(self) -> dict[str, str]:
            return {"weights": self.weights}

    one, two = Weighty(), Weighty()
    one.weights, two.weights = "a", "b"  # type: ignore[attr-defined]
    assert (
        replace(cell, model=built("w", one)).fingerprint()
        != replace(cell, model=built("w", two)).fingerprint()
    )


def test_names_of_files_hold_no_separators(cell: Cell) -> None:
    odd = replace(cell, model=built("openai:org/model name", Model()))
    assert odd.folder(Path("out")) == Path("out/openai-org-model-name")
    assert odd.stem().startswith("openai-org-model-name_questions_invert_0.5_")


def test_the_input_key_follows_questions_and_bytes() -> None:
    sample = Sample(1, Video(Path("a"), "a"), "q", "answer")
    base = input_key([sample], ["digest"])
    assert input_key([replace(sample, video=Video(Path("/b/a"), "a"))], ["digest"]) == base
    # The reference answer and the labels are for the judge and the rating: no reason to ask again.
    assert input_key([replace(sample, answer="x", labels=("l",))], ["digest"]) == base
    for other in (
        replace(sample, question="r"),
        replace(sample, choices=("a", "b")),
        replace(sample, meta={"subtitle": "s"}),
        replace(sample, video=Video(Path("a"), "b")),
        replace(sample, video=Video(Path("a"), "a", 1.0, 2.0)),
    ):
        assert input_key([other], ["digest"]) != base
    assert input_key([sample], ["other bytes"]) != base
    assert input_key([sample, replace(sample, id=2)], ["digest"]) != base


def test_digest_ignores_the_order_of_keys_and_refuses_what_is_no_json() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    with pytest.raises(TypeError, match="object"):
        digest(object())
