import json

import numpy as np
import pytest
from scipy.stats import kstest

from harness import UsageError


def hidden(apply, clip_of, count, height, width, **options):
    """Top, bottom, left, right of the black rectangle of each frame of a white clip: int [count, 4]."""
    out = apply("random_block", clip_of(np.full((count, height, width, 3), 255, np.uint8)), **options).frames
    boxes = []
    for frame in out:
        black = np.all(frame == 0, axis=2)
        rows, columns = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
        boxes.append((rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
        assert (
            black.sum()
            == len(rows) * len(columns)
            == (rows[-1] + 1 - rows[0]) * (columns[-1] + 1 - columns[0])
        )
        assert np.all(frame[~black] == 255)
    return np.array(boxes)


def test_random_block_sides_and_places_are_uniform(apply, clip_of):
    top, bottom, left, right = hidden(apply, clip_of, 1500, 200, 150).T
    tall, wide = bottom - top, right - left
    jitter = np.random.default_rng(0).uniform(0, 1, (4, len(top)))
    assert kstest((tall + jitter[0]) / 200, "uniform", (0.3, 0.4)).pvalue > 1e-3
    assert kstest((wide + jitter[1]) / 150, "uniform", (0.3, 0.4)).pvalue > 1e-3
    assert kstest((top + jitter[2]) / (201 - tall), "uniform").pvalue > 1e-3
    assert kstest((left + jitter[3]) / (151 - wide), "uniform").pvalue > 1e-3
    drawn = np.corrcoef([tall, wide, top / (201 - tall), left / (151 - wide)])
    assert np.abs(drawn - np.eye(4)).max() < 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 7), (3, 3)])
def test_random_block_hides_a_pixel_at_least(apply, clip_of, size):
    assert len(hidden(apply, clip_of, 20, *size)) == 20


def test_random_block_may_hide_everything(apply, clip_of, picture):
    assert not apply("random_block", clip_of(picture(2, 30, 40)), least=1.0, most=1.0).frames.any()


@pytest.mark.parametrize("options", [{"least": 0.0}, {"most": 1.1}, {"least": 0.8}, {"least": float("nan")}])
def test_random_block_refuses_sides_that_are_none(build, options):
    with pytest.raises(UsageError, match="least <= most <= 1"):
        build("random_block", **options)


@pytest.fixture
def detectors(tmp_path, monkeypatch):
    """A module of a user's, with detectors of all kinds."""
    (tmp_path / "my_boxes.py").write_text(
        "import numpy as np\n"
        "def brightest(frame):\n"
        "    y, x = np.unravel_index(frame[..., 0].argmax(), frame.shape[:2])\n"
        "    return None if frame.max() < 200 else (x - 4, y - 4, x + 4.2, y + 4.2)\n"
        "def outside(frame): return (500, 500, 600, 600)\n"
        "def text(frame): return 'left'\n"
        "def three(frame): return (1, 2, 3)\n"
        "def endless(frame): return (0, 0, float('inf'), 5)\n"
        "class Model:\n"
        "    def find(self, frame): return np.array([1, 2, 5, 7], np.float32)\n"
        "model = Model()\n"
        "number = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def spots():
    """Frames with a bright spot, the last one dark."""
    frames = np.full((4, 60, 80, 3), 50, np.uint8)
    for i in range(3):
        frames[i, 20 + i, 30 + 10 * i] = 255
    return frames


def test_target_block_hides_what_the_detector_finds(apply, clip_of, detectors):
    frames = spots()
    out = apply("target_block", clip_of(frames), [2, 0, 3], detector="my_boxes:brightest")
    expected = frames.copy()
    expected[0, 16:25, 26:35] = 0
    expected[2, 18:27, 46:55] = 0
    tall, wide = round(60 * 0.4**0.5), round(80 * 0.4**0.5)
    top, left = (60 - tall) // 2, (80 - wide) // 2
    expected[3, top : top + tall, left : left + wide] = 0
    assert np.array_equal(out.frames, expected)
    assert out.notes == {
        "kept": 1,
        "target_block": {
            "detector": "my_boxes:brightest",
            "boxes": {
                "0": [26, 16, 35, 25],
                "2": [46, 18, 55, 27],
                "3": [left, top, left + wide, top + tall],
            },
            "centred": [3],
        },
    }
    assert json.loads(json.dumps(out.notes)) == out.notes


def test_target_block_by_default_hides_the_salient_box(apply, clip_of):
    frames = np.full((3, 90, 160, 3), 90, np.uint8)
    y, x = np.mgrid[:30, :40]
    frames[1:, 40:70, 100:140] = (255 * ((x // 5 + y // 5) % 2))[..., None]
    out = apply("target_block", clip_of(frames))
    found = out.notes["target_block"]
    assert found["detector"] == "saliency"
    assert found["centred"] == [0]
    assert found["boxes"]["1"] == found["boxes"]["2"]
    for slot, (left, top, right, bottom) in found["boxes"].items():
        black = np.zeros((90, 160), bool)
        black[top:bottom, left:right] = True
        assert np.array_equal(np.all(out.frames[int(slot)] == 0, axis=2) | ~black, np.ones_like(black))
        assert np.array_equal(out.frames[int(slot)][~black], frames[int(slot)][~black])
        assert 0.18 < black.mean() < 0.52
    assert not out.frames[1:, 45:65, 105:135].any()


def test_target_block_takes_a_method_and_any_sequence_of_numbers(apply, clip_of, detectors):
    out = apply("target_block", clip_of(spots()), [0], detector="my_boxes:model.find")
    assert out.notes["target_block"]["boxes"] == {"0": [1, 2, 5, 7]}


def test_target_block_counts_a_box_outside_as_nothing(apply, clip_of, detectors):
    out = apply("target_block", clip_of(spots()), [0, 1], detector="my_boxes:outside")
    assert out.notes["target_block"]["centred"] == [0, 1]


@pytest.mark.parametrize("name", ["text", "three", "endless"])
def test_target_block_says_what_a_detector_must_return(apply, clip_of, detectors, name):
    with pytest.raises(UsageError, match=rf"my_boxes:{name} .* None or four numbers"):
        apply("target_block", clip_of(spots()), [0], detector=f"my_boxes:{name}")


@pytest.mark.parametrize(
    "name", ["", "yolo", "my_boxes", "my_boxes:", ":find", "a b:c", "my-boxes:find", "a:b:c"]
)
def test_target_block_refuses_what_is_no_dotted_name(build, name):
    with pytest.raises(UsageError, match=r"package\.module:function"):
        build("target_block", detector=name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:find", "No module named 'no_such_module'"),
        ("my_boxes:nothing", "has no attribute 'nothing'"),
        ("my_boxes:number", "is no function"),
    ],
)
def test_target_block_checks_its_detector_before_a_run(build, detectors, name, message):
    with pytest.raises(UsageError, match=message):
        build("target_block", detector=name).check()


def test_a_detector_that_can_be_loaded_passes_the_check(build, detectors):
    build("target_block").check()
    build("target_block", detector="my_boxes:brightest").check()
