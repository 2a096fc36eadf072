"""Who imports whom in this tree, read from the sources without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES: Mapping[str, Path] = {"harness": ROOT / "harness", "harness_plugins": ROOT / "plugins"}


@dataclass(frozen=True)
class Import:
    """One import: ``name`` is the module, or a name in it where that is a module of ours.

    eager: it runs when the importing module does. typing: it is for type checkers only.
    relative: written with leading dots.
    """

    name: str
    line: int
    eager: bool
    typing: bool
    relative: bool


@cache
def modules() -> Mapping[str, Path]:
    """All modules of ours by their installed name."""
    found: dict[str, Path] = {}
    for package, folder in PACKAGES.items():
        for file in sorted(folder.rglob("*.py")):
            parts = [package, *file.relative_to(folder).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@cache
def imports(module: str) -> tuple[Import, ...]:
    """Everything a module of ours imports, wherever in it."""
    file = modules()[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    return tuple(_walk(ast.parse(file.read_text(encoding="utf-8")), package, eager=True, typing=False))


def reachable(start: Iterable[str]) -> dict[str, str]:
    """The modules of ours that importing ``start`` runs, each with the one that imports it."""
    found: dict[str, str] = {}
    pending = [(name, "") for name in start]
    while pending:
        name, importer = pending.pop()
        if name in found:
            continue
        found[name] = importer
        parent = name.rpartition(".")[0]
        pending += [(parent, name)] if parent else []
        pending += [
            (item.name, name)
            for item in imports(name)
            if item.eager and not item.typing and item.name in modules()
        ]
    return found


def _walk(node: ast.AST, package: str, eager: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, eager, typing, False)
        elif isinstance(child, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - child.level + 1]) if child.level else ""
            source = ".".join(filter(None, (base, child.module)))
            for alias in child.names:
                whole = f"{source}.{alias.name}"
                name = whole if whole in modules() else source
                yield Import(name, child.lineno, eager, typing, child.level > 0)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _walk(ast.Module(child.body, []), package, eager, True)
            yield from _walk(ast.Module(child.orelse, []), package, eager, typing)
        else:
            inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, package, eager and not inner, typing)
