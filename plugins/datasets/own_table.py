"""One's own questions about one's own videos, from a table: no code, ``--data path/to/questions.tsv``.

``own_columns`` says which columns there are; ``docs/datasets.md`` shows an example.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal

from harness import Sample, Sampling, Taxonomy, Video

from .one_by_one import Missing, OneByOne, is_file
from .own_columns import Question, taxonomy_of, understand
from .rows import read_rows


class OwnTable(OneByOne):
    """Open or multiple-choice questions from a .tsv, .csv, .jsonl or .parquet file.

    path: the file without its ending, form: the ending. sampling: which frames are shown (8, or as
    --nframe and --fps say). data_root: where the videos are; without it, the folder of the file. missing:
    ``allow`` goes on without videos that are not there; their questions then count as failures.

    Answers are stored under the file's name and each question's own content, so a changed or added row
    costs that row alone. The file's folder is no part of it: name different tables differently.
    """

    transport = OneByOne.transport | {"path", "form"}

    def __init__(
        self,
        path: str,
        form: Literal["tsv", "csv", "jsonl", "parquet"] = "tsv",
        sampling: Sampling = Sampling(nframe=8),  # noqa: B008 (frozen)
        data_root: Path | None = None,
        missing: Missing = "refuse",
    ) -> None:
        super().__init__(sampling, data_root, missing)
        self.path = Path(f"{path}.{form}").expanduser()

    @property
    def short_name(self) -> str:
        """``questions_8frame``: the file without its folder, and the frames."""
        return f"{self.path.stem}_{self.sampling}"

    @cached_property
    def taxonomy(self) -> Taxonomy | None:
        return taxonomy_of(self._questions)

    def read(self) -> list[Sample]:
        _ = self.taxonomy  # a fault in the groups is found now, too
        return [self._sample(question) for question in self._questions]

    def missing_line(self, sample: Sample) -> str:
        question = next(question for question in self._questions if question.id == sample.id)
        return f"{question.row.where('video')}: no such file {question.video}"

    def remedy(self) -> str:
        places = " and ".join(str(place.absolute()) for place in self._places)
        return f"looked in {places}: mend the table, or say with --data_root where the videos are"

    @cached_property
    def _questions(self) -> list[Question]:
        return understand(read_rows(self.path))

    @property
    def _places(self) -> list[Path]:
        """Where files are looked for, in this order."""
        own = self.path.parent
        return [own] if self.data_root is None else [self.data_root, own]

    def _sample(self, question: Question) -> Sample:
        meta = {}
        if question.subtitles:
            path = self._find(question.subtitles)
            if not is_file(path):
                raise question.row.wrong("subtitles", f"no such file {question.subtitles} ({self.remedy()})")
            meta = self.with_subtitles(path)
        # As it is written: the same on every machine that has the table.
        key = PurePosixPath(question.video).as_posix().lstrip("/")
        return Sample(
            id=question.id,
            video=Video(self._find(question.video), key, question.start, question.end),
            question=question.question,
            answer=question.reference,
            choices=question.choices,
            labels=question.labels,
            meta=meta,
        )

    def _find(self, name: str) -> Path:
        """The first place that has the file; where it would be when none has."""
        paths = [place / name for place in self._places]
        return next((path for path in paths if is_file(path)), paths[0])
