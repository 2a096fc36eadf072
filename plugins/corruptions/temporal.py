"""Noises of the category temporal: frames lost, out of their order, or of another video."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness import Clip, DecodeError, Draws, Sampling, UsageError, Video
from harness.video import content_digest, decode

from .donors import draw_generated, fit
from .frames import on_frames
from .orders import derangement, moved, nearest, shown
from .variates import uniforms

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from harness.types import Frame


class FrameDrop:
    """Lost frames: black instead of the picture.

    Definition: every pixel of a hit frame becomes 0. The clip keeps its length and its times.
    Draws: nothing.
    Source: NRVL.
    """

    version = 1

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            out.fill(0)

        return on_frames(clip, hit, corrupt)


class FrameReplace:
    """Frames out of their order.

    Definition: the hit frames change places among themselves, each to another one's, all such orders
    equally likely. One hit frame alone shows the nearest other frame, the earlier of two, which itself
    stays (frames that are not hit never change); a clip of one frame stays as it is. Times stay.
    Draws: per video, the order.
    Source: NRVL, whose shuffle may leave frames, or all of them, where they were.
    """

    version = 1

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        count = len(clip.frames)
        if len(hit) == 1:
            return _repeated(clip, hit)
        return shown(clip, moved(count, np.sort(hit), derangement(draws.video(), len(hit))))


class FrameRepeat:
    """A frozen picture: frames repeated in place of others.

    Definition: every hit frame shows the nearest frame that is not hit, counted in frames, the earlier
    of two. Where all are hit, all show the one that was chosen to be hit last. Times stay.
    Draws: nothing.
    Source: NRVL, whose rounding of the ratio can freeze the whole clip.
    """

    version = 1

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:  # noqa: ARG002
        return _repeated(clip, hit)


class TemporalJitter:
    """Frames out of their order, and others lost.

    Definition: of the n hit frames ceil(n * share), any of them equally likely, change places among
    themselves as in frame_replace; the others become black. One that is alone in changing places has
    none to go to and becomes black, too. The share is uniform on ``least`` to ``most``.
    Options: least and most, shares between 0 and 1, least at most most; .25 and .75 unless given.
    Draws: per video: the share, which frames it takes, and their order.
    Source: NRVL (.25 to .75 stand for its range), where a higher ratio does less.
    """

    version = 1

    def __init__(self, least: float = 0.25, most: float = 0.75) -> None:
        if not 0 <= least <= most <= 1:
            raise UsageError(
                f"temporal_jitter needs 0 <= least <= most <= 1, not least={least:g} most={most:g}: "
                "try least=.25 most=.75"
            )
        self.least = least
        self.most = most

    def moving(self, uniform: float, count: int) -> int:
        """How many of ``count`` hit frames change places, by a draw from (0, 1): 0, or at least 2."""
        moving = math.ceil(count * (self.least + (self.most - self.least) * uniform))
        return moving if moving > 1 else 0

    def apply(self, clip: Clip, hit: npt.NDArray[np.int64], draws: Draws) -> Clip:
        generator = draws.video()
        (uniform,) = uniforms(generator, 1).tolist()
        count = self.moving(uniform, len(hit))
        any_order = np.argsort(generator.bit_generator.random_raw(len(hit)), kind="stable")
        chosen = np.sort(hit)[any_order]
        order = np.arange(len(clip.frames))
        if count:
            order = moved(len(order), chosen[:count], derangement(generator, count))
        jittered = shown(clip, order)
        jittered.frames[chosen[count:]] = 0
        return jittered


class OtherVideo:
    """Frames of another video.

    Definition: hit frame i becomes frame i of the donor, counted round where the donor has fewer: its
    largest centred part of the frame's shape, scaled to the frame's size (bilinearly, by area where it is
    more than halved). The donor is another video of the same data set, sampled alike, which the harness
    chooses by a hash; where there is no other one, a generated clip of drifting colour bars.
    Options: path, a video file to be the donor of all videos, as many frames of it as the clip has.
    Draws: nothing; the choice of the donor belongs to the video. It is recorded as ``donor``.
    Source: NRVL, which pastes frames of one fixed file without scaling them.
    """

    version = 1
    needs_donor = True
    """Asks the harness for a clip of another video; not so an object that was given ``path``."""
    transport = frozenset({"path"})
    """Where the file lies; what it holds is in ``identity``."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.needs_donor = path is None
        self._kept: tuple[int, Clip] | None = None

    def identity(self) -> Mapping[str, str]:
        """A digest of the given file."""
        return {"donor": content_digest(self.path)} if self.path else {}

    def check(self) -> None:
        """Raises UsageError unless the given file can be decoded."""
        if self.path:
            try:
                self._decoded(1)
            except DecodeError as error:
                raise UsageError(
                    f"path={self.path} of other_video cannot be used: {error}; give another video file, or "
                    "leave path out to take the other videos of the data set"
                ) from error

    def apply(
        self,
        clip: Clip,
        hit: npt.NDArray[np.int64],
        draws: Draws,  # noqa: ARG002
        donor: Clip | None = None,
    ) -> Clip:
        """donor: a clip of another video, of any size and length, or None where there is none."""
        notes = dict(clip.notes)
        if self.path:
            donor = self._decoded(len(clip.frames))
            notes["donor"] = self.path.name
        elif donor is None:
            notes["donor"] = "generated"
        frames = donor.frames if donor is not None else None

        def corrupt(source: Frame, out: Frame, slot: int) -> None:  # noqa: ARG001
            if frames is None:
                draw_generated(slot, out)
            else:
                fit(frames[slot % len(frames)], out)

        return replace(on_frames(clip, hit, corrupt), notes=notes)

    def _decoded(self, count: int) -> Clip:
        """``count`` frames of the given file, kept for the next clip of that length."""
        assert self.path is not None
        kept = self._kept
        if kept is None or kept[0] != count:
            kept = count, decode(Video(self.path, self.path.name), Sampling(nframe=count))
            self._kept = kept
        return kept[1]


def _repeated(clip: Clip, hit: npt.NDArray[np.int64]) -> Clip:
    """Every hit frame shows its nearest neighbour that is not hit, or else the last that was."""
    order = np.arange(len(clip.frames))
    rest = np.setdiff1d(order, hit)
    order[hit] = nearest(hit, rest if len(rest) else hit[-1:])
    return shown(clip, order)
