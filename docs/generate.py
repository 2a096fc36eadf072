"""Writes the generated parts of README.md and docs/*.md: `make docs`, or with --check only compares.

A part stands between ``<!-- begin: WORDS -->`` and ``<!-- end -->``. WORDS say what fills it:
``vidharness ...`` the output of that command, ``file PATH`` the text of a file of this repository,
``options KIND NAME`` a table of the options of a plugin, ``providers`` one of the servers with short names,
``families`` one of the families of local models.
Parts that take longer (a whole run of the demo) are marked ``slow`` and only made with --slow.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PART = re.compile(r"(<!-- begin: (?P<words>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
LANGUAGES = {".py": "python", ".toml": "toml", ".cfg": "ini"}


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def filled(words: str) -> str:
    """The text of one part, as a fenced block."""
    kind, _, rest = words.removeprefix("slow ").partition(" ")
    if kind == "file":
        path = ROOT / rest
        return f"```{LANGUAGES.get(path.suffix, '')}\n{path.read_text().rstrip()}\n```\n"
    if kind == "vidharness":
        return f"```console\n$ vidharness {rest}\n{output(shlex.split(rest))}\n```\n"
    if kind == "options":
        return options(*rest.split())
    if kind == "providers":
        return providers()
    if kind == "families":
        return families()
    raise SystemExit(f"cannot fill a part called {words!r}")


def options(kind: str, name: str) -> str:
    """The options of a plugin that comes with vidharness, as a Markdown table."""
    from harness.options import describe
    from harness.registry import Registry

    found = Registry.discover({}).find(kind, name)
    lines = ["| option | give | default |", "|---|---|---|"]
    for option in describe(found.load()):
        if option.name not in found.options:
            default = "none" if option.default is None else f"`{option.default}`"
            shown = "required" if option.required else default
            lines.append(f"| `{option.name}` | {option.type_text} | {shown} |")
    return "\n".join(lines) + "\n"


def families() -> str:
    """The families of local models, as a Markdown table."""
    from harness_plugins.models import PUBLISHED
    from harness_plugins.models.families import family_class

    lines = ["| family | `--model` | `model_type` | clips go in as |", "|---|---|---|---|"]
    for family, (kind, repositories) in PUBLISHED.items():
        names = ", ".join(f"`{name.partition('/')[2]}`" for name in repositories)
        lines.append(f"| {family} | {names} | `{kind}` | {family_class(kind).form} |")
    return "\n".join(lines) + "\n"


def providers() -> str:
    """The servers with short names, as a Markdown table."""
    from harness.providers import PROVIDERS

    lines = ["| name | server | address | key | frames as |", "|---|---|---|---|---|"]
    for name, provider in PROVIDERS.items():
        urls = [url for url in (provider.url_env, provider.url) if url]
        where = ", else ".join(f"`{url}`" for url in urls)
        key = f"`{provider.key_env}`" + ("" if not provider.own else ", if any")
        lines.append(f"| `{name}:` | {provider.title} | {where} | {key} | {', '.join(provider.frames)} |")
    return "\n".join(lines) + "\n"


def output(words: list[str]) -> str:
    """What the command prints on a terminal of 100 columns; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"vidharness {' '.join(words)} failed: {done.stderr}")
    return "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines())


def page(path: Path, slow: bool) -> str:
    """The page as it should be."""

    def fill(match: re.Match[str]) -> str:
        words = match["words"]
        return match[0] if words.startswith("slow ") and not slow else match[1] + filled(words) + match[3]

    return PART.sub(fill, path.read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    parser.add_argument("--slow", action="store_true", help="also the parts that need outputs of `make demo`")
    args = parser.parse_args()
    stale = []
    for path in pages():
        text = page(path, args.slow)
        if text != path.read_text():
            stale.append(path.relative_to(ROOT))
            if not args.check:
                path.write_text(text)
    for name in stale:
        print(f"{name} {'is stale: run make docs' if args.check else 'written anew'}")
    return int(bool(stale) and args.check)


if __name__ == "__main__":
    sys.exit(main())
