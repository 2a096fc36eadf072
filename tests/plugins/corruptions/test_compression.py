import io

import numpy as np
import pytest

from harness import UsageError


@pytest.mark.parametrize(("options", "quality"), [({}, 1), ({"severity": 1}, 25), ({"severity": 5}, 7)])
def test_jpeg_artifact_is_what_another_program_makes_of_it(apply, clip_of, picture, options, quality):
    image = pytest.importorskip("PIL.Image")
    frames = picture(1, 120, 161)
    buffer = io.BytesIO()
    image.fromarray(frames[0]).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    theirs = np.asarray(image.open(buffer).convert("RGB")).astype(np.int64)
    ours = apply("jpeg_artifact", clip_of(frames), **options).frames[0]
    assert np.abs(ours - theirs).mean() < 0.5


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_jpeg_artifact_refuses_a_quality_off_the_scale(build, quality):
    with pytest.raises(UsageError, match="1 to 100"):
        build("jpeg_artifact", quality=quality)
