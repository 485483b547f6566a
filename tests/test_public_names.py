"""What `import actionformer` gives."""

import warnings
from importlib import import_module

import pytest

import actionformer

NAMES = [
    "Backbone",
    "Config",
    "Detections",
    "Detector",
    "InputError",
    "Report",
    "SuppressionSettings",
    "build",
    "convert",
    "evaluate_run",
    "extract",
    "load",
    "load_backbone",
    "load_config",
    "read_annotations",
    "read_results",
    "score",
    "suppress",
    "train",
    "watch",
]


def test_the_exported_names() -> None:
    assert dir(actionformer) == sorted([*NAMES, "__version__"])
    for name in NAMES:
        assert getattr(actionformer, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'evalute'"):
        _ = actionformer.evalute


def test_the_former_name_of_score_works_and_says_so() -> None:
    with pytest.warns(DeprecationWarning, match=r"actionformer\.evaluate is now called actionformer\.score") as caught:
        assert actionformer.evaluate is actionformer.score
    assert [one.filename for one in caught] == [__file__]
    assert "evaluate" not in dir(actionformer)


def test_a_verb_and_its_function_have_one_name() -> None:
    homes = {"evaluate": "evaluate_run", "score": "score", "train": "train", "extract": "extract", "convert": "convert"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for verb, function in homes.items():
            assert callable(getattr(import_module("actionformer.cli"), verb))
            assert callable(getattr(actionformer, function))
