"""Many rating files -> one comparison of models and noises, from the files alone.

Only like is compared with like: runs that differ in data set, judge, or any setting their files record
(frames, versions, rubric) stand in tables of their own; another seed, or another option of a noise or
model, is a row of its own. Where both files carry their scores, the drop under a noise comes with an
interval from the questions that both runs asked, paired by video.
"""

from harness.leaderboard.board import Board, Row, Table
from harness.leaderboard.build import DEFAULT_METRIC, build

__all__ = ["DEFAULT_METRIC", "Board", "Row", "Table", "build"]
