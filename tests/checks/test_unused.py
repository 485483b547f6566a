"""Settings without effect."""

import pytest

from actionformer.checks.unused import check_unused
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config, preset_names


def test_what_was_changed_in_vain_is_told() -> None:
    config = Config().replace(
        model={"detector": "tadtr"}, training={"label_smoothing": 0.1, "center_radius": 2.0, "epochs": 7}
    )
    (finding,) = check_unused(config)
    assert str(finding) == (
        "training.center_radius, training.label_smoothing have no effect with tadtr; leave out what is not meant for it"
    )
    assert check_unused(config.replace(training={"label_smoothing": 0.0, "center_radius": 1.5})) == []
    assert check_unused(Config().replace(training={"label_smoothing": 0.1})) == []


@pytest.mark.parametrize("detector", ["afsd", "bmn", "gtad", "tadtr"])
def test_settings_of_a_pyramid_s_moments_are_for_those_detectors_alone(detector: str) -> None:
    config = Config().replace(model={"detector": detector}, training={"center_sampling": False})
    (finding,) = check_unused(config)
    assert str(finding).startswith(f"training.center_sampling has no effect with {detector}")


def test_no_preset_changes_anything_in_vain() -> None:
    assert [name for name in preset_names() if check_unused(load_config(name))] == []
