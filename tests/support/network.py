"""Two machines' worth of network on one: namespaces joined by a link that can be cut."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

ADDRESSES = ("10.77.0.1", "10.77.0.2")


class Link:
    """The cable between the two. enter: what to put before a command that is to run at either end."""

    def __init__(self, pids: tuple[int, int]) -> None:
        self.enter = [["nsenter", "-t", str(pid), "-n"] for pid in pids]

    def cut(self) -> None:
        """From now on whatever is sent is lost, and nobody is told."""
        _do(*self.enter[0], "ip", "link", "set", "cable", "down")


@contextmanager
def two_machines() -> Iterator[Link]:
    """Skips the test where namespaces may not be made."""
    with ExitStack() as ending:
        try:
            holders = [_namespace(ending) for _ in ADDRESSES]
            link = Link((holders[0].pid, holders[1].pid))
            ends = [("name", "cable", "netns", str(holder.pid)) for holder in holders]
            _do("ip", "link", "add", *ends[0], "type", "veth", "peer", *ends[1])
            for enter, address in zip(link.enter, ADDRESSES, strict=True):
                _do(*enter, "ip", "address", "add", f"{address}/24", "dev", "cable")
                for name in ("lo", "cable"):
                    _do(*enter, "ip", "link", "set", name, "up")
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            pytest.skip(f"network namespaces cannot be made here: {said.strip()}")
        yield link


def _namespace(ending: ExitStack) -> subprocess.Popen[str]:
    """A process that holds a namespace of its own for as long as the test lasts."""
    command = ["unshare", "--net", "sh", "-c", "echo made; read wait"]
    holder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ending.callback(_end, holder)
    assert holder.stdout is not None
    if holder.stdout.readline() != "made\n":
        raise subprocess.CalledProcessError(holder.wait(), command, stderr=holder.communicate()[1])
    return holder


def _end(holder: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        holder.kill()
    holder.communicate()


def _do(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)
