import numpy as np
from harness_plugins.corruptions.variates import key, normals, uniforms
from scipy.stats import kstest

from harness.seeds import generator


def test_key_is_the_next_raw_word():
    assert key(generator(1, "v")) == generator(1, "v").bit_generator.random_raw()
    assert type(key(generator(1, "v"))) is np.uint64
    source = generator(1, "v")
    assert key(source) != key(source)


def test_uniforms_are_uniform_and_never_0_or_1():
    values = uniforms(generator(2), 100_000)
    assert values.min() > 0
    assert values.max() < 1
    assert kstest(values, "uniform").pvalue > 1e-3


def test_normals_are_normal():
    values = normals(generator(3), 50_000)
    assert values.dtype == np.float64
    assert kstest(values, "norm").pvalue > 1e-3


def test_extreme_words_give_finite_normals():
    class Fixed:
        def __init__(self, word):
            self.bit_generator = self
            self.word = word

        def random_raw(self, count):
            return np.full(count, self.word, np.uint64)

    assert uniforms(Fixed(0), 1)[0] > 0
    assert uniforms(Fixed(2**64 - 1), 1)[0] < 1
    assert np.isfinite(normals(Fixed(0), 1)[0])
    assert np.isfinite(normals(Fixed(2**64 - 1), 1)[0])
