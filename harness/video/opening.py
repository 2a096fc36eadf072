"""A video file opened with FFmpeg, and the stream in it that a player would show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import DecodeError


class Opened(NamedTuple):
    """PyAV's container and video stream; the decoder's threads may be set until it is used."""

    container: Any
    stream: Any


def open_container(path: Path, **options: Any) -> Any:
    """PyAV's container; titles in other encodings than UTF-8 are no reason not to show the pictures."""
    import av

    if int(av.__version__.partition(".")[0]) < 19:  # later ones take any title, and no such option
        options["metadata_errors"] = "replace"
    return av.open(str(path), **options)


@contextmanager
def open_video(path: Path) -> Iterator[Opened]:
    """Open a file for as long as the context lasts.

    Raises DecodeError when no video stream in it can be decoded, and what PyAV raises when the file
    cannot be opened.
    """
    with open_container(path) as container:
        stream = container.streams.best("video")
        if stream is None or stream.codec_context is None:
            raise DecodeError(f"{path.name} holds no video stream that can be decoded")
        # Not threads for the slices of one frame: with them FFmpeg does not say that a frame is damaged.
        stream.codec_context.thread_type = "FRAME"
        yield Opened(container, stream)


def packets_of(opened: Opened) -> Iterator[Any]:
    """The packets of the stream from where the file is, without empty ones. Raises what PyAV raises."""
    packets = opened.container.demux(opened.stream)
    while True:
        try:
            packet = next(packets, None)
        except IndexError:
            # At the end PyAV looks up all streams, and does not know those that began in mid-file.
            return
        if packet is None:
            return
        if packet.size:
            yield packet
