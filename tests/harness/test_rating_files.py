"""Rating files: their names both ways, writing whole or not at all, reading those of other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.files import ratio_text
from harness.rating_files import meta_from_name, rating_name, read_rating, write_rating
from harness.types import Rating

RATING = Rating(
    coarse_all={"CP": "1.00", "Overall": "0.50"},
    coarse_valid={"CP": "nan", "Overall": "2.00"},
    fine_all={"b": "0.10", "a": "nan"},
    fine_valid={"b": "0.20", "a": "nan"},
    meta={"model": "M", "dataset": "D", "judge": "J", "scores": {"v": [[0, 3], [1, -1]]}, "note": "ü"},
)
PLAIN = {name: {"Overall": "1.00"} for name in ("coarse_all", "coarse_valid", "fine_all", "fine_valid")}


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.9, "0.9"), (0.3, "0.3"), (1.0, "1"), (1, "1"), (0, "0"), (0.25, "0.25"), (1e-5, "0.00001")],
)
def test_a_ratio_reads_as_it_is_typed(ratio: float, text: str) -> None:
    assert ratio_text(ratio) == text


@given(st.floats(0, 1))
def test_no_two_ratios_share_a_name(ratio: float) -> None:
    assert float(ratio_text(ratio)) == ratio


def test_names() -> None:
    data = "MMBench_Video_8frame_nopack"
    assert (
        rating_name("Qwen2.5-VL-3B-Instruct", data, "gaussian_blur", 0.9, "gpt-4o")
        == "Qwen2.5-VL-3B-Instruct_MMBench_Video_8frame_nopack_gaussian_blur_0.9_gpt-4o_rating.json"
    )
    assert rating_name("M", data, None, None, "exact") == f"M_{data}_clean_exact_rating.json"


def test_names_never_leave_the_folder() -> None:
    name = rating_name("../../org/model:x y", "D/../D", "a\\b", 0.5, "http://host/j")
    assert "/" not in name
    assert "\\" not in name
    assert ":" not in name
    assert not name.startswith(".")
    assert name.startswith("org-model-x-y_")


@given(st.lists(st.text(max_size=400), min_size=4, max_size=4), st.floats(0, 1))
def test_any_names_make_a_file_name_that_fits(names: list[str], ratio: float) -> None:
    name = rating_name(names[0], names[1], names[2], ratio, names[3])
    assert len(f".{name}.4194304.tmp".encode()) <= 255
    assert not set('/\\:*?"<>|\0') & set(name)


def test_long_names_stay_apart() -> None:
    first, second = (rating_name("x" * 300 + end, "D", None, None, "J") for end in "ab")
    assert first != second


@pytest.mark.parametrize("noise", ["gaussian", "gaussian_blur", "frame_drop", "road-fog"])
@pytest.mark.parametrize("ratio", [0.3, 0.9, 1.0, 0.0])
@pytest.mark.parametrize(
    "model", ["Qwen2.5-VL-3B-Instruct", "llava_onevision_qwen2_7b_ov", "GPT4V", "model_0.5_x"]
)
@pytest.mark.parametrize(
    "dataset", ["MMBench_Video_8frame_nopack", "MMBench_Video_0.5fps_pack", "ShapesVideo_16frame_nopack"]
)
@pytest.mark.parametrize("judge", ["gpt-4o", "exact", "gpt_4_turbo"])
def test_a_name_tells_what_was_run(noise: str, ratio: float, model: str, dataset: str, judge: str) -> None:
    found = meta_from_name(rating_name(model, dataset, noise, ratio, judge))
    assert found == {"model": model, "dataset": dataset, "noise": noise, "ratio": ratio, "judge": judge}
    found = meta_from_name(rating_name(model, dataset, None, None, judge))
    assert found == {"model": model, "dataset": dataset, "noise": None, "ratio": None, "judge": judge}


def test_names_of_other_tools() -> None:
    found = meta_from_name("GPT4o_MMBench-Video_8frame_nopack_gpt-4o_rating.json")
    assert found == {
        "model": "GPT4o",
        "dataset": "MMBench-Video_8frame_nopack",
        "noise": None,
        "ratio": None,
        "judge": "gpt-4o",
    }
    found = meta_from_name("M_MMBench_Video_64frame_nopack_elastic_1.0_gpt-4o_rating.json")
    assert found is not None
    assert (found["noise"], found["ratio"], found["judge"]) == ("elastic", 1.0, "gpt-4o")


@pytest.mark.parametrize(
    "name",
    [
        "rating.json",
        "_rating.json",
        "M_rating.json",
        "M_D_gaussian_0.9_J_rating.json",
        "M_MMBench_Video_8frame_nopack_rating.json",
        "M_MMBench_Video_8frame_nopack_gaussian_0.9_gpt-4o_rating.csv",
    ],
)
def test_names_that_tell_nothing(name: str) -> None:
    assert meta_from_name(name) is None


def test_what_is_written_is_read_again_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x_rating.json"
    write_rating(path, RATING)
    found = read_rating(path)
    assert found == RATING
    assert list(found.fine_all) == ["b", "a"]
    assert list(json.loads(path.read_text())) == [
        "coarse_all",
        "coarse_valid",
        "fine_all",
        "fine_valid",
        "meta",
    ]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_lists_take_one_line_and_letters_stay_letters(tmp_path: Path) -> None:
    path = tmp_path / "x_rating.json"
    write_rating(path, RATING)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert '      "v": [[0, 3], [1, -1]]' in lines
    assert '    "note": "ü"' in lines


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x_rating.json"
    write_rating(path, RATING)
    before = path.read_bytes()
    broken = Rating(*[PLAIN[name] for name in PLAIN], meta={"when": object()})
    with pytest.raises(TypeError):
        write_rating(path, broken)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_meta_of_a_foreign_file_comes_from_its_name(tmp_path: Path) -> None:
    path = tmp_path / "Q_MMBench_Video_8frame_nopack_gaussian_0.9_gpt-4o_rating.json"
    path.write_text(json.dumps({**PLAIN, "coarse_all": {"Overall": 1.234, "CP": None, "HL": 2, "AR": "nan"}}))
    found = read_rating(path)
    assert found.coarse_all == {"Overall": "1.23", "CP": "nan", "HL": "2.00", "AR": "nan"}
    assert found.meta == {
        "model": "Q",
        "dataset": "MMBench_Video_8frame_nopack",
        "noise": "gaussian",
        "ratio": 0.9,
        "judge": "gpt-4o",
    }


def test_numbers_that_pythons_json_spells_nan_are_read(tmp_path: Path) -> None:
    path = tmp_path / "Q_MMBench_Video_8frame_nopack_clean_gpt-4o_rating.json"
    path.write_text(json.dumps({**PLAIN, "coarse_all": {"Overall": float("nan")}}))
    assert read_rating(path).coarse_all == {"Overall": "nan"}


def test_meta_in_the_file_wins_over_the_name(tmp_path: Path) -> None:
    path = tmp_path / "Q_MMBench_Video_8frame_nopack_clean_gpt-4o_rating.json"
    path.write_text(json.dumps({**PLAIN, "meta": {"model": "org/Q", "seed": 3}}))
    meta = read_rating(path).meta
    assert (meta["model"], meta["seed"], meta["judge"]) == ("org/Q", 3, "gpt-4o")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"3",
        b"{}",
        b"[" * 100_000,
        json.dumps({"short": {"Overall": 1}}).encode(),
        json.dumps({**PLAIN, "fine_all": [1]}).encode(),
        json.dumps({**PLAIN, "fine_all": {"a": "high"}}).encode(),
        json.dumps({**PLAIN, "fine_all": {"a": [1]}}).encode(),
        json.dumps({**PLAIN, "fine_all": {"a": True}}).encode(),
        json.dumps({**PLAIN, "fine_all": {"a": "inf"}}).encode(),
    ],
)
def test_what_is_no_rating_is_one_sentence_with_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Q_MMBench_Video_8frame_nopack_clean_gpt-4o_rating.json"
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=path.name):
        read_rating(path)


@pytest.mark.parametrize("meta", [{}, None, {"model": 3, "dataset": "D", "judge": "J"}, ["x"]])
def test_a_rating_must_say_what_it_is_of(tmp_path: Path, meta: Any) -> None:
    path = tmp_path / "some_rating.json"
    path.write_text(json.dumps({**PLAIN, "meta": meta}))
    with pytest.raises(HarnessError, match="does not say its model"):
        read_rating(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot be read"):
        read_rating(tmp_path / "none_rating.json")
