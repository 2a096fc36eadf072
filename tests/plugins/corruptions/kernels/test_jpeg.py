import numpy as np
from harness_plugins.corruptions.kernels.jpeg import encode, recompress


def test_it_is_a_baseline_jpeg_with_colour_at_half_resolution():
    data = encode(np.zeros((40, 60, 3), np.uint8), 1)
    assert data.startswith(b"\xff\xd8")
    frame_header = data.index(b"\xff\xc0")  # SOF0: baseline
    components = data[frame_header + 10 : frame_header + 19]
    assert components[1::3] == bytes([0x22, 0x11, 0x11])  # 4:2:0
    tables = data[data.index(b"\xff\xdb") + 5 :][:64]
    assert set(tables) == {255}  # quality 1: the coarsest quantisation there is


def test_colours_stay_in_their_channels():
    frame = np.zeros((32, 32, 3), np.uint8)
    frame[..., 0] = 255
    out = np.empty_like(frame)
    recompress(frame, 90, out)
    assert np.abs(out.astype(int) - frame).max() < 8
