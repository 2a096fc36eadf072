import cv2
import numpy as np
import pytest

from harness import Clip, UsageError
from harness.options import convert


def texture(apply, clip, **options):
    """F alone, of the first frame."""
    return apply("frost", clip, keep=0, share=1, **options).frames[0]


def black(height, width, count=1):
    frames = np.zeros((count, height, width, 3), np.uint8)
    return Clip(frames, np.arange(count, dtype=np.float64), np.arange(count), 25.0)


def test_it_is_the_formula_and_stays_for_the_video(apply, clip_of, picture):
    clip = clip_of(picture(3, 90, 130))
    f = texture(apply, clip)
    for options, keep, share in (
        ({}, 0.6, 0.75),
        ({"severity": 1}, 1, 0.4),
        ({"keep": 0.1, "share": 0.2}, 0.1, 0.2),
    ):
        expected = np.clip(np.rint(keep * clip.frames + share * f.astype(np.float64)), 0, 255)
        assert np.abs(apply("frost", clip, **options).frames - expected).max() <= 1


def test_panes_are_bright_ice_of_many_levels(apply):
    """Brightness and unrest about those of photographs of frost, in every video; thick and thin ones."""
    panes = [texture(apply, black(360, 640), video=f"{video}") for video in range(16)]
    means = [pane.mean() for pane in panes]
    assert 115 < min(means) < 150
    assert 180 < max(means) < 215
    assert 155 < np.mean(means) < 180
    for pane in panes:
        assert 22 < pane.mean(axis=2).std() < 45
        assert pane[..., 2].mean() >= pane[..., 0].mean()


def test_frost_grows_from_the_edges_inwards(apply):
    panes = [texture(apply, black(270, 480), video=f"{video}").mean(axis=2) for video in range(10)]
    mean = np.mean(panes, axis=0)
    detail = np.mean([np.abs(np.diff(pane, axis=1)) for pane in panes], axis=0)
    middle = (slice(90, 180), slice(160, 320))
    rim = np.ones(mean.shape, bool)
    rim[40:-40, 40:-40] = False
    assert mean[rim].mean() > mean[middle].mean() + 10
    assert detail[rim[:, 1:]].mean() > 1.2 * detail[middle].mean()


def test_videos_have_their_own_pane(apply):
    panes = [texture(apply, black(150, 200), video=f"{video}").mean(axis=2) for video in range(6)]
    inner = np.array([(pane - cv2.blur(pane, (31, 31)))[20:-20, 20:-20].ravel() for pane in panes])
    assert np.abs(np.corrcoef(inner) - np.eye(6)).max() < 0.2


@pytest.fixture
def folder(tmp_path):
    """Three pictures whose colour tells which, whose slope tells where."""
    for name, blue in (("a.png", 10), ("b.PNG", 120), ("c.bmp", 240)):
        y, x = np.mgrid[:60, :80]
        image = np.stack([np.full_like(y, blue), 2 * y, 2 * x], axis=2).astype(np.uint8)
        cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_a_folder_of_pictures_takes_the_place_of_the_crystals(apply, folder):
    parts = [texture(apply, black(30, 40), pictures=folder, video=f"{v}").astype(int) for v in range(40)]
    assert {int(part[0, 0, 2]) for part in parts} == {10, 120, 240}
    assert len({part[0, 0, :2].tobytes() for part in parts}) > 20
    for part in parts:  # a part, enlarged by a tenth, in the right order of channels
        assert np.ptp(part[..., 0]) == pytest.approx(2 * 39 / 1.1, abs=4)
        assert np.ptp(part[..., 1]) == pytest.approx(2 * 29 / 1.1, abs=4)


@pytest.mark.parametrize("size", [(1, 1), (60, 80), (200, 90), (61, 300)])
def test_pictures_cover_a_frame_of_any_size(apply, folder, size):
    assert texture(apply, black(*size), pictures=folder).shape == (*size, 3)


def test_what_the_pictures_are_is_part_of_the_identity(build, folder, tmp_path_factory):
    frost = build("frost", pictures=folder)
    moved = tmp_path_factory.mktemp("elsewhere") / "moved"
    moved.mkdir()
    for path in folder.iterdir():
        (moved / path.name).write_bytes(path.read_bytes())
    before = frost.identity()
    assert build("frost", pictures=moved).identity() == before
    (folder / "a.png").write_bytes((folder / "c.bmp").read_bytes())
    assert frost.identity() != before
    assert build("frost").identity() == {}


def test_folders_without_pictures_are_refused_before_the_run(build, tmp_path):
    build("frost").check()
    for folder, told in ((tmp_path / "gone", "no folder"), (tmp_path, "no pictures")):
        frost = build("frost", **convert(type(build("frost")), {"pictures": str(folder)}, "frost"))
        with pytest.raises(UsageError, match=told):
            frost.check()


def test_a_broken_picture_is_named(apply, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"")
    with pytest.raises(UsageError, match=r"broken\.png cannot be read"):
        texture(apply, black(9, 9), pictures=tmp_path)


@pytest.mark.parametrize("options", [{"keep": 1.1}, {"share": -0.1}, {"share": float("nan")}])
def test_frost_refuses_shares_beyond_0_to_1(build, options):
    with pytest.raises(UsageError, match="of frost must be 0 to 1"):
        build("frost", **options)
