"""A whole run on small real videos: what is asked, stored, judged, rated and written."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Judge, Model, built, make_cell, write_video

from harness import Answer, Case, HarnessError, Prompt, Status, Verdict
from harness.cache import Cache
from harness.cell import Cell
from harness.config import RunConfig
from harness.errors import IncompleteError
from harness.execute import Run
from harness.finish import Outcome
from harness.plan import make_plan
from harness.prepare import Prepared
from harness.work import Alone


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {key: write_video(folder / f"{key}.mp4", seed=i) for i, key in enumerate("abcde")}


class Bench:
    """Runs one cell in one folder as often as wanted; a fresh model and judge each time."""

    def __init__(self, cell: Cell, work_dir: Path) -> None:
        self.cell, self.work_dir = cell, work_dir
        self.model, self.judge = Model(), Judge()
        self.said: list[str] = []

    def run(self, ranks: Any = None, **settings: Any) -> Outcome | None:
        config = RunConfig(
            data=("questions",), model=("echo",), judge="fake", work_dir=self.work_dir, **settings
        )
        self.cell = replace(self.cell, model=replace(self.cell.model, plugin=self.model))
        samples = tuple(self.cell.dataset.plugin.samples()[: config.limit])
        judge = built("fake", self.judge) if config.mode != "infer" else None
        prepared = Prepared((self.cell,), {"questions": samples}, judge)
        outcomes = Run(config, prepared, ranks or Alone(), self.said.append).cells()
        return outcomes[0] if outcomes else None

    @property
    def asked(self) -> list[str]:
        return [question for call in self.model.calls for question in call]


def bench(videos: dict[str, Path], work_dir: Path, **shape: Any) -> Bench:
    return Bench(make_cell(videos, **shape), work_dir)


def test_a_run_leaves_its_files(videos: dict[str, Path], tmp_path: Path) -> None:
    one = bench(videos, tmp_path, ratio=0.5)
    outcome = one.run()
    assert outcome is not None
    assert outcome.complete
    assert outcome.asked == 10
    assert outcome.rating_path is not None
    assert outcome.rating_path.name == "echo_questions_invert_0.5_fake_rating.json"
    rating = json.loads(outcome.rating_path.read_text())
    assert list(rating) == ["coarse_all", "coarse_valid", "fine_all", "fine_valid", "meta"]
    meta = rating["meta"]
    assert (meta["model"], meta["dataset"], meta["noise"], meta["ratio"]) == (
        "echo",
        "questions",
        "invert",
        0.5,
    )
    assert (meta["judge"], meta["judge_models"], meta["seed"]) == ("fake", ["fake-1"], 0)
    assert meta["fingerprint"] == one.cell.fingerprint()

    folder = outcome.folder
    lines = [json.loads(line) for line in (folder / "echo_questions_invert_0.5_predictions.jsonl").open()]
    assert [line["id"] for line in lines] == list(range(10))
    assert lines[0]["question"] == "a?0"
    assert lines[0]["prediction"].startswith("a?0 ")
    assert len(lines[0]["indices"]) == 4
    verdicts = [json.loads(x) for x in (folder / "echo_questions_invert_0.5_fake_verdicts.jsonl").open()]
    assert [verdict["score"] for verdict in verdicts] == [3.0 * (len(x["prediction"]) % 2) for x in lines]
    assert json.loads((folder / "run.json").read_text())["cells"][0]["fingerprint"] == meta["fingerprint"]

    (cache,) = (tmp_path / "echo").glob("*.pkl")
    stored = pickle.loads(cache.read_bytes())
    assert sorted(stored) == list(range(10))
    assert stored[0]["prediction"] == lines[0]["prediction"]
    assert json.loads(cache.with_suffix(".json").read_text()) == one.cell.parts()
    assert not list((tmp_path / "echo").glob("*.journal"))
    assert not list((tmp_path / "echo").glob("*.lock"))


def test_nothing_is_asked_or_judged_twice(videos: dict[str, Path], tmp_path: Path) -> None:
    first = bench(videos, tmp_path).run()
    again = bench(videos, tmp_path)
    second = again.run()
    assert first is not None
    assert second is not None
    assert (again.asked, again.judge.cases, again.model.loaded) == ([], [], 0)
    assert (second.asked, second.judged) == (0, 0)
    assert "all 10 samples are answered already" in again.said[0]
    assert second.rating == first.rating


def test_other_settings_share_nothing(videos: dict[str, Path], tmp_path: Path) -> None:
    bench(videos, tmp_path, ratio=0.5).run()
    for shape in ({"ratio": 1.0}, {"ratio": None}):
        other = bench(videos, tmp_path, **shape)
        outcome = other.run()
        assert outcome is not None
        assert outcome.asked == 10


def test_a_subset_first_and_the_rest_later(videos: dict[str, Path], tmp_path: Path) -> None:
    part = bench(videos, tmp_path)
    outcome = part.run(limit=3)
    assert outcome is not None
    assert outcome.rating is not None
    assert outcome.rating.meta["subset"] is True
    assert len(part.asked) == 3
    whole = bench(videos, tmp_path)
    outcome = whole.run()
    assert outcome is not None
    assert outcome.rating is not None
    assert outcome.rating.meta["subset"] is False
    assert len(whole.asked) == 7
    assert "3 of 10" in whole.said[0]


def test_a_broken_video_costs_its_own_questions(videos: dict[str, Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("broken")
    one = bench({**videos, "c": bad}, tmp_path / "out")
    outcome = one.run()
    assert outcome is not None
    assert not outcome.complete
    assert outcome.statuses == {"ok": 8, "decode_error": 2}
    assert outcome.rating is not None
    assert float(outcome.rating.coarse_all["Overall"]) < float(outcome.rating.coarse_valid["Overall"])
    assert len(one.judge.cases) <= 8

    # Mended, only what failed is asked again.
    bad.write_bytes(videos["c"].read_bytes())
    again = bench({**videos, "c": bad}, tmp_path / "out")
    outcome = again.run()
    assert outcome is not None
    assert outcome.complete
    assert sorted(again.asked) == ["c?0", "c?1"]


class Moody(Model):
    """Raises on some questions, gives empty answers to others, or ends the run."""

    def __init__(self, raises: str = "", empty: str = "", ends: str = "", stops: str = "") -> None:
        super().__init__()
        self.raises, self.empty, self.ends, self.stops = raises, empty, ends, stops

    def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
        for prompt, answer in zip(prompts, super().generate(prompts), strict=True):
            if self.raises and self.raises in prompt.text:
                raise RuntimeError("out of luck")
            if self.ends and self.ends in prompt.text:
                raise HarnessError("the key has expired")
            if self.stops and self.stops in prompt.text:
                raise KeyboardInterrupt
            yield Answer() if self.empty and self.empty in prompt.text else answer


def test_failures_are_statuses_and_only_they_are_retried(videos: dict[str, Path], tmp_path: Path) -> None:
    one = bench(videos, tmp_path)
    one.model = Moody(raises="b?1", empty="d?0")
    outcome = one.run()
    assert outcome is not None
    assert outcome.statuses == {"ok": 8, "model_error": 2}
    lines = (outcome.folder / "echo_questions_clean_predictions.jsonl").read_text().splitlines()
    failed = {line["question"]: line["error"] for line in map(json.loads, lines) if line["error"]}
    assert failed == {"b?1": "RuntimeError: out of luck", "d?0": "the answer is empty"}
    again = bench(videos, tmp_path)
    outcome = again.run()
    assert outcome is not None
    assert outcome.complete
    assert sorted(again.asked) == ["b?1", "d?0"]


@pytest.mark.parametrize(
    ("mood", "error", "sentence"),
    [({"ends": "d?1"}, HarnessError, "expired"), ({"stops": "d?1"}, IncompleteError, r"\d of 10 .* go on")],
)
def test_an_end_in_the_middle_keeps_what_is_answered(
    videos: dict[str, Path], tmp_path: Path, mood: dict[str, str], error: type[Exception], sentence: str
) -> None:
    one = bench(videos, tmp_path)
    one.model = Moody(**mood)
    one.model.max_batch = 1
    with pytest.raises(error, match=sentence):
        one.run()
    answered = {question for question in one.asked if question != "d?1"}
    again = bench(videos, tmp_path)
    outcome = again.run()
    assert outcome is not None
    assert outcome.complete
    assert set(again.asked).isdisjoint(answered)
    assert len(again.asked) + len(answered) == 10


def test_packed_questions_go_in_one_call(videos: dict[str, Path], tmp_path: Path) -> None:
    class Packer(Model):
        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            self.calls.append([prompt.text for prompt in prompts])
            for prompt in prompts:
                questions = json.loads(prompt.text)
                yield Answer(json.dumps({id_: f"on {q}" for id_, q in questions.items() if q != "b?1"}))

    one = bench(videos, tmp_path, packed=True)
    one.model = Packer()
    outcome = one.run()
    assert outcome is not None
    assert len(one.asked) == 5
    assert outcome.statuses == {"ok": 9, "unparsed": 1}
    again = bench(videos, tmp_path, packed=True)
    again.model = Packer()
    again.run()
    # The pack is asked again as it was, for the sake of its one failure.
    assert again.asked == ['{"2": "b?0", "3": "b?1"}']


def test_concurrent_models_are_called_one_prompt_at_a_time(videos: dict[str, Path], tmp_path: Path) -> None:
    class Remote(Model):
        concurrency = 3

    one = bench(videos, tmp_path)
    one.model = Remote()
    outcome = one.run()
    assert outcome is not None
    assert outcome.complete
    assert [len(call) for call in one.model.calls] == [1] * 10


def test_infer_and_eval_apart(videos: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match=r"10 of 10 samples .* have no answer yet"):
        bench(videos, tmp_path).run(mode="eval")
    first = bench(videos, tmp_path)
    outcome = first.run(mode="infer")
    assert outcome is not None
    assert outcome.rating is None
    assert first.judge.cases == []
    second = bench(videos, tmp_path)
    outcome = second.run(mode="eval")
    assert outcome is not None
    assert outcome.rating is not None
    assert second.asked == []
    assert len(second.judge.cases) == 10


def test_a_judges_failures_are_statuses_and_retried(videos: dict[str, Path], tmp_path: Path) -> None:
    class Rambling(Judge):
        def judge(self, cases: Sequence[Case]) -> Iterable[Verdict]:
            for case, verdict in zip(cases, super().judge(cases), strict=True):
                yield Verdict(status=Status.UNPARSED, reply="hm") if "a?" in case.question else verdict

    one = bench(videos, tmp_path)
    one.judge = Rambling()
    outcome = one.run()
    assert outcome is not None
    assert outcome.statuses == {"ok": 8, "unparsed": 2}
    again = bench(videos, tmp_path)
    outcome = again.run()
    assert outcome is not None
    assert outcome.complete
    assert again.asked == []
    assert sorted(case.question for case in again.judge.cases) == ["a?0", "a?1"]


def test_the_same_sentence_is_judged_once_across_cells(videos: dict[str, Path], tmp_path: Path) -> None:
    class Parrot(Model):
        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            return [Answer("yes") for _ in prompts]

    judged = []
    for ratio in (None, 0.5, 1.0):
        one = bench(videos, tmp_path, ratio=ratio)
        one.model = Parrot()
        one.run()
        judged.append(len(one.judge.cases))
    assert judged == [10, 0, 0]


def test_verdicts_of_a_run_that_died_before_merging_are_used_and_merged(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    one = bench(videos, tmp_path)
    first = one.run()
    (path,) = (tmp_path / "verdicts").glob("*.pkl")
    records = Cache(path).read()
    path.unlink()
    with Cache(path).journal("died") as journal:
        for key, record in records.items():
            journal.append(key, record)
    again = one.run()
    assert first is not None and again is not None
    assert again.judged == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    (told,) = first.folder.glob("*_verdicts.jsonl")
    assert (again.folder / told.name).read_bytes() == told.read_bytes()


class Team:
    """Several ranks as threads that share counters."""

    def __init__(self, size: int) -> None:
        self.shared = Alone()
        self.size = size

    def member(self, rank: int) -> Any:
        member = type("Member", (), {})()
        member.rank = member.local_rank = rank
        member.size = member.local_size = self.size
        member.agree, member.agreed, member.add = self.shared.agree, self.shared.agreed, self.shared.add
        member.name = f"{rank}.{member.add(f'incarnation/{rank}')}"
        return member


@pytest.mark.parametrize("size", [2, 3])
def test_any_number_of_ranks_gives_the_same_files(videos: dict[str, Path], tmp_path: Path, size: int) -> None:
    alone = bench(videos, tmp_path / "alone", ratio=0.5).run()
    team = Team(size)
    # The first rank of a run counts as an incarnation in the shared counters; take that back.
    team.shared.add("incarnation/0", -1)
    benches = [bench(videos, tmp_path / "team", ratio=0.5) for _ in range(size)]
    outcomes: list[Outcome | None] = [None] * size

    def work(rank: int) -> None:
        outcomes[rank] = benches[rank].run(team.member(rank))

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (last,) = [outcome for outcome in outcomes if outcome is not None]
    assert alone is not None
    assert last.asked == 10
    assert sorted(question for one in benches for question in one.asked) == sorted(
        f"{key}?{i}" for key in "abcde" for i in range(2)
    )
    assert last.rating == alone.rating
    one, other = (next((tmp_path / name / "echo").glob("*.pkl")) for name in ("alone", "team"))
    assert one.read_bytes() == other.read_bytes()


def test_what_a_lost_rank_left_is_done_in_another_round(
    videos: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first round leaves a claimed call behind, as a machine does that is cut off."""
    team = Team(2)
    team.shared.add("incarnation/0", -1)
    one = bench(videos, tmp_path)
    lost, here = team.member(1), team.member(0)
    key = one.cell.stem()
    call = next(iter(make_plan(one.cell, one.cell.dataset.plugin.samples()).pieces)).calls[0]
    assert here.agree(f"{key}/{call.key}", lost.name) == lost.name

    def leave(_: Any) -> bool:
        if len(one.asked) == 10:
            return True
        here.add("incarnation/1")
        here.add(f"through/{1}.2")
        return False

    monkeypatch.setattr("harness.execute.leave", leave)
    outcome = one.run(here)
    assert outcome is not None
    assert outcome.complete
    assert len(one.asked) == len(set(one.asked)) == 10
    assert one.said == ["a rank on another machine has fallen silent: what it had in hand is asked here"]


def test_a_noise_that_breaks_ends_the_run_with_a_sentence(videos: dict[str, Path], tmp_path: Path) -> None:
    one = bench(videos, tmp_path, ratio=0.5)
    assert one.cell.noise is not None
    one.cell.noise.built.plugin.apply = lambda clip, hit, draws: 1 / 0
    with pytest.raises(HarnessError, match=r"preparing video . for .* ZeroDivisionError"):
        one.run()


def test_two_runs_on_one_cell(videos: dict[str, Path], tmp_path: Path) -> None:
    class Nested(Model):
        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            with pytest.raises(HarnessError, match=r"another run .* is working on"):
                bench(videos, tmp_path).run()
            return super().generate(prompts)

    one = bench(videos, tmp_path)
    one.model = Nested()
    outcome = one.run()
    assert outcome is not None
    assert outcome.complete


def test_a_cell_that_cannot_be_finished_leaves_the_others_their_chance(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    bad, good = bench(videos, tmp_path), bench(videos, tmp_path)
    bad.model = Moody(ends="?")
    cells = (
        replace(bad.cell, model=built("bad", bad.model)),
        replace(good.cell, model=built("good", good.model)),
    )
    config = RunConfig(data=("questions",), model=("bad", "good"), judge="fake", work_dir=tmp_path)
    samples = {"questions": tuple(good.cell.dataset.plugin.samples())}
    run = Run(config, Prepared(cells, samples, built("fake", Judge())), Alone(), bad.said.append)
    with pytest.raises(IncompleteError, match=r"1 of 2 cells failed: bad on questions, clean: the key"):
        run.cells()
    assert len(good.asked) == 10
    assert (next((tmp_path / "good").rglob("*_rating.json"))).is_file()


def test_what_fits_in_memory_is_learnt_once_for_all_cells(videos: dict[str, Path], tmp_path: Path) -> None:
    class Narrow(Model):
        def generate(self, prompts: Sequence[Prompt]) -> Iterable[Answer]:
            answers = list(super().generate(prompts))
            if len(prompts) > 1:
                raise MemoryError
            return answers

    one = bench(videos, tmp_path)
    model = built("echo", Narrow())
    clean, noisy = (replace(make_cell(videos, ratio=ratio), model=model) for ratio in (None, 0.5))
    config = RunConfig(data=("questions",), model=("echo",), judge="fake", work_dir=tmp_path)
    samples = {"questions": tuple(one.cell.dataset.plugin.samples())}
    run = Run(config, Prepared((clean, noisy), samples, built("fake", Judge())), Alone(), one.said.append)
    outcomes = run.cells()
    assert [outcome.statuses for outcome in outcomes] == [{"ok": 10}] * 2
    assert [len(call) for call in model.plugin.calls] == [4, 2, *[1] * 20]


def test_the_log_names_failures(videos: dict[str, Path], tmp_path: Path) -> None:
    one = bench(videos, tmp_path)
    one.model = Moody(raises="b?1")
    outcome = one.run()
    assert outcome is not None
    text = (outcome.folder / "run.log").read_text()
    assert "sample 3: model_error RuntimeError: out of luck" in text
    assert one.cell.fingerprint() in text


def test_a_corrected_right_answer_is_judged_again_and_other_data(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    """Nothing is asked again, but the ratings are not those of one set of questions."""
    first = bench(videos, tmp_path).run()
    again = bench(videos, tmp_path)
    questions = again.cell.dataset.plugin
    questions._samples[3] = replace(questions._samples[3], answer="no")
    second = again.run()
    assert first is not None
    assert second is not None
    assert first.rating is not None
    assert second.rating is not None
    assert (second.asked, second.judged) == (0, 1)
    assert first.rating.meta["fingerprint"] == second.rating.meta["fingerprint"]
    assert first.rating.meta["data_fingerprint"] != second.rating.meta["data_fingerprint"]
