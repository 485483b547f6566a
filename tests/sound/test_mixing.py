import av
import numpy as np
import pytest

from actionformer.sound.mixing import LOUDEST, full_scale, mono, weights_of


def test_full_scale_is_1_in_every_format() -> None:
    assert full_scale(np.array([0, 128, 255], np.uint8)).tolist() == [-1, 0, 127 / 128]
    assert full_scale(np.array([-(2**15), 0, 2**14], np.int16)).tolist() == [-1, 0, 0.5]
    assert full_scale(np.array([-(2**31), 2**30], np.int32)).tolist() == [-1, 0.5]
    assert full_scale(np.array([-0.25, 2.0])).tolist() == [-0.25, 2.0]


@pytest.mark.parametrize("format", ["s16", "s16p", "flt", "fltp"])
def test_stereo_is_the_mean_of_its_channels_however_it_is_stored(format: str) -> None:
    left, right = np.array([0.5, -0.25, 0.0]), np.array([0.25, 0.75, 0.5])
    scale = 2**15 if format.startswith("s16") else 1
    both = (scale * np.stack([left, right])).astype("int16" if scale > 1 else "float32")
    stored = both if format.endswith("p") else both.T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stored), format=format, layout="stereo")
    np.testing.assert_allclose(mono(frame), (left + right) / 2)


def test_weights_sum_to_1_and_leave_out_low_frequencies() -> None:
    np.testing.assert_allclose(weights_of(["FC"], 1), [1])
    found = weights_of(["FL", "FR", "FC", "LFE", "SL", "SR"], 6)
    np.testing.assert_allclose(found / found[0], [1, 1, 2**0.5, 0, 0.5**0.5, 0.5**0.5], rtol=1e-6)
    assert found.sum() == pytest.approx(1)


def test_channels_without_names_count_alike() -> None:
    np.testing.assert_allclose(weights_of(["NONE", "NONE", "NONE"], 3), 3 * [1 / 3])
    np.testing.assert_allclose(weights_of([], 2), [0.5, 0.5])
    np.testing.assert_allclose(weights_of(["LFE"], 1), [1])


def test_what_is_no_number_is_silence_and_nothing_is_endless() -> None:
    samples = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    assert mono(frame).tolist() == [0, LOUDEST, -LOUDEST, 0.5]
