"""All verbs and their flags. Importing this imports no plugin and nothing heavy.

Flags may be spelt with dashes or underscores. A wrong flag is a UsageError with a suggestion.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness.cli.cache_flags import add as add_cache_verbs
from harness.cli.judge_flags import JUDGE
from harness.cli.judge_flags import add as add_judge_flags
from harness.errors import UsageError

KINDS = ("model", "dataset", "corruption", "pooling", "judge", "trainer")
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class _Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print its usage and leave."""

    def error(self, message: str) -> NoReturn:
        prefix = "unrecognized arguments: "
        if message.startswith(prefix):
            flag = message.removeprefix(prefix).split()[0]
            known = [name for action in self._actions for name in action.option_strings]
            close = difflib.get_close_matches(flag.split("=")[0], known, 2)
            message = f"unknown argument {flag}" + (f", did you mean {' or '.join(close)}?" if close else "")
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Unknown flags are an error of the verb's own parser, which knows the names to suggest."""
        found, extra = super().parse_known_args(args, namespace)
        if extra:
            self.error(f"unrecognized arguments: {' '.join(extra)}")
        return found, extra


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The parsed command; ``args.run(args)`` carries it out and returns the exit code."""
    return parser().parse_args([_underscored(word) for word in words])


def parser() -> argparse.ArgumentParser:
    top = _Parser(
        prog="vidharness",
        description="Measures how video-language models hold up when the video goes bad.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    verbs = top.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
    for add in (_run, _check, _plan, _list, _plugins, _show, _train, _leaderboard, _compare, _judge, _cache):
        add(verbs)
    return top


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"vidharness {version('vidharness')}")
        parser.exit()


def _underscored(word: str) -> str:
    """``--noise-name=x`` -> ``--noise_name=x``; values and the bare ``--`` stay."""
    if not word.startswith("--") or word == "--":
        return word
    flag, equals, value = word[2:].partition("=")
    return "--" + flag.replace("-", "_") + equals + value


def _verb(verbs: Any, name: str, target: str, summary: str) -> argparse.ArgumentParser:
    """Add a verb; its code, ``module:function`` below this package, is imported when it runs."""
    made: argparse.ArgumentParser = verbs.add_parser(
        name, help=summary, description=summary, allow_abbrev=False
    )
    made.add_argument("--debug", action="store_true", help="show the traceback of an error")
    made.set_defaults(run=_late(target))
    return made


def _late(target: str) -> Callable[[argparse.Namespace], int]:
    module, function = target.split(":")

    def run(args: argparse.Namespace) -> int:
        code: int = getattr(importlib.import_module(f"harness.cli.{module}"), function)(args)
        return code

    return run


def _run(verbs: Any) -> None:
    verb = _verb(verbs, "run", "running:run", "answer, judge and rate data sets with models")
    _run_flags(verb)
    verb.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _check(verbs: Any) -> None:
    verb = _verb(verbs, "check", "checking:check", "find out what would stop `run`, without loading a model")
    _run_flags(verb)
    verb.add_argument("--json", action="store_true", help="print the findings as JSON")


def _plan(verbs: Any) -> None:
    verb = _verb(
        verbs, "plan", "planning:plan", "say what `run` would do and what it would take, loading no model"
    )
    _run_flags(verb)
    verb.add_argument(
        "--speed", type=_number, metavar="N", help="samples a second, for the hours; else as in earlier runs"
    )
    verb.add_argument("--json", action="store_true", help="print the plan as JSON")


def _run_flags(verb: argparse.ArgumentParser) -> None:
    what = verb.add_argument_group("what to run")
    what.add_argument("--data", nargs="+", metavar="NAME", help="data sets")
    what.add_argument("--model", nargs="+", metavar="NAME", help="models")
    what.add_argument("--judge", metavar="NAME", help="judge of the answers")
    what.add_argument("--noise_name", metavar="NAME", help="noise; without one the videos stay clean")
    what.add_argument("--ratio", type=_number, metavar="R", help="share of the frames it hits, 0 to 1")
    what.add_argument("--seed", type=int, metavar="N", help="seed of the noise (default 0)")
    what.add_argument("--mode", choices=("all", "infer", "eval"), help="ask and judge, or one of them")
    what.add_argument("--limit", type=int, metavar="N", help="only the first N samples")
    what.add_argument("--ids", nargs="+", metavar="ID", help="only these samples")

    frames = verb.add_argument_group("frames")
    frames.add_argument("--nframe", type=int, metavar="N", help="frames per video, instead of the name's")
    frames.add_argument("--fps", type=_number, metavar="F", help="frames per second, instead of the name's")
    frames.add_argument("--max_frames", type=int, metavar="N", help="at most this many frames per video")
    frames.add_argument("--long_side", type=int, metavar="PX", help="shrink frames to this before the noise")
    frames.add_argument("--pooling", metavar="NAME", help="show each moment as its last second, pooled")
    frames.add_argument("--decoder", metavar="NAME", help="pyav (default) or decord")

    where = verb.add_argument_group("where")
    where.add_argument("--work_dir", type=Path, metavar="DIR", help="results and caches (default outputs)")
    where.add_argument("--data_root", type=Path, metavar="DIR", help="folder of the data set")
    where.add_argument("--base_url", metavar="URL", help="endpoint of an API model")
    where.add_argument("--judge_base_url", metavar="URL", help="endpoint of the judge")
    where.add_argument("--judge_prompt", type=Path, metavar="FILE", help="a rubric of your own")

    how = verb.add_argument_group("how")
    how.add_argument(
        "--batch_size",
        type=_number_or_auto,
        metavar="N",
        help="prompts per call of a local model (8), or auto: begin small, double while that pays",
    )
    how.add_argument(
        "--decode_timeout", type=_number, metavar="S", help="seconds a video may take to decode (300); 0: any"
    )
    how.add_argument(
        "--prefetch_bytes",
        type=_bytes,
        metavar="N",
        help="frames, or what a model made of them, held by each process, e.g. 4G (1G)",
    )
    how.add_argument(
        "--max_calls", type=int, metavar="N", help="end after N calls to servers, retries included"
    )
    how.add_argument("--max_cost", type=_number, metavar="USD", help="end before calls cost more")
    how.add_argument(
        "--prices", type=Path, metavar="FILE", help="TOML: [model], input and output in $ per million tokens"
    )
    _pairs(how, "model_args", "dataset_args", "noise_args", "judge_args", "pooling_args")
    how.add_argument("--config", type=Path, metavar="FILE", help="TOML file of these settings; flags win")


def _pairs(group: Any, *names: str) -> None:
    for name in names:
        kind = name.removesuffix("_args")
        group.add_argument(
            f"--{name}", nargs="+", metavar="K=V", help=f"options of the {kind}: `vidharness show` lists them"
        )


def _list(verbs: Any) -> None:
    verb = _verb(verbs, "list", "listing:run_list", "list what can be named: models, data sets, noises, ...")
    verb.add_argument("kind", nargs="?", metavar="KIND", help=f"only this kind: {', '.join(KINDS)}")
    verb.add_argument("--json", action="store_true", help="print JSON")


def _plugins(verbs: Any) -> None:
    verb = _verb(verbs, "plugins", "plugins:run", "list installed plugins, importing none")
    verb.add_argument("--json", action="store_true", help="print JSON")


def _show(verbs: Any) -> None:
    verb = _verb(verbs, "show", "listing:run_show", "show one thing: its options, text and origin")
    verb.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    verb.add_argument("name", metavar="NAME")


def _train(verbs: Any) -> None:
    verb = _verb(verbs, "train", "training:run", "train a model on a data set")
    verb.add_argument("trainer", help="name of the trainer, e.g. sft")
    verb.add_argument("--model", required=True, metavar="NAME")
    verb.add_argument("--data", required=True, metavar="NAME")
    verb.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the trained model")
    verb.add_argument("--data_root", type=Path, metavar="DIR", help="folder of the data set")
    verb.add_argument("--decoder", metavar="NAME", default="pyav", help="pyav (default) or decord")
    _pairs(verb, "trainer_args", "model_args", "dataset_args")


def _leaderboard(verbs: Any) -> None:
    verb = _verb(
        verbs, "leaderboard", "ranking:run_leaderboard", "one table of models under noise from rating files"
    )
    verb.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    verb.add_argument("--metric", default="coarse_all/Overall", help="BLOCK/GROUP (coarse_all/Overall)")
    verb.add_argument("--format", choices=("text", "markdown", "csv"), default="text")
    verb.add_argument("--out", type=Path, metavar="FILE", help="write to a file instead of the terminal")


def _compare(verbs: Any) -> None:
    verb = _verb(verbs, "compare", "ranking:run_compare", "show rating files side by side, group by group")
    verb.add_argument("ratings", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    verb.add_argument("--block", default="coarse_all", help="coarse_all, coarse_valid, fine_all, fine_valid")


def _judge(verbs: Any) -> None:
    add_judge_flags(_verb(verbs, "judge", "judging:run", JUDGE), _pairs)


def _cache(verbs: Any) -> None:
    summary = "look at stored answers, check them, take them out or in"
    made = verbs.add_parser("cache", help=summary, description=summary, allow_abbrev=False)
    add_cache_verbs(
        made.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser), _verb, _run_flags
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _number_or_auto(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor auto") from None


def _bytes(text: str) -> int:
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].upper() in _UNITS else (text, "")
    try:
        return int(float(number) * _UNITS.get(unit, 1))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes: write e.g. 4G or 500M") from None
