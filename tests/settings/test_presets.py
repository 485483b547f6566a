"""Every preset's network, as built but thin, and the numbers that published models were trained with."""

from typing import Any

import pytest
import torch

from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.detectors.base import architecture_of
from actionformer.detectors.gtad.settings import GTADSettings
from actionformer.detectors.muses.network import Outputs as MUSESOutputs
from actionformer.detectors.muses.settings import MUSESSettings
from actionformer.detectors.tridet.settings import TriDetSettings
from actionformer.nn.outputs import PyramidOutputs
from actionformer.nn.segment_map.settings import SegmentMapSettings
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config, preset_names

WIDTH = 96  # divides into every preset's heads, groups and sources


def shrunk(preset: str) -> Config:
    config = load_config(preset)
    changes: dict[str, object] = {"width": WIDTH, "num_classes": config.model.num_classes or 5}
    if getattr(config.model, "projection", None) is not None:
        changes |= {"projection": (WIDTH // 3,) * 3, "input_dim": (3, 2, 4)}
    else:
        changes["input_dim"] = 12 if config.data.sensor_axes or isinstance(config.model, MUSESSettings) else 7
    return config.replace(model=changes)


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_builds_and_runs(preset: str) -> None:
    config = shrunk(preset)
    architecture = architecture_of(config)
    model = architecture.network()
    length = config.data.resize or config.data.window or 150
    proposals = [torch.tensor([[3.0, 9.0], [20.0, 32.0]])]  # of a second stage
    outputs = architecture.outputs_of(model, torch.randn(1, length, config.model.input_width), None, proposals)
    if isinstance(outputs, MUSESOutputs):
        outputs = outputs.judged
    if isinstance(outputs, PyramidOutputs):
        strides = [level.stride for level in architecture.levels(model)]
        assert [x.shape[1] for x in outputs.logits] == [-(-length // stride) for stride in strides]
        outputs = (*outputs.logits, *outputs.offsets)
    tensors = [x for x in outputs if isinstance(x, torch.Tensor)]
    assert all(x.isfinite().all() for x in tensors)
    sum(x.sum() for x in tensors).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


# Classes, rate, lowest rate, epochs, warm-up, batch, length; width, head, MLP, window, factor, deviation, bins, power;
# normaliser, smoothing, decay, clip, noise, sigma, most detections.
TABLE: dict[str, tuple[Any, ...]] = {
    "tridet_thumos14_i3d": (
        (None, 1e-4, 1e-8, 20, 20, 2, 2304),
        (512, 512, 768, 1, 5, 0, 16, 0.2),
        (100, 0, 0.025, 1, 0.0005, 0.5, 2000),
    ),
    "tridet_activitynet_tsp": (
        (1, 1e-3, 5e-5, 5, 10, 16, 768),
        (256, 512, 2048, 15, 1.3, 0.2, 12, 1),
        (400, 0.1, 0.04, 0.4, 0.5, 0.7, 200),
    ),
    "tridet_epic100_noun": (
        (300, 1e-4, 1e-8, 14, 5, 2, 2304),
        (512, 512, 1024, 1, 4, 0, 16, 0.25),
        (250, 0.1, 0.05, 1, 0, 0.4, 2000),
    ),
    "tridet_epic100_verb": (
        (97, 1e-4, 5e-5, 22, 5, 2, 2304),
        (512, 512, 1024, 5, 2, 0, 16, 0.25),
        (250, 0, 0.05, 1, 0, 0.4, 2000),
    ),
    "tridet_hacs_slowfast": (
        (None, 1e-3, 5e-4, 4, 7, 16, 960),
        (1024, 1024, 1024, 3, 1.2, 0.1, 14, 1),
        (400, 0.1, 0.03, 0.5, 0.2, 0.75, 250),
    ),
    "tridet_hacs_i3d": (
        (None, 1e-3, 2e-4, 3, 10, 16, 512),
        (1024, 1024, 1024, 15, 1.2, 0.1, 12, 1),
        (400, 0.1, 0.03, 1, 0, 0.75, 250),
    ),
}


@pytest.mark.parametrize("preset", TABLE)
def test_presets_have_the_published_numbers(preset: str) -> None:
    config = load_config(preset)
    model, training, suppression = config.model, config.training, config.suppression
    assert isinstance(model, TriDetSettings)
    schedule = (training.learning_rate, training.lowest_rate, training.epochs, training.warmup_epochs)
    widths = (model.width, model.head_width or model.width, model.mlp_width)
    loss = (training.initial_normalizer, training.label_smoothing, training.weight_decay, training.gradient_clip)
    assert (
        (model.num_classes, *schedule, training.batch_size, model.max_length),
        (*widths, model.window, model.window_factor, model.init_deviation, model.boundary_bins, model.iou_power),
        (*loss, config.data.feature_noise, suppression.sigma, suppression.max_detections),
    ) == TABLE[preset]
    agnostic = preset == "tridet_activitynet_tsp"
    assert (suppression.per_class, suppression.voting_threshold) == (not agnostic, 0.95 if agnostic else 0.0)
    assert config.decoding.min_length == (0.1 if agnostic else 0.05)
    assert config.decoding.top_k == (5000 if "epic" in preset else 2000)
    assert (config.data.normalize, config.data.crop_margin) == (False, 0.0)
    assert config.data.min_overlap == (0.3 if "epic" in preset else 0.5)
    hacs = "hacs" in preset
    assert (model.head_kernel, model.boundary_kernel) == ((5, 1) if hacs else (3, 3))
    assert model.position == ("sinusoidal" if hacs or agnostic else "none")


@pytest.mark.parametrize("name", ["small", "hapt", "salads"])
def test_other_data_have_actionformers_budget_and_blocks_that_learn(name: str) -> None:
    config, other = load_config(f"tridet_{name}"), load_config(name)
    assert (config.training, config.data) == (other.training, other.data)
    assert isinstance(config.model, TriDetSettings)
    assert config.model.init_deviation > 0
    assert (config.model.mask_padding, config.model.width) == ("exact", 128)


def test_published_rules_are_those_of_converted_checkpoints(call: Any) -> None:
    config = load_config("thumos14_i3d_published")
    assert isinstance(config.model, PyramidSettings)
    assert (config.model.offsets, config.model.mask_padding) == ("relu", "published")
    assert (config.training.average_warmup, config.training.batch_by_length) == (False, False)
    assert (config.decoding.cap_per, config.suppression.cap_per) == ("video", "video")
    undone: dict[str, dict[str, Any]] = {
        "model": {"offsets": "softplus", "mask_padding": "exact"},
        "training": {"average_warmup": True, "batch_by_length": True},
        "decoding": {"cap_per": "length"},
        "suppression": {"cap_per": "length"},
    }
    assert config.replace(**undone).model_dump() == load_config("thumos14_i3d").model_dump()
    assert 'offsets = "relu"' in call("info", "thumos14_i3d_published").out


# Optimiser, rate, decay, epochs, drops, batch, clip; features, longest action, overlaps, share of an action in a
# window; method, sigma, least score, voting, most detections; classes of a video.
ONE_LENGTH: dict[str, tuple[Any, ...]] = {
    "tadtr_thumos14_i3d": (
        ("adamw", 2e-4, 1e-4, 16, (14,), 16, 0.1),
        (128, 0.75, 0.25, 0.75),
        ("none", 0.5, 0.001, 0, 200),
        None,
    ),
    "tadtr_thumos14_opentad_i3d": (
        ("adamw", 2e-4, 1e-4, 17, (14,), 8, 0.1),
        (256, 0.25, 0.75, 0.75),
        ("soft", 0.4, 0.001, 0, 2000),
        None,
    ),
    "bmn_activitynet_tsn": (
        ("adam", 1e-3, 1e-4, 9, (7,), 16, 0),
        (100, None),
        ("soft", 0.4, 0, 0, 100),
        1,
    ),
    "bmn_activitynet_opentad_tsn": (
        ("adam", 1e-3, 1e-4, 8, (7,), 16, 1),  # of 10 epochs, the eighth is the published one
        (128, None),
        ("soft", 0.5, 0.01, 0.95, 100),
        2,
    ),
    "bmn_activitynet_tsp": (
        ("adam", 1e-3, 1e-4, 8, (7,), 16, 1),
        (128, None),
        ("soft", 0.5, 0.01, 0.95, 100),
        2,
    ),
    "bmn_thumos14_i3d": (
        ("adam", 1e-4, 1e-4, 8, (5,), 16, 1),
        (128, 64, 0.5, 0.5, 0.9),
        ("soft", 0.3, 1e-4, 0.95, 200),
        2,
    ),
    "bmn_thumos14_tsn": (
        ("adam", 1e-4, 1e-4, 8, (5,), 16, 1),
        (128, 64, 0.5, 0.5, 0.9),
        ("soft", 0.3, 1e-4, 0.95, 200),
        2,
    ),
    "bmn_hacs_slowfast": (
        ("adam", 4e-4, 1e-4, 6, (5,), 16, 1),
        (192, None),
        ("soft", 0.5, 0.001, 0.95, 100),
        3,
    ),
    "gtad_thumos14_tsn": (
        ("adam", 4e-5, 1e-4, 10, (5,), 8, 1),
        (256, 64, 0.5, 0.5, 0.9),
        ("soft", 0.46, 0, 0, 200),
        2,
    ),
    "gtad_thumos14_i3d": (
        ("adam", 1e-4, 1e-4, 8, (5,), 8, 1),
        (256, 64, 0.5, 0.5, 0.9),
        ("soft", 0.3, 1e-4, 0.95, 200),
        2,
    ),
    "gtad_thumos14_opentad_tsn": (
        ("adam", 1e-4, 1e-4, 8, (5,), 8, 1),
        (256, 64, 0.5, 0.5, 0.9),
        ("soft", 0.3, 1e-4, 0.95, 200),
        2,
    ),
    "gtad_activitynet_tsn": (
        ("adam", 4e-3, 1e-4, 10, (5,), 16, 0),
        (100, None),
        ("soft", 0.8, 0, 0, 100),
        2,
    ),
    "gtad_activitynet_tsp": (
        ("adam", 4e-3, 1e-4, 8, (5,), 16, 1),  # of 10 epochs, the eighth is the published one
        (100, None),
        ("soft", 0.8, 0.001, 0.95, 100),
        2,
    ),
    "afsd_thumos14_i3d": (
        ("adamw", 1e-5, 1e-3, 16, (), 1, 0.1),
        (64, 0.875, 0.5, 0.75),
        ("soft", 0.5, 0.01, 0, 2000),
        None,
    ),
    "afsd_activitynet_tsp": (
        ("adamw", 1e-3, 1e-4, 10, (5,), 16, 1),
        (96,),
        ("soft", 0.85, 0.001, 0.9, 100),
        2,
    ),
}


@pytest.mark.parametrize("preset", ONE_LENGTH)
def test_presets_of_one_length_have_the_published_numbers(preset: str) -> None:
    config = load_config(preset)
    training, suppression, data = config.training, config.suppression, config.data
    optimiser = (training.optimizer, training.learning_rate, training.weight_decay)
    schedule = (training.epochs, training.drop_epochs, training.batch_size, training.gradient_clip)
    longest = (config.model.max_duration,) if isinstance(config.model, SegmentMapSettings) else ()
    windows = (data.train_overlap, data.test_overlap, data.min_overlap) if data.window else ()
    assert (
        (*optimiser, *schedule),
        (data.window or data.resize, *longest, *windows),
        (
            suppression.method,
            suppression.sigma,
            suppression.min_score,
            suppression.voting_threshold,
            suppression.max_detections,
        ),
        None if suppression.per_class else config.fusion.classes_per_video,
    ) == ONE_LENGTH[preset]
    assert config.model.num_classes == (None if suppression.per_class else 1)
    assert config.fusion.score == ("root" if suppression.per_class else "product")
    assert suppression.voting_weight == ("score" if suppression.voting_threshold else "score_tiou")
    assert training.warmup_epochs == (preset == "afsd_activitynet_tsp")
    assert (training.schedule, training.average_decay, data.normalize) == ("step", 0, False)
    assert suppression.per_window == (longest == (64,))


def test_presets_of_one_length_have_the_published_networks() -> None:
    for preset, bins, kernel in (
        ("gtad_thumos14_tsn", (16, 16), 3),
        ("gtad_thumos14_i3d", (16, 16), 3),
        ("gtad_thumos14_opentad_tsn", (16, 16), 3),
        ("gtad_activitynet_tsn", (32, 4), 1),
        ("gtad_activitynet_tsp", (32, 4), 1),
    ):
        model = load_config(preset).model
        assert isinstance(model, GTADSettings)
        assert ((model.bins, model.neighbor_bins), model.map_kernel) == (bins, kernel)
    thumos, anet = (load_config(f"afsd_{name}").model for name in ("thumos14_i3d", "activitynet_tsp"))
    assert isinstance(thumos, AFSDSettings)
    assert isinstance(anet, AFSDSettings)
    assert (thumos.units, anet.units) == ((1,) * 6, (4, 8, 16, 32, 64, 128))
    assert (64 * thumos.frames_per_feature, 96 * anet.frames_per_feature) == (256, 768)
    assert (thumos.location_weight, thumos.refined_loss, thumos.refined_tiou, thumos.refine_best) == (
        10,
        "l1",
        0.5,
        False,
    )
    assert (anet.location_weight, anet.refined_loss, anet.refined_tiou, anet.refine_best) == (1, "smooth_l1", 0.6, True)
    assert thumos.level_bounds is None
    assert anet.level_bounds is not None
    frames = [tuple(anet.frames_per_feature * end for end in ends) for ends in anet.level_bounds]
    assert frames == [(0, 30), (15, 60), (30, 120), (60, 240), (96, 768), (256, 768)]
    proposals = load_config("bmn_activitynet_tsn")
    assert (proposals.suppression.soft_from, proposals.suppression.soft_from_width) == (0.5, 0.4)
    joined = load_config("tadtr_thumos14_i3d")
    assert (joined.suppression.window_tiou, joined.decoding.top_k) == (0.4, 100)


def test_muses_has_the_published_numbers() -> None:
    """20 epochs, each of which sees every video 20 times."""
    config = load_config("muses_thumos14_i3d_published")
    model, training, decoding, suppression = config.model, config.training, config.decoding, config.suppression
    assert isinstance(model, MUSESSettings)
    assert (model.widths, model.bins, model.dropout, model.stream_weights) == ((384, 512, 384), 8, 0.8, (1, 1.2))
    assert (model.draws, model.foreground_tiou, model.incomplete_tiou, model.incomplete_share) == (
        (1, 6, 1),
        0.7,
        0.3,
        0.01,
    )
    assert (model.background_tiou, model.background_length, model.hard_share) == (0.01, 0.02, 0.17)
    assert (model.completeness_weight, model.refinement_weight, model.whole_frames) == (0.5, 1.0, 8)
    assert (training.optimizer, training.learning_rate, training.weight_decay) == ("sgd", 0.01, 5e-4)
    assert (training.epochs, training.warmup_epochs, training.schedule, training.drop_epochs) == (
        20 * 20,
        0,
        "step",
        (15 * 20,),
    )
    assert (training.batch_size, training.accumulate, training.gradient_clip, training.average_decay) == (1, 32, 0, 0)
    assert (decoding.top_k, decoding.cap_per, decoding.min_probability) == (2000, "video", 0)
    assert (suppression.method, suppression.tiou_threshold, suppression.per_class) == ("hard", 0.4, True)
    assert (config.data.normalize, config.data.crop_ratio, config.data.stride) == (False, (1, 1), 8)
