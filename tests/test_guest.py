"""Somebody else's package: built, installed beside ours where nothing else is, listed, shown and run."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from openai_server import OpenAIServer
from wheels import GUEST, clean_environ, core_environment, guest_wheel, our_wheel

from harness import Case, Draws
from harness.catalogue import offers
from harness.entrypoints import Plugin
from harness.testing import check_corruption, check_judge, check_spec, example_clip


class TestByItsAuthor:
    """What the guest's author would test without installing anything."""

    @pytest.fixture(autouse=True)
    def importable(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.syspath_prepend(GUEST)
        yield
        sys.modules.pop("road_fog", None)

    def test_the_contract_is_kept(self) -> None:
        import road_fog

        check_corruption(road_fog.RoadFog)
        check_corruption(road_fog.RoadFog(density=1.0))
        check_judge(road_fog.Mentions)

    def test_the_catalogue(self) -> None:
        offered = offers(Plugin("road-fog", "0.3.0", "road-fog", "road_fog"))
        assert {kind: spec.name for kind, spec in offered} == {"corruption": "road-fog", "judge": "mentions"}
        for kind, spec in offered:
            check_spec(spec, kind)

    def test_fog_greys_the_far_more_than_the_near(self) -> None:
        import road_fog

        noise, draws = road_fog.RoadFog(0.8), Draws(0, "a video", "road-fog", 1)
        out = noise.apply(example_clip(4, 40, 30), np.array([1, 2]), draws)
        spread = out.frames[1].std(axis=(1, 2))
        assert spread[:5].mean() < spread[-5:].mean() / 2

    def test_mentions(self) -> None:
        import road_fog

        cases = [Case("?", "red", text) for text in ("It is RED.", "a redder one", "")]
        assert [verdict.score for verdict in road_fog.Mentions().judge(cases)] == [3.0, 0.0, 0.0]


@dataclass(frozen=True)
class Run:
    """Runs a program of an environment with both wheels and the core, away from any checkout."""

    binaries: Path
    home: Path

    def __call__(self, program: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.binaries / program, *words],
            cwd=self.home,
            env=clean_environ(self.home) | environ,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("clean")
    (folder / "home").mkdir()
    return Run(core_environment(folder / "env", [our_wheel(), guest_wheel()]), folder / "home")


@pytest.mark.slow
class TestInstalled:
    def test_the_core_stands_without_torch_and_checkout(self, run: Run) -> None:
        code = "import importlib.util as u; print(u.find_spec('torch'), u.find_spec('transformers'))"
        assert run("python", "-c", code).stdout.split() == ["None", "None"]
        code = "import harness, harness_plugins; print(harness.__file__, harness_plugins.__file__)"
        assert run("python", "-c", code).stdout.count("site-packages") == 2

    def test_the_guest_is_listed_beside_ours(self, run: Run) -> None:
        done = run("vidharness", "list", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        listed = json.loads(done.stdout)
        assert listed["broken"] == []
        names = {(item["kind"], item["name"], item["dist"]) for item in listed["offers"]}
        assert {("corruption", "road-fog", "road-fog"), ("judge", "mentions", "road-fog")} <= names
        assert ("judge", "exact", "vidharness") in names

    def test_what_needs_an_extra_is_marked(self, run: Run) -> None:
        offers = json.loads(run("vidharness", "list", "model", "--json").stdout)["offers"]
        missing = {item["name"]: item["missing"] for item in offers}
        assert any("torch" in line for line in missing["TinyQwen2.5-VL"])
        assert missing["gpt-4o"] == []
        words = ("--data", "ShapesVideo_8frame_nopack", "--judge", "exact", "--model", "TinyQwen2.5-VL")
        done = run("vidharness", "check", *words)
        assert done.returncode == 2
        assert "pip install 'vidharness[hf]'" in done.stderr

    def test_plugins_and_the_deny_list(self, run: Run) -> None:
        plugins = json.loads(run("vidharness", "plugins", "--json").stdout)["plugins"]
        assert plugins[-1] == {
            "plugin": "road-fog:road-fog",
            "dist": "road-fog",
            "version": "0.3.0",
            "module": "road_fog",
            "denied": False,
        }
        listed = run("vidharness", "list", "--json", VIDHARNESS_DENY="road-fog").stdout
        assert json.loads(listed)["denied"] == ["road-fog:road-fog"]
        assert "mentions" not in listed

    def test_show_reads_the_guests_options_and_text(self, run: Run) -> None:
        text = run("vidharness", "show", "corruption", "road-fog").stdout
        assert "density: share of the picture that the fog takes over" in text
        assert "density a number 0.4" in " ".join(text.split())
        assert "road-fog:road-fog, version 0.3.0" in text

    def test_a_bad_option_of_the_guest_is_a_usage_error(self, run: Run) -> None:
        words = ("--model", "openai:any", "--base_url", "http://127.0.0.1:9/v1", "--judge", "mentions")
        noise = ("--noise_name", "road-fog", "--ratio", "0.5", "--noise_args", "density=7")
        done = run("vidharness", "check", "--data", "ShapesVideo_8frame_nopack", *words, *noise)
        assert done.returncode == 2
        assert "density lies between 0 and 1" in done.stderr

    def test_a_run_under_the_guests_noise_scored_by_the_guests_judge(self, run: Run) -> None:
        words = "day night yes red green blue yellow white purple 1 2 3 4 5 left right up down"
        common = (
            *("run", "--data", "ShapesVideo_4frame_nopack", "--limit", "3", "--model", "openai:any"),
            *("--judge", "mentions", "--work_dir", "out", "--json"),
        )
        noise = ("--noise_name", "road-fog", "--ratio", "0.5", "--noise_args", "density=0.7")
        with OpenAIServer(reply=f"It may be {words}.") as server:
            settings = {"OPENAI_API_KEY": "sk-not-a-key", "OPENAI_BASE_URL": server.url}
            foggy = run("vidharness", *common, *noise, **settings)
            assert foggy.returncode == 0, foggy.stderr
            again = run("vidharness", *common, *noise, **settings)
            assert again.returncode == 0, again.stderr
            assert len(server.requests) == 3, "a second run asks nothing"
            clean = run("vidharness", *common, **settings)
            assert clean.returncode == 0, clean.stderr
            asked = sorted(server.requests[:3], key=lambda request: request.text)
            plain = sorted(server.requests[3:], key=lambda request: request.text)
        assert [request.text for request in asked] == [request.text for request in plain]
        for under_fog, without in zip(asked, plain, strict=True):
            pairs = zip(under_fog.images, without.images, strict=True)
            assert sum(not np.array_equal(one, other) for one, other in pairs) == 2, "half of 4 frames"
        (outcome,) = json.loads(foggy.stdout)
        assert outcome["rating"].endswith(
            "openai-any_ShapesVideo_4frame_nopack_road-fog_0.5_mentions_rating.json"
        )
        (predictions,) = (run.home / outcome["rating"]).parent.glob("*_predictions.jsonl")
        references = [json.loads(line)["answer"] for line in predictions.read_text().splitlines()]
        scores = [3 if reference in words.split() else 0 for reference in references]
        assert outcome["coarse_all"]["Overall"] == f"{sum(scores) / 3:.2f}" != "0.00"
