import numpy as np
import pytest
from harness_plugins.corruptions.kernels import perlin as module
from harness_plugins.corruptions.kernels.perlin import perlin


def octave(key, number, shape=(200, 240), frequency=1 / 16):
    total = np.zeros(shape, np.float32)
    module._add(np.uint64(key), number, frequency, np.float32(1), total)
    return total


def test_noise_is_0_on_its_lattice_and_smooth():
    """On lines of nodes noise is a gradient's product with a distance: 0 at the nodes, 16 elements apart."""
    noise = octave(1, 0)
    assert np.abs(noise).max() <= 1
    assert noise.std() == pytest.approx(0.25, abs=0.06)
    bends = np.abs(np.diff(noise, 2, axis=1)).max()
    assert bends < 0.06
    fine = octave(1, 0, (3200, 64), 1 / 512)  # one element in 512 * 512 is nearly a node
    assert np.abs(fine).min() < 1e-4


def test_octaves_have_half_the_period_and_their_own_lattice():
    one, other = octave(3, 0), octave(3, 1, frequency=1 / 8)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1
    assert np.abs(np.diff(other)).mean() == pytest.approx(2 * np.abs(np.diff(one)).mean(), rel=0.15)


def test_power_falls_by_a_quarter_per_octave():
    total = np.mean([octave(k, 0).var() for k in range(8)])
    wanted = sum(0.25**k for k in range(6)) * total
    found = []
    for key in range(8):
        parts = np.zeros((200, 240), np.float32)
        for number in range(6):
            module._add(np.uint64(key), number, 2**number / 16, np.float32(0.5**number), parts)
        found.append(parts.var())
    assert np.mean(found) == pytest.approx(wanted, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (30, 33)])
def test_a_map_spans_its_range_at_any_size(shape):
    found = perlin(np.uint64(4), *shape, 6.0, 6)
    assert found.shape[0] == shape[0]
    assert found.shape[1] in (1, 2, 4, 8, 16, 32, 64)
    used = found[:, : shape[1]]
    assert not found[:, shape[1] :].any()
    assert used.min() == 0
    assert used.max() == (65535 if used.size > 1 else 0)


def test_smaller_maps_begin_like_larger_ones():
    one, other = (np.zeros(shape, np.float32) for shape in ((20, 30), (50, 70)))
    for total in (one, other):
        module._add(np.uint64(8), 2, 0.11, np.float32(1), total)
    assert np.array_equal(one, other[:20, :30])
