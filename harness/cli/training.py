"""The verb ``train``: a trainer, a model and a data set, brought together."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from harness.errors import UsageError
from harness.options import accepts, parse_pairs
from harness.prepare import build, check_writable
from harness.registry import Registry
from harness.types import Clip, Sample
from harness.video import check_decoder, decode


def run(args: argparse.Namespace) -> int:
    """Train and print the folder of the result."""
    check_decoder(args.decoder)
    registry = Registry.discover()
    trainer = build(registry, "trainer", args.trainer, _options(args.trainer_args))
    model = build(registry, "model", args.model, _options(args.model_args))
    values = _options(args.dataset_args)
    if args.data_root is not None:
        if not accepts(registry.find("dataset", args.data).load(), "data_root"):
            raise UsageError(f"dataset {args.data} takes no --data_root: leave it out")
        values["data_root"] = args.data_root
    dataset = build(registry, "dataset", args.data, values)
    check_writable(args.out)
    clips = partial(_clip, dataset.plugin.sampling, args.decoder)
    folder = trainer.plugin.train(model.plugin, dataset.plugin, clips, args.out)
    print(f"trained model written to {folder}")
    return 0


def _clip(sampling: Any, decoder: str, sample: Sample) -> Clip:
    # A function of the module, not a closure: data loader processes must be able to receive it.
    return decode(sample.video, sampling, decoder)


def _options(pairs: list[str] | None) -> dict[str, Any]:
    return dict(parse_pairs(pairs or []))
