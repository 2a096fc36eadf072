import cv2
import numpy as np
import pytest
from harness_plugins.corruptions.kernels.edges import find_edges


def step(before, after):
    source = np.empty((20, 20, 3), np.uint8)
    source[:, :10], source[:, 10:] = before, after
    return source


@pytest.mark.parametrize(
    ("colour", "luminance"), [((200, 0, 0), 60), ((0, 200, 0), 117), ((0, 0, 200), 23), ((40, 40, 40), 40)]
)
def test_edges_of_the_luminance(colour, luminance):
    """Sobel's mask makes four times the height of a step: an edge at any threshold below that."""
    source = step(0, colour)
    height = 4 * luminance
    edges = find_edges(source, height - 1, height - 1)
    assert set(np.unique(edges)) == {0, 255}
    assert np.all(np.flatnonzero(edges.any(axis=0)) == [9] if edges[5, 9] else [10])
    assert not find_edges(source, height + 1, height + 1).any()


def test_weak_edges_count_where_they_join_strong_ones():
    source = step(100, 120)
    source[:10, 10:] = 160
    assert find_edges(source, 50, 150)[15].any()
    assert not find_edges(source[11:], 50, 150)[5].any()


@pytest.mark.parametrize("seed", range(60))
def test_it_is_opencvs_canny_pixel_for_pixel(seed):
    """Noise, smooth pictures and photographs' mixtures of both, of all sizes, at all thresholds."""
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 130, 2).tolist()
    source = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if seed % 3:
        few = random.integers(0, 256, (height // 9 + 1, width // 9 + 1, 3), dtype=np.uint8)
        smooth = cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC)
        source = cv2.addWeighted(smooth, 1.0, source, 0.0 if seed % 3 == 1 else 0.2, 0).reshape(source.shape)
    grey = ((source.astype(np.int64) @ [77, 150, 29] + 128) >> 8).astype(np.uint8)
    for low, high in ((50, 150), (0, 0), (2040, 3000), *np.sort(random.uniform(0, 500, (6, 2)))):
        assert np.array_equal(find_edges(source, low, high), cv2.Canny(grey, low, high))


def test_a_long_weak_edge_is_followed_to_its_end():
    """A spiral of one step of 18 levels that is strong at its very beginning."""
    frame = np.full((161, 161, 3), 100, np.uint8)
    points = [(80, 80)]
    for i in range(1, 12):
        reach = 6 * i
        points += [
            (80 + reach, 80 - reach + 6),
            (80 + reach, 80 + reach),
            (80 - reach, 80 + reach),
            (80 - reach, 80 - reach),
        ]
    cv2.polylines(frame, [np.array(points, np.int32)], False, (118, 118, 118), 2)
    assert not find_edges(frame, 50, 150).any()
    cv2.line(frame, points[0], points[1], (255, 255, 255), 2)
    grey = ((frame.astype(np.int64) @ [77, 150, 29] + 128) >> 8).astype(np.uint8)
    edges = find_edges(frame, 50, 150)
    assert np.array_equal(edges, cv2.Canny(grey, 50, 150))
    assert edges[10:20, 10:150].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 8), (8, 1), (2, 2)])
def test_any_size(size):
    edges = find_edges(np.zeros((*size, 3), np.uint8), 50, 150)
    assert edges.shape == size
    assert not edges.any()
