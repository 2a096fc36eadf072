import numpy as np
import pytest
from harness_plugins.corruptions.kernels.cubic import taps, through_small

SIZES = [
    ((72, 128), (7, 12)),
    ((72, 128), (7, 128)),
    ((72, 128), (72, 12)),
    ((71, 600), (71, 20)),
    ((65, 33), (2, 1)),
    ((33, 65), (1, 2)),
    ((1, 40), (1, 4)),
    ((40, 1), (4, 1)),
    ((5, 5), (1, 1)),
    ((1, 1), (1, 1)),
]


def small_and_back(source, size):
    out = np.full_like(source, 77)
    through_small(source, *size, out)
    return out


@pytest.mark.parametrize(("size", "small"), SIZES)
def test_it_is_pytorchs_bicubic_in_float(size, small):
    torch = pytest.importorskip("torch")
    source = 255 * np.random.default_rng(0).integers(0, 2, (*size, 3), dtype=np.uint8)
    planes = torch.from_numpy(source).permute(2, 0, 1)[None].double()
    reduced = torch.nn.functional.interpolate(planes, small, mode="bicubic")
    exact = torch.nn.functional.interpolate(reduced, size, mode="bicubic")[0].permute(1, 2, 0).numpy()
    assert np.abs(small_and_back(source, small) - np.clip(exact, 0, 255)).max() <= 0.5 + 2e-3


@pytest.mark.parametrize(("before", "after"), [(720, 72), (72, 720), (7, 1), (1, 7), (42, 1280)])
def test_weights_sum_to_one_and_taps_lie_inside(before, after):
    chosen, weights = taps(before, after)
    assert chosen.shape == weights.shape == (after, 4)
    assert chosen.min() >= 0
    assert chosen.max() < before
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_one_colour_stays(level):
    source = np.full((50, 70, 3), level, np.uint8)
    for size in ((5, 7), (50, 2), (1, 70)):
        assert np.array_equal(small_and_back(source, size), source)


def test_full_size_is_a_copy():
    source = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert np.array_equal(small_and_back(source, (20, 30)), source)
