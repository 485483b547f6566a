import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from variants import actionformer_settings

from actionformer.core.errors import InputError
from actionformer.core.names import nearest
from actionformer.settings.base import Settings, descriptions
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config, preset_names

PRESETS = preset_names()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_survive_toml(preset: str, tmp_path: Path) -> None:
    config = load_config(preset)
    (tmp_path / "config.toml").write_text(config.to_toml(), "utf-8")
    assert load_config(tmp_path) == config
    assert load_config(tmp_path / "config.toml") == config
    assert load_config(str(tmp_path / "config.toml")) == config


def test_thresholds_are_in_order_and_count_once() -> None:
    assert Config().replace(evaluation={"tiou": [0.9, 0.3, 0.7, 0.3]}).evaluation.tiou == (0.3, 0.7, 0.9)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_setting_is_written_with_its_description(preset: str) -> None:
    config = load_config(preset)
    text = config.to_toml()
    lines = text.splitlines()
    settings: Settings
    for section, settings in config:
        assert any(line.startswith(f"[{section}] # ") for line in lines)
        assert descriptions(type(settings)).keys() == type(settings).model_fields.keys()
        for key, description in descriptions(type(settings)).items():
            if getattr(settings, key) is None:
                assert f"# {key} is not set: {description}" in lines
            else:
                assert any(line.startswith(f"{key} = ") and line.endswith(f"# {description}") for line in lines)
    assert tomllib.loads(text).keys() == set(Config.model_fields)


# The numbers that the released checkpoints were trained with.
TABLE = {
    "thumos14_i3d": (None, 1e-4, 30, 2, 2304, 19, 512, 100, 0.0, 0.5, 200),
    "activitynet_tsp": (1, 1e-3, 10, 16, 192, (7, 7, 7, 7, 7, 0), 256, 200, 0.1, 0.75, 100),
    "activitynet_i3d": (1, 1e-3, 10, 16, 192, (7, 7, 7, 7, 7, 0), 256, 200, 0.1, 0.75, 100),
    "epic100_verb": (97, 1e-4, 16, 2, 2304, 9, 512, 250, 0.0, 0.4, 2000),
    "epic100_noun": (300, 1e-4, 16, 2, 2304, 9, 512, 250, 0.1, 0.4, 2000),
    "ego4d_slowfast": (None, 1e-4, 10, 2, 1024, 9, 512, 100, 0.0, 0.9, 2000),
    "ego4d_egovlp": (None, 1e-4, 10, 2, 1024, 9, 384, 100, 0.0, 0.9, 2000),
    "ego4d_omnivore": (None, 1e-4, 10, 2, 1024, 9, 512, 100, 0.0, 0.9, 2000),
    "ego4d_slowfast_egovlp": (None, 1e-4, 10, 2, 1024, 9, 768, 100, 0.0, 0.9, 2000),
    "ego4d_omnivore_egovlp": (None, 1e-4, 10, 2, 1024, 9, 768, 100, 0.0, 0.9, 2000),
    "ego4d_slowfast_omnivore_egovlp": (None, 1e-4, 10, 2, 1024, 9, 1024, 100, 0.0, 0.9, 2000),
}


@pytest.mark.parametrize("preset", TABLE)
def test_benchmarks_have_the_published_numbers(preset: str) -> None:
    config = load_config(preset)
    model, training = actionformer_settings(config), config.training
    found = (
        model.num_classes,
        training.learning_rate,
        training.epochs,
        training.batch_size,
        model.max_length,
        model.window,
        model.width,
        training.initial_normalizer,
        training.label_smoothing,
        config.suppression.sigma,
        config.suppression.max_detections,
    )
    classes = found[0] if TABLE[preset][0] is not None else None  # elsewhere they come from the annotations
    assert (classes, *found[1:]) == TABLE[preset]
    assert (training.warmup_epochs, training.weight_decay, training.gradient_clip) == (5, 0.05, 1.0)
    assert (model.drop_path, config.suppression.min_score, config.suppression.method) == (0.1, 0.001, "soft")
    benchmark = preset.split("_")[0]
    assert training.regression_weight == (2.0 if benchmark == "activitynet" else 1.0)
    assert model.position == ("sinusoidal" if benchmark in ("activitynet", "ego4d") else "none")
    assert model.dropout == (0.1 if benchmark == "ego4d" else 0.0)
    assert config.data.min_overlap == (0.3 if benchmark in ("epic100", "ego4d") else 0.5)
    assert config.decoding.top_k == (5000 if benchmark in ("epic100", "ego4d") else 2000)
    assert config.decoding.min_length == (0.001 if benchmark == "activitynet" else 0.05)
    assert config.suppression.per_class == (benchmark != "activitynet")
    assert config.data.resize == (192 if benchmark == "activitynet" else None)


def test_strides_and_windows_of_the_levels() -> None:
    assert actionformer_settings(load_config("thumos14_i3d")).strides == (1, 2, 4, 8, 16, 32)
    assert actionformer_settings(load_config("activitynet_tsp")).level_windows == (7, 7, 7, 7, 7, 0)
    assert actionformer_settings(load_config("ego4d_slowfast")).num_levels == 7
    assert actionformer_settings(load_config("ego4d_egovlp")).strides[-1] == 128


def test_a_users_file_changes_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('preset = "epic100_noun"\n[training]\nepochs = 3\n', "utf-8")
    expected = load_config("epic100_noun").replace(training={"epochs": 3})
    assert load_config(path) == expected
    assert load_config(path, {"training": {"epochs": 4}}).training.epochs == 4
    assert expected.training.label_smoothing == 0.1


def test_a_users_file_without_a_preset_starts_from_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[model]\nwidth = 64\n", "utf-8")
    assert load_config(path) == Config().replace(model={"width": 64})


def test_replace_leaves_the_original() -> None:
    config = Config()
    changed = config.replace(training={"epochs": 3}, model={"window": [9, 9, 9, 9, 9, 0]})
    assert (changed.training.epochs, actionformer_settings(changed).windows) == (3, (9, 9, 9, 9, 9, 0))
    assert (config.training.epochs, actionformer_settings(config).window) == (30, 19)
    assert changed.training.batch_size == config.training.batch_size
    assert load_config(config, {"training": {"epochs": 3}}).training.epochs == 3
    with pytest.raises(ValidationError, match="frozen"):
        config.training.epochs = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainig": {}}, "unknown setting trainig, did you mean 'training'"),
        ({"training": {"epoch": 3}}, "unknown setting training.epoch, did you mean 'epochs'"),
        ({"model": {"windows": 3}}, "unknown setting model.windows, did you mean 'window'"),
        ({"data": {"zzz": 3}}, "unknown setting data.zzz$"),
        ({"training": {"epochs": 0}}, "training.epochs: .*greater than or equal to 1, found 0"),
        ({"training": {"epochs": "many"}}, "training.epochs: .*, found 'many'"),
        ({"training": {"learning_rate": float("nan")}}, "training.learning_rate: "),
        ({"training": 3}, "training: .*found 3"),
        ({"model": {"window": 18}}, "model: window must be odd, found 18"),
        ({"model": {"window": (9, 9, 9, 9, 9, 8)}}, "window must be odd, found 8"),
        ({"model": {"window": (9, 9)}}, "window lists 2 numbers for 6 resolutions"),
        ({"model": {"branch_blocks": 6}}, "regression_ranges has 6 entries for 7 levels"),
        ({"model": {"stem_levels": True}}, "regression_ranges has 6 entries for 7 levels"),
        ({"model": {"num_heads": 3}}, "width 512 does not divide into 3 attention heads"),
        ({"model": {"embedding_kernel": 4}}, "embedding_kernel must be odd, found 4"),
        ({"model": {"head_kernel": 2}}, "head_kernel must be odd, found 2"),
        ({"model": {"projection": (256, 256)}}, "projection needs a list input_dim"),
        ({"model": {"projection": (512,), "input_dim": (4, 4)}}, "projection needs a list input_dim"),
        ({"model": {"projection": (256, 250), "input_dim": (4, 4)}}, "widths sum to 506, width is 512"),
        ({"model": {"neck_width": 256}}, "identity neck keeps width 512, found neck_width 256"),
        (
            {"model": {"stem_levels": True, "stem_blocks": 0, "branch_blocks": 6}},
            "stem_levels needs stem blocks",
        ),
        ({"evaluation": {"tiou": (0.5, 30)}}, "evaluation.tiou: tIoU thresholds lie above 0 and up to 1"),
        ({"evaluation": {"recall_at": (0,)}}, "evaluation.recall_at: .* from 1 on"),
        ({"suppression": {"method": "sotf"}}, "suppression.method: .*'soft'.*found 'sotf'"),
    ],
)
def test_what_does_not_fit_is_explained(changes: dict[str, Any], message: str) -> None:
    attempts: list[Callable[[], Config]] = [
        lambda: Config().replace(**changes),
        lambda: load_config("thumos14_i3d", changes),
    ]
    for attempt in attempts:
        with pytest.raises(InputError, match=message) as caught:
            attempt()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[model]\nwidth = \n", "[model]\nwidth = 3\nwidth = 4\n"])
def test_broken_toml_names_file_and_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"broken\.toml: not valid TOML: .*line [23]"):
        load_config(path)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('preset = "epic100_noun"\n[training]\nepoch = 3\n', "utf-8")
    with pytest.raises(InputError, match=r"mine\.toml: unknown setting training\.epoch, did you mean 'epochs'"):
        load_config(path)
    with pytest.raises(InputError, match=r"absent\.toml: cannot read the settings"):
        load_config(tmp_path / "absent.toml")


def test_an_unknown_preset_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no preset 'thumos14', did you mean 'thumos14_i3d'\? The presets"):
        load_config("thumos14")
    path = tmp_path / "mine.toml"
    path.write_text('preset = "epic100_nuon"\n', "utf-8")
    with pytest.raises(InputError, match="no preset 'auot', did you mean 'auto'"):
        load_config("auot")
    with pytest.raises(InputError, match=r"auto is for `train`, .* `actionformer init` writes them as a file"):
        load_config("auto")
    with pytest.raises(InputError, match="no preset 'epic100_nuon', did you mean 'epic100_noun'"):
        load_config(path)


def test_a_folder_does_not_hide_a_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preset, model = load_config("hapt"), Config()
    (tmp_path / "hapt").mkdir()
    (tmp_path / "hapt" / "config.toml").write_text(model.to_toml(), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_config("hapt") == preset
    assert load_config("./hapt") == load_config(Path("hapt")) == model


def test_a_setting_of_another_detector_says_whose_it_is() -> None:
    with pytest.raises(
        InputError,
        match=r"^small: unknown setting model\.window_factor: tridet has it, model\.detector is actionformer$",
    ):
        load_config("small", {"model": {"window_factor": 2}})
    with pytest.raises(InputError, match=r"model\.stem_levels: actionformer has it, model\.detector is tridet$"):
        load_config("tridet_small", {"model": {"stem_levels": True}})
    with pytest.raises(InputError, match=r"model\.widht, did you mean 'width'"):
        load_config("tridet_small", {"model": {"widht": 3}})


@pytest.mark.parametrize("found", ["tridnet", 3, ["tridet"]])
def test_a_detector_that_is_not_there_is_named(found: Any) -> None:
    with pytest.raises(InputError, match=r"^small: model\.detector: no detector .*The detectors are actionformer"):
        load_config("small", {"model": {"detector": found}})


def test_another_detector_begins_with_its_own_defaults(tmp_path: Path) -> None:
    small = load_config("small")
    changed = small.replace(model={"detector": "tridet", "max_length": 100})
    assert changed.model == load_config("tridet_small").model.model_copy(update={"width": 512, "max_length": 100})
    assert changed.training == small.training
    assert load_config("small", {"model": {"detector": "tridet", "max_length": 100}}) == changed
    path = tmp_path / "mine.toml"
    path.write_text('preset = "small"\n[model]\ndetector = "tridet"\nmax_length = 100\n', "utf-8")
    assert load_config(path) == changed
    assert load_config("small", {"model": {"detector": "actionformer"}}) == small
    named = Config().replace(model={"num_classes": 7, "input_dim": 5, "detector": "temporalmaxer"})
    assert (named.model.num_classes, named.model.input_dim) == (7, 5)


def test_only_attention_divides_the_width() -> None:
    config = Config().replace(model={"block": "convolution", "width": 30})
    assert actionformer_settings(config).num_heads == 4


def test_input_width() -> None:
    assert Config().replace(model={"input_dim": [3, 4]}).model.input_width == 7
    assert Config().replace(model={"input_dim": [3]}).model.input_dim == 3
    with pytest.raises(InputError, match=r"model\.input_dim is not set"):
        _ = Config().model.input_width


def test_nearest() -> None:
    assert nearest("epocs", ["epochs", "seed"]) == ", did you mean 'epochs'?"
    assert nearest("qqq", ["epochs", "seed"]) == ""
