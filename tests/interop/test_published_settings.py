from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from variants import actionformer_settings

from actionformer.core.errors import InputError
from actionformer.interop.published_settings import read_published_settings

Write = Callable[..., Path]


def test_the_small_model(small: Path) -> None:
    config = read_published_settings(small / "official_config.yaml")
    assert config.data.train_subset == ("validation",)
    assert config.data.test_subset == ("test",)
    assert config.data.prefix == ""
    assert config.data.fps is None
    assert (config.data.stride, config.data.num_frames) == (4, 16)
    assert config.data.resize is None
    assert config.data.normalize is False
    assert config.data.crop_ratio == (0.9, 1.0)
    assert config.model.input_dim == 24
    assert config.model.num_classes == 5
    assert actionformer_settings(config).windows == (19,) * 6
    assert config.model.max_length == 576
    assert actionformer_settings(config).mask_padding == "published"
    assert actionformer_settings(config).offsets == "relu"
    assert config.training.initial_normalizer == 100
    assert config.training.gradient_clip == 1.0
    assert config.training.average_warmup is False
    assert config.suppression.voting_threshold == 0.7
    assert config.suppression.min_score == 0.001


def test_defaults(tmp_path: Path) -> None:
    """What a published file leaves out."""
    path = tmp_path / "empty.yaml"
    path.write_text("dataset_name: other\n", "utf-8")
    config = read_published_settings(path)
    model, training, suppression = actionformer_settings(config), config.training, config.suppression
    assert (model.embedding_layers, model.stem_blocks, model.branch_blocks) == (2, 2, 5)
    assert (model.width, model.neck_width, model.head_width, model.num_heads) == (512, 512, 512, 4)
    assert (model.block, model.neck, model.position) == ("transformer", "identity", "none")
    assert (model.embedding_kernel, model.head_kernel, model.head_layers) == (3, 3, 3)
    assert model.embedding_norm
    assert model.neck_norm
    assert model.head_norm
    assert model.windows == (-1,) * 6
    assert model.regression_ranges == ((0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000))
    assert (model.dropout, model.drop_path, model.class_prior) == (0.0, 0.1, 0.01)
    assert (training.center_sampling, training.center_radius) == (True, 1.5)
    assert (training.regression_weight, training.label_smoothing) == (1.0, 0.0)
    assert (training.initial_normalizer, training.gradient_clip, training.weight_decay) == (2000, 0.0, 0.0)
    assert (training.learning_rate, training.epochs, training.warmup_epochs) == (1e-3, 30, 5)
    assert training.average_decay == 0.999
    assert config.data.crop_ratio == (1.0, 1.0)
    assert config.data.min_overlap == 0.5
    assert (config.decoding.min_probability, config.decoding.top_k) == (0.001, 5000)
    assert config.decoding.min_length == 0.05
    assert (suppression.method, suppression.per_class, suppression.sigma) == ("soft", True, 0.5)
    assert (suppression.tiou_threshold, suppression.min_score) == (0.1, 0.01)
    assert (suppression.max_detections, suppression.voting_threshold) == (1000, 0.75)


def test_activitynet(published: Write) -> None:
    """Sequences are resized to max_seq_len; the window is a list whose last entry is global."""
    path = published(
        dataset_name="anet",
        dataset={"max_seq_len": 192, "force_upsampling": True, "default_fps": 15, "file_prefix": "v_"},
        model={"n_mha_win_size": [7, 7, 7, 7, 7, -1], "use_abs_pe": True},
        test_cfg={"multiclass_nms": False},
    )
    config = read_published_settings(path)
    assert config.data.resize == 192
    assert config.data.fps == 15
    assert config.data.prefix == "v_"
    assert actionformer_settings(config).windows == (7, 7, 7, 7, 7, -1)
    assert actionformer_settings(config).position == "sinusoidal"
    assert config.suppression.per_class is False


def test_projections_of_several_sources(published: Write) -> None:
    path = published(dataset={"input_dim": [10, 14]}, model={"embd_dim": [24, 40], "fpn_dim": 64, "head_dim": 64})
    config = read_published_settings(path)
    assert config.model.input_dim == (10, 14)
    assert actionformer_settings(config).projection == (24, 40)
    assert actionformer_settings(config).width == 64


@pytest.mark.parametrize(
    ("dataset", "first", "last", "count"),
    [("thumos", 0.3, 0.7, 5), ("anet", 0.5, 0.95, 10), ("epic", 0.1, 0.5, 5), ("ego4d", 0.1, 0.5, 5)],
)
def test_each_benchmark_is_evaluated_at_its_own_thresholds(
    published: Write, dataset: str, first: float, last: float, count: int
) -> None:
    tiou = read_published_settings(published(dataset_name=dataset)).evaluation.tiou
    assert (tiou[0], tiou[-1], len(tiou)) == (first, last, count)


def test_only_epic_lowers_the_prior_of_empty_classes(published: Write) -> None:
    assert not read_published_settings(published()).training.empty_class_prior
    assert read_published_settings(published(dataset_name="epic")).training.empty_class_prior


def test_the_convolution_backbone_never_had_positions(published: Write) -> None:
    config = read_published_settings(published(model={"backbone_type": "conv", "use_abs_pe": True}))
    assert actionformer_settings(config).position == "none"


def test_switches(published: Write) -> None:
    path = published(
        model={"fpn_type": "fpn", "use_rel_pe": True},
        opt={"warmup": False, "type": "Adam"},
        train_cfg={"center_sample": "none", "clip_grad_l2norm": -1},
        test_cfg={"voting_thresh": -1, "nms_method": "hard"},
    )
    config = read_published_settings(path)
    assert actionformer_settings(config).neck == "fpn"
    assert actionformer_settings(config).relative_position
    assert (config.training.warmup_epochs, config.training.optimizer) == (0, "adam")
    assert (config.training.center_sampling, config.training.gradient_clip) == (False, 0.0)
    assert (config.suppression.voting_threshold, config.suppression.method) == (0.0, "hard")


def test_a_number_without_a_point_is_a_number(small: Path, tmp_path: Path) -> None:
    text = (small / "official_config.yaml").read_text("utf-8")
    path = tmp_path / "published.yaml"
    path.write_text(text.replace("clip_grad_l2norm: 1.0", "clip_grad_l2norm: 1e-1"), "utf-8")
    assert read_published_settings(path).training.gradient_clip == 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modle": {}}, "unknown key modle, did you mean 'model'"),
        ({"model": {"n_heads": 4}}, "unknown key model.n_heads, did you mean 'n_head'"),
        ({"test_cfg": {"xyz": 4}}, "unknown key test_cfg.xyz$"),
        ({"opt": {"schedule_type": "multistep"}}, "opt.schedule_type is 'multistep', only 'cosine' is known"),
        ({"model": {"backbone_type": "convTransformers"}}, "'convTransformer' or 'conv' is known"),
        ({"model": {"scale_factor": 4}}, "model.scale_factor is 4, only 2 is known"),
        ({"model": 3}, "section model must hold keys and values, found 3"),
        ({"model": {"backbone_arch": [2, 2]}}, r"model.backbone_arch is \[2, 2\]"),
        ({"model": {"backbone_arch": 7}}, "model.backbone_arch is 7"),
        ({"model": {"embd_dim": "wide"}}, "model.embd_dim is 'wide'"),
        ({"model": {"use_abs_pe": 1}}, "model.use_abs_pe is 1"),
        ({"train_cfg": {"clip_grad_l2norm": None}}, "train_cfg.clip_grad_l2norm is None"),
        ({"train_cfg": {"dropout": [0.1]}}, r"train_cfg.dropout is \[0.1\]"),
        ({"model": {"n_mha_win_size": [19, 19]}}, "window lists 2 numbers for 6 resolutions"),
        ({"model": {"n_mha_win_size": 18}}, "window must be odd, found 18"),
        ({"dataset": {"default_fps": -1}}, "data.fps"),
    ],
)
def test_what_is_not_known_is_refused_by_name(published: Write, changes: dict[str, Any], message: str) -> None:
    path = published(**changes)
    with pytest.raises(InputError, match=message) as caught:
        read_published_settings(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("model: [", "not valid YAML"), ("- 1\n", "expected the sections"), ("", "expected the sections")],
)
def test_no_configuration(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        read_published_settings(path)
    with pytest.raises(InputError, match="cannot read the configuration"):
        read_published_settings(tmp_path / "absent.yaml")
