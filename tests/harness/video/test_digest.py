"""The digest of a video file."""

import os
from pathlib import Path

from harness.video import content_digest


def test_digest_follows_the_bytes_not_the_name(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for size in (10, 5_000_000):
        one.write_bytes(b"x" * size)
        two.write_bytes(b"x" * size)
        assert content_digest(one) == content_digest(two)
        for spot in (0, size - 1):
            changed = bytearray(b"x" * size)
            changed[spot] = 0
            two.write_bytes(changed)
            assert content_digest(one) != content_digest(two)
        two.write_bytes(b"x" * (size + 1))
        assert content_digest(one) != content_digest(two)
    assert content_digest(tmp_path / "none") == "missing"


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert content_digest(tmp_path / "pipe") == "missing"
    assert content_digest(tmp_path) == "missing"
