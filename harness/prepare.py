"""From settings to cells: everything that can be found wrong cheaply is found wrong here.

``run`` and ``check`` both begin with this; no model is loaded and nothing heavy is imported for it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from harness.budget import Price, read_prices, require_prices
from harness.cell import Cell, Noise
from harness.config import RunConfig
from harness.endpoint import server_of
from harness.errors import DecodeError, UsageError
from harness.interfaces import Dataset, Judge, Model
from harness.judging import seats
from harness.naming import Named, find
from harness.options import accepts
from harness.pipeline import clip_of
from harness.plan import choose_samples
from harness.registry import Built, Found, Registry
from harness.sampling import Sampling
from harness.types import Sample
from harness.video import Decoding, Here, check_decoder, decoding

_TRIES = 5
"""Videos that may fail to decode before ``check`` calls the data set unreadable."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The cells of a run, model by model, with each data set's chosen samples, and the judge.

    decoding: what all cells decode with.
    """

    cells: tuple[Cell, ...]
    samples: Mapping[str, tuple[Sample, ...]]
    judge: Built[Judge] | None
    prices: Mapping[str, Price] = field(default_factory=dict)
    decoding: Decoding = field(default_factory=Here)

    def asked(self) -> list[Any]:
        """The models and judges themselves, as objects."""
        return [*(cell.model.plugin for cell in self.cells), *(seat.plugin for seat in seats(self.judge))]


def prepare(config: RunConfig, named: Named, world_size: int = 1) -> Prepared:
    """Build all plugins and list the samples. Raises UsageError with what to type next."""
    check_decoder(config.decoder)
    models = [_model(found, config, world_size) for found in named.models]
    noise = None
    if named.noise is not None and config.ratio is not None:
        noise = Noise(_checked(named.noise.build(config.noise_args)), config.ratio, config.seed)
    pooling = _checked(named.pooling.build(config.pooling_args)) if named.pooling else None
    judged = named.judge and config.mode != "infer"
    judge = build_judge(named.judge, config, named.registry) if named.judge and judged else None
    prices = prices_of(config, [*models, *seats(judge)])
    check_writable(config.work_dir)
    datasets = [build_dataset(found, config) for found in named.datasets]
    _require_distinct(dataset.name for dataset in datasets)
    samples = {dataset.name: dataset.plugin.samples() for dataset in datasets}
    decoders = decoding(config.decode_timeout)
    cells = tuple(
        Cell(
            model,
            dataset,
            noise,
            config.decoder,
            config.long_side,
            pooling,
            videos=tuple(dict.fromkeys(sample.video for sample in samples[dataset.name])),
            decoding=decoders,
        )
        for model in models
        for dataset in datasets
    )
    chosen = {name: tuple(choose_samples(all_, config.ids, config.limit)) for name, all_ in samples.items()}
    return Prepared(cells, chosen, judge, prices, decoders)


def decode_one_each(prepared: Prepared) -> list[str]:
    """``decode_one`` for each data set and noise, once for all models."""
    cells = {(cell.dataset.name, cell.noise and cell.noise.ratio): cell for cell in prepared.cells}
    return [decode_one(cell, prepared.samples[cell.dataset.name]) for cell in cells.values()]


def decode_one(cell: Cell, samples: tuple[Sample, ...]) -> str:
    """Decode and corrupt one video as the run will; says which, and what came out.

    Raises UsageError when none of the first few videos can be decoded.
    """
    videos = list(dict.fromkeys(sample.video for sample in samples))[:_TRIES]
    failures = []
    for video in videos:
        try:
            clip = clip_of(cell, video)
        except DecodeError as error:
            failures.append(str(error))
            continue
        count, height, width = clip.frames.shape[:3]
        return f"{video.key}: {count} frames of {width}×{height}"
    raise UsageError(
        f"none of the first {len(videos)} videos of {cell.dataset.name} can be decoded "
        f"({failures[0] if failures else 'it has none'}): see whether --data_root is right"
    )


def _require_distinct(names: Iterable[str]) -> None:
    """Raise UsageError for two data sets that files could not tell apart."""
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"--data names {count} data sets called {name}: run them one after the other")


def build_dataset(found: Found, config: RunConfig) -> Built[Dataset]:
    """The data set under the frame setting of its name, or of the flags where they say otherwise.

    A frame setting from flags changes the name, too: no file may claim frames that were not used.
    """
    values: dict[str, Any] = dict(config.dataset_args)
    if config.data_root is not None:
        values["data_root"] = _accepted(found, "data_root", config.data_root, "--data_root")
    built: Built[Dataset] = found.build(values)
    sampling = built.plugin.sampling
    asked = _sampling(config, sampling)
    if asked != sampling:
        values["sampling"] = _accepted(found, "sampling", asked, "--nframe, --fps and --max_frames")
        built = found.build(values)
    return _checked(built)


def check_writable(folder: Path) -> None:
    """Raise UsageError unless files can be written to ``folder``, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}; free some space or choose another --work_dir"
        ) from error


def build(registry: Registry, kind: str, name: str, values: Mapping[str, Any]) -> Built[Any]:
    """Find, construct and check one plugin."""
    return _checked(find(registry, kind, name).build(values))


def _model(found: Found, config: RunConfig, world_size: int) -> Built[Model]:
    values: dict[str, Any] = dict(config.model_args)
    if config.base_url is not None:
        values["base_url"] = _accepted(found, "base_url", config.base_url, "--base_url")
    if world_size > 1 and getattr(found.load(), "endpoint", False):
        raise UsageError(
            f"{found.name} is an API model and runs in one process, not {world_size}: start it with "
            "`python run.py ...` or --nproc-per-node=1; its calls run concurrently all the same"
        )
    return _checked(found.build(values))


def build_judge(found: Found, config: RunConfig, registry: Registry) -> Built[Judge]:
    """The judge of a run. Options that a panel does not take are for those of its members that do.

    Raises UsageError for an option that nobody takes, and for a panel in a panel.
    """
    cls, values = found.load(), config.judge_args
    flags: dict[str, Any] = {"base_url": config.judge_base_url, "prompt": config.judge_prompt}
    flags = {option: value for option, value in flags.items() if value is not None}
    if not hasattr(cls, "combine"):
        given = {option: _accepted(found, option, flags[option], f"--judge_{option}") for option in flags}
        return _checked(found.build({**values, **given}))
    panel = found.build({option: value for option, value in values.items() if accepts(cls, option)})
    shared = {option: value for option, value in values.items() if not accepts(cls, option)} | flags
    members = [find(registry, "judge", name) for name in panel.plugin.judges]
    for option in shared:
        if not any(accepts(member.load(), option) for member in members):
            raise UsageError(f"no judge of {found.name} takes {option}: leave it out")
    panel.plugin.members = tuple(
        _checked(member.build({name: shared[name] for name in shared if accepts(member.load(), name)}))
        for member in members
    )
    return _checked(panel)


def prices_of(config: RunConfig, callers: Sequence[Built[Any]]) -> dict[str, Price]:
    """The prices of the servers' models. Raises UsageError where a budget could not be kept."""
    prices = read_prices(config.prices)
    servers = [server_of(built.plugin) for built in callers]
    if config.max_calls is not None or config.max_cost is not None:
        for built, server in zip(callers, servers, strict=True):
            if server is None and getattr(built.plugin, "endpoint", False):
                raise UsageError(
                    f"{built.name} does not count its calls: leave --max_calls and --max_cost out"
                )
    if config.max_cost is not None:
        require_prices([server.model for server in servers if server is not None], prices)
    return prices


def _accepted(found: Found, option: str, value: Any, flag: str) -> Any:
    if not accepts(found.load(), option):
        raise UsageError(f"{found.entry.kind} {found.name} takes no {flag}: leave it out")
    return value


def _checked(built: Built[Any]) -> Built[Any]:
    """Run the plugin's own cheap checks, where it has any."""
    check = getattr(built.plugin, "check", None)
    if check is not None:
        check()
    return built


def _sampling(config: RunConfig, named: Sampling) -> Sampling:
    asked = replace(named, max_frames=config.max_frames or named.max_frames)
    if config.nframe is not None or config.fps is not None:
        asked = Sampling(config.nframe, config.fps, asked.max_frames)
    return asked
