"""MMBench-Video (opencompass/MMBench-Video, CC-BY-4.0): open questions about web videos.

Fang et al., *MMBench-Video: A Long-Form Multi-Shot Benchmark for Holistic Video Understanding*, 2024.
The files, names and dimensions are the published ones; the wording of the prompts is ours. Get the
data with ``hf download opencompass/MMBench-Video --repo-type dataset``; its packed videos are unpacked
on first use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness import Clip, Prompt, Sample, SampleId, Sampling, UsageError, Video

from .mmbench_chunks import missing, unpack
from .mmbench_index import spans
from .mmbench_pack import questions_json, read_answers
from .mmbench_table import Line, read_table
from .roots import Home
from .taxonomy import MMBENCH_VIDEO
from .wording import FRAMES, SYSTEM, ask

TABLE = "MMBench-Video.tsv"
HOME = Home("opencompass/MMBench-Video", "MMBench-Video", TABLE)
MANY = (
    f"{FRAMES} Below are questions about the video, "
    "each under its number. Reply with one JSON object and nothing else: the same numbers, and under each "
    "your answer to that question as a string. Answer every question; where the frames leave it open, give "
    "the answer you think likeliest."
)


class MMBenchVideo:
    """One call per question.

    sampling: which frames are shown. data_root: the folder that holds ``MMBench-Video.tsv``, or the one
    above it; without it $LMUData, the hub's cache and the user's cache folder are searched.
    """

    version = 1
    """Of the prompts."""
    taxonomy = MMBENCH_VIDEO
    transport = frozenset({"data_root"})

    def __init__(self, sampling: Sampling, data_root: Path | None = None) -> None:
        self.sampling = sampling
        self.data_root = data_root

    @cached_property
    def root(self) -> Path:
        """The folder of the data set. Raises UsageError when there is none."""
        return HOME.find(None if self.data_root is None else Path(self.data_root))

    @cached_property
    def lines(self) -> list[Line]:
        return read_table(self.root / TABLE)

    def identity(self) -> Mapping[str, Any]:
        """The table's digest: other questions are another data set."""
        return {"table": sha256((self.root / TABLE).read_bytes()).hexdigest()[:16]}

    def check(self) -> None:
        """Raise UsageError for a table that cannot be used, damaged chunks, or no videos at all.

        Single videos that are missing are no error here: they cost their own questions.
        """
        files = self._files()
        lacking = missing(self.root / "video", files)
        chunks = sorted((self.root / "video_pkl").glob("*.pkl"))
        if lacking:
            for chunk in chunks:
                spans(chunk)
        if len(lacking) == len(files) and not chunks:
            raise UsageError(
                f"{self.root} has the questions of MMBench-Video but no video: neither video/ nor video_pkl/ "
                f"holds any; get them with {HOME.download(self.root)}"
            )

    def samples(self) -> Sequence[Sample]:
        """All questions in the table's order; unpacks the videos first where they are still packed."""
        unpack(self.root, self._files())
        folder = self.root / "video"
        return [
            Sample(
                id=line.index,
                video=Video(folder / line.file, line.video),
                question=line.question,
                answer=line.answer,
                labels=line.dimensions,
            )
            for line in self.lines
        ]

    def prompt(self, sample: Sample, clip: Clip) -> Prompt:
        """The clip, then the question."""
        return Prompt((clip, ask(sample.question)), SYSTEM)

    def _files(self) -> list[str]:
        """The names of the videos' files, each once."""
        return list(dict.fromkeys(line.file for line in self.lines))


class PackedMMBenchVideo(MMBenchVideo):
    """One call per video, with all its questions as JSON keyed by index."""

    def groups(self) -> Sequence[Sequence[Sample]]:
        """The questions of each video, videos in the order they first appear."""
        groups: dict[str, list[Sample]] = {}
        for sample in self.samples():
            groups.setdefault(sample.video.key, []).append(sample)
        return list(groups.values())

    def pack(self, samples: Sequence[Sample], clip: Clip) -> Prompt:
        """The clip, then all questions."""
        return Prompt((clip, f"{MANY}\n\n{questions_json(samples)}"), SYSTEM)

    def unpack(self, samples: Sequence[Sample], text: str) -> Mapping[SampleId, str]:
        """The answers in a reply, read leniently; a question without one is left out."""
        return read_answers(samples, text)
