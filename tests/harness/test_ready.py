"""What a model prepares ahead: elsewhere and once a video, within the bound, and to no answer's harm."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import Model, make_cell
from footage import Footage, answers_about, names

from harness import Answer, Clip, Prompt
from harness.errors import HarnessError
from harness.plan import Piece, make_plan
from harness.prefetch import Loan
from harness.ready import Groundwork, Ready

BYTES = 20_000
"""Of what is prepared of a prompt, whatever its frames."""


class Dish:
    """A prepared prompt, ``BYTES`` large."""

    nbytes: int | None = BYTES

    def __init__(self, prompt: Prompt) -> None:
        (self.answer,) = Model().generate([prompt])


class Cook(Model):
    """A model that prepares; knows what was prepared where, and how much of it is alive."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[list[str]] = []
        self.threads: set[int] = set()
        self.asked: list[list[Any]] = []
        self.alive = self.most = 0
        self.lock = threading.Lock()

    def prepare(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
        assert len({id(part) for prompt in prompts for part in prompt.parts[:1]}) == 1  # one clip
        with self.lock:
            self.prepared.append([prompt.text for prompt in prompts])
            self.threads.add(threading.get_ident())
        return [self.dish(prompt) for prompt in prompts]

    def dish(self, prompt: Prompt) -> Dish:
        made = Dish(prompt)
        weakref.finalize(made, self.count, -1)
        self.count(1)
        return made

    def count(self, dishes: int) -> None:
        with self.lock:
            self.alive += dishes * BYTES
            self.most = max(self.most, self.alive)

    def generate(self, prompts: Sequence[Any]) -> Iterable[Answer]:
        self.asked.append(list(prompts))
        for one in prompts:
            yield from [one.answer] if isinstance(one, Dish) else super().generate([one])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, str]]]:
    """Answers two questions about each video; gives the answers by question."""
    gc.disable()  # whatever is let go must be gone without it
    yield partial(answers_about, folder=tmp_path, patch=monkeypatch)
    gc.enable()


@pytest.fixture
def piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Piece:
    """Three calls about a video of 300 bytes."""
    footage = Footage({"v": (4, 5, 5)})
    monkeypatch.setattr("harness.ready.clip_of", footage.clip_of)
    monkeypatch.setattr("harness.ready.clip_bytes", footage.clip_bytes)
    cell = make_cell({"v": tmp_path / "v"}, count=3)
    return make_plan(cell, cell.dataset.plugin.samples()).pieces[0]


def groundwork(prepare: Any = None, still_open: Any = lambda piece: piece.calls) -> Groundwork:
    return Groundwork(make_cell({}), still_open, prepare, 1 << 30)


def test_each_video_is_prepared_once_in_threads_of_the_harness(run: Callable[..., dict[str, str]]) -> None:
    footage, model = Footage(dict.fromkeys(names(30), (2, 8, 8))), Cook()
    plain = run(footage, Model())
    assert run(footage, model) == plain
    assert Counter(map(tuple, model.prepared)) == {(f"{name}?0", f"{name}?1"): 1 for name in names(30)}
    assert threading.get_ident() not in model.threads
    assert all(isinstance(one, Dish) for call in model.asked for one in call)


def test_preparing_goes_on_while_the_model_loads_and_answers(run: Callable[..., dict[str, str]]) -> None:
    footage = Footage(dict.fromkeys(names(30), (2, 8, 8)))

    class Waiting(Cook):
        def load(self) -> None:
            footage.wait_until(lambda: len(self.prepared) >= 4)

        def prepare(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
            dishes = super().prepare(prompts)
            with footage.changed:
                footage.changed.notify_all()
            return dishes

        def generate(self, prompts: Sequence[Any]) -> Iterable[Answer]:
            asked = sum(map(len, self.asked)) + len(prompts)
            footage.wait_until(lambda: len(self.prepared) >= min(30, asked // 2 + 2))
            return super().generate(prompts)

    run(footage, Waiting())


def test_frames_are_let_go_before_the_model_is_asked(run: Callable[..., dict[str, str]]) -> None:
    frames: dict[str, weakref.ref[Any]] = {}

    class Forgetful(Cook):
        def dish(self, prompt: Prompt) -> Dish:
            assert isinstance(prompt.parts[0], Clip)
            made = super().dish(prompt)
            frames[made.answer.text] = weakref.ref(prompt.parts[0].frames)
            return made

        def generate(self, prompts: Sequence[Any]) -> Iterable[Answer]:
            assert all(frames[one.answer.text]() is None for one in prompts)
            return super().generate(prompts)

    run(Footage(dict.fromkeys(names(30), (2, 8, 8))), Forgetful())
    assert len(frames) == 60


def test_what_is_prepared_stays_within_the_bound(run: Callable[..., dict[str, str]]) -> None:
    footage = Footage(dict.fromkeys(names(120), (2, 8, 8)))

    class Late(Cook):
        def load(self) -> None:
            footage.wait_until(lambda: self.alive >= 28 * BYTES)
            time.sleep(0.05)  # for more than may be

        def count(self, dishes: int) -> None:
            super().count(dishes)
            if dishes > 0:
                with footage.changed:
                    footage.changed.notify_all()

        def generate(self, prompts: Sequence[Any]) -> Iterable[Answer]:
            return [one.answer for one in prompts]

    model = Late()
    run(footage, model, size=8, budget=30 * BYTES)
    # Up to four videos of two questions are begun before it is known what they come to.
    assert model.most <= (30 + 8) * BYTES
    assert model.alive == 0


class Failing(Cook):
    """Cannot prepare one video in three, in three ways."""

    def prepare(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
        dishes = super().prepare(prompts)
        number = int(prompts[0].text[1:4])
        if number % 9 == 0:
            raise MemoryError
        if number % 9 == 3:
            raise ValueError("too odd")
        return dishes[:1] if number % 9 == 6 else dishes


def test_what_cannot_be_prepared_is_asked_as_it_is(
    run: Callable[..., dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    footage, model = Footage(dict.fromkeys(names(18), (2, 8, 8))), Failing()
    plain = run(footage, Model())
    assert run(footage, model) == plain
    kinds = Counter(type(one) for call in model.asked for one in call)
    assert kinds == {Prompt: 12, Dish: 24}
    assert "video v003 is left to generate: prepare raised ValueError: too odd" in caplog.text


def test_a_harness_error_ends_the_run(run: Callable[..., dict[str, str]]) -> None:
    class Broken(Cook):
        def prepare(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
            raise HarnessError("no processor in this folder")

    with pytest.raises(HarnessError, match="no processor in this folder"):
        run(Footage({"v": (2, 8, 8)}), Broken())


def test_halves_of_a_batch_that_raised_have_the_same_values(run: Callable[..., dict[str, str]]) -> None:
    class Crowded(Cook):
        def generate(self, prompts: Sequence[Any]) -> Iterable[Answer]:
            if len(prompts) > 2:
                self.asked.append(list(prompts))
                raise MemoryError
            return super().generate(prompts)

    footage, model = Footage(dict.fromkeys(names(6), (2, 8, 8))), Crowded()
    plain = run(footage, Model())
    assert run(footage, model, size=4) == plain
    assert len(model.prepared) == 6
    first, *halves = model.asked
    assert len(first) == 4
    assert {id(one) for one in first} <= {id(one) for half in halves for one in half}


def test_models_that_are_not_asked_in_batches_are_not_asked_to_prepare(
    run: Callable[..., dict[str, str]],
) -> None:
    class Remote(Cook):
        concurrency = 4

    model = Remote()
    run(Footage(dict.fromkeys(names(4), (2, 8, 8))), model)
    assert not model.prepared
    assert all(isinstance(one, Prompt) for call in model.asked for one in call)


def test_only_calls_that_are_still_to_be_asked_are_prepared(piece: Piece) -> None:
    model = Cook()
    ready = groundwork(model.prepare, lambda piece: piece.calls[1:2]).make(piece)
    assert model.prepared == [["v?1"]]
    assert [one.call for one in ready.calls] == [piece.calls[1]]
    assert not groundwork(model.prepare, lambda piece: []).make(piece).calls
    assert len(model.prepared) == 1


def test_what_is_kept_of_a_clip_is_what_is_recorded(piece: Piece) -> None:
    plain, prepared = (groundwork(prepare).make(piece).calls for prepare in (None, Cook().prepare))
    shapes = set()
    for one, other in zip(plain, prepared, strict=True):
        assert one.clip is not None
        assert other.clip is not None
        assert other.clip.frames.shape == (0, 5, 5, 3)
        assert other.clip.frames.base is None
        assert np.array_equal(other.clip.indices, one.clip.indices)
        assert np.array_equal(other.clip.times, one.clip.times)
        shapes |= {question.shape for question in (one.question, other.question) if question}
    assert shapes == {((4, 5, 5, 3),)}


def test_what_a_piece_takes_up(piece: Piece) -> None:
    class Unsaid(Dish):
        nbytes = None

    shared = Dish(Prompt((Clip(np.zeros((1, 1, 1, 3), np.uint8), np.zeros(1), np.zeros(1, np.int64), 1.0),)))
    for values, nbytes in (
        ([Dish(prompt) for prompt in prompts_of(piece)], 3 * BYTES),
        ([Unsaid(prompt) for prompt in prompts_of(piece)], 300),
        ([shared, shared, *map(Unsaid, prompts_of(piece)[:1])], BYTES + 300),
    ):
        ground = groundwork(lambda prompts, values=values: values)
        assert ground.foresee(piece) == Loan(300, 3)
        made = ground.make(piece)
        assert made.loan == Loan(nbytes, 3)
        assert all(one.loan is made.loan for one in made.calls)
        # The next of its kind is foreseen as large.
        assert ground.foresee(piece) == Loan(nbytes, 3)


def prompts_of(piece: Piece) -> list[Prompt]:
    def prompt(ready: Ready) -> Prompt:
        assert ready.question is not None
        assert isinstance(ready.question.given, Prompt)
        return ready.question.given

    return [prompt(ready) for ready in groundwork().make(piece).calls]
