"""ShapesVideo, the embedded default: small films of coloured shapes and what can be asked about them.

Everything comes out of this code, the same on every machine: 120 test videos (112 x 112 pixels, 2
seconds, real H.264 files) with 360 questions over all nine coarse groups of MMBench-Video's taxonomy,
and as many training videos as wanted, from seeds of their own, each with all two dozen kinds of
question. Answers are single words, so that ``exact`` can judge them. Whoever knows each kind's most
frequent answer and never looks at the video gets about a third of the test right; the tests of this
module hold that share down.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from harness import Clip, Prompt, Sample, Sampling, UsageError, Video

from .shapes_files import ensure, key
from .shapes_questions import INSTRUCTION, questions
from .shapes_scene import VERSION, Split
from .taxonomy import MMBENCH_VIDEO

VIDEOS: dict[Split, int] = {"test": 120, "train": 20_000}


class ShapesVideo:
    """Moving coloured shapes with one-word answers; generated on first use.

    sampling: which frames are shown. packing: only ``nopack``, one call per question. split: ``test``
    or ``train``, which share no scene. videos: how many (test 120, train 20000). data_root: where the
    files are kept instead of the user's cache folder.
    """

    version = VERSION
    taxonomy = MMBENCH_VIDEO
    transport = frozenset({"data_root", "videos"})

    def __init__(
        self,
        sampling: Sampling = Sampling(nframe=8),  # noqa: B008 (frozen)
        packing: Literal["nopack"] = "nopack",
        split: Literal["test", "train"] = "test",
        videos: int | None = None,
        data_root: Path | None = None,
    ) -> None:
        if packing != "nopack":
            raise UsageError(f"ShapesVideo asks one question per call: write nopack, not {packing}")
        if split not in get_args(Split):
            raise UsageError(f"ShapesVideo has no split {split!r}: write split=test or split=train")
        if videos is not None and videos < 1:
            raise UsageError(f"ShapesVideo needs at least one video, not videos={videos}")
        self.sampling = sampling
        self.split: Split = split
        self.videos = VIDEOS[split] if videos is None else videos
        self.data_root = data_root

    @property
    def folder(self) -> Path:
        """Where the files of this split lie."""
        if self.data_root is None:
            from platformdirs import user_cache_path

            root = user_cache_path("vidharness")
        else:
            root = Path(self.data_root)
        return root / f"ShapesVideo-{VERSION}" / self.split

    def samples(self) -> Sequence[Sample]:
        """All samples; writes the videos that are not there yet.

        Raises UsageError when they cannot be written.
        """
        samples: list[Sample] = []
        for index, path in enumerate(ensure(self.folder, self.split, self.videos)):
            video = Video(path, key(self.split, index))
            for question in questions(self.split, index):
                samples.append(
                    Sample(
                        id=len(samples),
                        video=video,
                        question=question.text,
                        answer=question.answer,
                        labels=(question.kind.label,),
                        meta={"kind": question.kind.name},
                    )
                )
        return samples

    def prompt(self, sample: Sample, clip: Clip) -> Prompt:
        """The clip, the question, and that one word is wanted."""
        return Prompt((clip, f"{sample.question} {INSTRUCTION}"))
