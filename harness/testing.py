"""Does a plugin keep its contract? Plain functions for the tests of whoever writes one.

Each takes the class (made with its defaults) or an object, and raises AssertionError with a
sentence that says which rule of ``harness.interfaces`` is broken::

    from harness.testing import check_corruption
    def test_fog():
        check_corruption(RoadFog)
"""

from __future__ import annotations

import importlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from harness.errors import UsageError
from harness.found import members
from harness.interfaces import KINDS
from harness.options import convert, describe
from harness.seeds import Draws
from harness.spec import Spec
from harness.types import Answer, Case, Clip, Prompt, Status, Verdict
from harness.values import to_json

_SHAPES = ((8, 36, 64), (1, 1, 1), (3, 17, 5))
"""Frames, height and width of the clips that noises are tried on."""


def example_clip(frames: int = 8, height: int = 36, width: int = 64, seed: int = 0) -> Clip:
    """A clip of smooth moving colours with some grain, 8 frames a second; equal seeds, equal bytes."""
    t, y, x = np.meshgrid(np.arange(frames), np.arange(height), np.arange(width), indexing="ij")
    waves = [np.sin(x / (3 + channel) + y / 7 + t / 2) for channel in range(3)]
    grain = np.random.default_rng(seed).integers(-20, 21, (frames, height, width, 3))
    pixels = (110 + 90 * np.stack(waves, axis=-1) + grain).clip(0, 255).astype(np.uint8)
    return Clip(pixels, np.arange(frames) / 8, np.arange(frames, dtype=np.int64), 8.0)


def check_spec(spec: Spec, kind: str) -> None:
    """The spec's class can be imported, fits its kind and knows the options that the name fixes."""
    module, _, attribute = spec.target.partition(":")
    cls = getattr(importlib.import_module(module), attribute)
    assert isinstance(cls, type), f"{spec.target} is not a class"
    known = {option.name for option in describe(cls)}
    for option in (*spec.fields, *spec.options):
        assert option in known, f"{spec.name!r} sets {option!r}, which {spec.target} does not take"
    for example in spec.examples:
        fields = spec.match(example)
        assert fields is not None, f"{spec.name!r} does not answer to its example {example!r}"
        assert spec.render(**fields) == example, f"{spec.name!r} does not give {example!r} back"
        _convert(cls, {**spec.options, **fields}, f"the example {example!r}")
    if not spec.fields:
        _convert(cls, spec.options, f"{spec.name!r}")
    wanted = [name for name in members(KINDS[kind]) if callable(getattr(KINDS[kind], name, None))]
    lacking = [name for name in wanted if not callable(getattr(cls, name, None))]
    assert not lacking, f"{spec.target} is no {kind}: it has no {', '.join(lacking)}"


def check_options(cls: type) -> None:
    """Defaults have the type their option declares and can be stored, and ``transport`` names options."""
    options = describe(cls)
    defaults = {option.name: option.default for option in options if not option.required}
    _json(defaults, f"the defaults of {cls.__name__}")
    if len(defaults) == len(options):
        _convert(cls, defaults, f"the defaults of {cls.__name__}")
    transport: frozenset[str] = getattr(cls, "transport", frozenset())
    unknown = transport - {option.name for option in options}
    assert not unknown, f"{cls.__name__}.transport names {sorted(unknown)}, which are no options"


def check_corruption(corruption: Any) -> None:
    """Shapes, types and untouched frames are kept, the input too, and only ``draws`` is random."""
    plugin = _made(corruption, "corruption")
    for frames, height, width in _SHAPES:
        clip = example_clip(frames, height, width)
        for hit in {(0,), tuple(range(frames)), tuple(range(frames - 1, -1, -2))}:
            _check_applied(plugin, corruption, clip, np.array(hit, dtype=np.int64))


def _check_applied(plugin: Any, source: Any, clip: Clip, hit: np.ndarray) -> None:
    where = f"{type(plugin).__name__} on {clip.frames.shape} hitting {hit.tolist()}"
    draws = Draws(3, "a video", "a noise", plugin.version)
    frames, times, order = clip.frames.copy(), clip.times.copy(), hit.copy()
    with _own_randomness(where):
        out = plugin.apply(clip, hit, draws)
    assert isinstance(out, Clip), f"{where}: apply returned {type(out).__name__}, not Clip"
    same_input = np.array_equal(clip.frames, frames) and np.array_equal(clip.times, times)
    assert same_input and np.array_equal(hit, order), f"{where}: the input was modified"
    assert out.frames.dtype == np.uint8, f"{where}: frames became {out.frames.dtype}, not uint8"
    assert out.frames.shape == frames.shape, f"{where}: the shape became {out.frames.shape}"
    rest = np.setdiff1d(np.arange(len(frames)), hit)
    assert np.array_equal(out.frames[rest], frames[rest]), f"{where}: frames that are not hit changed"
    kept = np.array_equal(out.times, times) and np.array_equal(out.indices, clip.indices)
    assert kept and out.fps == clip.fps, f"{where}: times, indices or fps changed"
    _json(dict(out.notes), f"{where}: notes")
    # Another object that has seen another clip before must give the same bytes.
    again = _made(source, "corruption")
    again.apply(example_clip(2, 5, 4), np.array([1]), Draws(4, "other", "a noise", plugin.version))
    repeat = again.apply(clip, hit, draws)
    assert np.array_equal(repeat.frames, out.frames), f"{where}: a second try gave other bytes"


def check_pooling(pooling: Any) -> None:
    """Any number of frames becomes one of their size, the same each time, the input untouched."""
    plugin = _made(pooling, "pooling")
    name = type(plugin).__name__
    assert plugin.window > 0, f"{name}.window must be above 0 seconds, not {plugin.window}"
    for count, height, width in ((1, 1, 1), (1, 9, 7), (5, 36, 64)):
        clip = example_clip(count, height, width)
        before = clip.frames.copy()
        frame = plugin.pool(clip.frames, clip.times)
        assert frame.shape == (height, width, 3), f"{name} made {frame.shape} of {before.shape}"
        assert frame.dtype == np.uint8, f"{name} made {frame.dtype}, not uint8"
        assert np.array_equal(clip.frames, before), f"{name} modified its input"
        assert np.array_equal(plugin.pool(before, clip.times), frame), f"{name} is not repeatable"


def check_judge(judge: Any, cases: Sequence[Case] = ()) -> None:
    """One verdict per case, in order: a score in 0..3 or a status that says why there is none.

    Judges ``cases``, by default a handful of odd ones; a judge behind an endpoint calls it.
    """
    plugin = _made(judge, "judge")
    cases = tuple(cases) or (
        Case("What colour is the car?", "red", "red"),
        Case("What colour is the car?", "red", ""),
        Case("How many?", "3", "three " * 500),
        Case("Was ist zu sehen?", "ein Bär", "🐻\n\x00\\"),
        Case("Which?", "B", "B", choices=("a dog", "a cat")),
    )
    assert not list(plugin.judge(())), f"{type(plugin).__name__} gave a verdict on no case"
    verdicts = list(plugin.judge(cases))
    assert len(verdicts) == len(cases), f"{len(verdicts)} verdicts on {len(cases)} cases"
    for case, verdict in zip(cases, verdicts, strict=True):
        assert isinstance(verdict, Verdict), f"judge gave {type(verdict).__name__}, not Verdict"
        scored = verdict.score is not None and 0 <= verdict.score <= 3
        fits = scored if verdict.status is Status.OK else verdict.score is None
        assert fits, f"score {verdict.score} with status {verdict.status} on {case}"
        _json(dict(verdict.meta), "meta of a verdict")
    alone = list(plugin.judge(cases[-1:]))
    assert [verdict.score for verdict in alone] == [verdicts[-1].score], "verdicts depend on other cases"


def check_model(model: Any) -> None:
    """One answer per prompt, in order; a failure is an answer's status. Loads the model.

    What a model prepares ahead is answered like the prompts themselves, and so is a mixture of both.
    """
    plugin = _made(model, "model")
    clip = example_clip()
    prompts = [Prompt((clip, "What moves?")), Prompt(("Which colour?", clip)), Prompt(("Hello",))]
    # Before it is loaded, as in a run.
    prepared = list(plugin.prepare(prompts)) if hasattr(plugin, "prepare") else None
    if hasattr(plugin, "load"):
        plugin.load()
    answers = _answers(plugin, prompts)
    for answer in answers:
        assert isinstance(answer, Answer), f"generate gave {type(answer).__name__}, not Answer"
        assert isinstance(answer.text, str), f"text is {type(answer.text).__name__}"
        _json(dict(answer.meta), "meta of an answer")
    if prepared is not None:
        assert len(prepared) == len(prompts), f"prepare gave {len(prepared)} values, not {len(prompts)}"
        for value in prepared:
            nbytes = getattr(value, "nbytes", 0)
            assert isinstance(nbytes, int), f"nbytes of what prepare gave is {nbytes!r}"
        for asked in (prepared, [prompts[0], *prepared[1:]]):
            again = _answers(plugin, asked)
            same = [(one.text, one.status) for one in again] == [(one.text, one.status) for one in answers]
            assert same, f"prepared prompts have other answers: {again}, not {answers}"


def _answers(plugin: Any, asked: Sequence[Any]) -> list[Any]:
    """One to each that is asked, in calls as large as the model takes."""
    size = int(getattr(plugin, "max_batch", 1))
    calls = [plugin.generate(asked[start : start + size]) for start in range(0, len(asked), size)]
    answers = [answer for call in calls for answer in call]
    assert len(answers) == len(asked), f"{len(answers)} answers to {len(asked)} prompts"
    return answers


def check_dataset(dataset: Any) -> None:
    """Ids and keys are unique and stable, labels known, prompts built. Lists the samples, decodes none."""
    plugin = _made(dataset, "dataset")
    samples = list(plugin.samples())
    assert samples, f"{type(plugin).__name__} has no samples"
    assert list(plugin.samples()) == samples, "a second listing gives other samples"
    ids = [sample.id for sample in samples]
    assert len(set(ids)) == len(ids), "two samples share an id"
    files = {(sample.video.key, sample.video.path) for sample in samples}
    assert len({key for key, _ in files}) == len(files), "two video files share a key"
    taxonomy = getattr(plugin, "taxonomy", None)
    known = {fine for group in taxonomy.coarse.values() for fine in group} if taxonomy else None
    clip = example_clip()
    for sample in samples:
        unknown = set(sample.labels) - known if known is not None else set()
        assert not unknown, f"sample {sample.id} has unknown labels {sorted(unknown)}"
        assert not sample.video.key.startswith("/"), f"{sample.video.key} differs between machines"
        _json(dict(sample.meta), f"meta of sample {sample.id}")
        prompt = plugin.prompt(sample, clip)
        assert isinstance(prompt, Prompt), f"prompt gave {type(prompt).__name__}, not Prompt"
        assert any(part is clip for part in prompt.parts), f"the prompt of {sample.id} shows no clip"


def _made(source: Any, kind: str) -> Any:
    """The object, made with its defaults if it is a class, having everything its kind must."""
    if isinstance(source, type):
        check_options(source)
        source = source()
    lacking = [name for name in members(KINDS[kind]) if not hasattr(source, name)]
    assert not lacking, f"{type(source).__name__} is no {kind}: it lacks {', '.join(lacking)}"
    version = getattr(source, "version", 1)
    assert type(version) is int, f"{type(source).__name__}.version must be an int, not {version!r}"
    return source


def _convert(cls: type, values: Mapping[str, Any], where: str) -> None:
    """The values suit the class and can be stored."""
    try:
        converted = convert(cls, values, cls.__name__)
    except UsageError as error:
        raise AssertionError(f"{where}: {error}") from error
    _json(converted, where)


def _json(value: Any, where: str) -> None:
    try:
        json.dumps(to_json(value), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{where} cannot be stored as JSON: {error}") from error


@contextmanager
def _own_randomness(where: str) -> Iterator[None]:
    """AssertionError when the block draws from a global generator."""
    before = _global_generators()
    yield
    assert _global_generators() == before, f"{where}: a global generator was used; use `draws` alone"


def _global_generators() -> tuple[object, ...]:
    _, words, position, *_ = np.random.get_state(legacy=True)  # noqa: NPY002
    return random.getstate(), np.asarray(words).tobytes(), position
