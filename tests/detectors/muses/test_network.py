"""The network: padding, proposals that other sequences have more of, streams."""

import pytest
import torch

from actionformer.core.errors import InputError
from actionformer.detectors.muses.network import MUSESNetwork, Outputs, Stream
from actionformer.detectors.muses.settings import MUSESSettings

LONG = torch.tensor([[0.0, 3.0], [5.5, 9.25], [2.0, 28.0], [25.0, 29.5]])
SHORT = torch.tensor([[1.0, 4.0], [8.0, 14.0]])


def network(**changes: object) -> MUSESNetwork:
    torch.manual_seed(0)
    settings = {"input_dim": 6, "num_classes": 3, "width": 8, **changes}
    return MUSESNetwork(MUSESSettings.model_validate(settings)).eval()


@pytest.mark.parametrize("whole_frames", [None, 8])
@torch.no_grad()
def test_a_sequence_is_judged_the_same_alone_and_beside_a_longer_one_with_more_proposals(
    whole_frames: int | None,
) -> None:
    model = network(whole_frames=whole_frames)
    features = torch.randn(2, 30, 6)
    lengths = torch.tensor([30, 17])
    valid = torch.arange(30) < lengths[:, None]
    together: Outputs = model(features, valid, [LONG, SHORT])
    assert together.there.tolist() == [[True] * 4, [True, True, False, False]]
    for row, (length, own) in enumerate(zip(lengths.tolist(), (LONG, SHORT), strict=True)):
        alone: Outputs = model(features[row : row + 1, :length], None, [own])
        assert torch.equal(alone.proposals[0], own)
        for found, expected in zip(together.judged, alone.judged, strict=True):
            torch.testing.assert_close(found[:, row, : len(own)], expected[:, 0], atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_sequences_without_proposals() -> None:
    model, features = network(), torch.randn(2, 12, 6)
    nothing = torch.empty(0, 2)
    assert model(features, None, [nothing, nothing]).judged.completeness.shape == (1, 2, 0, 3)
    some = model(features, None, [nothing, SHORT])
    assert some.there.tolist() == [[False, False], [True, True]]
    assert some.judged.activity.isfinite().all()


@torch.no_grad()
def test_a_stream_sees_its_own_channels_alone() -> None:
    model = network(input_dim=[4, 2], stream_weights=[1.0, 1.2])
    features = torch.randn(1, 12, 6)
    changed = features.clone()
    changed[..., 4:] += 1
    first, second = (model(one, None, [SHORT]).judged.completeness for one in (features, changed))
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])


def test_streams_share_channels_evenly_unless_they_are_listed() -> None:
    assert MUSESSettings(input_dim=6, stream_weights=(1.0, 1.2)).sources == (3, 3)
    assert MUSESSettings(input_dim=(4, 2), stream_weights=(1.0, 1.2)).sources == (4, 2)
    assert MUSESSettings(input_dim=(4, 2)).sources == (6,)
    with pytest.raises(ValueError, match="2 streams cannot share 7 channels evenly: let input_dim list them"):
        MUSESSettings(input_dim=7, stream_weights=(1.0, 1.2))
    with pytest.raises(ValueError, match="stream_weights must be 1 to 4 positive numbers"):
        MUSESSettings(stream_weights=(1.0, 0.0))


def test_widths_follow_the_last() -> None:
    assert MUSESSettings().widths == (384, 512, 384)
    assert MUSESSettings(width=16, first_width=12, head_width=24).widths == (12, 16, 24)


def test_rough_size() -> None:
    settings = MUSESSettings(input_dim=(40, 24), num_classes=5, width=64, stream_weights=(1.0, 1.0))
    size = sum(weight.numel() for weight in MUSESNetwork(settings).parameters())
    assert settings.rough_size == pytest.approx(size, rel=0.02)


@torch.no_grad()
def test_the_prior_of_a_class() -> None:
    model = network()
    for stream in model.streams:
        stream.get_parameter("activity.classes.weight").zero_()
        stream.get_parameter("activity.background.weight").zero_()
    model.set_class_prior(0.01, [1])
    odds = model(torch.randn(1, 12, 6), None, [SHORT]).judged.activity[0, 0, 0]
    assert (odds[2] - odds[0]).sigmoid().item() == pytest.approx(0.01)
    assert odds[1] == odds[0]


def test_classes_must_be_known() -> None:
    with pytest.raises(InputError, match=r"model\.num_classes is not set"):
        network(num_classes=None)


def test_dropout_of_proposals_does_not_depend_on_how_many_others_have() -> None:
    """Processes that share a batch have parts of it, in which the most proposals may be fewer."""
    stream = network(foregrounds=1, incompletes=2, backgrounds=1).streams[0].train()
    assert isinstance(stream, Stream)
    x, found = torch.randn(2, 4, 5), []
    for count in (4, 3):
        torch.manual_seed(0)
        found.append(stream._dropped(x[:, :count]))
    assert torch.equal(found[0][:, :3], found[1])
    assert (found[0] == 0).any()
    stream.eval()
    assert stream._dropped(x) is x
