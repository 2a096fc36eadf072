"""The flags of the verb ``judge``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

JUDGE = "score stored answers with another judge, and see how far the two agree"


def add(verb: argparse.ArgumentParser, pairs: Callable[[argparse.ArgumentParser, str], None]) -> None:
    """pairs adds a flag that takes options as K=V."""
    places = "dated folder of a run, *_predictions.jsonl in it, or .pkl cache"
    verb.add_argument("places", nargs="+", type=Path, metavar="PATH", help=places)
    verb.add_argument("--judge", required=True, metavar="NAME", help="judge of the answers")
    pairs(verb, "judge_args")
    verb.add_argument("--judge_base_url", metavar="URL", help="endpoint of the judge")
    verb.add_argument("--judge_prompt", type=Path, metavar="FILE", help="a rubric of your own")
    against = "compare with the verdicts in this run's folder (that of the answers)"
    verb.add_argument("--against", type=Path, metavar="DIR", help=against)
    verb.add_argument(
        "--work_dir", type=Path, metavar="DIR", help="results and verdicts (that of the answers)"
    )
    verb.add_argument("--data_root", type=Path, metavar="DIR", help="folder of the data set, for a .pkl")
    verb.add_argument("--max_calls", type=int, metavar="N", help="end after N calls, retries included")
    verb.add_argument("--max_cost", type=float, metavar="USD", help="end before calls cost more")
    verb.add_argument("--prices", type=Path, metavar="FILE", help="prices of models, as for `run`")
    verb.add_argument("--json", action="store_true", help="print scores and agreement as JSON")
