import numpy as np
from harness_plugins.corruptions.kernels.words import word


def test_word_is_splitmix64():
    """Vigna's reference implementation, seeded with 1234567."""
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [int(word(np.uint64(1234567), i)) for i in range(5)] == expected
