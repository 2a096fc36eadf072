"""Distributions that were never built: metadata and modules written into a folder on ``sys.path``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent


@dataclass(frozen=True)
class Site:
    """A folder that stands for ``site-packages``."""

    path: Path

    def module(self, name: str, code: str) -> Path:
        """Write one module."""
        file = self.path / f"{name}.py"
        file.write_text(dedent(code), encoding="utf-8")
        return file

    def distribution(
        self,
        name: str,
        points: Mapping[str, str] | str,
        version: str = "1.0",
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
        egg: bool = False,
    ) -> Path:
        """Write the metadata of a distribution with these entry points (or that text in their place)."""
        if not isinstance(points, str):
            points = "[vidharness]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
        escaped = name.replace("-", "_")
        folder = self.path / (f"{escaped}.egg-info" if egg else f"{escaped}-{version}.dist-info")
        folder.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (folder / ("PKG-INFO" if egg else "METADATA")).write_text("\n".join(lines) + "\n")
        (folder / "entry_points.txt").write_text(points)
        return folder

    def judge(self, dist: str, name: str, module: str | None = None, **more: object) -> None:
        """A whole guest that offers one judge called ``name``."""
        module = module or dist.replace("-", "_")
        self.module(
            module,
            f"""
            from harness import Spec, hookimpl

            class Judge:
                version = 1
                def __init__(self, strict: bool = False): self.strict = strict
                def judge(self, cases): return []

            @hookimpl
            def harness_judges():
                return [Spec({name!r}, "{module}:Judge", "a judge of {dist}")]
            """,
        )
        self.distribution(dist, {"judge": module}, **more)  # type: ignore[arg-type]
