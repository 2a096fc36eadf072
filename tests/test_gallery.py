"""docs/noises.md and its pictures: fresh, whole, and telling the truth about the catalogue."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(root: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """A module of docs/ by name."""
    monkeypatch.syspath_prepend(root / "docs")
    return importlib.import_module


@pytest.fixture
def noises(load: Load) -> list:
    return load("gallery_pictures").catalogue()


@pytest.fixture
def docs(root: Path, tmp_path: Path) -> Path:
    """A copy of what the gallery writes."""
    shutil.copytree(root / "docs" / "gallery", tmp_path / "gallery")
    shutil.copy(root / "docs" / "noises.md", tmp_path)
    return tmp_path


def test_page_and_pictures_fit_the_catalogue(load, noises, root):
    assert load("gallery").check(noises, root / "docs") == []


def test_what_does_not_fit_is_found(load, noises, docs):
    check = load("gallery").check
    assert check(noises, docs) == []
    first, *rest = noises
    assert first.name in check(rest, docs)[0]
    (docs / "gallery" / f"{first.name}.jpg").rename(docs / "gallery" / "other.jpg")
    assert f"{first.name}, other" in check(noises, docs)[0]
    (docs / "gallery" / "other.jpg").rename(docs / "gallery" / f"{first.name}.jpg")
    text = (docs / "noises.md").read_text()
    (docs / "noises.md").write_text(text.replace(first.summary, "a summary of old"))
    assert "stale" in check(noises, docs)[0]
    (docs / "noises.md").write_text(text)
    figures = (docs / "gallery" / "similarity.json").read_text()
    (docs / "gallery" / "similarity.json").write_text(figures.replace('"version": 1', '"version": 99', 1))
    assert "run make gallery" in check(noises, docs)[0]


def test_the_page_is_written_without_measuring(load, docs, noises):
    text = (docs / "noises.md").read_text()
    (docs / "noises.md").unlink()
    assert load("gallery").main(["--page"], docs) == 0
    assert (docs / "noises.md").read_text() == text


def test_one_noise_is_drawn_and_measured_alone(load, docs, noises):
    before = (docs / "gallery" / "similarity.json").read_text()
    (docs / "gallery" / "frame_drop-strip.jpg").unlink()
    (docs / "gallery" / "gone.jpg").touch()
    assert load("gallery").main(["--only", "frame_drop"], docs) == 0
    assert load("gallery").check(noises, docs) == []
    assert (docs / "gallery" / "similarity.json").read_text() == before


def test_there_are_35_and_the_extended_stand_apart(load, noises, root):
    titles = load("gallery_page").CATEGORIES
    text = (root / "docs" / "noises.md").read_text()
    sections = {title: text.split(f"\n## {title}\n")[1].split("\n## ")[0] for title in titles.values()}
    for noise in noises:
        holding = [title for title, section in sections.items() if f"**{noise.name}**" in section]
        assert holding == [titles[noise.category]]
    assert sum(noise.category != "extended" for noise in noises) == 35


def test_words_come_from_the_docstring(load, noises):
    words = load("gallery_page").words
    for noise in noises:
        said = words(noise)
        assert said.definition and said.draws and "\n" not in said.definition + said.draws
        doc = " ".join((type(noise.built.plugin).__doc__ or "").split())
        assert f"Definition: {said.definition}" in doc and f"Draws: {said.draws}" in doc

    class Bare:
        """Says nothing."""

    with pytest.raises(ValueError, match="docstring of gaussian lacks its Definition"):
        words(replace(noises[0], built=replace(noises[0].built, plugin=Bare())))


def test_what_differs_from_nrvl_is_what_docstrings_say_differs(load, noises):
    says_so = re.compile(r"NRVL( \([^)]*\))?, wh(ich|ose|ere) |NRVL \([^)]*, without ")
    sources = {
        noise.name: " ".join(type(noise.built.plugin).__doc__.split("Source: ")[1].split())
        for noise in noises
    }
    differing = {name for name, source in sources.items() if says_so.search(source)}
    assert differing == set(load("gallery_page").NOT_NRVL)


def test_pictures_are_small_and_of_the_stated_size(load, noises, root):
    pictures = load("gallery_pictures")
    files = sorted((root / "docs" / "gallery").glob("*.jpg"))
    assert sum(file.stat().st_size for file in files) < 3_000_000
    for file in files:
        height, width = cv2.imread(str(file)).shape[:2]
        if file.stem.endswith("-strip"):
            assert (width, height) in {(1280, 90), (1280, 94)}
        else:
            assert (width, height) == pictures.SIZE


def test_clips_are_the_same_each_time_and_move(load):
    clips = load("gallery_clips")
    for make in (lambda: clips.ASTRONAUT.clip((96, 54)), lambda: clips.shapes(3)):
        one, other = make(), make()
        assert np.array_equal(one.frames, other.frames) and len(one.frames) == clips.FRAMES
        assert all(np.any(a != b) for a, b in zip(one.frames, one.frames[1:], strict=False))
        assert np.allclose(np.diff(one.times), 1 / one.fps)


def test_a_view_shows_the_photograph_as_it_is(load):
    import skimage.data

    clips = load("gallery_clips")
    still = clips.Move("astronaut", "", (159.5, 89.5, 320), (159.5, 89.5, 320))
    assert np.array_equal(still.clip((320, 180)).frames[5], skimage.data.astronaut()[:180, :320])


def test_a_strip_marks_the_frames_that_are_hit(load, noises):
    pictures, clips = load("gallery_pictures"), load("gallery_clips")
    clip = clips.ASTRONAUT.clip((96, 54))
    (drop,) = (noise for noise in noises if noise.name == "frame_drop")
    dropped = drop.on(clip, "astronaut", 0.6, clip)
    row = pictures.strip(dropped)
    width, height = pictures.STRIP
    black = {slot for slot in range(8) if not row[:height, slot * width : (slot + 1) * width].any()}
    marked = {slot for slot in range(8) if row[-1, slot * width + width // 2, 1] < 255}
    assert black == marked == set(dropped.notes["hit"]) and len(black) == 4
    assert len(pictures.strip(clip)) == height


def test_figures_follow_from_the_definition(load, noises):
    similarity, clips = load("gallery_similarity"), load("gallery_clips")
    (drop,) = (noise for noise in noises if noise.name == "frame_drop")
    clip = clips.shapes(0)
    found = similarity.measure(drop, {"shapes-0": clip})
    energy = (clip.frames.astype(float) ** 2).mean(axis=(1, 2, 3))
    for ratio, psnr in zip(similarity.RATIOS, found.psnr, strict=True):
        hit = drop.on(clip, "shapes-0", ratio, clip).notes["hit"]
        assert psnr == pytest.approx(10 * np.log10(255**2 / (energy[hit].sum() / 8)), abs=0.01)
    assert 1 > found.ssim[0] > found.ssim[1] > found.ssim[2] > 0


@pytest.mark.slow
def test_figures_are_those_of_today(load, noises, root):
    """Where an encoder of another library makes the picture, it may be built otherwise elsewhere."""
    similarity = load("gallery_similarity")
    stored = load("gallery").read(root / "docs")
    taken = similarity.clips()
    for noise in noises:
        by_library = noise.name in ("jpeg_artifact", "h265_artifacts")
        found = similarity.measure(noise, taken)
        assert found.psnr == pytest.approx(stored[noise.name].psnr, abs=0.3 if by_library else 0.05)
        assert found.ssim == pytest.approx(stored[noise.name].ssim, abs=0.02 if by_library else 0.003)


@pytest.mark.slow
def test_pictures_are_those_of_today(load, noises, root, tmp_path):
    pictures = load("gallery_pictures")
    for name, picture in pictures.pictures(noises):
        pictures.write(picture, tmp_path / "new.jpg")
        new = cv2.imread(str(tmp_path / "new.jpg")).astype(float)
        old = cv2.imread(str(root / "docs" / "gallery" / f"{name}.jpg")).astype(float)
        assert new.shape == old.shape and np.abs(new - old).mean() < 2, name
