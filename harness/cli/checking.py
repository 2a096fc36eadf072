"""The verb ``check``, and what ``run`` and ``plan`` share with it: the settings and all checks."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.config import RunConfig
from harness.naming import find_all
from harness.options import parse_pairs
from harness.registry import Registry

if TYPE_CHECKING:
    from harness.prepare import Prepared


def check(args: argparse.Namespace) -> int:
    """Everything that can fail cheaply fails here; says what was found right."""
    config, prepared = prepared_run(args)
    findings = list(_findings(config, prepared))
    if args.json:
        print(json.dumps(findings, ensure_ascii=False))
    else:
        for finding in findings:
            print(f"ok  {finding}")
    return 0


def prepared_run(args: argparse.Namespace) -> tuple[RunConfig, Prepared]:
    """The settings of ``run``, ``check`` and ``plan`` and what they name, ready. Raises UsageError."""
    config = _config(args)
    named = find_all(config, Registry.discover())
    # Only now: a misspelt name shall not wait for these imports.
    from harness.prepare import prepare

    world_size = int(os.environ.get("WORLD_SIZE", "1") or 1)
    return config, prepare(config, named, world_size)


def _findings(config: RunConfig, prepared: Prepared) -> Iterator[str]:
    from harness.prepare import decode_one_each

    for cell in prepared.cells:
        samples = prepared.samples[cell.dataset.name]
        videos = len({sample.video.key for sample in samples})
        yield f"{cell.label}: {len(samples)} samples of {videos} videos"
    for decoded in decode_one_each(prepared):
        yield f"decoded {decoded}"
    if prepared.judge is not None:
        yield f"judge {prepared.judge.name}"
    yield f"{config.work_dir} is writable"


def _config(args: argparse.Namespace) -> RunConfig:
    own = {"run", "debug", "json", "config", "speed"}
    flags = {name: value for name, value in vars(args).items() if name not in own}
    for name, value in flags.items():
        if value is not None and name.endswith("_args"):
            flags[name] = parse_pairs(value)
        elif isinstance(value, list):
            flags[name] = tuple(value)
    if args.ids:
        flags["ids"] = tuple(part for item in args.ids for part in item.split(",") if part)
    return RunConfig.resolve(flags, args.config)
