from importlib import import_module

import numpy as np
import pytest
from harness_plugins.poolings import harness_poolings

from harness import UsageError
from harness.interfaces import Pooling
from harness.options import convert, describe
from harness.testing import check_pooling, check_spec

SPECS = {spec.name: spec for spec in harness_poolings()}
FRAMES = np.array([10, 60, 200, 90], np.uint8)[:, None, None, None].repeat(3, axis=3)
TIMES = np.array([0.0, 0.1, 0.2, 0.9])


def pooling_class(name):
    module, _, cls = SPECS[name].target.partition(":")
    return getattr(import_module(module), cls)


def pooled(name, frames=FRAMES, **options):
    """The level a pooling makes of grey frames."""
    frame = pooling_class(name)(**options).pool(frames, TIMES[: len(frames)])
    assert frame.shape == (1, 1, 3)
    assert len(np.unique(frame)) == 1
    return int(frame[0, 0, 0])


def test_the_catalogue_offers_the_four_and_two_more():
    assert list(SPECS) == [
        "weighted_average",
        "weighted_average_exponential",
        "weighted_average_ramp",
        "blend_blur_with_last_frame",
        "mean",
        "last",
    ]


@pytest.mark.parametrize("name", SPECS)
def test_each_keeps_the_contract_and_explains_its_options(name):
    cls = pooling_class(name)
    check_spec(SPECS[name], "pooling")
    check_pooling(cls)
    assert isinstance(cls(), Pooling)
    assert cls().window == 1.0
    assert cls(window=0.25).window == 0.25
    assert "Definition:" in cls.__doc__
    assert all(option.name in cls.__doc__ for option in describe(cls))


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("weighted_average", [0.1, 0.4, 0.7, 1.0]),
        ("weighted_average_exponential", [0.85**3, 0.85**2, 0.85, 1.0]),
        ("weighted_average_ramp", [1, 4, 9, 16]),
        ("mean", [1, 1, 1, 1]),
        ("last", [0, 0, 0, 1]),
    ],
)
def test_defaults_weigh_as_defined(name, weights):
    weights = np.array(weights) / np.sum(weights)
    expected = weights @ FRAMES[:, 0, 0, 0]
    assert abs(expected % 1 - 0.5) > 0.01  # or rounding would be a matter of taste
    assert pooled(name) == round(expected)


def test_the_blend_is_rounded_once():
    weights = 0.85 ** np.arange(3, -1, -1)
    blur = weights @ FRAMES[:, 0, 0, 0] / weights.sum()
    assert pooled("blend_blur_with_last_frame") == round(0.7 * blur + 0.3 * 90)
    assert pooled("blend_blur_with_last_frame", alpha=0.0) == 90
    assert pooled("blend_blur_with_last_frame", alpha=1.0) == pooled("weighted_average_exponential")
    assert pooled("blend_blur_with_last_frame", alpha=1.0, gamma=1.0) == pooled("mean")


def test_options_change_the_weights():
    assert pooled("weighted_average_exponential", gamma=1.0) == pooled("mean")
    assert pooled("weighted_average_exponential", gamma=0.1) == round((10 * 0.001 + 0.6 + 20 + 90) / 1.111)
    assert pooled("weighted_average_ramp", power=1.0) == round((10 + 120 + 600 + 360) / 10)
    assert pooled("weighted_average_ramp", power=0.0) == pooled("mean")


@pytest.mark.parametrize("name", [name for name in SPECS if name != "last"])
def test_light_is_brighter_than_the_mean_of_levels(name):
    assert pooled(name, linear_light=True) > pooled(name) + 5


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("options", [{}, {"linear_light": True}])
def test_a_lone_frame_is_shown_as_it_is(name, options):
    frames = np.random.default_rng(0).integers(0, 256, (1, 12, 17, 3), dtype=np.uint8)
    cls = pooling_class(name)
    frame = cls(**options if name != "last" else {}).pool(frames, TIMES[:1])
    assert np.array_equal(frame, frames[0])
    assert not np.shares_memory(frame, frames)


def test_options_can_be_typed():
    cls = pooling_class("blend_blur_with_last_frame")
    typed = convert(cls, {"alpha": ".5", "window": "2", "linear_light": "yes"}, "the pooling")
    assert typed == {"alpha": 0.5, "gamma": 0.85, "window": 2.0, "linear_light": True}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        *((name, {"window": 0.0}, "window") for name in SPECS),
        ("mean", {"window": float("nan")}, "window"),
        ("weighted_average_exponential", {"gamma": 0.0}, "gamma"),
        ("weighted_average_exponential", {"gamma": 1.1}, "gamma"),
        ("blend_blur_with_last_frame", {"gamma": -1.0}, "gamma"),
        ("blend_blur_with_last_frame", {"alpha": 1.5}, "alpha"),
        ("blend_blur_with_last_frame", {"alpha": float("nan")}, "alpha"),
        ("weighted_average_ramp", {"power": -1.0}, "power"),
        ("weighted_average_ramp", {"power": float("inf")}, "power"),
    ],
)
def test_options_that_make_no_sense_are_refused(name, options, message):
    with pytest.raises(UsageError, match=rf"{message}.*try {message}="):
        pooling_class(name)(**options)
