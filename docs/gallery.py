"""Draws every noise of the catalogue and writes docs/noises.md: `make gallery`.

Without arguments all is made anew: docs/gallery/*.jpg, docs/gallery/similarity.json and the page.
``--page`` only writes the page, from the measurements that are there; ``--only NAME ...`` draws and
measures these noises alone, then writes the page; ``--check`` writes nothing and says whether page,
list of pictures and measured versions fit the catalogue.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gallery_page import page
from gallery_pictures import CLEAN, Noise, catalogue, has_still, has_strip, pictures, strip_name, write
from gallery_similarity import Figures, clips, from_json, measure, stale, to_json

DOCS = Path(__file__).resolve().parent


def main(argv: Sequence[str] | None = None, docs: Path = DOCS) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true")
    what.add_argument("--page", action="store_true")
    what.add_argument("--only", nargs="+", metavar="NAME", default=())
    args = parser.parse_args(argv)
    noises = catalogue()
    unknown = set(args.only) - {noise.name for noise in noises}
    if unknown:
        parser.error(f"the catalogue has no {', '.join(sorted(unknown))}")
    if args.check:
        problems = check(noises, docs)
        print("\n".join(problems) or "docs/noises.md is fresh")
        return int(bool(problems))
    if not args.page:
        chosen = [noise for noise in noises if not args.only or noise.name in args.only]
        draw(noises, chosen, docs)
        store({**_known(noises, docs), **measured(chosen)}, noises, docs)
    (docs / "noises.md").write_text(page(noises, read(docs)))
    return 0


def draw(noises: Sequence[Noise], chosen: Sequence[Noise], docs: Path) -> None:
    """Write the pictures of ``chosen``, and remove those of noises that are not among ``noises``."""
    folder = docs / "gallery"
    folder.mkdir(exist_ok=True)
    for name, picture in pictures(chosen):
        write(picture, folder / f"{name}.jpg")
    for path in folder.glob("*.jpg"):
        if path.stem not in wanted(noises):
            path.unlink()


def measured(noises: Sequence[Noise]) -> dict[str, Figures]:
    """The figures of these noises, with a line for each as they come."""
    taken, found = clips(), {}
    for noise in noises:
        found[noise.name] = measure(noise, taken)
        print(noise.name, *found[noise.name].psnr, *found[noise.name].ssim, flush=True)
    return found


def store(figures: Mapping[str, Figures], noises: Sequence[Noise], docs: Path) -> None:
    """Write the figures, a line per noise, in the order of the catalogue."""
    data = to_json({noise.name: figures[noise.name] for noise in noises if noise.name in figures})
    lines = (f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in data.items())
    (docs / "gallery" / "similarity.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def read(docs: Path) -> dict[str, Figures]:
    """The stored figures; none where there is no file yet."""
    path = docs / "gallery" / "similarity.json"
    return from_json(json.loads(path.read_text())) if path.exists() else {}


def wanted(noises: Sequence[Noise]) -> set[str]:
    """The names of all pictures, without ending."""
    names = {CLEAN, strip_name(CLEAN), *(noise.name for noise in noises if has_still(noise))}
    return names | {strip_name(noise.name) for noise in noises if has_strip(noise)}


def check(noises: Sequence[Noise], docs: Path) -> list[str]:
    """What does not fit the catalogue, in words; measures and draws nothing."""
    figures = read(docs)
    changed = stale(noises, figures)
    if changed:
        return [f"{', '.join(changed)} changed since they were drawn and measured: run make gallery"]
    problems = []
    drawn = {path.stem for path in (docs / "gallery").glob("*.jpg")}
    if drawn != wanted(noises):
        odd = ", ".join(sorted(drawn ^ wanted(noises)))
        problems.append(f"missing or left over in docs/gallery: {odd}: run make gallery")
    path = docs / "noises.md"
    if not path.exists() or path.read_text() != page(noises, figures):
        problems.append("docs/noises.md is stale: run make gallery, or docs/gallery.py with --page")
    return problems


def _known(noises: Sequence[Noise], docs: Path) -> dict[str, Figures]:
    names = {noise.name for noise in noises}
    return {name: figures for name, figures in read(docs).items() if name in names}


if __name__ == "__main__":
    sys.exit(main())
