import torch

from actionformer.backbones import load_backbone
from actionformer.backbones.logmel import LogMelStatistics
from actionformer.backbones.mel import BANDS


def test_a_vector_is_the_mean_and_the_deviation_of_each_band() -> None:
    clips = torch.arange(2 * 3 * BANDS, dtype=torch.float32).reshape(2, 3, BANDS)
    found = LogMelStatistics().encode(clips)
    torch.testing.assert_close(found[:, :BANDS], clips[:, 1])
    torch.testing.assert_close(found[:, BANDS:], torch.full((2, BANDS), BANDS * (2 / 3) ** 0.5))


def test_a_clip_of_one_frame_deviates_by_nothing() -> None:
    found = LogMelStatistics().encode(torch.ones(1, 1, BANDS))
    assert found.tolist() == [BANDS * [1.0] + BANDS * [0.0]]


def test_it_is_found_by_name() -> None:
    backbone = load_backbone("logmel")
    assert (backbone.name, backbone.dim, backbone.fps) == ("logmel", 128, 100)
    assert backbone.weights_hash is None
