"""Videos made once for all tests of the decoders."""

from collections.abc import Callable
from pathlib import Path

import pytest
from videos import MISLEADING, WELL_BEHAVED, write

Made = Callable[[str], Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The path of a video by its name in ``WELL_BEHAVED`` or ``MISLEADING``; not to be changed."""
    folder = tmp_path_factory.mktemp("videos")

    def path(name: str) -> Path:
        if not (folder / name).exists():
            write(folder / name, **{**WELL_BEHAVED, **MISLEADING}[name])
        return folder / name

    return path
