"""imagecorruptions 1.1.2 on today's libraries: the package as it is, and what it misses.

It was last released in 2021 and asks for things that have gone since:

- ``pkg_resources.resource_filename``, to find its pictures of frost: setuptools no longer has it.
- ``scipy.ndimage.interpolation.map_coordinates``: SciPy keeps it one level up.
- ``numpy.float_``, in its fog: NumPy calls it float64.
- ``skimage.filters.gaussian(multichannel=True)``: scikit-image says ``channel_axis=-1``.
- ``skimage.util.random_noise`` drawing from NumPy's global generator, as everything else there does:
  scikit-image now makes one of its own, so that ``numpy.random.seed`` would not seed impulse_noise.

Each is put into the package's own names, or stands in only while the package is being imported;
NumPy, SciPy and scikit-image stay as they are for everybody else. What it computes is untouched.

The package requires opencv-python, which overwrites the files of opencv-python-headless: install it
without its requirements, ``pip install --no-deps imagecorruptions==1.1.2``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


def load_imagecorruptions() -> ModuleType:
    """The package, ready to use: ``corrupt(frame, severity, name)``, and ``.corruptions``.

    Raises ModuleNotFoundError where it or scikit-image is not installed.
    """
    with _stand_ins():
        package = importlib.import_module("imagecorruptions")
    _mend(package.corruptions)
    return package


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Modules that it imports from, as far as it uses them, for the time of its import."""
    import scipy.ndimage

    def resource_filename(module: str, name: str) -> str:
        file = sys.modules[module].__file__
        assert file is not None
        return str(Path(file).parent / name)

    modules = {
        "pkg_resources": {"resource_filename": resource_filename},
        "scipy.ndimage.interpolation": {"map_coordinates": scipy.ndimage.map_coordinates},
    }
    before = {name: sys.modules.get(name) for name in modules}
    for name, members in modules.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(members)
    try:
        yield
    finally:
        for name, module in before.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


def _mend(corruptions: ModuleType) -> None:
    """Give the package's module the names it looks up when it is called."""
    import skimage.color
    import skimage.filters
    import skimage.util

    def gaussian(image: Any, sigma: Any, multichannel: bool = False, **options: Any) -> Any:
        axis = -1 if multichannel else None
        return skimage.filters.gaussian(image, sigma, channel_axis=axis, **options)

    def random_noise(image: Any, **options: Any) -> Any:
        seed = np.random.randint(2**31)  # noqa: NPY002, the generator that the package draws from
        return skimage.util.random_noise(image, rng=seed, **options)

    numpy = ModuleType("numpy")
    vars(numpy).update(vars(np))
    names = {
        "np": numpy,
        "gaussian": gaussian,
        "sk": SimpleNamespace(color=skimage.color, util=SimpleNamespace(random_noise=random_noise)),
    }
    vars(numpy)["float_"] = np.float64
    vars(corruptions).update(names)
