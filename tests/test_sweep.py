"""The sweep over all noises: what runs, what enters the mean, and when the page is left alone."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest
from openai_server import OpenAIServer, Request, status

from harness.leaderboard import Board, Row, Table

THREE = {"frame_drop": "temporal", "gaussian": "quality", "bit_error": "extended"}


@pytest.fixture
def sweep(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(root)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    return importlib.import_module("benchmarks.sweep")


def words(server: OpenAIServer, folder: Path) -> list[str]:
    where = ["--base_url", server.url, "--work_dir", str(folder / "runs"), "--out", str(folder / "page.md")]
    return ["--model", "openai:x", "--limit", "3", *where]


def test_names_come_from_the_catalogue(sweep: ModuleType) -> None:
    found = sweep.noises()
    assert found["gaussian"] == "quality" and found["bit_error"] == sweep.EXTENDED


def test_the_page_holds_every_noise_and_only_new_ones_are_asked(
    sweep: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "noises", lambda: THREE)
    with OpenAIServer(reply="red") as server:
        assert sweep.main(words(server, tmp_path)) == 0
        assert len(server.requests) == 4 * 3
        assert sweep.main([*words(server, tmp_path), "--ratio", "0.9"]) == 0
        assert len(server.requests) == 4 * 3
    text = (tmp_path / "page.md").read_text()
    means, each, further = (text.split("\n## ")[part] for part in (1, 2, 3))
    assert "| 2 |" in means and "bit_error" not in means + each
    assert all(f"| openai:x | {name} | 0.9 |" in each for name in ("frame_drop", "gaussian"))
    assert "| openai:x | bit_error | 0.9 |" in further
    assert "python -m benchmarks.sweep --model openai:x --ratio 0.9" in text


def test_several_at_a_time_give_the_same(
    sweep: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "noises", lambda: THREE)
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    with OpenAIServer(reply="red") as server:
        assert sweep.main([*words(server, tmp_path), "--processes", "2"]) == 0
        assert len(server.requests) == 4 * 3
        text = (tmp_path / "page.md").read_text()
        assert sweep.main(words(server, tmp_path)) == 0
        assert len(server.requests) == 4 * 3
    assert (tmp_path / "page.md").read_text() == text


def test_a_noise_that_fails_keeps_the_page_as_it_is(
    sweep: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweep, "noises", lambda: THREE)

    def reply(request: Request) -> object:
        black = any(not image.any() for image in request.images)
        return status(400, "no black pictures") if black else "red"

    with OpenAIServer(reply=reply) as server:
        assert sweep.main(words(server, tmp_path)) == 1
        assert "not rated: frame_drop;" in capsys.readouterr().err
        assert not (tmp_path / "page.md").exists()
        asked = [request for request in server.requests if request.images]  # one more is a word alone
        assert len({request.text for request in asked}) == 3
        assert len(asked) == 4 * 3


def test_a_further_noise_may_be_unavailable(
    sweep: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "noises", lambda: {"gaussian": "quality", "unheard_of": "extended"})
    with OpenAIServer(reply="red") as server:
        assert sweep.main(words(server, tmp_path)) == 0
    assert "Not available where this was run: unheard_of." in (tmp_path / "page.md").read_text()


def test_only_some_write_no_page_and_unknown_ones_are_refused(
    sweep: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweep, "noises", lambda: THREE)
    with OpenAIServer(reply="red") as server:
        assert sweep.main([*words(server, tmp_path), "--noises", "gaussian"]) == 0
        assert "gaussian" in capsys.readouterr().out
        assert not (tmp_path / "page.md").exists()
        with pytest.raises(SystemExit):
            sweep.main([*words(server, tmp_path), "--noises", "gausian"])
    assert "the catalogue has no gausian" in capsys.readouterr().err


def test_means_are_over_noises_by_category_and_model(sweep: ModuleType) -> None:
    rows = (
        Row("a", "clean", clean="3.00"),
        Row("a", "frame_drop", clean="3.00", score="1.00"),
        Row("a", "gaussian", clean="3.00", score="2.00"),
        Row("b", "gaussian", clean="2.50", score="2.50"),
    )
    board = Board("coarse_all/Overall", (Table("d", "j", "", rows),))
    lines = sweep.means(board, THREE).splitlines()[2:]
    assert lines == [
        "| a | temporal | 1 | 3.00 | 1.00 | 2.00 |",
        "| a | quality | 1 | 3.00 | 2.00 | 1.00 |",
        "| a | **all** | 2 | 3.00 | 1.50 | 1.50 |",
        "| b | quality | 1 | 2.50 | 2.50 | 0.00 |",
        "| b | **all** | 1 | 2.50 | 2.50 | 0.00 |",
    ]


def test_the_page_in_the_docs_holds_the_whole_catalogue(sweep: ModuleType, root: Path) -> None:
    text = (root / "docs" / "robustness.md").read_text()
    each, further = text.split("\n## ")[2:]
    for name, category in sweep.noises().items():
        part, other = (further, each) if category == sweep.EXTENDED else (each, further)
        assert re.search(rf"^\| TinyQwen2\.5-VL \| {name} \| 0\.9 \| \d", part, re.MULTILINE), name
        assert f"| {name} |" not in other
    assert "| **all** | 35 |" in text
