import numpy as np
import pytest
from harness_plugins.corruptions.kernels.borders import mirror


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_mirror_is_numpys_reflect(size):
    padded = np.pad(np.arange(size), 20, mode="reflect")
    assert [mirror(i, size) for i in range(-20, size + 20)] == padded.tolist()
