"""What the user asked for: one frozen record, from defaults, then a file, then flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from harness.errors import UsageError
from harness.options import convert
from harness.values import to_json

Mode = Literal["all", "infer", "eval"]
_DAY = 24 * 3600
MODES: tuple[Mode, ...] = ("all", "infer", "eval")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The settings of ``run`` and ``check``; ``*_args`` map option names to values as typed.

    Raises UsageError for values that are wrong whatever the plugins are.
    """

    data: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    judge: str | None = None
    noise_name: str | None = None
    ratio: float | None = None
    seed: int = 0
    nframe: int | None = None
    fps: float | None = None
    max_frames: int | None = None
    long_side: int | None = None
    pooling: str | None = None
    limit: int | None = None
    ids: tuple[str, ...] = ()
    mode: Mode = "all"
    decoder: str = "pyav"
    work_dir: Path = Path("outputs")
    data_root: Path | None = None
    base_url: str | None = None
    judge_base_url: str | None = None
    judge_prompt: Path | None = None
    max_calls: int | None = None
    max_cost: float | None = None
    prices: Path | None = None
    batch_size: int | Literal["auto"] | None = None
    prefetch_bytes: int | None = None
    decode_timeout: float = 300.0
    model_args: Mapping[str, Any] = field(default_factory=dict)
    dataset_args: Mapping[str, Any] = field(default_factory=dict)
    noise_args: Mapping[str, Any] = field(default_factory=dict)
    judge_args: Mapping[str, Any] = field(default_factory=dict)
    pooling_args: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.data:
            raise UsageError("no data set given: add --data, e.g. --data ShapesVideo_8frame_nopack")
        if not self.model:
            raise UsageError("no model given: add --model, e.g. --model TinyQwen2.5-VL")
        if self.judge is None and self.mode != "infer":
            raise UsageError("no judge given: add --judge, e.g. --judge exact, or use --mode infer")
        if (self.noise_name is None) != (self.ratio is None):
            given, lacking = ("--noise_name", "--ratio") if self.noise_name else ("--ratio", "--noise_name")
            raise UsageError(f"{given} needs {lacking}, too: e.g. --noise_name gaussian --ratio 0.9")
        if self.ratio is not None and not 0 <= self.ratio <= 1:
            raise UsageError(f"--ratio must lie between 0 and 1, not {self.ratio:g}")
        if self.noise_args and self.noise_name is None:
            raise UsageError("--noise_args needs --noise_name and --ratio")
        if not 0 <= self.decode_timeout <= _DAY:
            told = f"{self.decode_timeout:g}"
            raise UsageError(f"--decode_timeout must lie between 0 (no limit) and {_DAY} seconds, not {told}")
        if self.pooling_args and self.pooling is None:
            raise UsageError("--pooling_args needs --pooling")
        if self.max_cost is not None and not self.max_cost > 0:
            raise UsageError(f"--max_cost must be above 0 US dollars, not {self.max_cost:g}")
        for name in ("limit", "batch_size", "long_side", "prefetch_bytes", "max_calls"):
            value = getattr(self, name)
            if isinstance(value, int) and value < 1:
                raise UsageError(f"--{name} must be at least 1, not {value}")

    @classmethod
    def resolve(cls, flags: Mapping[str, Any], file: Path | None = None) -> RunConfig:
        """Defaults, overridden by the keys of a TOML file, overridden by the flags that were given."""
        values = dict(_read(file)) if file else {}
        values.update({name: value for name, value in flags.items() if value is not None})
        return cls(**values)

    def public(self) -> dict[str, Any]:
        """The settings as JSON values, without what names this machine (paths and addresses)."""
        hidden = {"work_dir", "data_root", "base_url", "judge_base_url", "judge_prompt", "prices"}
        shown = {
            item.name: to_json(getattr(self, item.name)) for item in fields(self) if item.name not in hidden
        }
        # A data set may be named by the path of its file.
        shown["data"] = [Path(name).name if Path(name).is_absolute() else name for name in self.data]
        return shown


def _read(file: Path) -> Mapping[str, Any]:
    """The settings of a TOML file, typed as the flags would be."""
    import tomllib

    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {file} is not valid TOML: {error}") from error
    named = {key.replace("-", "_"): value for key, value in values.items()}
    typed = convert(RunConfig, named, f"the file {file}")
    return {name: typed[name] for name in named}
