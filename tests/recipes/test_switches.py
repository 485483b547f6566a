"""What an ablation changes, in words and settings."""

import pytest
from variants import pyramid_settings

from actionformer.core.errors import InputError
from actionformer.recipes.switches import SWITCHES, switches_of
from actionformer.settings.config import Config


def changed(config: Config, item: str, longest: int = 1000) -> Config:
    ((one,), _) = switches_of(config, longest, [item])
    return one.config


def test_the_ablations_of_the_paper_are_one_setting_each() -> None:
    full = Config()
    found, left_out = switches_of(full, 1000, ["all"])
    assert [one.name for one in found] == list(SWITCHES)
    assert left_out == []
    different = {
        one.name: [
            f"{section}.{name}"
            for section, settings in one.config.model_dump().items()
            for name, value in settings.items()
            if value != full.model_dump()[section][name]
        ]
        for one in found
    }
    assert different == {
        "convolutions": ["model.block"],
        "no-head-norm": ["model.head_norm"],
        "no-center-sampling": ["training.center_sampling"],
        "position-encoding": ["model.position"],
        "global-attention": ["model.window"],
        "half-length": ["model.max_length"],
    }


def test_half_of_the_length_is_half_of_what_training_sees() -> None:
    assert changed(Config(), "half-length", longest=1000).model.max_length == 500
    assert changed(Config(), "half-length", longest=9000).model.max_length == 2304 // 2
    with pytest.raises(InputError, match="sequences have 128 features whatever"):
        changed(Config().replace(data={"window": 128}), "half-length")


@pytest.mark.parametrize(
    ("levels", "ranges"),
    [
        (2, ((0, 4), (4, 1000))),
        (3, ((0, 4), (4, 8), (8, 1000))),
        (5, ((0, 4), (4, 8), (8, 16), (16, 32), (32, 1000))),
    ],
)
def test_levels_by_hand(levels: int, ranges: object) -> None:
    full = Config().replace(model={"branch_blocks": 3, "regression_ranges": ((0, 4), (4, 8), (8, 16), (16, 1000))})
    model = pyramid_settings(changed(full, f"levels={levels}"))
    assert model.regression_ranges == ranges
    assert model.branch_blocks == levels - 1


def test_settings_are_changed_alone_and_together() -> None:
    config = changed(Config(), "model.window=9+training.center_radius=2.5+model.block=convolution")
    assert config.model.model_dump()["window"] == 9
    assert config.model.model_dump()["block"] == "convolution"
    assert config.training.center_radius == 2.5
    both = changed(Config(), "levels=3+model.dropout=0.2")
    assert (pyramid_settings(both).num_levels, both.model.model_dump()["dropout"]) == (3, 0.2)


@pytest.mark.parametrize(
    ("detector", "item", "said"),
    [
        ("temporalmaxer", "global-attention", "temporalmaxer does not have this switch"),
        ("afsd", "no-center-sampling", "afsd does not have this switch: it makes no use of training.center_sampling"),
        ("gtad", "training.label_smoothing=0.1", "it makes no use of training.label_smoothing"),
        ("tridet", "convolutions", "tridet does not have this switch"),
        ("tridet", "global-attention", "tridet does not have this switch"),
        ("actionformer", "model.window=19", "changes nothing: the full model is so"),
        ("actionformer", "model.window=20", "window must be odd, found 20"),
        ("actionformer", "model.windw=9", "unknown setting model.windw, did you mean 'window'"),
        ("actionformer", "training.seed=1", r"training.seed cannot be changed in one: give --training.seed for all"),
        (
            "actionformer",
            "data.test_subset=['training']",
            "data.test_subset cannot be changed in one: give --data.test",
        ),
        ("actionformer", "evaluation.tiou=[0.5]", "evaluation.tiou cannot be changed in one: give --evaluation.tiou"),
        ("actionformer", "model.num_classes=1", "evaluated alike, so model.num_classes cannot be changed"),
        ("actionformer", "training.workers=2", "training.workers=2: changes nothing of the model"),
        ("actionformer", "evaluation.tiou=0.5", r"tiou: expected a list, such as \[0.5\], found 0.5"),
        ("actionformer", "data.train_subset=all", r"^data.train_subset=all: .*a list, such as \['all'\], found 'all'"),
        ("actionformer", "convolution", "no switch 'convolution', did you mean 'convolutions'"),
        ("actionformer", "window=9", "expected section.setting=value, such as model.window=9"),
        ("actionformer", "model.window=", "expected section.setting=value, such as model.window=9"),
        ("actionformer", "levels=0", "expected a number of levels, found '0'"),
        ("actionformer", "levels=20", "the ranges of 20 levels would go beyond 10000 features"),
    ],
)
def test_what_a_detector_does_not_have_is_refused_in_words(detector: str, item: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        switches_of(Config().replace(model={"detector": detector}), 1000, [item])


def test_all_leaves_out_what_a_detector_does_not_have() -> None:
    found, left_out = switches_of(Config().replace(model={"detector": "temporalmaxer"}), 1000, ["all"])
    assert [one.name for one in found] == ["no-head-norm", "no-center-sampling", "half-length"]
    assert [sentence.partition(":")[2].split(":")[0].strip() for sentence in left_out] == [
        "convolutions",
        "position-encoding",
        "global-attention",
    ]
