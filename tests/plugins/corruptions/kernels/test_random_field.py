import numpy as np
import pytest
from harness_plugins.corruptions.kernels.random_field import draw_nodes, spacing_for, spline
from scipy.ndimage import gaussian_filter


def stretched(nodes, sigma, length):
    """The field at every pixel of the first axis, by the definition of the spline."""
    h = spacing_for(sigma)
    weights = spline(h)
    at = np.arange(length) + h // 2
    node, inside = at // h + 1, at % h
    shape = (-1,) + (1,) * (nodes.ndim - 1)
    return sum(weights[inside, k].reshape(shape) * nodes[node - 1 + k] for k in range(3))


def field(size, sigmas, amplitude, seed):
    nodes = draw_nodes(size, sigmas, amplitude, np.uint64(seed)).astype(np.float64)
    rows = stretched(nodes, sigmas[0], size[0])
    return stretched(rows.swapaxes(0, 1), sigmas[1], size[1]).swapaxes(0, 1)


@pytest.mark.parametrize("sigmas", [(7.2, 12.8), (3.0, 3.0), (2.9, 20.0), (1.1, 1.3), (0.4, 0.2)])
def test_it_is_smoothed_white_noise(sigmas):
    """Standard deviation, roughness, and how much the border adds, against the noise of every pixel."""
    size, amplitude, count = (300, 400), 100.0, 10
    ours = np.concatenate([field(size, sigmas, amplitude, seed) for seed in range(count // 2)], axis=2)
    assert ours.shape == (*size, count)
    noise = np.random.default_rng(0).uniform(-amplitude, amplitude, (*size, count))
    theirs = gaussian_filter(noise, (*sigmas, 0), mode="reflect")
    points = size[0] * size[1] * count / (12 * sigmas[0] * sigmas[1])
    tolerance = max(0.02, 4 / np.sqrt(2 * points))
    assert ours.std() == pytest.approx(theirs.std(), rel=tolerance)
    for axis in (0, 1):
        inner = slice(20, -20)
        rough = [np.diff(f[inner, inner], axis=axis).std() for f in (ours, theirs)]
        assert rough[0] == pytest.approx(rough[1], rel=tolerance)
        borders = [f.take([0, 1, -2, -1], axis=axis).std() for f in (ours, theirs)]
        assert borders[0] == pytest.approx(borders[1], rel=0.15)


def test_the_two_fields_are_independent_and_so_are_keys():
    one, other = (field((300, 400), (3.0, 3.0), 1.0, seed) for seed in (1, 2))
    pairs = [(one[..., 0], one[..., 1]), (one[..., 0], other[..., 0]), (one[..., 1], other[..., 0])]
    for a, b in pairs:
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (3, 2), (97, 41)])
def test_any_size_has_the_nodes_it_needs(size):
    sigmas = (max(0.01, size[0] / 20), max(0.01, size[1] / 20))
    assert np.isfinite(field(size, sigmas, 5.0, 3)).all()


@pytest.mark.parametrize("spacing", [1, 2, 3, 8])
def test_a_spline_is_a_mean_of_its_nodes(spacing):
    weights = spline(spacing)
    assert weights.shape == (spacing, 3)
    assert np.all(weights >= 0)
    assert np.allclose(weights.sum(axis=1), 1)
