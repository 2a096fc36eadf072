import sys

import numpy as np
import pytest

from benchmarks.imagecorruptions_shim import load_imagecorruptions


@pytest.fixture(scope="module")
def package():
    pytest.importorskip("skimage")
    try:
        return load_imagecorruptions()
    except ModuleNotFoundError as error:
        pytest.skip(f"needs {error.name}")


def test_every_noise_runs_and_is_seeded_by_numpys_global_generator(package):
    picture = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    state = np.random.get_state()  # noqa: NPY002
    for name in package.get_corruption_names("all"):
        made = []
        for _ in range(2):
            np.random.seed(5)  # noqa: NPY002
            made.append(package.corrupt(picture, 3, name))
        assert made[0].shape == picture.shape, name
        assert np.array_equal(*made), name
        assert not np.array_equal(made[0], picture), name
    np.random.set_state(state)  # noqa: NPY002


def test_nobody_else_sees_the_stand_ins(package):
    assert not hasattr(np, "float_")
    stand_in = sys.modules.get("pkg_resources")
    assert stand_in is None or stand_in.__file__
    assert load_imagecorruptions() is package
