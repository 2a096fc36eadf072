import numpy as np
import pytest
from harness_plugins.corruptions.kernels.poisson_noise import draw_photons, photon_table
from harness_plugins.corruptions.kernels.words import word
from scipy.stats import poisson


def cells(row):
    """How many of 65536 cells each value has in one row of a table."""
    room = 65536 // row.size
    threshold = (row & 0xFFFF).astype(np.int64)
    counts = np.zeros(256, np.int64)
    np.add.at(counts, (row >> 16) & 0xFF, threshold)
    np.add.at(counts, row >> 24, room - threshold)
    return counts


@pytest.mark.parametrize("rate", [1e-6, 0.01, 3 / 255, 60 / 255, 1.0, 3.3, 10.0])
def test_cells_are_poisson_probabilities(rate):
    table = photon_table(rate)
    assert table.dtype == np.uint32
    assert table.shape[0] == 256
    photons = np.arange(5000)
    values = np.minimum(255, np.floor(photons / rate + 0.5)).astype(int)
    for level in (0, 1, 2, 77, 128, 254, 255):
        counts = cells(table[level])
        assert counts.sum() == 65536
        expected = np.zeros(256)
        np.add.at(expected, values, poisson.pmf(photons, rate * level))
        assert np.abs(counts / 65536 - expected).max() <= 1 / 65536 + 1e-12
    assert cells(table[0])[0] == 65536


def test_values_take_their_slices_of_the_words():
    table = photon_table(25 / 255)
    slots = table.shape[1]
    room = 65536 // slots
    source = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    out = np.empty_like(source)
    draw_photons(source, table, np.uint64(6), out)
    words = np.array([word(np.uint64(6), i) for i in range(source.size // 4 + 1)], "<u8")
    slices = words.view("<u2")[: source.size].astype(np.int64).reshape(source.shape)
    entries = table[source, slices // room].astype(np.int64)
    expected = np.where(slices % room < (entries & 0xFFFF), (entries >> 16) & 0xFF, entries >> 24)
    assert np.array_equal(out, expected)
