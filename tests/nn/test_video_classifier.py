"""Pooling of moments into a video: by hand, and what it does not depend on."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from actionformer.nn.video_classifier import VideoClassifier, pooled


def test_pooling_by_hand() -> None:
    """Of 17 moments the best two count, of each class its own."""
    logits = torch.zeros(17, 2)
    logits[3, 0], logits[16, 0], logits[5, 1] = 4.0, 1.0, -6.0
    assert pooled(logits).tolist() == [2.5, 0.0]
    assert pooled(logits[:7]).tolist() == [4.0, 0.0]  # of 7 moments the best one
    assert pooled(torch.tensor([[-1.0, 2.0]])).tolist() == [-1.0, 2.0]


def test_a_video_by_hand() -> None:
    """Feature 3 is one deviation above the mean 1 where the deviation is 2; the layer doubles it and adds 1."""
    classifier = VideoClassifier(width=1, classes=1)
    classifier.normalizer.mean.fill_(1.0)
    classifier.normalizer.deviation.fill_(2.0)
    torch.nn.init.constant_(classifier.linear.weight, 2.0)
    torch.nn.init.constant_(classifier.linear.bias, 1.0)
    assert classifier(torch.tensor([[3.0], [1.0], [-5.0]])).tolist() == [3.0]


@given(st.integers(1, 60), st.integers(0, 2**31))
def test_order_does_not_matter_and_more_of_a_class_never_makes_it_less_likely(length: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(length, 3, generator=generator)
    shuffled = logits[torch.randperm(length, generator=generator)]
    torch.testing.assert_close(pooled(shuffled), pooled(logits))
    more = logits + torch.rand(length, 3, generator=generator)
    assert (pooled(more) >= pooled(logits)).all()
    assert (pooled(logits) <= logits.max(0).values + 1e-6).all()
