"""Every preset's network, as built but thin."""

import pytest
import torch

from actionformer.detectors.base import architecture_of
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config, preset_names

WIDTH = 48  # divides into every preset's heads, groups and sources


def shrunk(preset: str) -> Config:
    config = load_config(preset)
    changes: dict[str, object] = {"width": WIDTH, "num_classes": config.model.num_classes or 5}
    if getattr(config.model, "projection", None) is not None:
        changes |= {"projection": (WIDTH // 3,) * 3, "input_dim": (3, 2, 4)}
    else:
        changes["input_dim"] = 12 if config.data.sensor_axes else 7
    return config.replace(model=changes)


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_builds_and_runs(preset: str) -> None:
    config = shrunk(preset)
    architecture = architecture_of(config)
    model = architecture.network()
    outputs = model(torch.randn(2, 150, config.model.input_width))
    strides = [level.stride for level in architecture.levels(model)]
    assert [x.shape[1] for x in outputs.logits] == [-(-150 // stride) for stride in strides]
    assert all(x.isfinite().all() for x in [*outputs.logits, *outputs.offsets])
    sum(x.sum() for x in [*outputs.logits, *outputs.offsets]).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
