import numpy as np
import pytest
from harness_plugins.poolings import weights

SHAPES = {
    "equal": weights.equal,
    "rising": weights.rising,
    "exponential": lambda count: weights.exponential(count, 0.85),
    "ramp": lambda count: weights.ramp(count, 2),
    "last": weights.last,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 3, 30, 5000])
def test_weights_have_sum_1_and_never_fall(shape, count):
    found = SHAPES[shape](count)
    assert found.shape == (count,)
    assert found.dtype == np.float64
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert found.min() >= 0
    assert np.all(np.diff(found) >= -1e-15)


def test_weights_are_those_of_the_definitions():
    assert weights.equal(4) == pytest.approx([0.25] * 4)
    assert weights.rising(4) == pytest.approx(np.array([0.1, 0.4, 0.7, 1.0]) / 2.2)
    assert weights.exponential(3, 0.85) == pytest.approx(np.array([0.7225, 0.85, 1]) / 2.5725)
    assert weights.ramp(3, 2) == pytest.approx(np.array([1, 4, 9]) / 14)
    assert weights.ramp(3, 1) == pytest.approx(np.array([1, 2, 3]) / 6)
    assert weights.last(3).tolist() == [0, 0, 1]


def test_extremes_are_the_mean_and_the_last():
    assert weights.exponential(7, 1.0) == pytest.approx(weights.equal(7))
    assert weights.ramp(7, 0.0) == pytest.approx(weights.equal(7))
    assert weights.exponential(7, 1e-200) == pytest.approx(weights.last(7))
    assert weights.ramp(7, 5000.0) == pytest.approx(weights.last(7))
