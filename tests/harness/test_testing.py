"""The contract checks must pass what keeps the contract and name the rule that is broken."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness import Answer, Case, Clip, Prompt, Sample, Sampling, Spec, Status, Taxonomy, Verdict, Video
from harness.testing import (
    check_corruption,
    check_dataset,
    check_judge,
    check_model,
    check_options,
    check_pooling,
    check_spec,
    example_clip,
)


class Grain:
    """A noise that keeps all the rules."""

    version = 2

    def __init__(self, strength: float = 20.0) -> None:
        self.strength = strength

    def apply(self, clip, hit, draws):
        frames = clip.frames.copy()
        for index in hit:
            grain = draws.frame(int(index)).normal(0, self.strength, frames[index].shape)
            frames[index] = (frames[index] + grain).round().clip(0, 255)
        return replace(clip, frames=frames, notes={"strength": self.strength})


class InPlace(Grain):
    def apply(self, clip, hit, draws):
        clip.frames[hit] = 0
        return clip


class Everywhere(Grain):
    def apply(self, clip, hit, draws):
        return replace(clip, frames=255 - clip.frames)


class Float(Grain):
    def apply(self, clip, hit, draws):
        return replace(clip, frames=clip.frames / 1.0)


class Shorter(Grain):
    def apply(self, clip, hit, draws):
        return replace(clip, frames=clip.frames[:, :-1])


class Shifted(Grain):
    def apply(self, clip, hit, draws):
        return replace(clip, times=clip.times + 1)


class Raw(Grain):
    def apply(self, clip, hit, draws):
        return clip.frames


class GlobalNumpy(Grain):
    def apply(self, clip, hit, draws):
        np.random.rand()  # noqa: NPY002
        return clip


class GlobalPython(Grain):
    def apply(self, clip, hit, draws):
        random.random()
        return clip


class Fresh(Grain):
    def apply(self, clip, hit, draws):
        frames = clip.frames.copy()
        frames[hit] = np.random.default_rng().integers(0, 256, frames[hit].shape, dtype=np.uint8)
        return replace(clip, frames=frames)


class Noted(Grain):
    def apply(self, clip, hit, draws):
        return replace(clip, notes={"strength": np.ones(2)})


class Textual(Grain):
    version = "2"


class Untyped(Grain):
    def __init__(self, strength: float = "thick") -> None: ...


class Unstorable(Grain):
    def __init__(self, source=object()) -> None: ...  # noqa: B008


class Odd(Grain):
    transport = frozenset({"threads"})


class Nothing:
    version = 1


@pytest.mark.parametrize(
    ("corruption", "rule"),
    [
        (InPlace, "the input was modified"),
        (Everywhere, "frames that are not hit changed"),
        (Float, "frames became float64, not uint8"),
        (Shorter, "the shape became"),
        (Shifted, "times, indices or fps changed"),
        (Raw, "apply returned ndarray, not Clip"),
        (GlobalNumpy, "a global generator was used"),
        (GlobalPython, "a global generator was used"),
        (Fresh, "a second try gave other bytes"),
        (Noted, "notes cannot be stored as JSON"),
        (Textual, "version must be an int, not '2'"),
        (Untyped, "strength of Untyped cannot be 'thick'"),
        (Unstorable, "the defaults of Unstorable cannot be stored as JSON"),
        (Odd, "transport names .'threads'., which are no options"),
        (Nothing, "Nothing is no corruption: it lacks apply"),
        (Nothing(), "Nothing is no corruption: it lacks apply"),
    ],
)
def test_a_noise_that_breaks_a_rule_is_told_which(corruption, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_corruption(corruption)


def test_a_noise_that_keeps_the_rules_passes_and_leaves_the_generators_alone() -> None:
    before = random.getstate()
    check_corruption(Grain)
    check_corruption(Grain(strength=3))
    assert random.getstate() == before


def test_an_object_that_remembers_is_found_out() -> None:
    class Counting(Grain):
        def __init__(self) -> None:
            self.calls = 0

        def apply(self, clip, hit, draws):
            self.calls += 1
            frames = clip.frames.copy()
            frames[hit] = self.calls
            return replace(clip, frames=frames)

    with pytest.raises(AssertionError, match="other bytes"):
        check_corruption(Counting)


class Mean:
    version = 1
    window = 0.5

    def pool(self, frames, times):
        return frames.mean(axis=0).round().astype(np.uint8)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"window": 0}, "window must be above 0"),
        ({"pool": lambda self, frames, times: frames}, "Pooling made"),
        ({"pool": lambda self, frames, times: frames[0] / 1}, "made float64, not uint8"),
        ({"pool": lambda self, frames, times: frames.sort() or frames[0]}, "modified its input"),
        (
            {
                "pool": lambda self, frames, times: np.random.default_rng().integers(
                    0, 256, frames[0].shape, dtype=np.uint8
                )
            },
            "not repeatable",
        ),
    ],
)
def test_poolings(changes, rule: str) -> None:
    check_pooling(Mean)
    with pytest.raises(AssertionError, match=rule):
        check_pooling(type("Pooling", (Mean,), changes))


class Same:
    version = 1

    def judge(self, cases):
        for case in cases:
            yield Verdict(3.0 if case.prediction == case.reference else 0.0)


def judge_of(answer):
    return type("Judge", (Same,), {"judge": answer})


@pytest.mark.parametrize(
    ("judge", "rule"),
    [
        (judge_of(lambda self, cases: [Verdict(0.0)]), "gave a verdict on no case"),
        (judge_of(lambda self, cases: [Verdict(0.0) for _ in cases[1:]]), "4 verdicts on 5 cases"),
        (judge_of(lambda self, cases: [0.0 for _ in cases]), "judge gave float, not Verdict"),
        (judge_of(lambda self, cases: [Verdict(4.0) for _ in cases]), "score 4.0 with status ok"),
        (judge_of(lambda self, cases: [Verdict(None) for _ in cases]), "score None with status ok"),
        (judge_of(lambda self, cases: [Verdict(1.0, Status.TIMEOUT) for _ in cases]), "status timeout"),
        (judge_of(lambda self, cases: [Verdict(1.0, meta={"a": {1j}}) for _ in cases]), "meta of a verdict"),
        (
            judge_of(lambda self, cases: [Verdict(i % 3) for i, _ in enumerate(cases, 1)]),
            "depend on other cases",
        ),
    ],
)
def test_judges(judge, rule: str) -> None:
    check_judge(Same)
    check_judge(Same, [Case("q", "a", "a")])
    with pytest.raises(AssertionError, match=rule):
        check_judge(judge)


class Echo:
    max_batch = 2

    def __init__(self) -> None:
        self.loaded = False

    def load(self) -> None:
        self.loaded = True

    def generate(self, prompts):
        assert self.loaded
        assert len(prompts) <= self.max_batch
        for prompt in prompts:
            yield Answer(prompt.text)


def test_models() -> None:
    check_model(Echo)
    for generate, rule in (
        (lambda self, prompts: [Answer("a")], "2 answers to 3 prompts"),
        (lambda self, prompts: ["a" for _ in prompts], "generate gave str, not Answer"),
        (lambda self, prompts: [Answer(None) for _ in prompts], "text is NoneType"),
        (lambda self, prompts: [Answer("a", meta={"x": object()}) for _ in prompts], "meta of an answer"),
    ):
        with pytest.raises(AssertionError, match=rule):
            check_model(type("Model", (Echo,), {"generate": generate}))


class Ahead(Echo):
    """Answers texts that it has prepared, and prompts."""

    def prepare(self, prompts):
        return [prompt.text for prompt in prompts]

    def generate(self, asked):
        return super().generate([Prompt((one,)) if isinstance(one, str) else one for one in asked])


def test_models_that_prepare() -> None:
    class Sized(str):
        nbytes = "many"

    class Alike(Ahead):
        def generate(self, asked):
            assert len({type(one) for one in asked}) == 1
            return super().generate(asked)

    check_model(Ahead)
    for prepare, rule in (
        (lambda self, prompts: ["a"], "prepare gave 1 values, not 3"),
        (lambda self, prompts: [Sized(prompt.text) for prompt in prompts], "nbytes .* is 'many'"),
        (lambda self, prompts: [prompt.text.upper() for prompt in prompts], "have other answers"),
    ):
        with pytest.raises(AssertionError, match=rule):
            check_model(type("Model", (Ahead,), {"prepare": prepare}))
    with pytest.raises(AssertionError):
        check_model(Alike)


class Set:
    sampling = Sampling(nframe=8)
    taxonomy = Taxonomy({"FP": ("Counting",)})

    def __init__(self, count: int = 3) -> None:
        self.count = count

    def samples(self):
        return [
            Sample(i, Video(Path(f"/data/{i % 2}.mp4"), f"v{i % 2}"), "How many?", "3", labels=("Counting",))
            for i in range(self.count)
        ]

    def prompt(self, sample, clip):
        return Prompt((clip, sample.question))


def set_of(**changes):
    return type(
        "Broken", (Set,), {"samples": lambda self: [replace(item, **changes) for item in Set.samples(self)]}
    )


def test_data_sets() -> None:
    check_dataset(Set)
    check_dataset(type("Free", (Set,), {"taxonomy": None}))
    same_key = {
        "samples": lambda self: [replace(s, video=replace(s.video, key="v")) for s in Set.samples(self)]
    }
    for broken, rule in (
        (Set(count=0), "has no samples"),
        (set_of(id=1), "two samples share an id"),
        (type("Broken", (Set,), same_key), "two video files share a key"),
        (set_of(labels=("Smell",)), "unknown labels .'Smell'."),
        (set_of(video=Video(Path("/a.mp4"), "/a.mp4")), "/a.mp4 differs between machines"),
        (set_of(meta={"x": object()}), "meta of sample 0"),
        (type("Broken", (Set,), {"prompt": lambda self, sample, clip: "How many?"}), "prompt gave str"),
        (type("Broken", (Set,), {"prompt": lambda self, sample, clip: Prompt(("?",))}), "shows no clip"),
        (type("Broken", (Set,), {"samples": lambda self: [random.random()]}), "second listing"),
        (type("Broken", (), {"samples": Set.samples, "prompt": Set.prompt}), "it lacks sampling"),
    ):
        with pytest.raises(AssertionError, match=rule):
            check_dataset(broken)


CODE = """
class Fog:
    version = 1
    def __init__(self, density: float = 0.4, seed: int = 0): pass
    def apply(self, clip, hit, draws): return clip
nothing = 3
"""


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        (Spec("fog", "checked:nothing", ""), "checked:nothing is not a class"),
        (Spec("fog", "checked:Fog", "", options={"thickness": 1}), "sets 'thickness', which checked:Fog"),
        (Spec("fog-{thickness}", "checked:Fog", ""), "sets 'thickness', which checked:Fog"),
        (Spec("fog", "checked:Fog", "", options={"density": "thick"}), "density of Fog cannot be 'thick'"),
        (Spec("fog-{density}", "checked:Fog", "", examples=("mist-1",)), "does not answer to its example"),
        (Spec("fog-{density}", "checked:Fog", "", examples=("fog-x",)), "density of Fog cannot be 'x'"),
    ],
)
def test_specs(site, spec: Spec, rule: str) -> None:
    site.module("checked", CODE)
    check_spec(Spec("fog", "checked:Fog", "", options={"density": 0.5}), "corruption")
    check_spec(Spec("fog-{density}-{seed}", "checked:Fog", "", examples=("fog-0.5-3",)), "corruption")
    with pytest.raises(AssertionError, match=rule):
        check_spec(spec, "corruption")
    with pytest.raises(AssertionError, match="checked:Fog is no judge: it has no judge"):
        check_spec(Spec("fog", "checked:Fog", ""), "judge")


def test_a_required_option_does_not_hinder_the_check_of_the_others() -> None:
    class Needy:
        def __init__(self, weights: Path, source=object()) -> None: ...  # noqa: B008

    with pytest.raises(AssertionError, match="defaults of Needy cannot be stored"):
        check_options(Needy)


def test_the_example_clip_is_a_clip() -> None:
    clip = example_clip(3, 5, 7)
    assert isinstance(clip, Clip)
    assert (clip.frames.shape, clip.frames.dtype) == ((3, 5, 7, 3), np.uint8)
    assert np.array_equal(clip.frames, example_clip(3, 5, 7).frames)
    assert not np.array_equal(clip.frames[0], clip.frames[1])
    assert list(clip.times) == [0, 0.125, 0.25]
