"""What is said when: three forms of files, and the cues that frames fall into."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness_plugins.datasets.subtitles import Cue, digest, read_cues, spoken

from harness.errors import UsageError

SRT = """\
1
00:00:01,000 --> 00:00:02,500
<i>Hello</i>
  there.

2
00:01:00,000 --> 00:01:01,000
{\\an8}Bye.
"""
VTT = """\
WEBVTT

00:01.000 --> 00:02.500 align:start
Hello there.

intro
01:00:00.000 --> 01:00:01.000
Bye.
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_srt(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(("\ufeff" + SRT).replace("\n", ends).encode())
    assert read_cues(path) == [Cue(1.0, 2.5, "Hello there."), Cue(60.0, 61.0, "Bye.")]


def test_vtt(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    path.write_text(VTT)
    assert read_cues(path) == [Cue(1.0, 2.5, "Hello there."), Cue(3600.0, 3601.0, "Bye.")]


def test_both_forms_of_longvideobench(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    spans = [{"start": "00:00:01.000", "end": "00:00:02.5", "line": "Hello there."}]
    path.write_text(json.dumps(spans))
    assert read_cues(path, offset=0.5) == [Cue(0.5, 2.0, "Hello there.")]
    path.write_text(json.dumps([{"timestamp": [1, None], "text": "Hello"}]))
    assert read_cues(path) == [Cue(1.0, float("inf"), "Hello")]


@pytest.mark.parametrize(
    "text", ['[{"line": "no times"}]', "{", '[{"start": 1, "end": 2, "line": ""}]', "[3]"]
)
def test_other_json_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"a\.json holds no subtitles"):
        read_cues(path)


def test_a_file_without_cues(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text("Lorem ipsum")
    with pytest.raises(UsageError, match="holds no subtitles"):
        read_cues(path)
    path.write_text("\n")
    assert read_cues(path) == []
    for read in (read_cues, digest):
        with pytest.raises(UsageError, match="cannot be read"):
            read(tmp_path / "none.srt")


def test_what_is_said_at_the_moments_shown() -> None:
    cues = [Cue(0, 1, "a"), Cue(1, 2, "a"), Cue(2, 3, "b"), Cue(3, 4, ""), Cue(2.5, 9, "c")]
    assert spoken(cues, [0.5, 1.5, 2.2, 2.9]) == ["a", "b", "c"]
    assert spoken(cues, [10.0]) == []
    assert spoken(cues, []) == []
