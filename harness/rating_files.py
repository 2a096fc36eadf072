"""Rating files on disk: their names, and reading and writing them.

The names are those that users of VLMEvalKit and NRVL know; files made by those tools can be read, too,
their ``meta`` being taken from the name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.files import ratio_text, slug, write_text
from harness.scores import two_decimals
from harness.types import Rating

SUFFIX = "_rating.json"
BLOCKS = ("coarse_all", "coarse_valid", "fine_all", "fine_valid")
_LONGEST = 48


def rating_name(model: str, dataset: str, noise: str | None, ratio: float | None, judge: str) -> str:
    """``{model}_{dataset}_{noise}_{ratio}_{judge}_rating.json``, ``clean`` standing for no noise.

    Fits every file system: at most 255 bytes, with a digest in place of what is cut.
    """
    middle = "clean" if noise is None or ratio is None else f"{slug(noise)}_{ratio_text(ratio)}"
    return f"{slug(model)}_{slug(dataset)}_{middle}_{slug(judge)}{SUFFIX}"


# MMBench_Video is the one base name with an underscore in it that these tools use: without knowing
# it, no rule could tell where the model's name ends.
_FRAMES = r"_(?:\d+frame|\d+(?:\.\d+)?fps)(?:_(?:nopack|pack))?+"
_STEMS = tuple(
    re.compile(rf"(?P<model>.+)_(?P<dataset>{base}{_FRAMES})_(?P<rest>.+)")
    for base in ("MMBench_Video", "[^_]+")
)
_NOISE = re.compile(r"(?P<noise>.+)_(?P<ratio>0|1|0?\.\d+|1\.0+)_(?P<judge>.+)")


def meta_from_name(name: str) -> dict[str, Any] | None:
    """model, dataset, noise, ratio and judge as a file's name tells them; None when it does not.

    A name with neither a noise nor ``clean``, as VLMEvalKit writes it, is a clean run's.
    """
    stem = name.removesuffix(SUFFIX)
    found = next((match for shape in _STEMS if (match := shape.fullmatch(stem))), None)
    if found is None or stem == name:
        return None
    rest = found["rest"]
    meta: dict[str, Any] = {"model": found["model"], "dataset": found["dataset"]}
    noisy = None if rest.startswith("clean_") else _NOISE.fullmatch(rest)
    if noisy:
        return {**meta, "noise": noisy["noise"], "ratio": float(noisy["ratio"]), "judge": noisy["judge"]}
    return {**meta, "noise": None, "ratio": None, "judge": rest.removeprefix("clean_")}


def write_rating(path: Path, rating: Rating) -> None:
    """Write ``rating`` as JSON, keys in order, through a temporary file: whole or not at all.

    ``meta`` must hold JSON values, no NaN among them.
    """
    content = {**{block: getattr(rating, block) for block in BLOCKS}, "meta": rating.meta}
    write_text(path, _layout(content) + "\n")


def _layout(value: Any, indent: str = "") -> str:
    """JSON with a line per key, lists in one line: readable, and small where a file has many."""
    if not isinstance(value, Mapping) or not value:
        return json.dumps(dict(value) if isinstance(value, Mapping) else value, **_JSON)
    inner = indent + "  "
    lines = [f"{inner}{json.dumps(str(key), **_JSON)}: {_layout(item, inner)}" for key, item in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


_JSON: Mapping[str, Any] = {"ensure_ascii": False, "allow_nan": False}


def read_rating(path: Path) -> Rating:
    """A rating file of ours, or of another tool that writes the four blocks.

    Numbers become two-decimal strings. What ``meta`` lacks of model, dataset, noise, ratio and judge
    is taken from the name. Raises HarnessError when the file cannot be read or is no rating.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{path} is not valid JSON: rate that run again, or remove the file") from error
    blocks = {name: _block(content.get(name)) for name in BLOCKS} if isinstance(content, dict) else {}
    found = {name: block for name, block in blocks.items() if block is not None}
    if len(found) < len(BLOCKS):
        raise HarnessError(f"{path} is no rating file: it lacks the blocks {', '.join(BLOCKS)}")
    meta = content.get("meta")
    named = meta_from_name(path.name) or {}
    meta = {**named, **meta} if isinstance(meta, dict) else named
    lacking = [key for key in ("model", "dataset", "judge") if not isinstance(meta.get(key), str)]
    if lacking:
        raise HarnessError(f"{path} does not say its {lacking[0]}, neither in meta nor by its name")
    return Rating(**found, meta=meta)


def _block(value: object) -> dict[str, str] | None:
    """Group -> two-decimal string, or None when this is no such block."""
    if not isinstance(value, dict):
        return None
    try:
        return {name: two_decimals(_number(number)) for name, number in value.items()}
    except (TypeError, ValueError):
        return None


def _number(value: object) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError
    number = float(value)
    if math.isinf(number):
        raise ValueError
    return number
