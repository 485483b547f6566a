"""The classifier of whole videos learns what videos show, from labels of videos alone."""

from typing import Any

import numpy as np
import torch

from actionformer.data.statistics import FeatureStatistics
from actionformer.training.classifier import train_classifier

Videos = list[tuple[Any, list[int]]]


def made(seed: int, count: int = 24) -> Videos:
    """Videos of 12 channels far from 0, in a fifth of which channel k is higher where class k goes on."""
    rng = np.random.default_rng(seed)
    videos: Videos = []
    for number in range(count):
        labels = [[0], [1], [2], [0, 2], []][number % 5]
        array = rng.standard_normal((int(rng.integers(20, 60)), 12)).astype(np.float32)
        for label in labels:
            start = int(rng.integers(0, len(array) - len(array) // 5))
            array[start : start + len(array) // 5, label] += 3
        videos.append((100 + 5 * array, labels))
    return videos


def learned(videos: Videos) -> Any:
    statistics = FeatureStatistics((str(number), features) for number, (features, _) in enumerate(videos))
    return train_classifier(videos, 3, statistics)


def test_it_tells_videos_that_it_has_not_seen() -> None:
    classifier = learned(made(0))
    right = 0
    with torch.no_grad():
        for features, labels in made(1):
            probabilities = classifier(torch.from_numpy(features)).sigmoid()
            right += {label for label in range(3) if probabilities[label] > 0.5} == set(labels)
    assert right >= 20


def test_the_loss_is_as_low_as_it_gets() -> None:
    """At the end the gradient of cross-entropy and decay is small: the formula, summed up anew."""
    videos = made(0)
    classifier = learned(videos)
    targets = torch.tensor([[float(k in labels) for k in range(3)] for _, labels in videos])
    logits = torch.stack([classifier(torch.from_numpy(features)) for features, _ in videos])
    cross_entropy = -(targets * logits.sigmoid().log() + (1 - targets) * (-logits).sigmoid().log()).sum()
    loss = (cross_entropy + classifier.linear.weight.square().sum() / 2) / len(videos)
    loss.backward()
    assert loss.item() < 3 * np.log(2) / 2
    assert classifier.linear.bias.grad.abs().max() < 0.02


def test_the_same_videos_give_the_same_classifier() -> None:
    one, other = learned(made(0)), learned(made(0))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
