"""Decoding no more than the wanted frames need, and noticing when that was not enough.

Each group of wanted frames is read from its keyframe to its last wanted packet, without the packets that
no other refers to, and the decoder is then drained: nothing is decoded only to fill its pipeline. All
that was fed must come out undamaged, and the start as a keyframe; else it is a ``Surprise``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import Any

from harness.video.canvas import Canvas, Painter
from harness.video.disposable import disposable_packets
from harness.video.groups import Group, groups_of, share
from harness.video.opening import Opened, open_video, packets_of
from harness.video.timeline import OtherPackets, Surprise, Timeline


def read_frames(path: Path, opened: Opened, timeline: Timeline, canvas: Canvas, threads: int) -> None:
    """Put the frames that ``canvas`` misses (names are packet numbers).

    opened: the file as it is open already, its decoder not yet used. Raises Surprise when only decoding
    the file from its beginning can tell what its frames are, and what PyAV raises.
    """
    lanes, threads = share(groups_of(timeline, canvas.missing), threads)

    def read(lane: Sequence[Group], opened: Opened | None) -> None:
        with Reader(path, timeline, canvas, threads, opened) as reader:
            for group in lane:
                reader.read(group)

    with ThreadPoolExecutor(len(lanes), thread_name_prefix="decode") as pool:
        for _ in pool.map(read, lanes, chain([opened], [None] * len(lanes))):
            pass


class Reader:
    """A file and its decoder, at some packet."""

    def __init__(
        self, path: Path, timeline: Timeline, canvas: Canvas, threads: int, opened: Opened | None = None
    ) -> None:
        self._path, self._timeline, self._canvas, self._threads = path, timeline, canvas, threads
        self._painter = Painter()
        self._files = ExitStack()
        self._careful: Reader | None = None
        self._use(opened or self._files.enter_context(open_video(path)))

    def _use(self, opened: Opened) -> None:
        self._opened = opened
        self._decoder = opened.stream.codec_context
        self._decoder.thread_count = self._threads
        if self._threads > 1:
            # Threads inside a decoder may hand out a frame before they find that it is damaged; told to
            # give up at the first error, they report it.
            self._decoder.options = {"err_detect": "explode"}
        self._disposable = disposable_packets(self._decoder)
        self._packets: Iterator[Any] = iter(())
        self._next = -1

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._packets = iter(())
        self._files.close()

    def read(self, group: Group) -> None:
        """Put the wanted frames of a group. Raises Surprise."""
        if self._decode(group):
            return
        if self._threads == 1:
            raise Surprise("packets that do not decode to undamaged frames")
        # The threads gave up at what may be no more than a malformed remark, or pictures that refer to the
        # group before and are not wanted: one thread forgives those.
        if self._careful is None:
            careful = Reader(self._path, self._timeline, self._canvas, threads=1)
            self._careful = self._files.enter_context(careful)
        self._careful.read(group)

    def _decode(self, group: Group) -> bool:
        """Put the wanted frames of a group; says whether all came out as they should."""
        from av.error import FFmpegError

        start, last, wanted = group.start, group.wanted[-1], set(group.wanted)
        pts = self._timeline.pts[start : last + 1].tolist()
        number_of = dict(zip(pts, range(start, last + 1), strict=True))
        # Frames shown before the start may refer to what lies before it; none of them is wanted.
        awaited = {start} - self._timeline.hidden
        came: set[int] = set()
        try:
            for number, packet in chain(self._numbered(start, last), [(start, None)]):
                if packet is not None:
                    if packet.is_corrupt:
                        return False
                    if number not in wanted and self._disposable(packet):
                        continue
                    if pts[number - start] >= pts[0] and number not in self._timeline.hidden:
                        awaited.add(number)
                for frame in self._decoder.decode(packet):
                    which = number_of.get(frame.pts)
                    if which is None or (which == start and not frame.key_frame):
                        return False
                    if frame.is_corrupt and frame.pts >= pts[0]:
                        return False
                    came.add(which)
                    if which in wanted:
                        self._canvas.put(which, self._painter.pixels(frame))
        except FFmpegError:
            return False
        finally:
            self._decoder.flush_buffers()
        return awaited <= came

    def _numbered(self, start: int, last: int) -> Iterator[tuple[int, Any]]:
        """The packets from ``start`` to ``last``, each with its number."""
        if self._next != start:
            self._seek(start)
        for number in range(start, last + 1):
            packet = next(self._packets, None)
            if packet is None or not self._is(packet, number):
                raise OtherPackets(f"packet {number} is another")
            self._next = number + 1
            yield number, packet

    def _is(self, packet: Any, number: int) -> bool:
        return bool(packet.pts == self._timeline.pts[number] and packet.size == self._timeline.sizes[number])

    def _seek(self, start: int) -> None:
        """Go to a packet: by the file's index where that leads there, else through all before it."""
        from av.error import FFmpegError

        self._next = start
        stamp = int(self._timeline.pts[start])
        try:
            self._opened.container.seek(stamp, stream=self._opened.stream)
            self._packets = packets_of(self._opened)
            for packet in self._packets:
                if self._is(packet, start):
                    self._packets = chain([packet], self._packets)
                    return
                if packet.is_keyframe and packet.pts is not None and packet.pts > stamp:
                    break
        except FFmpegError:
            pass
        self._use(self._files.enter_context(open_video(self._path)))
        self._packets = islice(packets_of(self._opened), start, None)
        self._next = start
